//! Several connections: how many, how long, and what happens when there are fewer.

use std::time::{Duration, Instant};

use smartemail::net::Security;
use smartemail::send::smtp::Mechanism;

use crate::harness::{CountingProxy, Exim, Recorder, RudeServer, exim};
use crate::{mail, mails, outbox, password, settings};

#[test]
fn mails_really_go_out_in_parallel() {
    let Some(server) = Exim::start() else { return };
    let mut settings = settings(server.smtp, Security::None);
    settings.pool.size = 4;
    let outbox = outbox(settings);
    let began = Instant::now();
    // Exim takes three seconds for each.
    let results = outbox.send(&mails(4, "slow@example.test"));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn there_are_no_more_connections_than_mails_or_the_setting_allows() {
    let Some(server) = Recorder::start() else {
        return;
    };
    for (size, count, most) in [(10, 1, 1), (3, 30, 3), (1, 5, 1)] {
        let proxy = CountingProxy::before("127.0.0.1", server.smtp);
        let mut settings = settings(proxy.port, Security::None);
        settings.pool.size = size;
        let outbox = outbox(settings);
        assert_eq!(proxy.traffic().connections, 0, "none before the first mail");
        assert!(
            outbox
                .send(&mails(count, "a@example.test"))
                .iter()
                .all(Result::is_ok)
        );
        assert!(proxy.traffic().connections <= most);
        outbox.close();
    }
    assert_eq!(server.mails().len(), 36);
}

#[test]
fn an_idle_connection_is_checked_or_replaced() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let zero = Duration::ZERO;
    let minute = Duration::from_secs(60);
    for (check, most, noops, connections) in [
        (minute, minute, 0, 1),
        (zero, minute, 2, 1),
        (minute, zero, 0, 3),
    ] {
        let proxy = CountingProxy::before("127.0.0.1", server.smtp);
        let mut settings = settings(proxy.port, Security::None);
        settings.pool.check_idle = check;
        settings.pool.max_idle = most;
        let outbox = outbox(settings);
        for _ in 0..3 {
            assert!(outbox.send(&mails(1, "a@example.test"))[0].is_ok());
        }
        outbox.close();
        let traffic = proxy.traffic();
        assert_eq!(
            (traffic.commands_with("NOOP").len(), traffic.connections),
            (noops, connections)
        );
        assert_eq!(traffic.commands_with("QUIT").len(), connections);
    }
}

#[test]
fn a_connection_that_the_server_has_closed_is_replaced() {
    // Exim says 421 to the sixth mail of a connection.
    let Some(server) = Exim::with(exim::Options {
        extra: "smtp_accept_max_per_connection = 5",
        ..exim::Options::default()
    }) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let mut settings = settings(proxy.port, Security::None);
    settings.pool.size = 1;
    let outbox = outbox(settings);
    let results = outbox.send(&mails(12, "bob@example.test"));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(proxy.traffic().connections, 3);
    assert_eq!(server.mails("bob", 12).len(), 12);
}

#[test]
fn a_server_that_went_and_came_back_is_found_again() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let outbox = outbox(settings(proxy.port, Security::None));
    assert!(outbox.send(&mails(1, "a@example.test"))[0].is_ok());
    // The connection ends with the next word of the server.
    proxy.cut_after(Some(0));
    let cut = outbox.send(&mails(1, "a@example.test")).pop().unwrap();
    let error = cut.unwrap_err();
    assert!(
        error.is_connection() && !error.may_have_arrived(),
        "{error}"
    );
    proxy.cut_after(None);
    assert!(outbox.send(&mails(1, "a@example.test"))[0].is_ok());
    assert_eq!(server.mails().len(), 2);
}

/// A server that always breaks there would be tried twice for each mail.
#[test]
fn a_new_connection_that_breaks_is_not_replaced_for_the_same_mail() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let mut settings = settings(proxy.port, Security::None);
    settings.pool.size = 1;
    proxy.lose_answer_to("MAIL FROM");
    let results = outbox(settings).send(&mails(2, "a@example.test"));
    let error = results[0].as_ref().unwrap_err();
    assert!(
        error.is_connection() && !error.may_have_arrived(),
        "{error}"
    );
    assert!(results[1].is_ok(), "{results:?}");
    assert_eq!((server.mails().len(), proxy.traffic().connections), (1, 2));
}

#[test]
fn a_mail_whose_answer_was_lost_is_not_repeated() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let mut settings = settings(proxy.port, Security::None);
    settings.pool.size = 1;
    let outbox = outbox(settings);
    let to = ["a@example.test"];
    assert!(outbox.send(&[mail("before", &to)])[0].is_ok());
    proxy.lose_answer_to("Subject: lost");
    let results = outbox.send(&[mail("lost", &to), mail("after", &to)]);
    let error = results[0].as_ref().unwrap_err();
    assert!(proxy.has_lost() && error.may_have_arrived(), "{error}");
    assert!(results[1].is_ok(), "{results:?}");
    assert_eq!((server.mails().len(), proxy.traffic().connections), (3, 2));
}

#[test]
fn a_server_that_loses_every_mail_is_left_alone() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    proxy.rewrite("250 Accepted", "421 4.3.2 no more");
    let mut settings = settings(proxy.port, Security::None);
    settings.pool.size = 1;
    for result in outbox(settings).send(&mails(5, "a@example.test")) {
        let error = result.unwrap_err();
        assert!(
            error.is_connection() && error.to_string().contains("no more"),
            "{error}"
        );
    }
    assert_eq!(proxy.traffic().connections, 2);
}

#[test]
fn fewer_connections_than_wanted_take_all_the_mails() {
    let Some(server) = Exim::with(exim::Options {
        extra: "smtp_accept_max_per_host = 2",
        ..exim::Options::default()
    }) else {
        return;
    };
    let outbox = outbox(settings(server.smtp, Security::None));
    let results = outbox.send(&mails(30, "bob@example.test"));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(server.mails("bob", 30).len(), 30);
    assert!(
        server.log().contains("too many connections"),
        "{}",
        server.log()
    );
}

#[test]
fn a_server_that_is_not_there_is_diagnosed_once() {
    let silent = RudeServer::silent();
    let busy = RudeServer::saying(b"421 4.3.2 too busy\r\n");
    let nowhere = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for (port, says) in [
        (silent.port, "took too long"),
        (busy.port, "too busy"),
        (nowhere, "refused the connection"),
    ] {
        let mut settings = settings(port, Security::None);
        settings.endpoint.timeouts.read = Duration::from_millis(500);
        let began = Instant::now();
        let results = outbox(settings).send(&mails(200, "a@example.test"));
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(results.len(), 200);
        for result in results {
            let error = result.unwrap_err();
            assert!(error.is_connection() && error.is_transient() && !error.may_have_arrived());
            assert!(error.to_string().contains(says), "{error}");
        }
    }
    assert_eq!((silent.connections(), busy.connections()), (1, 1));
}

#[test]
fn hostile_servers_are_left_in_time() {
    let endless_lines = RudeServer::repeating(b"220-hello\r\n");
    let endless_line = RudeServer::repeating(b"220 hello ");
    let zeros = RudeServer::saying(b"\0\0\0\0\r\n");
    let other = RudeServer::saying(b"* OK IMAP4rev1 ready\r\n");
    let mixed = RudeServer::saying(b"220-a\r\n550 b\r\n");
    for server in [endless_lines, endless_line, zeros, other, mixed] {
        for security in [Security::None, Security::StartTls] {
            let began = Instant::now();
            let results = outbox(settings(server.port, security)).send(&mails(3, "a@example.test"));
            assert!(began.elapsed() < Duration::from_secs(10));
            for result in results {
                let error = result.unwrap_err();
                assert!(
                    matches!(error, smartemail::send::Error::Protocol { .. }),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn the_answers_stand_in_the_order_of_the_mails() {
    let Some(server) = Exim::start() else { return };
    let mut settings = settings(server.smtps, Security::Tls);
    settings.login = password(&[Mechanism::Login]);
    let outbox = outbox(settings);
    let all: Vec<_> = (0..40)
        .map(|number| {
            let whom = if number % 3 == 0 {
                "reject@example.test"
            } else {
                "bob@example.test"
            };
            mail(&format!("mail {number}"), &[whom])
        })
        .collect();
    let results = outbox.send(&all);
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), number % 3 == 0, "{number}: {result:?}");
    }
    assert!(outbox.send(&[]).is_empty());
}
