//! The doors of a mail server: a protocol, and how its port is secured.

use super::{Dovecot, Ini, World, certs};

/// One way in.
pub struct Door {
    /// Its name for people.
    pub name: &'static str,
    protocol: &'static str,
    security: &'static str,
    at: fn(&Dovecot) -> u16,
}

/// Every door that is secured by TLS.
pub const DOORS: [Door; 4] = [
    Door {
        name: "IMAP over TLS",
        protocol: "IMAP",
        security: "ssl-tls",
        at: |server| server.imaps,
    },
    Door {
        name: "IMAP with STARTTLS",
        protocol: "IMAP",
        security: "start-tls-required",
        at: |server| server.imap,
    },
    Door {
        name: "POP3 over TLS",
        protocol: "POP",
        security: "ssl-tls",
        at: |server| server.pops,
    },
    Door {
        name: "POP3 with STLS",
        protocol: "POP",
        security: "start-tls-required",
        at: |server| server.pop,
    },
];

impl Door {
    /// A world whose program trusts the test authority and may go through any door.
    pub fn hall() -> World {
        let ini = Ini::imaps(1).rule("SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit");
        let authority = certs::folder()
            .map(|folder| folder.join("ca.pem"))
            .unwrap_or_default();
        World::with(&ini).env("SSL_CERT_FILE", &authority.to_string_lossy())
    }

    /// Its port at a server.
    pub fn port(&self, server: &Dovecot) -> u16 {
        (self.at)(server)
    }

    /// Makes a world's INI file lead through this door of a server.
    pub fn before(&self, world: &World, server: &Dovecot) {
        world.change("EmailProtocol", self.protocol);
        world.change("ConnectionSecurity", self.security);
        world.change("Port", &self.port(server).to_string());
    }
}
