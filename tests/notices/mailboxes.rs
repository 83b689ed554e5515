//! Notices about the mails of real mailboxes.

use super::*;
use crate::harness::world::OTHER_USER;
use crate::harness::{CountingProxy, Dovecot, Exim, Inspector, dovecot, exim};

/// A Message-ID such as notices have.
const NOTICE: &str = "<20260106T120000000Z.000001.0123456789ab@example.test>";

/// The way around: a mail arrives, a rule fires, the notice goes out by Exim into a mailbox of
/// Dovecot and is found there by IMAP.
#[test]
fn a_notice_is_found_in_the_sender_s_mailbox() {
    let Some(dovecot) = Dovecot::with(&dovecot::Options {
        lmtp: true,
        ..dovecot::Options::default()
    }) else {
        return;
    };
    let Some(exim) = Exim::with(exim::Options {
        lmtp: Some(dovecot.lmtp),
        ..exim::Options::default()
    }) else {
        return;
    };
    let ini = Ini::imap(dovecot.imap)
        .smtp(exim.smtp)
        .unset("Audit", "NotifyFrom")
        .set("General", "DeleteEmails", "Match")
        .set("Audit", "NotifyOnAccepts", "True")
        .set("Audit", "NotifyOnRejects", "True")
        .rule(HIT);
    let world = World::with(&ini);
    let mail = |subject: &str, id: &str| {
        let id = format!("Message-ID: <{id}@example.test>");
        Mail::new(subject).from(OTHER_USER).header(&id)
    };
    dovecot.deliver(&mail("Test one", "1").bytes(), 1_767_700_800);
    dovecot.deliver(&mail("other", "2").bytes(), 1_767_700_801);
    let ran = world.run(&[]);
    ran.exit(0).says("2 notices sent");
    // For whoever wants to see a run: --nocapture.
    println!("{ran}\nMSGIN: {:?}", world.events());

    let fields = "FROM TO SUBJECT IN-REPLY-TO AUTO-SUBMITTED";
    let asked = format!("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS ({fields})] BODY.PEEK[TEXT])");
    // Dovecot may count a mail twice that is delivered to a Maildir while that is being looked at.
    let began = std::time::Instant::now();
    while exim.log().matches("Completed").count() < 2 {
        assert!(began.elapsed().as_secs() < 20, "{}", exim.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut inbox = Inspector::open_as(OTHER_USER, &dovecot);
    let opened = inbox.command("EXAMINE INBOX");
    assert!(opened.contains("* 2 EXISTS"), "{opened}\n{}", exim.log());
    let found = inbox.command(&asked).replace("\n ", " ");
    for text in [
        "From: alice@example.test\n",
        "To: bob@example.test\n",
        "Subject: SMArt Email - Message Accepted - From: bob@example.test Subject: Test one\n",
        "Subject: SMArt Email - Message Rejected - From: bob@example.test Subject: other\n",
        "In-Reply-To: <1@example.test>\n",
        "In-Reply-To: <2@example.test>\n",
        "Auto-Submitted: auto-replied\n",
        "was accepted and generated event: ",
        "was rejected for reason: ",
    ] {
        assert!(found.contains(text), "{text:?} in {found}");
    }
    // The sender's answer to it, or a server's report on it, is no reason for another one.
    let answer = mail("other", "3").header("Auto-Submitted: auto-replied");
    dovecot.deliver(&answer.bytes(), 1_767_700_802);
    world.run(&[]).exit(0).never_says("notice");
}

/// Exim refuses some contents for good, which no later attempt mends.
#[test]
fn a_notice_whose_contents_are_refused_is_given_up() {
    let Some(exim) = Exim::with(exim::Options::default()) else {
        return;
    };
    let ini = Ini::folder()
        .smtp(exim.smtp)
        .set("Audit", "NotifyOnAccepts", "True")
        .set("Audit", "NotifyOnAcceptSubject", "[[SUBJECT]]")
        .rule(HIT);
    let mails = ["Test reject-at-data", "Test fine"].map(Mail::new);
    let world = World::with_mails(&ini, &mails);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["\"Test reject-at-data\"", "550", "5.6.0", "given up"])
        .says("1 notice sent, 1 failed");
    world.run(&[]).exit(0).never_says("notice");
}

/// A mail that was looked at, and not done when the connection broke, has had no notice yet.
#[test]
fn what_is_looked_at_again_counts_once_for_the_limit() {
    let Some(dovecot) = Dovecot::start() else {
        return;
    };
    let sink = Sink::start();
    let proxy = CountingProxy::before(dovecot.address, dovecot.imap);
    let ini = Ini::imap(proxy.port)
        .smtp(sink.port)
        .set("Mail", "Retries", "1")
        .set("General", "DownloadEmails", "True")
        .set("Audit", "NotifyOnRejects", "True")
        .rule(HIT);
    let world = World::with(&ini);
    dovecot.deliver(&Mail::new("other").bytes(), 1_767_700_800);
    dovecot.deliver(&Mail::new("Test one").bytes(), 1_767_700_801);
    proxy.lose_answer_to("BODY.PEEK[]");
    let ran = world.run(&[]);
    ran.exit(0)
        .complains("(attempt 2 of 2)")
        .says("; 1 notice sent; ");
    assert!(proxy.has_lost());
    let subject = sink.take_one().header("Subject");
    assert!(subject.contains("Message Rejected"), "{subject}");
}

/// What tells an automatic mail, or an answer to a notice, stands in its header, which each protocol
/// asks for in its own way.
#[test]
fn no_notice_answers_a_program_or_a_notice_whatever_the_mailbox() {
    let Some(dovecot) = Dovecot::start() else {
        return;
    };
    let sink = Sink::start();
    let answers = ["In-Reply-To", "References"].map(|name| format!("{name}: {NOTICE}"));
    let lines = answers.iter().map(String::as_str).chain(AUTOMATIC);
    for (received, line) in (1_767_700_800..).zip(lines) {
        let mail = Mail::new("Test x").header(line);
        dovecot.deliver(&mail.bytes(), received);
    }
    let person = Mail::new("Test x").from("person@example.test");
    dovecot.deliver(&person.bytes(), 1_767_700_900);
    for ini in [Ini::imap(dovecot.imap), Ini::pop(dovecot.pop)] {
        let ini = ini
            .smtp(sink.port)
            .set("General", "UnsafeText", "Allow")
            .set("Audit", "NotifyOnAccepts", "True")
            .rule(HIT);
        let ran = World::with(&ini).run(&[]);
        ran.exit(0).says("1 notice sent").says("10 accepted");
        assert_eq!(ran.lines_starting("no notice: "), 2, "{ran}");
        assert_eq!(sink.take_one().to, ["person@example.test"]);
    }
}
