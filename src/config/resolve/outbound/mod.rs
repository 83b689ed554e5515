//! `[smtp-client]`: who sends notices. What is wrong there is an error of the run and holds nothing
//! else up.

use super::{Resolver, Told};
use crate::config::keys;
use crate::config::problem::{Problems, Severity};
use crate::config::settings::{GraphAccount, MailSettings, Outbound, Purpose};
use crate::send::{Address, Service, graph};

mod options;
mod service;
mod tokens;

use options::ServerType;
use service::{Credentials, Unusable};

const SECTION: &str = "smtp-client";

impl Resolver<'_> {
    /// Who sends notices; `None` when nobody has to, or nobody can, which has been told. With
    /// nothing to be sent in this pass, no secret is opened.
    pub(super) fn outbound(
        &mut self,
        wanted: bool,
        from: Option<Address>,
        mail: Option<&MailSettings>,
        purpose: Purpose<'_>,
    ) -> Option<Outbound> {
        let account = match mail {
            Some(MailSettings::Msal(account)) => Some(account),
            _ => None,
        };
        if let Some(account) = account
            && self.document.section(SECTION).is_none()
        {
            let in_use = wanted && purpose.sends;
            return in_use.then(|| self.by_the_mailbox(account, from)).flatten();
        }
        let options = self.options();
        let reader = self.reader(SECTION, Severity::Error);
        let server = reader.entry(&keys::SMTP_SERVER).is_some();
        let user = reader.entry(&keys::SMTP_USER).is_some();
        let (Ok(options), true) = (options, purpose.sends) else {
            return None;
        };
        // Graph needs no server to be named.
        let named = server || (user && options.kind == ServerType::Graph);
        if !(wanted || named) {
            return None;
        }
        let traces = purpose.traces;
        let debug = self
            .reader(SECTION, Severity::Error)
            .boolean(&keys::SMTP_ENABLE_DEBUG);
        let trace = if debug { traces.debug } else { traces.usual };
        let user = self.secret(SECTION, &keys::SMTP_USER, false, Severity::Error);
        let password = self.secret(SECTION, &keys::SMTP_PASSWORD, true, Severity::Error);
        let secret = if options.application.is_google() {
            let section = options.application.secret_section();
            self.secret(&section, &keys::APPLICATION_SECRET, true, Severity::Error)
        } else {
            Ok(None)
        };
        let credentials = (|| {
            Ok(Credentials {
                user: user?.map(|user| user.expose().to_owned()),
                password: password?,
                secret: secret?,
            })
        })();
        let credentials: Credentials = credentials.map_err(|Told| ()).ok()?;
        let service = match options.service(&credentials, trace) {
            Ok(service) => service,
            Err(why) => {
                let instead = account.is_some() && !named;
                self.tell_unusable(&why, wanted, instead);
                return None;
            }
        };
        let Some(from) = from else {
            if wanted {
                self.tell_no_sender("neither [smtp-client] user nor [Mail] User is an address");
            }
            return None;
        };
        Some(Outbound {
            by_the_mailbox: false,
            service,
            from,
            trace: trace.clone(),
        })
    }

    /// Without the section: the account whose mailbox is read sends, through Graph too.
    fn by_the_mailbox(
        &mut self,
        account: &GraphAccount,
        from: Option<Address>,
    ) -> Option<Outbound> {
        let Some(from) = from else {
            self.tell_no_sender("nobody is signed in whose address it could be");
            return None;
        };
        let service = Service::Graph(graph::Settings {
            root: graph::root(&account.endpoint, "").ok()?,
            user: account.sender.clone().unwrap_or_default(),
            access: account.access,
            delegate: true,
            tokens: account.tokens.clone(),
            limits: account.limits,
        });
        Some(Outbound {
            by_the_mailbox: true,
            service,
            from,
            trace: self.trace.clone(),
        })
    }

    /// Nothing is told of a `NotifyFrom` that has been told of already.
    fn tell_no_sender(&mut self, why: &str) {
        let reader = self.reader("Audit", Severity::Error);
        if reader.entry(&keys::NOTIFY_FROM).is_some() {
            return;
        }
        let message = format!("is not set, and {why}: notices are from nobody, so none is sent");
        self.problems
            .add(Severity::Error, None, "[Audit] NotifyFrom", message);
    }

    /// Who notices are from: `NotifyFrom`, else the first of these.
    pub(super) fn notice_from(&mut self, users: &[Address]) -> Option<Address> {
        let named = self.reader("Audit", Severity::Error).parsed(
            &keys::NOTIFY_FROM,
            "a mail address",
            |value| Address::parse(value).ok(),
        );
        named.or_else(|| users.first().cloned())
    }

    /// The user that notices are sent as, if it is an address. Problems with it are told where it
    /// is needed.
    pub(super) fn sending_user(&self) -> Option<Address> {
        let mut quiet = Problems::default();
        let user = Resolver {
            document: self.document,
            problems: &mut quiet,
            environment: self.environment,
            keeper: self.keeper,
            ini: self.ini,
            trace: self.trace,
        }
        .secret(SECTION, &keys::SMTP_USER, false, Severity::Error);
        let user = user.ok().flatten()?;
        Address::parse(user.expose()).ok()
    }

    /// `instead`: without the section the mailbox's account would send.
    fn tell_unusable(&mut self, why: &Unusable, wanted: bool, instead: bool) {
        let section = self.document.section(SECTION);
        let line = section.map(|section| section.line);
        let end = if wanted { "; no notice is sent" } else { "" };
        let instead = if instead {
            ". To send through the mailbox's account, remove the section"
        } else {
            ""
        };
        self.problems.add(
            Severity::Error,
            line,
            format!("[{SECTION}]"),
            format!("{}{end}{instead}", why.0),
        );
    }
}
