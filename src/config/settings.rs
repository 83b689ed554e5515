//! The meaning of an INI file: typed settings, rules compiled, every problem collected.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::ini::{Document, Section};
use super::keys::{self, Key};
use super::places::{Environment, expand};
use super::problem::{Problems, Severity};
use super::tokens::Tokens;
use super::values::{Reader, is_set};
use super::{rule, text::Text};
use crate::audit::{AuditSettings, Log};
use crate::cli::{MailboxSwitches, UsageError};
use crate::clock::stamp;
use crate::events::{Signature, Template, UnsafeText};
use crate::mailbox::Protocol;
use crate::net::{Endpoint, Security, Timeouts, TlsFloor, Trust};
use crate::rules::Rule;
use crate::secret::{Keeper, Secret};

/// Everything a pass needs to know.
#[derive(Debug)]
pub struct Settings {
    /// `[General]`.
    pub general: General,
    /// `[Mail]`, with the command line's word on it.
    pub mail: MailSettings,
    /// `[Audit]`.
    pub audit: AuditSettings,
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
    Imap {
        /// Where and how to connect.
        endpoint: Endpoint,
        /// `User`.
        user: String,
        /// `Password`.
        password: Secret,
    },
    /// Local mails.
    Folder(PathBuf),
}

/// An INI file, read but not yet understood.
#[derive(Debug)]
pub struct SettingsFile {
    path: PathBuf,
    document: Document,
    problems: Problems,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("can't read the INI file {path}: {cause}. Create it after SMArtEmail.ini.example, or name another with -inifile:FILE")]
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
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// Something in the file stops the run.
    #[error("the INI file can't be used")]
    Problems(Problems),
}

/// What the pass is going to do, as far as it decides which settings must be there.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The command line's word on the mailbox.
    pub mailbox: &'a MailboxSwitches,
    /// `--delete`.
    pub delete: bool,
    /// Events will be written, so their credentials must open.
    pub writes_events: bool,
}

impl SettingsFile {
    /// Reads the file that was named, or the default one.
    pub fn read(named: Option<&str>, environment: Environment<'_>) -> Result<Self, LoadError> {
        let path = expand(named.unwrap_or(super::places::DEFAULT_INI), environment).map_err(LoadError::Variable)?;
        let bytes = std::fs::read(&path).map_err(|cause| LoadError::File { path: path.display().to_string(), cause })?;
        let mut problems = Problems::default();
        let document = Document::parse(Text::decode(bytes).as_str(), &mut problems);
        Ok(Self { path, document, problems })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Understands the file.
    pub fn resolve(self, purpose: Purpose<'_>, keeper: &Keeper, environment: Environment<'_>) -> Result<Settings, LoadError> {
        let Self { path, document, mut problems } = self;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let tokens = Tokens::new(document.section("Tokens"));
        super::unknown::report(&document, &tokens, &mut problems);

        let mut resolver = Resolver { document: &document, problems: &mut problems, environment, keeper };
        let mail = resolver.mail(purpose.mailbox)?;
        let general = resolver.general(purpose, mail.as_ref());
        let audit = resolver.audit(&folder, &tokens);
        let (rules, disabled_rules) = resolver.rules(&tokens, audit.unsafe_text);
        match (general, mail) {
            (Some(general), Some(mail)) if problems.worst() < Some(Severity::Fatal) => {
                Ok(Settings { general, mail, audit, rules, disabled_rules, problems })
            }
            _ => Err(LoadError::Problems(problems)),
        }
    }
}

/// Reads an `UnsafeText` value.
pub(super) fn unsafe_text(value: &str) -> Option<UnsafeText> {
    match value.to_ascii_lowercase().as_str() {
        "reject" => Some(UnsafeText::Reject),
        "replace" => Some(UnsafeText::Replace),
        "allow" => Some(UnsafeText::Allow),
        _ => None,
    }
}

/// The passes over one document.
struct Resolver<'a> {
    document: &'a Document,
    problems: &'a mut Problems,
    environment: Environment<'a>,
    keeper: &'a Keeper,
}

impl<'a> Resolver<'a> {
    fn reader<'r>(&'r mut self, name: &'r str, severity: Severity) -> Reader<'r>
    where
        'a: 'r,
    {
        let section: Option<&'r Section> = self.document.section(name);
        Reader { section, name, severity, problems: self.problems, environment: self.environment }
    }

    /// A credential: user names may stand in plain text, passwords must be sealed.
    fn credential(&mut self, section: &'static str, key: &'static Key, is_password: bool) -> Option<Secret> {
        let keeper = self.keeper;
        let mut reader = self.reader(section, Severity::Fatal);
        let Some(entry) = reader.entry(key).cloned() else {
            let message = "is not set; set it with: smartemail --credentials";
            reader.problems.add(Severity::Fatal, None, format!("[{section}] {}", key.name), message);
            return None;
        };
        if !crate::secret::is_sealed(&entry.value) {
            if is_password {
                reader.wrong(entry.line, key, "stands in plain text, which is refused; encrypt it with: smartemail --credentials");
                return None;
            }
            return Some(Secret::new(entry.value));
        }
        match keeper.open(&entry.value, section, key.name) {
            Ok(secret) => Some(secret),
            Err(error) => {
                reader.wrong(entry.line, key, error.to_string());
                None
            }
        }
    }

    fn mail(&mut self, switches: &MailboxSwitches) -> Result<Option<MailSettings>, LoadError> {
        let mut reader = self.reader("Mail", Severity::Fatal);
        let protocol = match switches.protocol {
            Some(protocol) => Some(protocol),
            None => reader.parsed(&keys::EMAIL_PROTOCOL, "IMAP, POP, MSAL or FOLDER", protocol),
        };
        let Some(protocol) = protocol else {
            if reader.entry(&keys::EMAIL_PROTOCOL).is_some() {
                return Ok(None);
            }
            return Err(UsageError::missing("[Mail] EmailProtocol", "--imap (or --pop, --msal, -folder:PATH)").into());
        };
        match protocol {
            Protocol::Folder => self.folder(switches),
            Protocol::Imap => self.imap(switches),
            Protocol::Pop | Protocol::Msal => {
                let word = if protocol == Protocol::Pop { "POP" } else { "MSAL" };
                let line = reader.entry(&keys::EMAIL_PROTOCOL).map(|entry| entry.line);
                let message = format!("{word} is not available yet in this version; IMAP and FOLDER are");
                reader.problems.add(Severity::Fatal, line, "[Mail] EmailProtocol", message);
                Ok(None)
            }
        }
    }

    fn folder(&mut self, switches: &MailboxSwitches) -> Result<Option<MailSettings>, LoadError> {
        if let Some(named) = &switches.folder {
            return match expand(named, self.environment) {
                Ok(path) => Ok(Some(MailSettings::Folder(path))),
                Err(name) => {
                    let message = format!("uses %{name}%, but there is no environment variable {name}");
                    self.problems.add(Severity::Fatal, None, "-folder", message);
                    Ok(None)
                }
            };
        }
        let mut reader = self.reader("Mail", Severity::Fatal);
        if reader.text(&keys::FOLDER).is_none() {
            return Err(UsageError::missing("[Mail] Folder", "-folder:PATH").into());
        }
        Ok(reader.path(&keys::FOLDER).map(MailSettings::Folder))
    }

    fn imap(&mut self, switches: &MailboxSwitches) -> Result<Option<MailSettings>, LoadError> {
        let mut reader = self.reader("Mail", Severity::Fatal);
        let host = switches.server.clone().or_else(|| reader.text(&keys::SERVER).map(str::to_owned));
        let Some(host) = host else { return Err(UsageError::missing("[Mail] Server", "-server:HOST").into()) };
        let floor = match switches.floor {
            Some(floor) => Some(floor),
            None => reader.parsed(&keys::SECURITY_PROTOCOL, "SSL, SSL2, TLS1, TLS1_1, TLS1_2 or TLS1_3", floor),
        };
        let chosen = reader.parsed(&keys::CONNECTION_SECURITY, "none, start-tls, start-tls-required or ssl-tls", security);
        let port = switches.port.or_else(|| reader.number(&keys::PORT, 1, u16::MAX));
        let encrypted = floor.is_some() || chosen == Some(Security::Tls);
        let port = port.unwrap_or(if encrypted { 993 } else { 143 });
        let security = chosen.unwrap_or(match floor {
            Some(_) if port == 143 => Security::StartTlsRequired,
            Some(_) => Security::Tls,
            None => Security::None,
        });
        if security == Security::None {
            let message = "the connection is not encrypted: password and mails can be read and forged on the way; set SecurityProtocol";
            reader.problems.add(Severity::Warning, None, "[Mail]", message);
        }
        let trust = if reader.boolean(&keys::SELF_SIGNED_CERTIFICATE) { Trust::AnyChain } else { Trust::Authorities };
        let mut seconds = |key, most| Duration::from_secs(reader.number(key, 1, most).unwrap_or(60));
        let timeouts = Timeouts {
            connect: seconds(&keys::CONNECT_TIMEOUT, 600),
            read: seconds(&keys::READ_TIMEOUT, 3600),
            write: seconds(&keys::WRITE_TIMEOUT, 3600),
        };
        let endpoint = Endpoint { host, port, security, floor: floor.unwrap_or(TlsFloor::Tls1_2), trust, timeouts };
        let user = self.credential("Mail", &keys::USER, false);
        let password = self.credential("Mail", &keys::PASSWORD, true);
        Ok(user.zip(password).map(|(user, password)| MailSettings::Imap { endpoint, user: user.expose().to_owned(), password }))
    }

    fn general(&mut self, purpose: Purpose<'_>, mail: Option<&MailSettings>) -> Option<General> {
        let signature = purpose.writes_events.then(|| self.signature()).flatten();
        let mut reader = self.reader("General", Severity::Fatal);
        let msgin = reader.path(&keys::MSGIN_DIRECTORY);
        let staging = reader.path(&keys::STAGING_DIRECTORY).or_else(|| msgin.as_deref().map(beside));
        let mut delete = reader.parsed(&keys::DELETE_EMAILS, "Match, All or None", delete)?;
        if matches!(mail, Some(MailSettings::Folder(_))) && reader.entry(&keys::DELETE_EMAILS).is_none() {
            delete = Delete::None;
        }
        if purpose.delete && delete == Delete::None {
            delete = Delete::Match;
        }
        let download = if reader.boolean(&keys::DOWNLOAD_EMAILS) { Some(reader.path(&keys::DOWNLOAD_FOLDER)) } else { None };
        let last_run = if reader.boolean(&keys::USE_LAST_RUN_DATE) {
            let time = reader.parsed(&keys::LAST_RUN_DATE, "a date such as 1/31/2017 12:30:00 AM", stamp::parse);
            let text = reader.entry(&keys::LAST_RUN_DATE).map(|entry| entry.value.clone()).unwrap_or_default();
            LastRun::Used { text, time }
        } else {
            LastRun::Unused
        };
        Some(General {
            signature,
            delete,
            exit_code_no_match: reader.number(&keys::EXIT_CODE_FOR_NO_MATCHING_EMAILS, 0, 255)?,
            last_run,
            max_mail_size: reader.number(&keys::MAX_MAIL_SIZE, 1, 1024)? * 1024 * 1024,
            // A path that can't be had has been told; `download` must not turn into "don't".
            download: match download {
                Some(path) => Some(path?),
                None => None,
            },
            msgin: msgin?,
            staging: staging?,
        })
    }

    fn signature(&mut self) -> Option<Signature> {
        let user = self.credential("General", &keys::OPCON_USER, false);
        let password = self.credential("General", &keys::OPCON_USER_PASSWORD, true);
        let (user, password) = user.zip(password)?;
        for (key, value) in [(&keys::OPCON_USER, &user), (&keys::OPCON_USER_PASSWORD, &password)] {
            if value.expose().contains(',') || value.expose().contains(char::is_control) {
                let message = "holds a comma or a control character, which no event can carry; set it again with: smartemail --credentials";
                self.problems.add(Severity::Fatal, None, format!("[General] {}", key.name), message);
                return None;
            }
        }
        Some(Signature { user: user.expose().to_owned(), password })
    }

    fn audit(&mut self, folder: &Path, tokens: &Tokens) -> AuditSettings {
        let unsafe_text = self
            .reader("General", Severity::Fatal)
            .parsed(&keys::UNSAFE_TEXT, "Reject, Replace or Allow", unsafe_text)
            .unwrap_or_default();
        // The older names count where the newer ones are absent; both only matter once notices can be sent.
        let mut general = self.reader("General", Severity::Fatal);
        let older = [&keys::SEND_ACCEPTED_NOTICE, &keys::SEND_REJECTION_NOTICE].map(|key| general.boolean(key));
        let mut reader = self.reader("Audit", Severity::Error);
        for (key, older) in [&keys::NOTIFY_ON_ACCEPTS, &keys::NOTIFY_ON_REJECTS].into_iter().zip(older) {
            let newer = reader.boolean(key);
            if newer || (older && reader.entry(key).is_none()) {
                let message = "sending notices is not available yet in this version; none is sent";
                let line = reader.entry(key).map(|entry| entry.line);
                reader.problems.add(Severity::Warning, line, format!("[Audit] {}", key.name), message);
            }
        }
        let log = |reader: &mut Reader<'_>, switch: &'static Key, file: &'static Key, format: &'static Key| {
            let on = reader.boolean(switch);
            let path = reader.path(file).map(|path| folder.join(path));
            let format = audit_text(reader, format, tokens);
            if on && path.is_none() {
                let line = reader.entry(switch).map(|entry| entry.line);
                let message = format!("is set, but {} names no file; nothing is logged", file.name);
                reader.problems.add(Severity::Warning, line, format!("[Audit] {}", switch.name), message);
            }
            path.map(|path| (on, Log { path, format }))
        };
        let accepts = log(&mut reader, &keys::LOG_ACCEPTS, &keys::AUDIT_ACCEPT_LOG_FILE, &keys::LOG_ACCEPT_FORMAT);
        let rejects = log(&mut reader, &keys::LOG_REJECTS, &keys::AUDIT_REJECT_LOG_FILE, &keys::LOG_REJECT_FORMAT);
        let events = log(&mut reader, &keys::LOG_OPCON_EVENTS, &keys::OPCON_EVENT_LOG_FILE, &keys::LOG_OPCON_EVENT_FORMAT);
        let beside = rejects.as_ref().map_or(folder, |(_, log)| log.path.parent().unwrap_or(folder));
        let on = |log: &Option<(bool, Log)>| log.as_ref().filter(|(on, _)| *on).map(|(_, log)| log.clone());
        AuditSettings {
            rejections: beside.join("SMArtEmailRejections.log"),
            accepts: on(&accepts),
            rejects: on(&rejects),
            events: on(&events),
            timeframe_message: audit_text(&mut reader, &keys::REJECT_TIMEFRAME_MESSAGE, tokens),
            sender_message: audit_text(&mut reader, &keys::REJECT_SENDER_MESSAGE, tokens),
            subject_message: audit_text(&mut reader, &keys::REJECT_NO_MATCHING_SUBJECT_MESSAGE, tokens),
            attachment_message: audit_text(&mut reader, &keys::REJECT_NO_ATTACHMENT_MESSAGE, tokens),
            reject_event: Some(audit_text(&mut reader, &keys::REJECT_EVENT, tokens)).filter(|t| is_set(t)).map(Template::new),
            unsafe_text,
        }
    }

    fn rules(&mut self, tokens: &Tokens, unsafe_text: UnsafeText) -> (Vec<Rule>, usize) {
        let mut numbered: Vec<(u32, &Section)> =
            self.document.sections.iter().filter_map(|section| Some((rule::number(&section.name)?, section))).collect();
        numbered.sort_by_key(|(number, section)| (*number, section.line));
        let mut rules: Vec<Rule> = Vec::new();
        let mut disabled = 0;
        let mut last = None;
        for (number, section) in numbered {
            let place = format!("[{}]", section.name);
            let doubled = section.again.first().copied().or((last == Some(number)).then_some(section.line));
            last = Some(number);
            if let Some(line) = doubled {
                let message = "stands twice; give the second one a number of its own. This configuration is disabled";
                self.problems.add(Severity::Error, Some(line), place, message);
                disabled += 1;
                continue;
            }
            match rule::build(section, number, tokens, unsafe_text, self.problems) {
                Some(rule) => rules.push(rule),
                None => disabled += 1,
            }
        }
        if rules.is_empty() {
            let what = if disabled == 0 { "has no [Configuration#] section" } else { "has no usable [Configuration#] section" };
            self.problems.add(Severity::Fatal, None, "", format!("{what}, so there is nothing to look for"));
        }
        (rules, disabled)
    }
}

/// An `[Audit]` text with its custom tokens replaced; the default where that fails.
fn audit_text(reader: &mut Reader<'_>, key: &'static Key, tokens: &Tokens) -> String {
    let text = reader.text(key).unwrap_or_default();
    match tokens.expand(text) {
        Ok(text) => text,
        Err(why) => {
            let line = reader.entry(key).map_or(0, |entry| entry.line);
            reader.wrong(line, key, format!("{why}. The default is used"));
            key.default.to_owned()
        }
    }
}

/// The staging folder beside MSGIN: the same name with `.staging` behind it.
fn beside(msgin: &Path) -> PathBuf {
    let mut name = msgin.file_name().unwrap_or_default().to_owned();
    name.push(".staging");
    msgin.with_file_name(name)
}

fn protocol(value: &str) -> Option<Protocol> {
    match value.to_ascii_lowercase().as_str() {
        "imap" => Some(Protocol::Imap),
        "pop" | "pop3" => Some(Protocol::Pop),
        "msal" => Some(Protocol::Msal),
        "folder" => Some(Protocol::Folder),
        _ => None,
    }
}

fn floor(value: &str) -> Option<TlsFloor> {
    match value.to_ascii_lowercase().as_str() {
        // SSL 2 and 3 are gone from every TLS library; what they ask for is "as low as it goes".
        "ssl" | "ssl2" | "tls1" => Some(TlsFloor::Tls1_0),
        "tls1_1" => Some(TlsFloor::Tls1_1),
        "tls1_2" => Some(TlsFloor::Tls1_2),
        "tls1_3" => Some(TlsFloor::Tls1_3),
        _ => None,
    }
}

fn security(value: &str) -> Option<Security> {
    match value.to_ascii_lowercase().as_str() {
        "none" => Some(Security::None),
        "start-tls" => Some(Security::StartTls),
        "start-tls-required" => Some(Security::StartTlsRequired),
        "ssl-tls" => Some(Security::Tls),
        _ => None,
    }
}

fn delete(value: &str) -> Option<Delete> {
    match value.to_ascii_lowercase().as_str() {
        "none" => Some(Delete::None),
        "match" => Some(Delete::Match),
        "all" => Some(Delete::All),
        _ => None,
    }
}
