//! What two hundred notices cost: connections, log-ins, network turns.

use smartemail::net::Security;
use smartemail::send::smtp::Mechanism;
use smartemail::send::{Body, Mail};

use crate::harness::{CountingProxy, Exim, Recorder, exim, recorder};
use crate::{mails, outbox, password, settings};

const MAILS: usize = 200;

/// Notices of five kilobytes.
fn notices() -> Vec<Mail> {
    let text = "What a notice says in one of its lines.\n".repeat(128);
    let mut notices = mails(MAILS, "bob@example.test");
    for notice in &mut notices {
        notice.body = Body::Text(text.clone());
    }
    notices
}

/// It takes mails and leaves their delivery for later, as a busy server does.
fn busy(clear_login: bool) -> Option<Exim> {
    Exim::with(exim::Options {
        clear_login,
        extra: "queue_only = true",
        ..exim::Options::default()
    })
}

#[test]
fn ten_connections_with_one_log_in_each() {
    let Some(server) = busy(true) else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    let mut settings = settings(proxy.port, Security::None);
    settings.login = password(&[Mechanism::Plain]);
    let outbox = outbox(settings);
    for round in 1..=2 {
        let results = outbox.send(&notices());
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let traffic = proxy.traffic();
        assert_eq!(
            traffic.connections,
            traffic.commands_with("AUTH PLAIN").len()
        );
        assert!(
            traffic.connections <= 10,
            "{} connections",
            traffic.connections
        );
        assert_eq!(server.queued(), round * MAILS);
    }
    outbox.close();
    let traffic = proxy.traffic();
    assert_eq!(traffic.commands_with("QUIT").len(), traffic.connections);
}

#[test]
fn a_mail_takes_two_turns_over_a_connection_that_is_there() {
    let Some(server) = busy(false) else { return };
    // The log-in over TLS: what passes is counted all the same. TLS 1.3 takes one turn, and so
    // does what the server says of its own accord after it.
    let proxy = CountingProxy::before("127.0.0.1", server.smtps);
    let mut settings = settings(proxy.port, Security::Tls);
    settings.login = password(&[Mechanism::Plain]);
    settings.pool.size = 1;
    let outbox = outbox(settings);
    assert!(outbox.send(&notices()[..1])[0].is_ok());
    let first = proxy.traffic();
    assert!(first.turns <= 7, "{} turns for the first mail", first.turns);
    assert!(outbox.send(&notices()).iter().all(Result::is_ok));
    let all = proxy.traffic();
    println!("{MAILS} notices: {} turns, {} bytes", all.turns, all.up);
    assert_eq!((all.connections, all.turns - first.turns), (1, 2 * MAILS));
    assert_eq!(server.queued(), MAILS + 1);
}

#[test]
fn without_pipelining_each_command_takes_a_turn() {
    let Some(server) = Recorder::with(recorder::Options {
        hidden: &["PIPELINING"],
        ..recorder::Options::default()
    }) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let mut settings = settings(proxy.port, Security::None);
    settings.pool.size = 1;
    let outbox = outbox(settings);
    assert!(outbox.send(&notices()[..3]).iter().all(Result::is_ok));
    // EHLO; MAIL, RCPT, DATA, contents.
    assert_eq!(proxy.traffic().turns, 1 + 3 * 4);
}
