//! The doors of a mail server: a protocol, and how its port is secured.

use super::{Doors, Ini, MailServer, World, certs};

/// One way in.
pub struct Door {
    /// Its name for people.
    pub name: &'static str,
    /// As the setting EmailProtocol has it.
    pub protocol: &'static str,
    security: &'static str,
    at: fn(&Doors) -> Option<u16>,
}

/// The doors that are not secured.
pub const CLEAR: [Door; 2] = [
    Door {
        name: "IMAP in clear text",
        protocol: "IMAP",
        security: "none",
        at: |doors| Some(doors.imap),
    },
    Door {
        name: "POP3 in clear text",
        protocol: "POP",
        security: "none",
        at: |doors| doors.pop,
    },
];

/// Every door that is secured by TLS.
pub const DOORS: [Door; 4] = [
    Door {
        name: "IMAP over TLS",
        protocol: "IMAP",
        security: "ssl-tls",
        at: |doors| Some(doors.imaps),
    },
    Door {
        name: "IMAP with STARTTLS",
        protocol: "IMAP",
        security: "start-tls-required",
        at: |doors| Some(doors.imap),
    },
    Door {
        name: "POP3 over TLS",
        protocol: "POP",
        security: "ssl-tls",
        at: |doors| doors.pops,
    },
    Door {
        name: "POP3 with STLS",
        protocol: "POP",
        security: "start-tls-required",
        at: |doors| doors.pop,
    },
];

impl Door {
    /// A world whose program trusts the test authority and may go through any door.
    pub fn hall() -> World {
        let ini = Ini::imaps(1).rule("SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit");
        World::with(&ini).env("SSL_CERT_FILE", &Self::authority())
    }

    /// Where the door is, if the server has it.
    pub fn find(&self, server: &dyn MailServer) -> Option<u16> {
        (self.at)(&server.doors())
    }

    /// Its port at a server that has it.
    pub fn port(&self, server: &dyn MailServer) -> u16 {
        self.find(server).expect("the server has this door")
    }

    /// The settings of a mailbox behind this door.
    pub fn mailbox(&self, port: u16) -> Ini {
        Ini::imaps(port)
            .set("Mail", "EmailProtocol", self.protocol)
            .set("Mail", "ConnectionSecurity", self.security)
    }

    /// Makes a world's INI file lead through this door of a server.
    pub fn before(&self, world: &World, server: &dyn MailServer) {
        world.change("EmailProtocol", self.protocol);
        world.change("ConnectionSecurity", self.security);
        world.change("Port", &self.port(server).to_string());
    }

    /// Where the program finds the authority that it is to trust.
    pub fn authority() -> String {
        let folder = certs::folder().unwrap_or_default();
        folder.join("ca.pem").to_string_lossy().into_owned()
    }
}
