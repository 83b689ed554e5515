//! How long two hundred notices of five kilobytes take: through Exim, with TLS and a log-in for
//! each connection, over a line on which an answer takes twenty milliseconds.
//!
//! `cargo bench --bench smtp` prints a table. What is counted there and must not grow is tested in
//! `tests/smtp/cost.rs`.

#[cfg(unix)]
#[allow(dead_code, reason = "a bench uses its own part of the test bed")]
#[path = "../tests/harness/mod.rs"]
pub mod harness;
#[cfg(unix)]
#[allow(dead_code, reason = "a bench sends its own kind of mail")]
#[path = "../tests/smtp/outgoing.rs"]
pub mod outgoing;

fn main() {
    #[cfg(unix)]
    table::print();
}

#[cfg(unix)]
mod table {
    use std::time::{Duration, Instant};

    use smartemail::net::Security;
    use smartemail::send::smtp::Mechanism;

    use crate::harness::{CountingProxy, Exim, exim};
    use crate::outgoing::{notices, outbox, password, settings};

    const MAILS: usize = 200;
    const ONE_WAY: Duration = Duration::from_millis(10);

    pub(crate) fn print() {
        println!("pipelining  connections  seconds  mails per second");
        for (name, extra) in [
            ("yes", "queue_only = true"),
            (
                "no",
                "queue_only = true\npipelining_advertise_hosts =\npipelining_connect_advertise_hosts =",
            ),
        ] {
            let Some(server) = Exim::with(exim::Options {
                extra,
                ..exim::Options::default()
            }) else {
                return;
            };
            for size in [1, 2, 5, 10] {
                let took = measure(&server, size).as_secs_f64();
                let rate = MAILS as f64 / took;
                println!("{name:<10}  {size:>11}  {took:>7.2}  {rate:>16.0}");
            }
        }
    }

    /// The best of three.
    fn measure(server: &Exim, size: usize) -> Duration {
        let mails = notices(MAILS);
        let once = || {
            let proxy = CountingProxy::before("127.0.0.1", server.smtps);
            proxy.delay(ONE_WAY);
            let mut settings = settings(proxy.port, Security::Tls);
            settings.login = password(&[Mechanism::Plain]);
            settings.pool.size = size;
            let outbox = outbox(settings);
            let began = Instant::now();
            let results = outbox.send(&mails);
            let took = began.elapsed();
            outbox.close();
            assert!(results.iter().all(Result::is_ok), "{results:?}");
            took
        };
        (0..3).map(|_| once()).min().unwrap_or_default()
    }
}
