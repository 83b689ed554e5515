//! What becomes of a notice that can't be sent.

#[cfg(unix)]
use mailparse::MailHeaderMap;

use super::*;
#[cfg(unix)]
use crate::harness::graph::{Fault, Message};
#[cfg(unix)]
use crate::harness::idp::{DAEMON, DIRECTORY, PASSWORD, SECRET, USER};
use crate::harness::sink::Mood;
#[cfg(unix)]
use crate::harness::{Ews, Graph, IdentityProvider, ews};

/// Notices on acceptance, by this service.
#[cfg(unix)]
pub(super) fn by_graph(graph: &Graph, provider: &IdentityProvider) -> Ini {
    Ini::folder()
        .set("smtp-client", "server-type", "GRAPH")
        .set("smtp-client", "user", USER)
        .set("smtp-client", "tenant-authority", &provider.authority())
        .set("smtp-client", "directory-id", DIRECTORY)
        .set("smtp-client", "client-id", DAEMON)
        .set("smtp-client", "grant-type", "client_credentials")
        .set("smtp-client", "scope", &graph.scope())
        .set("Audit", "NotifyOnAccepts", "True")
        .rule(HIT)
}

/// The same by this one.
#[cfg(unix)]
pub(super) fn by_ews(ews: &Ews) -> Ini {
    Ini::folder()
        .set("smtp-client", "server-type", "EWS")
        .set("smtp-client", "server", &ews.address())
        .set("smtp-client", "user", USER)
        .set("Audit", "NotifyOnAccepts", "True")
        .rule(HIT)
}

#[test]
fn a_server_that_is_away_holds_nothing_up_and_gets_the_notices_later() {
    let sink = Sink::start();
    for mood in [Mood::Away, Mood::Busy] {
        sink.behave(mood);
        let ini = with(&sink).set("General", "DeleteEmails", "Match");
        let world = World::with_mails(&ini, &["Test one", "Test two", "other"].map(Mail::new));
        let ran = world.run(&[]);
        ran.exit(2)
            .complains("tried again in later runs")
            .says("0 notices sent, 3 failed");
        assert_eq!(world.events().len(), 4);
        assert_eq!(world.mails_left(), ["003.eml"]);

        sink.behave(Mood::Willing);
        world
            .run(&[])
            .exit(0)
            .says("0 mails looked at")
            .says("3 notices sent");
        let mut subjects: Vec<_> = sink
            .take_mails()
            .iter()
            .map(|mail| mail.header("Subject"))
            .collect();
        subjects.sort();
        assert_eq!(subjects.len(), 3);
        assert!(subjects[2].ends_with("other"), "{subjects:?}");
        world.run(&[]).exit(0).never_says("notice");
    }
}

#[test]
fn a_server_that_is_away_is_told_of_in_one_line_and_asked_once() {
    let sink = Sink::start();
    sink.behave(Mood::Away);
    let mails: Vec<Mail> = (0..35)
        .map(|number| Mail::new(&format!("Test {number}")))
        .collect();
    let world = World::with_mails(&with(&sink), &mails);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["notices can't be sent", "35 notices wait"])
        .says("35 failed");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    assert!(sink.connections() <= 2, "{}", sink.connections());
}

#[test]
fn a_notice_that_could_not_be_sent_for_a_day_is_given_up() {
    let sink = Sink::start();
    sink.behave(Mood::Busy);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world.run(&[]).exit(2);
    world.age_notices(24 * HOUR - 60);
    world.run(&[]).exit(2).complains("tried again");
    world.age_notices(120);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["ops@example.test", "Test one", "given up"]);
    sink.behave(Mood::Willing);
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails(), []);
}

#[test]
fn a_recipient_that_is_refused_for_good_is_named_and_not_tried_again() {
    let sink = Sink::start();
    let ini = with(&sink).set("Audit", "NotifyOnAcceptTo", "reject@example.test");
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["reject@example.test", "for good", "unknown"])
        .says("0 notices sent, 1 failed");
    sink.behave(Mood::Meek);
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails(), []);
}

#[test]
fn a_notice_that_is_refused_itself_is_told_of_once_and_given_up() {
    let sink = Sink::start();
    for (mood, answer) in [
        (Mood::Refusing("550 5.6.0 no such words"), "no such words"),
        (Mood::Refusing("552 5.2.3 too much"), "too much"),
        (Mood::Refusing("552 5.3.4 too big"), "too big"),
        (Mood::Narrow(50), "no more than 50"),
    ] {
        sink.behave(mood);
        let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
        let ran = world.run(&[]);
        ran.exit(2)
            .complains_in_one_line(&[
                "ops@example.test",
                "Test one",
                answer,
                "given up",
                "[Audit]",
            ])
            .says("0 notices sent, 1 failed");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
        sink.behave(Mood::Willing);
        world
            .run(&[])
            .exit(0)
            .without_complaint()
            .never_says("notice");
        assert_eq!(sink.mails(), [], "{mood:?}");
    }
}

/// What somebody can mend, and what another day mends, waits for that.
#[test]
fn a_notice_that_is_refused_for_another_s_fault_is_tried_again() {
    let sink = Sink::start();
    for (answer, words) in [
        (
            "554 5.2.252 SendAsDenied; not you",
            "refused the sender: 554 5.2.252 SendAsDenied; not you",
        ),
        (
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
            "SubmissionQuotaExceededException",
        ),
        ("550 5.1.8 bad outbound sender", "bad outbound sender"),
        ("550 5.7.708 traffic not accepted", "traffic not accepted"),
        ("552 5.2.2 mailbox full", "mailbox full"),
        ("550 5.4.5 daily quota", "daily quota"),
        ("554 5.7.1 spam", "spam"),
        ("554 no", "554 no"),
        ("451 4.7.1 greylisted", "greylisted"),
    ] {
        sink.behave(Mood::Refusing(answer));
        let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
        world
            .run(&[])
            .exit(2)
            .complains_in_one_line(&[words, "It is tried again in later runs"]);
        sink.behave(Mood::Willing);
        world.run(&[]).exit(0).says("1 notice sent");
        sink.take_one();
    }
}

/// What the service says of the mail is for good, what it says of the account waits for somebody.
#[cfg(unix)]
#[test]
fn a_notice_that_graph_refuses_itself_is_given_up() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let ini = by_graph(&graph, &provider);
    for (fault, given_up) in [
        (Fault::Refuse(400, "ErrorInvalidRecipients", vec![]), true),
        (Fault::Refuse(413, "", vec![]), true),
        (Fault::Refuse(403, "ErrorSendAsDenied", vec![]), false),
    ] {
        let world = World::with_mails(&ini, &[Mail::new("Test one")]);
        world.seal_setting("smtp-client.password", SECRET);
        graph.fail("sendMail", fault.clone());
        let ran = world.run(&[]);
        let words = if given_up { "given up" } else { "tried again" };
        ran.exit(2).complains(words);
        assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
        let ran = world.run(&[]);
        ran.exit(0);
        assert_eq!(ran.stdout.contains("1 notice sent"), !given_up, "{fault:?}");
    }
}

/// Graph refuses a mail for all its recipients where one of them is none to it.
#[cfg(unix)]
#[test]
fn a_recipient_that_graph_does_not_know_keeps_the_notice_from_nobody_else() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let invalid = || Fault::Refuse(400, "ErrorInvalidRecipients", vec![]);
    let list = "[[SENDER]];admin@example.test;temp@example.test";
    let world = |graph: &Graph| {
        let ini = by_graph(graph, &provider).set("Audit", "NotifyOnAcceptTo", list);
        let mail = Mail::new("Test one").from("stranger@example.test");
        let world = World::with_mails(&ini, &[mail]);
        world.seal_setting("smtp-client.password", SECRET);
        world
    };
    let to = |graph: &Graph| -> Vec<String> {
        let sent = graph.sent();
        let to = |mail: &Message| mail.parsed().headers.get_first_value("To").unwrap();
        sent.iter().map(to).collect()
    };

    let graph = Graph::start(&provider);
    let first = world(&graph);
    for fault in [invalid(), invalid()] {
        graph.fail("sendMail", fault);
    }
    let ran = first.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&[
            "the notice to stranger@example.test",
            "ErrorInvalidRecipients",
            "given up",
        ])
        .says("2 notices sent, 1 failed");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    assert_eq!(to(&graph), ["admin@example.test", "temp@example.test"]);
    first.run(&[]).exit(0).never_says("notice");

    // Where the service is lost in between, the others wait, and nobody is told twice.
    let graph = Graph::start(&provider);
    let second = world(&graph);
    for fault in [invalid(), invalid(), Fault::HangUp] {
        graph.fail("sendMail", fault);
    }
    let ran = second.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["stranger@example.test", "given up"])
        .complains_in_one_line(&["admin@example.test", "not repeated"])
        .complains_in_one_line(&["notices can't be sent", "1 notice waits"])
        .says("0 notices sent, 2 failed, 1 unsure");
    assert_eq!(ran.stderr.lines().count(), 3, "{ran}");
    second.run(&[]).exit(0).says("1 notice sent");
    assert_eq!(to(&graph), ["temp@example.test"]);
}

#[cfg(unix)]
#[test]
fn a_recipient_that_exchange_does_not_know_keeps_the_notice_from_nobody_else() {
    let Some(ews) = Ews::start(None) else {
        return;
    };
    let ini = by_ews(&ews).set("Audit", "NotifyOnAcceptTo", "[[SENDER]];admin@example.test");
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world.seal_setting("smtp-client.password", PASSWORD);
    for _ in ["for all", "for the sender"] {
        ews.fail(ews::Fault::Answer("ErrorInvalidRecipients"));
    }
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["the notice to ops@example.test \"", "given up"])
        .says("1 notice sent, 1 failed");
    let taken = ews.taken();
    let to = taken.iter().map(|mail| {
        let mail = mailparse::parse_mail(&mail.mime).unwrap();
        mail.headers.get_first_value("To").unwrap()
    });
    assert_eq!(to.collect::<Vec<_>>(), ["admin@example.test"]);
    world.run(&[]).exit(0).never_says("notice");
}

/// `[smtp-client]` with GRAPH needs no server; its user says that it is meant.
#[cfg(unix)]
#[test]
fn what_waits_goes_out_by_graph_when_no_more_notices_are_asked_for() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let world = World::with_mails(&by_graph(&graph, &provider), &[Mail::new("Test one")]);
    world.seal_setting("smtp-client.password", SECRET);
    graph.fail(
        "sendMail",
        Fault::Refuse(429, "", vec![("Retry-After", "3600".into())]),
    );
    world.run(&[]).exit(2).complains("tried again");
    let text = world.ini_text().replace("NotifyOnAccepts=True", "");
    world.write_ini(text);
    world
        .run(&[])
        .exit(0)
        .without_complaint()
        .says("1 notice sent");
}

#[test]
fn what_waits_without_a_way_to_send_it_is_told_of() {
    let sink = Sink::start();
    sink.behave(Mood::Busy);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world.run(&[]).exit(2);
    let text = world.ini_text();
    let without = text.replace("server=localhost", "");
    let asked = without.replace("NotifyOnAccepts=True", "");
    world.write_ini(asked.replace("NotifyOnRejects=True", ""));
    let ran = world.run(&[]);
    ran.exit(2).complains_in_one_line(&[
        "notices can't be sent: [Audit] asks for none, and there is no [smtp-client] that can be used",
        "1 notice waits and is tried again",
    ]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    world.write_ini(without);
    world
        .run(&[])
        .exit(2)
        .complains("notices can't be sent: the settings for it can't be used");
    sink.behave(Mood::Willing);
    world.write_ini(text);
    world.run(&[]).exit(0).says("1 notice sent");
}

#[test]
fn those_who_were_refused_for_now_alone_are_tried_again() {
    let sink = Sink::start();
    let list = "reject@example.test;temp@example.test;ops@example.test";
    let ini = with(&sink).set("Audit", "NotifyOnAcceptTo", list);
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(2)
        .complains("reject@example.test was refused for good")
        .complains("not now")
        .says("1 notice sent");
    let first = sink.take_one();
    assert_eq!(first.to, ["ops@example.test"]);
    sink.behave(Mood::Meek);
    world.run(&[]).exit(0).says("1 notice sent");
    let second = sink.take_one();
    assert_eq!(second.to, ["temp@example.test"]);
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
    assert_eq!(first.header("Date"), second.header("Date"));
    world.run(&[]).exit(0).never_says("notice");
}

#[test]
fn a_lost_answer_is_told_of_and_the_notice_not_repeated() {
    let sink = Sink::start();
    sink.behave(Mood::Speechless);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(0)
        .complains_in_one_line(&["warning: ", "ops@example.test", "not repeated"])
        .says("1 unsure");
    sink.behave(Mood::Willing);
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails().len(), 1);
}

#[test]
fn of_a_notice_that_was_not_tried_it_is_not_said_that_it_went_out() {
    let sink = Sink::start();
    sink.behave(Mood::Speechless);
    let mails: Vec<Mail> = (0..25)
        .map(|number| Mail::new(&format!("Test {number}")))
        .collect();
    let world = World::with_mails(&with(&sink), &mails);
    let ran = world.run(&[]);
    ran.exit(2).complains("not repeated");
    let waiting = ran
        .stderr
        .lines()
        .find(|line| line.contains("wait and are"));
    let waiting = waiting.unwrap_or_else(|| panic!("{ran}"));
    assert!(!waiting.contains("went out"), "{waiting}");
}

#[test]
fn a_mailbox_that_is_out_of_order_keeps_no_notice_back() {
    let sink = Sink::start();
    sink.behave(Mood::Busy);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world.run(&[]).exit(2);
    sink.behave(Mood::Willing);
    std::fs::rename(world.path("mails"), world.path("gone")).unwrap();
    world.run(&[]).exit(2).complains("[Mail] Folder");
    sink.take_one();
}

#[test]
fn a_sender_whom_the_server_can_not_reach_keeps_the_notice_from_nobody_else() {
    let sink = Sink::start();
    let list = "[[SENDER]];admin@example.test";
    let ini = with(&sink).set("Audit", "NotifyOnAcceptTo", list);
    let mail = Mail::new("Test one").from("j\u{f6}rg@example.test");
    let world = World::with_mails(&ini, &[mail]);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["j\u{f6}rg@example.test", "for good", "beyond ASCII"])
        .says("1 notice sent");
    let notice = sink.take_one();
    assert_eq!(notice.to, ["admin@example.test"]);
    assert_eq!(notice.header("To"), "admin@example.test");
    world.run(&[]).exit(0).never_says("notice");
}
