//! INI files for the tests: the settings that every test needs, and a test's own on top.

#[cfg(unix)]
use super::idp;

/// An INI file in the making. `{root}` in a value becomes the world's folder.
#[derive(Clone, Debug)]
pub struct Ini {
    sections: Vec<(String, Vec<(String, String)>)>,
}

impl Ini {
    /// A mailbox that is the folder `mails` of the world: nothing is saved, nothing deleted.
    pub fn folder() -> Self {
        Self {
            sections: Vec::new(),
        }
        .set("General", "MSGINDirectory", "{root}/MSGIN")
        .set("General", "DeleteEmails", "None")
        .set("General", "DownloadEmails", "False")
        .set("General", "DownloadFolder", "{root}/Received")
        .set("Mail", "EmailProtocol", "FOLDER")
        .set("Mail", "Folder", "{root}/mails")
    }

    /// A mailbox on an IMAP server of this machine, without encryption.
    pub fn imap(port: u16) -> Self {
        Self::folder()
            .unset("Mail", "Folder")
            .set("Mail", "EmailProtocol", "IMAP")
            .set("Mail", "Server", "localhost")
            .set("Mail", "Port", &port.to_string())
            .set("Mail", "ConnectionSecurity", "none")
            // Most tests of failures are not about trying again.
            .set("Mail", "Retries", "0")
    }

    /// The same with TLS from the first byte on.
    pub fn imaps(port: u16) -> Self {
        Self::imap(port)
            .set("Mail", "SecurityProtocol", "TLS1_2")
            .set("Mail", "ConnectionSecurity", "ssl-tls")
            .set("Mail", "SelfSignedCertificate", "False")
    }

    /// A mailbox on a POP3 server of this machine, without encryption.
    pub fn pop(port: u16) -> Self {
        Self::imap(port).set("Mail", "EmailProtocol", "POP")
    }

    /// The same with TLS from the first byte on.
    pub fn pops(port: u16) -> Self {
        Self::imaps(port).set("Mail", "EmailProtocol", "POP")
    }

    /// Tokens of the application without a secret, at an authority that knows the directory of
    /// the tests.
    #[cfg(unix)]
    pub fn msal(self, authority: &str) -> Self {
        self.set("MSAL", "ClientId", idp::NATIVE)
            .set("MSAL", "Tenant", idp::DIRECTORY)
            .set("MSAL", "Authority", authority)
    }

    /// A mailbox that is read through this Graph, with tokens of that authority.
    #[cfg(unix)]
    pub fn graph(authority: &str, endpoint: &str) -> Self {
        Self::folder()
            .unset("Mail", "Folder")
            .set("Mail", "EmailProtocol", "MSAL")
            .msal(authority)
            .set("MSAL", "GraphEndpoint", endpoint)
    }

    /// The mailbox is opened by tokens of [`Ini::msal`], as the user of the provider.
    #[cfg(unix)]
    pub fn by_token(self, authority: &str) -> Self {
        self.msal(authority)
            .set("Mail", "Authentication", "XOAUTH2")
            .set("Mail", "User", idp::USER)
    }

    /// Notices go out by SMTP to this port of this machine, without encryption and log-in.
    pub fn smtp(self, port: u16) -> Self {
        self.set("smtp-client", "server", "localhost")
            .set("smtp-client", "port", &port.to_string())
            .set("smtp-client", "connect-timeout", "00:00:10")
            .set("smtp-client", "protocol-timeout", "00:00:10")
            .set("Audit", "NotifyFrom", "smartemail@example.test")
    }

    /// Gives a setting a value, in place of the one that it had.
    pub fn set(mut self, section: &str, key: &str, value: &str) -> Self {
        let keys = self.section(section);
        match keys.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => value.clone_into(old),
            None => keys.push((key.to_owned(), value.to_owned())),
        }
        self
    }

    /// Leaves a setting out.
    pub fn unset(mut self, section: &str, key: &str) -> Self {
        self.section(section).retain(|(name, _)| name != key);
        self
    }

    /// Adds the next `[Configuration#]` with these lines. Senders are not what most tests
    /// are about: without an `AllowedSenders` among the lines it is `ALL`.
    pub fn rule(mut self, lines: &str) -> Self {
        let taken = |(name, _): &&(String, _)| name.starts_with("Configuration");
        let name = format!(
            "Configuration{}",
            self.sections.iter().filter(taken).count() + 1
        );
        let keys = self.section(&name);
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let (key, value) = line.split_once('=').expect("a line of a rule is key=value");
            keys.push((key.trim().to_owned(), value.to_owned()));
        }
        if !keys.iter().any(|(key, _)| key == "AllowedSenders") {
            keys.push(("AllowedSenders".to_owned(), "ALL".to_owned()));
        }
        self
    }

    /// The text of the file, for a world in this folder.
    pub fn text(&self, root: &str) -> String {
        let mut text = String::new();
        for (name, keys) in &self.sections {
            text += &format!("[{name}]\n");
            for (key, value) in keys {
                text += &format!("{key}={}\n", value.replace("{root}", root));
            }
            text.push('\n');
        }
        text
    }

    /// Whether a section has this value for a key.
    pub fn has(&self, section: &str, key: &str, value: &str) -> bool {
        let keys = self
            .sections
            .iter()
            .filter(|(name, _)| name == section)
            .flat_map(|(_, keys)| keys);
        keys.into_iter()
            .any(|(name, found)| name == key && found == value)
    }

    fn section(&mut self, name: &str) -> &mut Vec<(String, String)> {
        let place = self
            .sections
            .iter()
            .position(|(found, _)| found == name)
            .unwrap_or_else(|| {
                self.sections.push((name.to_owned(), Vec::new()));
                self.sections.len() - 1
            });
        &mut self.sections[place].1
    }
}
