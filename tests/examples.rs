//! The worked examples of the specification, run as they stand there.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Mail, World};

/// The file of Example 1 up to its configuration. The other examples change `DeleteEmails`
/// and add the two older names of the notice settings.
const FILE: &str = r"[General]
MSGINDirectory=%PROGRAMDATA%\OpConxps\SAM\MSGIN
OpConUser=
OpConUserPassword=
DeleteEmails=MATCH
DownloadEmails=TRUE
DownloadFolder=%PROGRAMDATA%\OpConxps\SMArt Email\Received

[Mail]
User=
Password=
Server=
EmailProtocol=
SecurityProtocol=
Port=

[Audit]
AuditAcceptLogFile=Audit.log
LogAccepts=FALSE
LogAcceptFormat=SMArt Email - Message Accepted - From: [[SENDER]] Subject: [[SUBJECT]]
NotifyOnAccepts=FALSE
NotifyOnAcceptSubject=SMArt Email - Message Accepted - From: [[SENDER]] Subject: [[SUBJECT]]
NotifyOnAcceptBody=Email message was accepted and generated event: [[EVENT]]
NotifyOnAcceptTo=[[SENDER]]

AuditRejectLogFile=Audit.log
LogRejects=FALSE
LogRejectFormat=SMArt Email - Message Rejected - From: [[SENDER]] Subject: [[SUBJECT]]
NotifyOnRejects=FALSE
NotifyOnRejectSubject=SMArt Email - Message Rejected - From: [[SENDER]] Subject: [[SUBJECT]]
NotifyOnRejectBody=Email message sent on [[DATE]] was rejected for reason: [[REASON]]
NotifyOnRejectTo=[[SENDER]]
RejectTimeframeMessage=Message received outside timeframe
RejectSenderMessage=Invalid Sender
RejectNoMatchingSubjectMessage=No matching subjects found
RejectNoAttachmentMessage=No matching attachments found
RejectEvent=N\A
LogOpConEvents=N\A
OpConEventLogFile=N\A
LogOpConEventFormat=Generated Event: [[Event]]

[Tokens]
ADMINEMAIL=admin@anycompany.com

#---------------------------------
# Configuration events definitions
#---------------------------------

[Configuration1]
SubjectLineMask=Test
Event=$CONSOLE:DISPLAY,the test passed
AllowedSenders=[[ADMINEMAIL]]
AllowedTimeFrame=0000-2400
";

const PASSED: &str = "$CONSOLE:DISPLAY,the test passed";

/// Runs an example's file, sealed by `--credentials`, over these mails.
fn example(text: &str, mails: &[Mail]) -> World {
    let world = World::new();
    let text = text.replace("%PROGRAMDATA%\\OpConxps\\SAM\\MSGIN", &world.place("MSGIN"));
    world.write_ini(text.replace(
        "%PROGRAMDATA%\\OpConxps\\SMArt Email\\Received",
        &world.place("Received"),
    ));
    world.seal(false);
    for (number, mail) in mails.iter().enumerate() {
        world.mail(&format!("{number}.eml"), &mail.bytes());
    }
    let folder = format!("-folder:{}", world.place("mails"));
    world.run(&[&folder]).exit(0).without_complaint();
    world
}

fn admin(subject: &str) -> Mail {
    Mail::new(subject).from("The Admin <Admin@AnyCompany.com>")
}

#[test]
fn example_1_match_by_subject() {
    let mails = [
        admin("A Test for you"),
        admin("nothing"),
        Mail::new("Test").from("other@anycompany.com"),
    ];
    let world = example(FILE, &mails);
    assert_eq!(world.events(), [PASSED]);
    assert_eq!(world.mails_left(), ["1.eml", "2.eml"], "DeleteEmails=MATCH");
    assert_eq!(world.saved().len(), 1, "DownloadEmails=TRUE");
}

#[test]
fn example_2_match_by_attachment() {
    let notices = "DeleteEmails=NONE\nSendRejectionNotice=FALSE\nSendAcceptedNotice=FALSE";
    let text = FILE.replace("DeleteEmails=MATCH", notices)
        + "AttachmentMask=SMArtEmail Test\nProcessAttachments=True\n";
    let mails = [
        admin("Test").attach("My SMArtEmail Test.txt", b"content"),
        admin("Test").attach("other.txt", b"content"),
        admin("Test"),
        admin("other").attach("SMArtEmail Test", b"content"),
    ];
    let world = example(&text, &mails);
    assert_eq!(world.events(), [PASSED]);
    assert_eq!(world.mails_left().len(), 4, "DeleteEmails=NONE");
    assert_eq!(world.saved().len(), 2, "the mail and its attachment");
}

#[test]
fn example_3_match_by_body() {
    let notices = "DeleteEmails=MATCH\nSendRejectionNotice=FALSE\nSendAcceptedNotice=FALSE";
    let text = FILE.replace("DeleteEmails=MATCH", notices) + "ProcessBody=Yes\n";
    let mails = [
        admin("Test").text("no\na Test line\nanother Test line\n"),
        admin("other").text("one Test line\n"),
        admin("other").html("<p>one</p><p>a Test in HTML</p>"),
        admin("other").text("nothing\n"),
    ];
    let world = example(&text, &mails);
    assert_eq!(world.events(), [PASSED; 5]);
    assert_eq!(world.event_files().len(), 3, "one file for each mail");
    assert_eq!(world.mails_left(), ["3.eml"]);
}

#[test]
fn the_example_of_regular_expressions_in_masks() {
    let text = FILE
        .replace(
            "SubjectLineMask=Test",
            r"SubjectLineMask=OpCon/xps: (\S+) total = ([0-9]+\.[0-9]+)",
        )
        .replace(
            "Event=$CONSOLE:DISPLAY,the test passed",
            "Event=$TOKEN:SET,[[1]],[[2]]",
        );
    let world = example(
        &text,
        &[admin("OpCon/xps: ACHBalanceTotal total = 149926.22")],
    );
    assert_eq!(world.events(), ["$TOKEN:SET,ACHBalanceTotal,149926.22"]);
}
