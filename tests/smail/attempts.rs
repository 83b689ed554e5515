//! Attempts: again where that may help, and never a mail twice.

use std::time::Duration;

use crate::harness::graph::Fault;
use crate::harness::idp::SECRET;
use crate::harness::world::{MAIL_PASSWORD, MAIL_USER};
use crate::harness::{CountingProxy, Exim, Graph, IdentityProvider, exim};
use crate::modes::graph_options;
use crate::{Sender, recorder};

#[test]
fn a_server_that_comes_back_gets_the_mail_once() {
    let Some(server) = recorder() else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    proxy.turn_away(2);
    let sender = Sender::new();
    let ran = sender.mail(
        proxy.port,
        &["/RETRY=5", "/LOG=log.txt", "/LOG_LEVEL=WARNING"],
    );
    ran.exit(0).says("Mail sent");
    assert_eq!(server.mails().len(), 1);
    let traffic = proxy.traffic();
    assert_eq!(traffic.connections, 3);
    let pauses: Vec<_> = traffic
        .times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    let second = Duration::from_secs(1);
    assert!(pauses[0] >= second && pauses[1] >= 2 * second, "{pauses:?}");
    let log = sender.world.log("log.txt");
    assert!(
        log.contains("next attempt in 1 second\n") && log.contains("next attempt in 2 seconds\n"),
        "{log}"
    );
}

#[test]
fn a_temporary_refusal_is_tried_again_and_a_final_one_is_not() {
    let Some(server) = Exim::start() else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let sender = Sender::new();
    for (to, retry, code, attempts) in [
        ("temp@example.test", Some("/RETRY=2"), 6, 2),
        ("temp@example.test", Some("/RETRY=1"), 6, 1),
        ("temp@example.test", None, 5, 1),
        ("reject@example.test", Some("/RETRY=3"), 5, 1),
    ] {
        let to = format!("/TO={to}");
        let arguments: Vec<_> = [Some(to.as_str()), retry].into_iter().flatten().collect();
        proxy.take_traffic();
        sender.mail(proxy.port, &arguments).exit(code);
        let tried = proxy.traffic().commands_with("RCPT TO").len();
        assert_eq!(tried, attempts, "{arguments:?}");
    }
}

#[test]
fn a_mail_whose_answer_was_lost_is_never_sent_again() {
    let Some(server) = recorder() else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let sender = Sender::new();
    proxy.lose_answer_to(".\r\n");
    let ran = sender.mail(proxy.port, &["/RETRY=5", "/ERROR_FILE=error.txt"]);
    ran.exit(5)
        .complains("Whether it arrived is not known; it is not sent again");
    assert!(proxy.has_lost());
    assert_eq!((server.mails().len(), proxy.traffic().connections), (1, 1));
    assert!(
        sender
            .world
            .read("error.txt")
            .contains("answer to it was lost")
    );
}

#[test]
fn some_recipients_refused_are_named_and_the_others_have_their_mail() {
    let Some(server) = Exim::start() else { return };
    let sender = Sender::new();
    let to = "/TO=bob@example.test,reject@example.test;x@elsewhere.test";
    let ran = sender.mail(server.smtp, &[to, "/RETRY=3"]);
    ran.exit(5)
        .complains("reject@example.test (550 5.1.1 No such mailbox)")
        .complains("x@elsewhere.test (550 5.7.1 relay not permitted)");
    assert_eq!(server.mails("bob", 1).len(), 1);
    assert_eq!(server.log().matches(" <= ").count(), 1);
}

#[test]
fn what_was_sent_to_some_is_told_beside_who_was_refused() {
    let Some(server) = Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    }) else {
        return;
    };
    let without = CountingProxy::before("127.0.0.1", server.smtp);
    without.hide("DSN");
    let sender = Sender::new();
    sender.world.secret(MAIL_PASSWORD);
    let user = format!("/SMTP_USERNAME={MAIL_USER}");
    let password = format!("/SMTP_PASSWORD={MAIL_PASSWORD}");
    let usual = ["/RECEPTION_ACK", "/LOG=log.txt", &user, &password];
    let in_clear = "User and password cross the network";
    for (port, how) in [
        (server.smtp, "delivery status notification (DSN)"),
        (without.port, "by the header Return-Receipt-To"),
    ] {
        for (refused, retry, code) in [
            ("reject@example.test", "/RETRY=3", 5),
            ("temp@example.test", "/RETRY=2", 6),
        ] {
            let to = format!("/TO=bob@example.test,{refused}");
            let ran = sender.mail(port, &[&usual[..], &[&to, retry]].concat());
            ran.exit(code)
                .complains(&format!(
                    "not to these recipients, who were refused: {refused}"
                ))
                .complains(in_clear)
                .says(how);
            assert_eq!(ran.stderr.matches(in_clear).count(), 1, "{ran}");
        }
    }
    let log = sender.world.read("log.txt");
    assert_eq!(log.matches(in_clear).count(), 4, "{log}");
    assert_eq!(
        log.matches("The delivery receipt is asked for").count(),
        2,
        "{log}"
    );
    // Of a mail that nobody got there is no receipt; the password was seen all the same.
    let nobody = ["/TO=reject@example.test"];
    let ran = sender.mail(server.smtp, &[&usual[..], &nobody].concat());
    ran.exit(5).complains(in_clear);
    assert!(!ran.stdout.contains("receipt"), "{ran}");
}

#[test]
fn who_was_refused_for_the_moment_is_tried_again_alone() {
    let Some(server) = Exim::start() else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let sender = Sender::new();
    let to = "/TO=bob@example.test,temp@example.test,reject@example.test";
    let ran = sender.mail(proxy.port, &[to, "/CC=alice@example.test", "/RETRY=2"]);
    ran.exit(6).complains(
        "All 2 attempts have failed. The last one: The mail was sent, but not to these recipients, who were refused: \
         reject@example.test (550 5.1.1 No such mailbox), temp@example.test (451 4.2.0 Try again later)",
    );
    let asked = proxy.traffic().commands_with("RCPT TO");
    let times = |who: &str| asked.iter().filter(|line| line.contains(who)).count();
    assert_eq!(
        ["bob@", "alice@", "reject@", "temp@"].map(times),
        [1, 1, 1, 2],
        "{asked:?}"
    );
    for who in ["bob", "alice"] {
        assert!(server.mails(who, 1)[0].contains("\n temp@example.test,\n"));
    }
    assert_eq!(server.log().matches(" <= ").count(), 1);
}

#[test]
fn who_is_taken_at_last_gets_the_mail_once_and_the_others_none_more() {
    let Some((server, later)) = Exim::start().zip(recorder()) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let sender = Sender::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            server.mails("bob", 1);
            proxy.redirect(later.smtp);
        });
        let to = "/TO=bob@example.test,temp@example.test";
        sender
            .mail(proxy.port, &[to, "/RETRY=5"])
            .exit(0)
            .says("Mail sent to bob@example.test, temp@example.test");
    });
    let [mail] = &later.mails()[..] else {
        panic!("one mail");
    };
    assert_eq!(mail.recipients.len(), 1);
    assert_eq!(mail.recipients[0]["address"], "temp@example.test");
    let id = |mail: &str| {
        mail.lines()
            .find(|line| line.starts_with("Message-ID:"))
            .unwrap()
            .to_owned()
    };
    let first = server.mails("bob", 1).remove(0);
    assert_eq!(
        id(&first),
        id(&String::from_utf8_lossy(&mail.bytes)).trim_end()
    );
}

#[test]
fn graph_is_asked_again_only_where_nothing_was_sent() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let sender = Sender::new();
    sender.world.secret(SECRET);
    let options = graph_options(&provider, &graph);
    let mail = ["/TO=a@example.test", "/BODY_FILE=Msg.txt", "/RETRY=3"];
    let arguments: Vec<_> = options.iter().map(String::as_str).chain(mail).collect();
    graph.fail("sendMail", Fault::HangUp);
    let lost = sender.run(&arguments);
    lost.exit(5).complains("it is not sent again");
    assert_eq!(graph.sent().len(), 0);
    graph.fail("sendMail", Fault::LoseAnswer);
    sender
        .run(&arguments)
        .exit(5)
        .complains("it is not sent again");
    assert_eq!(graph.sent().len(), 1);
    provider.fault(1, 503, serde_json::json!({}), "busy");
    sender.run(&arguments).exit(0);
    assert_eq!(graph.sent().len(), 2);
    graph.fail(
        "sendMail",
        Fault::Refuse(403, "ErrorAccessDenied", Vec::new()),
    );
    sender.run(&arguments).exit(4).complains("Mail.Send");
    assert_eq!(graph.sent().len(), 2);
}
