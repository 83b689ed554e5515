//! Ports and versions of TLS.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Exim, Table, exim};
use crate::{Sender, recorder};

/// Passes connections to a port of 127.0.0.2 on; `None` where that takes rights that are missing.
fn forward(port: u16, target: u16) -> Option<()> {
    let began = Instant::now();
    let listener = loop {
        match TcpListener::bind(("127.0.0.2", port)) {
            Ok(listener) => break listener,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                println!("skipped: port {port} takes the rights of root");
                return None;
            }
            Err(error) => {
                assert!(
                    began.elapsed() < Duration::from_secs(20),
                    "port {port}: {error}"
                );
                thread::sleep(Duration::from_millis(50));
            }
        }
    };
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server, client),
            ] {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    Some(())
}

#[test]
fn ports_are_those_of_the_way() {
    let Some(server) = recorder() else { return };
    let ports = [(25, server.smtp), (587, server.smtp), (465, server.smtps)];
    if ports
        .iter()
        .any(|(port, target)| forward(*port, *target).is_none())
    {
        return;
    }
    let sender = Sender::new();
    let login = ["/SMTP_USERNAME=u@example.test", "/SMTP_PASSWORD=x"];
    for (arguments, port, secure) in [
        (&["/FROM_ADDR=jobs@example.test"][..], ":25", false),
        (
            &["/FROM_ADDR=jobs@example.test", "/SSL_VERSION=TLSV1_2"],
            ":587",
            true,
        ),
        (&["/AUTH_TYPE=SASL", login[0], login[1]], ":587", true),
        (
            &["/FROM_ADDR=jobs@example.test", "/SMTP_PORT=465"],
            ":465",
            true,
        ),
    ] {
        let usual = [
            "/SMTP_SERVER=127.0.0.2",
            "/TO=bob@example.test",
            "/BODY_FILE=Msg.txt",
        ];
        let ran = sender.run(&[&usual, arguments].concat());
        ran.exit(0).says(&format!("127.0.0.2{port}"));
        assert_eq!(
            server.mails().last().unwrap().secure,
            secure,
            "{arguments:?}"
        );
    }
}

#[test]
fn the_version_is_a_floor() {
    let only = |version: &str| -> Option<Exim> {
        let extra = format!(
            "tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS{version}:%COMPAT:+SIGN-RSA-SHA1"
        );
        Exim::with(exim::Options {
            extra: extra.leak(),
            ..exim::Options::default()
        })
    };
    let servers = ["1.0", "1.1", "1.2", "1.3"].map(|version| Some((version, only(version)?)));
    let Some(servers) = servers.into_iter().collect::<Option<Vec<_>>>() else {
        return;
    };
    let floors = [
        ("SSLV2", "1.0"),
        ("SSLV23", "1.0"),
        ("SSLV3", "1.0"),
        ("TLSV1", "1.0"),
        ("TLSV1_1", "1.1"),
        ("TLSV1_2", "1.2"),
        ("TLSV1_3", "1.3"),
    ];
    let columns = servers
        .iter()
        .map(|(version, _)| format!("server with TLS {version}"));
    let mut table = Table::new("/SSL_VERSION", columns);
    for (option, floor) in floors {
        let cells = servers
            .iter()
            .map(|(version, server)| Some((option, server.smtp, *version >= floor)));
        table.row(option, cells.collect());
    }
    table.prove(|(version, port, is_met)| {
        let ran = Sender::new().mail(*port, &[&format!("/SSL_VERSION={version}")]);
        if *is_met {
            ran.exit(0);
            "sent".to_owned()
        } else {
            ran.exit(3).complains("/SSL_VERSION");
            "exit 3".to_owned()
        }
    });
}
