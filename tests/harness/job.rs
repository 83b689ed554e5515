//! One small job for every server and every fault: a handful of mails of different kinds, the
//! rules that want some of them, and what must have come of it in the end.

use std::collections::BTreeSet;

use super::{Ini, Mail, World};

/// A mail of the job.
pub struct Task {
    /// Its bytes on the server.
    pub mail: Vec<u8>,
    /// The event that it must write, exactly once; `None` for a mail that no rule wants.
    pub event: Option<&'static str>,
}

/// The mails: a match in the subject, in the body, in the name of an attachment; none; a
/// subject in RFC 2047 words; a subject of bare 8-bit letters.
pub fn tasks() -> Vec<Task> {
    let task = |mail: Vec<u8>, event| Task { mail, event };
    let body = Mail::new("Body").text("first\nwanted line\n.\nlast\n");
    let file = Mail::new("File").attach("report.csv", b"1;2;3\n");
    let bare = String::from_utf8(Mail::new("Test PLAIN").bytes()).unwrap();
    vec![
        task(Mail::new("Test one").bytes(), Some("subject one")),
        task(body.bytes(), Some("body line")),
        task(Mail::new("other").bytes(), None),
        task(file.bytes(), Some("file report")),
        task(Mail::new("Test Grüße").bytes(), Some("subject Grüße")),
        task(bare.replace("PLAIN", "Größe").into(), Some("subject Größe")),
    ]
}

/// The rules of the job on a mailbox: matching mails are saved and deleted.
pub fn rules(mailbox: Ini) -> Ini {
    mailbox
        .set("General", "DeleteEmails", "Match")
        .set("General", "DownloadEmails", "True")
        .rule("SubjectLineMask=^Test (\\w+)\nEvent=$CONSOLE:DISPLAY,subject [[1]]")
        .rule(
            "SubjectLineMask=^wanted (\\w+)\nProcessBody=YES\nQualifyingSubjectLine=^Body\n\
             Event=$CONSOLE:DISPLAY,body [[1]]",
        )
        .rule(
            "SubjectLineMask=^File\nProcessAttachments=True\nAttachmentMask=(\\w+)\\.csv\n\
             Event=$CONSOLE:DISPLAY,file [[1]]",
        )
}

/// Each event was written once, and each mail that wrote one was saved once, byte for byte.
#[track_caller]
pub fn assert_done_once(world: &World, tasks: &[Task]) {
    let accepted = || tasks.iter().filter(|task| task.event.is_some());
    let mut events = world.events();
    events.sort();
    let mut expected: Vec<_> = accepted()
        .filter_map(|task| task.event)
        .map(|event| format!("$CONSOLE:DISPLAY,{event}"))
        .collect();
    expected.sort();
    assert_eq!(events, expected, "each event exactly once");
    let saved = world.saved();
    let mails = saved.iter().filter(|name| name.ends_with(".eml"));
    let copies: Vec<_> = mails
        .map(|name| std::fs::read(world.path("Received").join(name)).unwrap())
        .collect();
    let expected: BTreeSet<_> = accepted().map(|task| &task.mail).collect();
    assert_eq!(
        copies.len(),
        expected.len(),
        "each mail saved once: {saved:?}"
    );
    let copies: BTreeSet<_> = copies.iter().collect();
    assert!(copies == expected, "the copies are the mails: {saved:?}");
}
