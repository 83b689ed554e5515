//! What two hundred notices cost: connections, log-ins, network turns.

use smartemail::net::Security;
use smartemail::send::smtp::{Mechanism, Settings};

use crate::harness::{CountingProxy, Exim, Recorder, exim, recorder};
use crate::{notices, outbox, password, settings};

const MAILS: usize = 200;

/// It takes mails and leaves their delivery for later, as a busy server does.
fn busy() -> Option<Exim> {
    Exim::with(exim::Options {
        extra: "queue_only = true",
        ..exim::Options::default()
    })
}

/// Log-ins over TLS, whose bytes are counted all the same.
fn over_tls(proxy: &CountingProxy) -> Settings {
    let mut settings = settings(proxy.port, Security::Tls);
    settings.login = password(&[Mechanism::Plain]);
    settings
}

fn log_ins(server: &Exim) -> usize {
    server.log().matches("asks to log in").count()
}

#[test]
fn ten_connections_with_one_log_in_each() {
    let Some(server) = busy() else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.smtps);
    let outbox = outbox(over_tls(&proxy));
    for round in 1..=2 {
        let results = outbox.send(&notices(MAILS));
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(server.queued(), round * MAILS);
        let connections = proxy.traffic().connections;
        assert!((2..=10).contains(&connections), "{connections} connections");
        assert_eq!(log_ins(&server), connections);
    }
    outbox.close();
}

#[test]
fn a_mail_takes_two_turns_over_a_connection_that_is_there() {
    let Some(server) = busy() else { return };
    // TLS 1.3 takes one turn, and so does what the server says of its own accord after it.
    let proxy = CountingProxy::before("127.0.0.1", server.smtps);
    let mut settings = over_tls(&proxy);
    settings.pool.size = 1;
    let outbox = outbox(settings);
    assert!(outbox.send(&notices(1))[0].is_ok());
    let first = proxy.traffic();
    assert!(first.turns <= 7, "{} turns for the first mail", first.turns);
    assert!(outbox.send(&notices(MAILS)).iter().all(Result::is_ok));
    let all = proxy.traffic();
    println!("{MAILS} notices: {} turns, {} bytes", all.turns, all.up);
    assert_eq!((all.connections, all.turns - first.turns), (1, 2 * MAILS));
    assert_eq!((log_ins(&server), server.queued()), (1, MAILS + 1));
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
    assert!(outbox.send(&notices(3)).iter().all(Result::is_ok));
    // EHLO; MAIL, RCPT, DATA, contents.
    assert_eq!(proxy.traffic().turns, 1 + 3 * 4);
}
