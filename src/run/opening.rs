//! Opening the mailbox that the settings name, and what becomes of its server's certificate.

use anyhow::Context;

use super::output::Output;
use super::{Place, limits};
use crate::certificates::Certificates;
use crate::cli::Accept;
use crate::clock;
use crate::config::{MailSettings, Settings};
use crate::mailbox::Mailbox;
use crate::mailbox::folder::FolderMailbox;
use crate::mailbox::graph::{self, GraphMailbox};
use crate::mailbox::imap::{Access, ImapMailbox};
use crate::mailbox::pop::PopMailbox;
use crate::net::{Certificate, Endpoint, Fingerprint, Trust};

/// What a visit to the mailbox may change.
pub(super) enum Visit<'a> {
    /// Nothing anywhere.
    Look,
    /// Mails may be deleted, and the server's certificate is remembered.
    Work {
        /// `--acceptCertificate`, until it has been done.
        accept: &'a mut Option<Accept>,
        /// The certificate without a known authority that an earlier attempt of this run was shown,
        /// whatever became of it: no attempt gives the password to another one.
        met: &'a mut Option<Fingerprint>,
    },
}

/// Opens the mailbox that the settings name.
pub(super) fn open_mailbox(
    settings: &Settings,
    place: Place<'_>,
    visit: Visit<'_>,
    output: &Output,
) -> anyhow::Result<Box<dyn Mailbox>> {
    let limits = limits(settings);
    let warn = |warnings: &[String]| warnings.iter().for_each(|line| output.warning(line));
    Ok(match &settings.mail {
        MailSettings::Imap(account) => {
            let access = match visit {
                Visit::Look => Access::ReadOnly,
                Visit::Work { .. } => Access::ReadWrite,
            };
            let mut server = Server::new(&account.endpoint, place, visit)?;
            let (endpoint, login) = (server.endpoint.clone(), &account.login);
            let (trace, meets) = (output.trace(), |shown| server.meets(shown));
            let mailbox =
                ImapMailbox::open(&endpoint, login, "INBOX", access, limits, trace, meets)?;
            warn(mailbox.warnings());
            server.remember(output)?;
            Box::new(mailbox)
        }
        MailSettings::Pop(account) => {
            let mut server = Server::new(&account.endpoint, place, visit)?;
            let (endpoint, login) = (server.endpoint.clone(), &account.login);
            let (trace, meets) = (output.trace(), |shown| server.meets(shown));
            let mailbox = PopMailbox::open(&endpoint, login, limits, trace, meets)?;
            warn(mailbox.warnings());
            server.remember(output)?;
            Box::new(mailbox)
        }
        MailSettings::Msal(account) => {
            let graph = graph::Settings {
                endpoint: account.endpoint.clone(),
                mailbox: account.mailbox.clone(),
                tokens: account.tokens.clone(),
                limits: account.limits,
                permanently: account.permanent_delete,
            };
            Box::new(GraphMailbox::open(&graph, limits, output.trace())?)
        }
        MailSettings::Folder(path) => {
            Box::new(FolderMailbox::open(path, limits).context("[Mail] Folder")?)
        }
    })
}

/// A server on the eve of a visit.
struct Server<'a> {
    /// Where it is, and which certificate of it is good enough.
    endpoint: Endpoint,
    /// Where certificates are remembered, if its own may be one without a known authority.
    known: Option<Certificates>,
    visit: Visit<'a>,
    /// What it has shown.
    shown: Certificate,
}

impl<'a> Server<'a> {
    fn new(endpoint: &Endpoint, place: Place<'_>, visit: Visit<'a>) -> anyhow::Result<Self> {
        let mut endpoint = endpoint.clone();
        if !endpoint.remembers_certificates() {
            return Ok(Self {
                endpoint,
                known: None,
                visit,
                shown: Certificate::None,
            });
        }
        let known = Certificates::read(place.state)?;
        endpoint.trust = Trust::Remembered(match &visit {
            Visit::Work { met: Some(met), .. } => Some(*met),
            Visit::Work {
                accept: Some(accept),
                ..
            } => match accept {
                Accept::Shown => None,
                Accept::Exactly(fingerprint) => Some(*fingerprint),
            },
            Visit::Work { .. } | Visit::Look => known.of(&endpoint.server()),
        });
        Ok(Self {
            endpoint,
            known: Some(known),
            visit,
            shown: Certificate::None,
        })
    }

    /// Holds on to what it shows, before the log-in.
    fn meets(&mut self, certificate: Certificate) {
        self.shown = certificate;
        if let (Visit::Work { met, .. }, Certificate::Untrusted(shown)) =
            (&mut self.visit, certificate)
        {
            **met = Some(shown);
        }
    }

    /// Tells of a certificate that was not known, and remembers it. This comes after the log-in:
    /// a first contact that came to nothing, with the wrong server for example, leaves nothing
    /// behind that would have to be set right.
    fn remember(self, output: &Output) -> anyhow::Result<()> {
        let server = self.endpoint.server();
        let Some(mut known) = self.known else {
            return Ok(());
        };
        let (is_work, is_asked) = match self.visit {
            Visit::Look => (false, false),
            Visit::Work { accept, .. } => (true, accept.take().is_some()),
        };
        let shown = match self.shown {
            Certificate::Untrusted(shown) => shown,
            Certificate::Trusted if is_asked => {
                output.line(&format!(
                    "{server} has a certificate that needs no accepting; nothing was remembered"
                ));
                return Ok(());
            }
            Certificate::None if is_asked => {
                output.line(&format!(
                    "the connection to {server} is not encrypted, so there was no certificate to accept; nothing was \
                     remembered"
                ));
                return Ok(());
            }
            Certificate::Trusted | Certificate::None => return Ok(()),
        };
        let before = known.of(&server);
        if before == Some(shown) {
            return Ok(());
        }
        if !is_work {
            output.warning(&format!(
                "no known authority vouches for the certificate of {server}, SHA-256 {shown}. It is not remembered \
                 yet; the first run will do that. {COMPARE}"
            ));
            return Ok(());
        }
        let today = clock::to_local(clock::now()).date();
        known.accept(&server, shown, today)?;
        if !is_asked {
            output.warning(&format!(
                "no known authority vouches for the certificate of {server}, SHA-256 {shown}. It is remembered from \
                 now on, and any other one is refused. {COMPARE}"
            ));
            return Ok(());
        }
        let place = before.map_or_else(String::new, |before| format!(" in place of {before}"));
        output.line(&format!(
            "the certificate of {server}, SHA-256 {shown}, is accepted and remembered{place}"
        ));
        Ok(())
    }
}

const COMPARE: &str =
    "Compare it on the server: openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE";
