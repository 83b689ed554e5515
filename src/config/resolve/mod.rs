//! The passes over an INI file that give its settings their meaning, section by section.

use std::path::Path;

use super::ini::{Document, Section};
use super::keys::Key;
use super::places::Environment;
use super::problem::{Problems, Severity};
use super::settings::{LoadError, MailSettings, Purpose, Settings, SettingsFile, Unusable};
use super::tokens::Tokens;
use super::values::Reader;
use super::{rule, unknown};
use crate::auth;
use crate::events::UnsafeText;
use crate::net::Trace;
use crate::rules::Rule;
use crate::secret::{Keeper, Secret, command, is_sealed};
use crate::send::Address;

mod audit;
mod general;
mod mail;
mod msal;
mod outbound;

use msal::Resource;

/// Understands a file that was read.
pub(super) fn resolve(
    file: SettingsFile,
    purpose: Purpose<'_>,
    keeper: &Keeper,
    environment: Environment<'_>,
) -> Result<Settings, LoadError> {
    let SettingsFile {
        path,
        document,
        mut problems,
        ..
    } = file;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let tokens = Tokens::new(document.section("Tokens"));
    unknown::report(&document, &tokens, &mut problems);

    let mut resolver = Resolver {
        document: &document,
        problems: &mut problems,
        environment,
        keeper,
        ini: &path,
        trace: purpose.traces.usual,
    };
    let mail = resolver.mail(purpose.mailbox)?;
    let general = resolver.general(purpose, mail.as_ref());
    let mut audit = resolver.audit(&folder, &tokens);
    let users = [
        resolver.sending_user(),
        account_user(mail.as_ref()),
        mailbox_user(mail.as_ref()),
    ];
    let users: Vec<Address> = users.into_iter().flatten().collect();
    let from = resolver.notice_from(&users);
    audit.notices.own = from.iter().chain(&users).cloned().collect();
    let outbound = resolver.outbound(audit.notices.wanted(), from, mail.as_ref(), purpose);
    let (rules, disabled_rules) = resolver.rules(&tokens, audit.unsafe_text);
    match (general, mail) {
        (Some(general), Some(mail)) if problems.worst() < Some(Severity::Fatal) => Ok(Settings {
            general,
            mail,
            audit,
            outbound,
            rules,
            disabled_rules,
            problems,
        }),
        _ => Err(LoadError::Unusable(Box::new(Unusable { problems, rules }))),
    }
}

/// The mailbox's address, if its user is one.
fn mailbox_user(mail: Option<&MailSettings>) -> Option<Address> {
    match mail? {
        MailSettings::Imap(account) | MailSettings::Pop(account) => {
            Address::parse(&account.login.user).ok()
        }
        MailSettings::Msal(account) => Address::parse(account.name()).ok(),
        MailSettings::Folder(_) => None,
    }
}

/// The address of the account that sends notices through Graph.
fn account_user(mail: Option<&MailSettings>) -> Option<Address> {
    match mail? {
        MailSettings::Msal(account) => Address::parse(account.sender.as_ref()?).ok(),
        MailSettings::Imap(_) | MailSettings::Pop(_) | MailSettings::Folder(_) => None,
    }
}

/// How the account is had that somebody signs in to for this file; `None` when something is wrong
/// with the settings, which has been told.
pub(super) fn sign_in(
    file: SettingsFile,
    keeper: &Keeper,
    environment: Environment<'_>,
    trace: &Trace,
    for_graph: bool,
) -> (Option<auth::Settings>, Problems) {
    let SettingsFile {
        path,
        document,
        mut problems,
        ..
    } = file;
    let mut resolver = Resolver {
        document: &document,
        problems: &mut problems,
        environment,
        keeper,
        ini: &path,
        trace,
    };
    let limits = resolver.limits();
    let resource = if for_graph {
        resolver.graph_endpoint().map(Resource::Graph)
    } else {
        resolver.resource()
    };
    let tokens = resource.and_then(|resource| resolver.tokens(resource, limits));
    (tokens, problems)
}

/// The passes over one document.
struct Resolver<'a> {
    document: &'a Document,
    problems: &'a mut Problems,
    environment: Environment<'a>,
    keeper: &'a Keeper,
    /// Where the file is.
    ini: &'a Path,
    /// Where conversations about tokens are shown.
    trace: &'a Trace,
}

/// Something is wrong with a setting, which has been told.
#[derive(Debug)]
struct Told;

impl<'a> Resolver<'a> {
    fn reader<'r>(&'r mut self, name: &'r str, severity: Severity) -> Reader<'r>
    where
        'a: 'r,
    {
        let section: Option<&'r Section> = self.document.section(name);
        Reader {
            section,
            name,
            severity,
            problems: self.problems,
            environment: self.environment,
        }
    }

    /// A credential that the run can't do without: user names may stand in plain text, passwords
    /// must be sealed.
    fn credential(
        &mut self,
        section: &'static str,
        key: &'static Key,
        is_password: bool,
    ) -> Option<Secret> {
        match self.secret(section, key, is_password, Severity::Fatal) {
            Ok(Some(secret)) => Some(secret),
            Ok(None) => {
                let message = format!("is not set; set it with: {}", command(section, key.name));
                let place = format!("[{section}] {}", key.name);
                self.problems.add(Severity::Fatal, None, place, message);
                None
            }
            Err(Told) => None,
        }
    }

    /// A credential, if it is set.
    fn secret(
        &mut self,
        section: &str,
        key: &'static Key,
        is_password: bool,
        severity: Severity,
    ) -> Result<Option<Secret>, Told> {
        let keeper = self.keeper;
        let mut reader = self.reader(section, severity);
        let Some(entry) = reader.entry(key).cloned() else {
            return Ok(None);
        };
        let command = command(section, key.name);
        if !is_sealed(&entry.value) {
            if !is_password {
                return Ok(Some(Secret::new(entry.value)));
            }
            let message =
                format!("stands in plain text, which is refused; encrypt it with: {command}");
            reader.wrong(entry.line, key, message);
            return Err(Told);
        }
        keeper
            .open(&entry.value, section, key.name)
            .map(Some)
            .map_err(|error| {
                reader.wrong(
                    entry.line,
                    key,
                    format!("{error}. Set it again with: {command}"),
                );
                Told
            })
    }

    fn rules(&mut self, tokens: &Tokens, unsafe_text: UnsafeText) -> (Vec<Rule>, usize) {
        let mut numbered: Vec<(u32, &Section)> = self
            .document
            .sections
            .iter()
            .filter_map(|section| Some((rule::number(&section.name)?, section)))
            .collect();
        numbered.sort_by_key(|(number, section)| (*number, section.line));
        let mut rules: Vec<Rule> = Vec::new();
        let mut disabled = 0;
        let mut last = None;
        for (number, section) in numbered {
            let place = format!("[{}]", section.name);
            let doubled = section
                .again
                .first()
                .copied()
                .or((last == Some(number)).then_some(section.line));
            last = Some(number);
            if let Some(line) = doubled {
                let message = "stands twice; give the second one a number of its own. This configuration is disabled";
                self.problems
                    .add(Severity::Error, Some(line), place, message);
                disabled += 1;
                continue;
            }
            match rule::build(section, number, tokens, unsafe_text, self.problems) {
                Some(rule) => rules.push(rule),
                None => disabled += 1,
            }
        }
        if rules.is_empty() {
            let what = if disabled == 0 {
                "has no [Configuration#] section"
            } else {
                "has no usable [Configuration#] section"
            };
            self.problems.add(
                Severity::Fatal,
                None,
                "",
                format!("{what}, so there is nothing to look for"),
            );
        }
        (rules, disabled)
    }
}
