//! A Graph with an Inbox, and the mailbox of the program that reads it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use smartemail::auth::{Authority, Grant, Names, Settings as TokenSettings, TokenSource};
use smartemail::mailbox::graph::{GraphMailbox, Settings};
use smartemail::mailbox::{Error, Known, MailId, Mailbox, Query, Summary};
use smartemail::message::{Content, Fault, Limits};
use smartemail::net::Trace;
use smartemail::net::http;
use smartemail::secret::Secret;

use crate::harness::idp::{DAEMON, DIRECTORY, SECRET, USER};
use crate::harness::{Graph, IdentityProvider, Mail};

/// Tuesday, 6 January 2026, noon UTC.
pub const NOON: &str = "2026-01-06T12:00:00Z";

/// A Graph, its identity provider, and how the mailbox is opened.
pub struct Bed {
    /// Where its tokens come from.
    pub provider: IdentityProvider,
    /// The service.
    pub graph: Graph,
    /// Bounds of one mail.
    pub limits: Limits,
    /// Deletion is for good.
    pub permanently: bool,
    /// Time for a request, and for all pauses of one.
    pub time: Duration,
    shown: Arc<Mutex<String>>,
}

impl Bed {
    /// An empty Inbox; `None` (said on standard output) where no identity provider is installed.
    pub fn start() -> Option<Self> {
        let provider = IdentityProvider::start()?;
        Some(Self {
            graph: Graph::start(&provider),
            provider,
            limits: Limits::default(),
            permanently: false,
            time: Duration::from_secs(10),
            shown: Arc::default(),
        })
    }

    /// A mail with this subject arrives.
    pub fn deliver(&self, subject: &str, received: &str) -> usize {
        self.deliver_as(&Mail::new(subject), received, &json!({}))
    }

    /// A mail arrives of which the service says something else than follows from it.
    pub fn deliver_as(&self, mail: &Mail, received: &str, properties: &Value) -> usize {
        let bytes = mail.bytes();
        self.graph
            .inbox(|inbox| inbox.deliver(&bytes, received, properties))
    }

    /// So many mails arrive, one in a second, with their numbers as subjects.
    pub fn deliver_many(&self, count: usize) {
        for number in 1..=count {
            let received = format!(
                "2026-01-06T{:02}:{:02}:{:02}.5Z",
                number / 3600,
                number / 60 % 60,
                number % 60
            );
            self.deliver(&number.to_string(), &received);
        }
    }

    /// Opens it.
    pub fn open(&self) -> GraphMailbox {
        self.try_open().unwrap()
    }

    /// The same where it may fail.
    pub fn try_open(&self) -> Result<GraphMailbox, Error> {
        let sink = Arc::clone(&self.shown);
        let trace = Trace::to(move |line| {
            let mut shown = sink.lock().unwrap();
            *shown += line;
            *shown += "\n";
        });
        let limits = http::Limits {
            connect: self.time,
            answer: self.time,
        };
        let tokens = TokenSettings {
            authority: Authority::of(&self.provider.authority(), DIRECTORY).unwrap(),
            client_id: DAEMON.into(),
            grant: Grant::ClientCredentials {
                secret: Secret::new(SECRET.into()),
            },
            scope: self.graph.scope(),
            margin: Duration::from_secs(10),
            names: Names::Msal,
            limits,
        };
        let settings = Settings {
            endpoint: self.graph.endpoint(),
            mailbox: Some(USER.into()),
            tokens: TokenSource::new(tokens, trace.clone()),
            limits,
            permanently: self.permanently,
        };
        GraphMailbox::open(&settings, self.limits, trace)
    }

    /// What was shown of the conversation.
    pub fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// How often a token was asked for.
    pub fn tokens(&self) -> usize {
        self.provider.requests().len()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.shown());
            return;
        }
        let shown = self.shown();
        let bodies = self.provider.requests().into_iter();
        let tokens = bodies.filter_map(|request| {
            let body: Value = serde_json::from_str(&request.body).ok()?;
            Some(body["access_token"].as_str()?.to_owned())
        });
        for secret in tokens.chain([SECRET.to_owned()]) {
            assert!(!shown.contains(&secret), "{secret} in:\n{shown}");
        }
    }
}

/// The ids of all mails.
pub fn listed(mailbox: &mut GraphMailbox) -> Vec<MailId> {
    listed_since(mailbox, None)
}

/// The ids of the mails received since then.
pub fn listed_since(mailbox: &mut GraphMailbox, since: Option<&str>) -> Vec<MailId> {
    let known = Known {
        since: since.map(|time| time.parse().unwrap()),
        ..Known::default()
    };
    let listing = mailbox.list(&known).unwrap();
    assert!(listing.position.is_none() && listing.void.is_none() && !listing.lasting);
    listing.ids
}

/// The summaries of all mails.
pub fn summaries(mailbox: &mut GraphMailbox) -> Vec<Summary> {
    let ids = listed(mailbox);
    let all = mailbox.summaries(&ids).unwrap();
    all.into_iter()
        .map(|(_, summary)| summary.unwrap())
        .collect()
}

/// The subjects of these mails.
pub fn subjects(mailbox: &mut GraphMailbox, ids: &[MailId]) -> Vec<String> {
    let all = mailbox.summaries(ids).unwrap();
    all.into_iter()
        .map(|(_, summary)| summary.unwrap().envelope.subject)
        .collect()
}

/// What rules want to know of these mails.
pub fn contents(
    mailbox: &mut GraphMailbox,
    ids: &[MailId],
    text: bool,
) -> Vec<Result<Content, Fault>> {
    let query = |id: &MailId| Query {
        id: id.clone(),
        text,
    };
    let queries: Vec<_> = ids.iter().map(query).collect();
    let all = mailbox.contents(&queries).unwrap();
    all.into_iter().map(|(_, content)| content).collect()
}

/// The names of a mail's attachments.
pub fn names(content: &Content) -> Vec<&str> {
    content
        .attachments
        .iter()
        .map(|file| file.name.as_str())
        .collect()
}

/// The lines of a mail's body.
pub fn lines(content: &Content) -> Vec<&str> {
    content.body.as_ref().unwrap().lines().collect()
}

/// The same line so many times.
pub fn times(count: usize, line: &str) -> Vec<String> {
    vec![line.to_owned(); count]
}

/// `turns` without repetitions, each with how often it came in a row.
pub fn in_short(turns: &[String]) -> Vec<(usize, &str)> {
    let mut short: Vec<(usize, &str)> = Vec::new();
    for turn in turns {
        match short.last_mut() {
            Some((count, last)) if last == turn => *count += 1,
            _ => short.push((1, turn)),
        }
    }
    short
}
