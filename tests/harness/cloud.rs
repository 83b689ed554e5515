//! A Microsoft 365 for one test: an identity provider, a Graph with one mailbox, and worlds in
//! which the program reads it.

use std::ops::Range;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::idp::{DAEMON, SECRET, USER};
use super::{Graph, IdentityProvider, Ini, Mail, World, program, wine};

/// Two events a mail: half of a file would be seen.
pub const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,first [[1]]\nEvent2=$CONSOLE:DISPLAY,second [[1]]";
/// So many events has a mail by [`RULE`].
pub const EVENTS_OF_A_MAIL: usize = 2;

/// A Microsoft 365 with one mailbox.
pub struct Cloud {
    /// Who gives tokens.
    pub provider: IdentityProvider,
    /// Who keeps the mailbox.
    pub graph: Graph,
}

impl Cloud {
    /// With an empty Inbox; `None` (said on standard output) where no identity provider is
    /// installed.
    pub fn start() -> Option<Self> {
        let provider = IdentityProvider::start()?;
        let graph = Graph::start(&provider);
        Some(Self { provider, graph })
    }

    /// Settings that name both of its addresses.
    pub fn ini(&self) -> Ini {
        Ini::graph(&self.provider.authority(), &self.graph.endpoint()).set("Mail", "Retries", "0")
    }

    /// The application itself reads the mailbox.
    pub fn application(&self, ini: Ini) -> World {
        let ini = ini
            .set("MSAL", "ClientId", DAEMON)
            .set("MSAL", "GrantType", "client_credentials")
            .set("Mail", "User", USER);
        let world = World::with(&ini);
        world.seal_one("MSAL.ClientSecret", SECRET);
        world
    }

    /// Somebody has signed in, and the program reads that account's mailbox.
    pub fn signed_in(&self, ini: &Ini) -> World {
        let world = World::with(ini).env("BROWSER", &IdentityProvider::browser(USER));
        world.run(&["--renewMsalToken"]).exit(0);
        world
    }

    /// A mail arrives (see [`super::graph::inbox::Inbox::deliver`]).
    pub fn deliver(&self, mail: &Mail, received: &str, properties: &Value) -> usize {
        let bytes = mail.bytes();
        self.graph
            .inbox(|inbox| inbox.deliver(&bytes, received, properties))
    }

    /// How many mails are in a folder.
    pub fn folder(&self, name: &str) -> usize {
        self.graph.inbox(|inbox| inbox.folder(name)).len()
    }

    /// Mails with these numbers arrive. Gives their events by [`RULE`].
    pub fn deliver_many(&self, numbers: Range<usize>) -> Vec<String> {
        for number in numbers.clone() {
            let mail = Mail::new(&format!("Test m{number}"))
                .header(&format!("Message-ID: <{number}@example.test>"));
            let received = format!("2026-01-06T12:{:02}:{:02}.25Z", number / 60, number % 60);
            self.deliver(&mail, &received, &json!({}));
        }
        let words =
            |number| ["first", "second"].map(|word| format!("$CONSOLE:DISPLAY,{word} m{number}"));
        numbers.flat_map(words).collect()
    }
}

/// Where the account is kept that has signed in; `None` when there is none.
pub fn token_cache(world: &World) -> Option<PathBuf> {
    if program::is_windows() {
        return Some(wine::token_cache(&world.ini_path())).filter(|path| path.exists());
    }
    let folder = world.path("home/.local/state/smartemail");
    let mut files = std::fs::read_dir(folder).into_iter().flatten();
    let is_cache = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "cache");
    files.find_map(|file| Some(file.unwrap().path()).filter(is_cache))
}
