//! The command-line sender, run as a script runs it, against real servers.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what breaks ends the test, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

mod attempts;
mod bodies;
mod examples;
mod exits;
mod languages;
mod logs;
mod modes;
mod names;
mod options;
mod secrets;
mod tls;

use std::fs;

use harness::{Parsed, Ran, Recorder, World, certs, parsed, recorder};

/// A folder in which the sender runs, with the files that the tests send.
struct Sender {
    world: World,
}

/// The smallest files of their kinds that are what they are called.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n";
const PAGE: &str = "<html>\n  <body>\n    <img src=\"cid:logo.png\"><br>\n    <img src=\"cid:banner.jpg\"><br>\n    \
                    <p>Veuillez trouver notre offre en pi\u{e8}ce jointe.</p>\n  </body>\n</html>\n";

impl Sender {
    fn new() -> Self {
        let authority = certs::folder().unwrap().join("ca.pem");
        let world = World::new().env("SSL_CERT_FILE", authority.to_str().unwrap());
        let sender = Self { world };
        sender.file("Msg.txt", "Bonjour,\nvoil\u{e0}.\n");
        sender.file("Msg.html", PAGE);
        sender.file("logo.png", PNG);
        sender.file("banner.jpg", JPG);
        sender
    }

    fn env(self, name: &str, value: &str) -> Self {
        Self {
            world: self.world.env(name, value),
        }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.world.path(name), bytes).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.world.run_bare(&[&["smail"], arguments].concat())
    }

    /// Runs it with what every mail needs, for a server at this port; an argument takes the place
    /// of the one of its name.
    fn mail(&self, port: u16, arguments: &[&str]) -> Ran {
        let port = format!("/SMTP_PORT={port}");
        let usual = [
            "/SMTP_SERVER=localhost",
            port.as_str(),
            "/FROM_ADDR=jobs@example.test",
            "/TO=bob@example.test",
            "/BODY_FILE=Msg.txt",
        ];
        let name = |argument: &str| argument.split('=').next().unwrap().to_uppercase();
        let given: Vec<_> = arguments.iter().map(|argument| name(argument)).collect();
        let kept = usual
            .into_iter()
            .filter(|usual| !given.contains(&name(usual)));
        self.run(&kept.chain(arguments.iter().copied()).collect::<Vec<_>>())
    }
}

/// A server that writes down whatever comes, and somebody else to read it.
fn recorder() -> Option<Recorder> {
    let server = Recorder::with(recorder::Options {
        anybody: true,
        clear_login: true,
        ..recorder::Options::default()
    });
    server.filter(|_| parsed::is_installed())
}

/// The last mail that came in, as another program reads it.
#[track_caller]
fn last(server: &Recorder) -> Parsed {
    Parsed::of(&server.mails().last().expect("a mail").bytes)
}
