//! Whose text a token brings: the mail's is judged, the program's and the administrator's is not.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, World};

/// Saved mails lie in a folder with a comma in its name.
fn saving(event: &str) -> Ini {
    Ini::folder()
        .set("General", "DownloadEmails", "True")
        .set("General", "DownloadFolder", "{root}/Received/mails, 2026")
        .rule(&format!(
            "SubjectLineMask=Files\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,{event}"
        ))
}

#[test]
fn a_comma_in_the_download_folder_is_not_the_mail_s() {
    for (token, bytes) in [("[[EMAILFILE]]", None), ("[[ATTACHMENT]]", Some(b"1"))] {
        let mail = Mail::new("Files").attach("a.csv", b"1");
        let world = World::with_mails(&saving(token), std::slice::from_ref(&mail));
        let ran = world.run(&[]);
        ran.exit(0).without_complaint();
        let [event] = &world.events()[..] else {
            panic!("one event for {token}\n{ran}");
        };
        let path = event.replacen("$CONSOLE:DISPLAY,", "", 1);
        assert!(path.contains("mails, 2026"), "{path}");
        let expected = bytes.map_or_else(|| mail.bytes(), |bytes| bytes.to_vec());
        assert_eq!(std::fs::read(&path).unwrap(), expected, "{path}");
    }
}

#[test]
fn a_comma_in_the_name_of_an_attachment_is_the_mail_s() {
    let files = [Mail::new("Files").attach("a,b.csv", b"1")];
    for token in ["[[ATTACHMENT]]", "[[ATTACHMENTNAME]]"] {
        let world = World::with_mails(&saving(token), &files);
        let ran = world.run(&[]);
        ran.exit(0).says("comma");
        assert_eq!(world.event_lines(), [""; 0]);
        assert_eq!(ran.lines_starting("rejected"), 1, "{ran}");
    }
    let world = World::with_mails(&saving("[[EMAILFILE]]"), &files);
    world.run(&[]).exit(0);
    assert_eq!(world.events().len(), 1, "what is not used is not judged");
}

#[test]
fn a_mail_never_decides_that_an_event_is_in_the_xml_form() {
    let ini = Ini::folder().rule("SubjectLineMask=EV (.*)\nEvent=[[1]]");
    let subject = "<EVENT><A/><USERPWD>";
    let world = World::with_mails(&ini, &[Mail::new(&format!("EV {subject}"))]);
    world.run(&[]).exit(0);
    // The credentials stand at the end, as in every event in the comma form.
    assert_eq!(world.events(), [subject]);
}
