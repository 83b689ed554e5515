//! What an INI file means, as types; and the way there from a file's name.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::ini::Document;
use super::places::{Environment, expand};
use super::problem::Problems;
use super::resolve::resolve;
use super::text::Text;
use crate::audit::AuditSettings;
use crate::auth::{self, TokenSource};
use crate::events::Signature;
use crate::mailbox::{Choice, Login};
use crate::net::http::Limits;
use crate::net::{Endpoint, Trace};
use crate::rules::Rule;
use crate::secret::Keeper;
use crate::send::{Address, Service, graph};

/// Everything a pass needs to know.
#[derive(Debug)]
pub struct Settings {
    /// `[General]`.
    pub general: General,
    /// `[Mail]`, with the command line's word on it.
    pub mail: MailSettings,
    /// `[Audit]`.
    pub audit: AuditSettings,
    /// `[smtp-client]`; `None` when nothing is to be sent, or nothing can be.
    pub outbound: Option<Outbound>,
    /// The usable configurations, in numeric order.
    pub rules: Vec<Rule>,
    /// Sections that had to be disabled.
    pub disabled_rules: usize,
    /// What is wrong with the file, short of stopping the run.
    pub problems: Problems,
}

/// `[General]`.
#[derive(Debug)]
pub struct General {
    /// `MSGINDirectory`.
    pub msgin: PathBuf,
    /// `StagingDirectory`, or its default.
    pub staging: PathBuf,
    /// The credentials of events; `None` when the pass writes none.
    pub signature: Option<Signature>,
    /// `DeleteEmails`, with `--delete`.
    pub delete: Delete,
    /// `DownloadFolder`, when `DownloadEmails` is set.
    pub download: Option<PathBuf>,
    /// `ExitCodeForNoMatchingEmails`.
    pub exit_code_no_match: u8,
    /// `LastRunDate` with `UseLastRunDate`.
    pub last_run: LastRun,
    /// `MaxEventsPerRun`.
    pub max_events: Option<usize>,
    /// `MaxMailSize` in bytes.
    pub max_mail_size: u64,
}

/// `DeleteEmails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// Delete nothing.
    None,
    /// Delete accepted mails.
    Match,
    /// Delete every mail that was looked at.
    All,
}

/// `UseLastRunDate` and `LastRunDate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastRun {
    /// `UseLastRunDate=False`.
    Unused,
    /// It is kept up to date.
    Used {
        /// As it stands in the file; empty when it is not set.
        text: String,
        /// What it means.
        time: Option<DateTime<Utc>>,
    },
}

/// `[Mail]`: where mails come from.
#[derive(Debug)]
pub enum MailSettings {
    /// An IMAP mailbox.
    Imap(Account),
    /// A POP3 mailbox.
    Pop(Account),
    /// A Microsoft 365 mailbox.
    Msal(Box<GraphAccount>),
    /// Local mails.
    Folder(PathBuf),
}

/// A mailbox on a server.
#[derive(Debug)]
pub struct Account {
    /// Where and how to connect.
    pub endpoint: Endpoint,
    /// `User` and `Password`.
    pub login: Login,
    /// `Retries`: how often a run goes through the mailbox again after a failure that may pass.
    pub retries: u32,
}

impl MailSettings {
    /// How often a run goes through the mailbox again after a failure that may pass.
    #[must_use]
    pub fn retries(&self) -> u32 {
        match self {
            Self::Imap(account) | Self::Pop(account) => account.retries,
            Self::Msal(account) => account.retries,
            Self::Folder(_) => 0,
        }
    }

    /// Whether the server may show a certificate that has to be remembered.
    #[must_use]
    pub fn remembers_certificates(&self) -> bool {
        match self {
            Self::Imap(account) | Self::Pop(account) => account.endpoint.remembers_certificates(),
            Self::Msal(_) | Self::Folder(_) => false,
        }
    }
}

/// A mailbox that is read through Microsoft Graph.
#[derive(Debug)]
pub struct GraphAccount {
    /// Gives its tokens, and those for notices that go the same way.
    pub tokens: TokenSource,
    /// Time limits of a request.
    pub limits: Limits,
    /// `GraphEndpoint`, without a slash at the end.
    pub endpoint: String,
    /// `[Mail] User`: whose mailbox it is, where it is not that of the account that is signed in.
    pub mailbox: Option<String>,
    /// Who sends notices, unless `[smtp-client]` does: the account that is signed in, or with
    /// tokens of the application itself the mailbox; `None` as long as nobody has signed in.
    pub sender: Option<String>,
    /// Whose tokens they are.
    pub access: graph::Access,
    /// `PermanentDelete`.
    pub permanent_delete: bool,
    /// `Retries`, as with a server.
    pub retries: u32,
}

impl GraphAccount {
    /// Whose mailbox it is, for people; blank as long as nobody has signed in.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.mailbox.as_ref().or(self.sender.as_ref());
        name.map_or("", String::as_str)
    }
}

/// Who sends notices.
#[derive(Debug)]
pub struct Outbound {
    /// The account whose mailbox is read, since there is no `[smtp-client]`.
    pub by_the_mailbox: bool,
    /// By whom they are delivered.
    pub service: Service,
    /// Who they are from.
    pub from: Address,
    /// Where the conversation with the server is shown.
    pub trace: Trace,
}

/// Where conversations with servers may be shown.
#[derive(Clone, Copy, Debug)]
pub struct Traces<'a> {
    /// Of all of them.
    pub usual: &'a Trace,
    /// Of the sending server with `enable-debug`.
    pub debug: &'a Trace,
}

/// An INI file, read but not yet understood.
#[derive(Debug)]
pub struct SettingsFile {
    pub(super) path: PathBuf,
    pub(super) document: Document,
    pub(super) problems: Problems,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error(
        "can't read the INI file {path}: {cause}. Create it after SMArtEmail.ini.example, or name another with -inifile:FILE"
    )]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A variable in the INI file's own path.
    #[error("the INI file's path uses %{0}%, but there is no environment variable {0}")]
    Variable(String),
    /// Neither the file nor the command line says where mails come from.
    #[error("neither {setting} nor {switch} is given")]
    Missing {
        /// The setting that would say it.
        setting: &'static str,
        /// The switch that would.
        switch: &'static str,
    },
    /// Something in the file stops the run.
    #[error("the INI file can't be used")]
    Unusable(Box<Unusable>),
}

/// A file that stops the run, as far as it could be understood.
#[derive(Debug)]
pub struct Unusable {
    /// What is wrong with it.
    pub problems: Problems,
    /// The configurations that could be used all the same.
    pub rules: Vec<Rule>,
}

/// What the pass is going to do, as far as it decides which settings must be there.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The command line's word on the mailbox.
    pub mailbox: &'a Choice,
    /// `--delete`.
    pub delete: bool,
    /// Events will be written, so their credentials must open.
    pub writes_events: bool,
    /// Notices will be sent, so the credentials for that must open.
    pub sends: bool,
    /// Where conversations with servers are shown.
    pub traces: Traces<'a>,
}

impl SettingsFile {
    /// Reads the file that was named, or the default one.
    pub fn read(named: Option<&str>, environment: Environment<'_>) -> Result<Self, LoadError> {
        let path = expand(named.unwrap_or(super::places::DEFAULT_INI), environment)
            .map_err(LoadError::Variable)?;
        let bytes = std::fs::read(&path).map_err(|cause| LoadError::File {
            path: path.display().to_string(),
            cause,
        })?;
        let mut problems = Problems::default();
        let document = Document::parse(Text::decode(bytes).as_str(), &mut problems);
        Ok(Self {
            path,
            document,
            problems,
        })
    }

    /// Understands as much of the file as a sign-in needs; `None` when something is wrong with
    /// that. It is for the mailbox that the file names, or `for_graph` whatever that is.
    #[must_use]
    pub fn sign_in(
        self,
        keeper: &Keeper,
        environment: Environment<'_>,
        trace: &Trace,
        for_graph: bool,
    ) -> (Option<auth::Settings>, Problems) {
        super::resolve::sign_in(self, keeper, environment, trace, for_graph)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Understands the file.
    pub fn resolve(
        self,
        purpose: Purpose<'_>,
        keeper: &Keeper,
        environment: Environment<'_>,
    ) -> Result<Settings, LoadError> {
        resolve(self, purpose, keeper, environment)
    }
}
