//! The table of settings: name, default and meaning of each. Reading, the unknown-key check,
//! the shipped example and the README are all held against it.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The section, without brackets; `Configuration#` for the numbered ones.
    pub section: &'static str,
    /// The name as the specification writes it.
    pub name: &'static str,
    /// The value that counts when the setting is absent, blank or N/A.
    pub default: &'static str,
    /// One line for people.
    pub meaning: &'static str,
}

macro_rules! keys {
    ($($constant:ident = $section:literal $name:literal, $default:literal, $meaning:literal;)*) => {
        $(
            #[doc = concat!("`[", $section, "] ", $name, "`.")]
            pub static $constant: Key = Key { section: $section, name: $name, default: $default, meaning: $meaning };
        )*
        /// Every setting, in the order of the example file.
        pub static ALL: &[&Key] = &[$(&$constant),*];
    };
}

keys! {
    MSGIN_DIRECTORY = "General" "MSGINDirectory", r"%PROGRAMDATA%\OpConxps\SAM\MSGIN", "Folder that OpCon reads events from.";
    STAGING_DIRECTORY = "General" "StagingDirectory", "", "Where event files are written before they move into MSGIN, on the same file system and mount; blank: MSGINDirectory with .staging behind it.";
    OPCON_USER = "General" "OpConUser", "", "OpCon user of the events; set by --credentials.";
    OPCON_USER_PASSWORD = "General" "OpConUserPassword", "", "External event password of that user; set by --credentials.";
    DELETE_EMAILS = "General" "DeleteEmails", "Match", "Mails to delete from the server: Match, All or None (default for FOLDER: None; with POP nothing is deleted).";
    DOWNLOAD_EMAILS = "General" "DownloadEmails", "True", "Save accepted mails and their matched attachments: True or False.";
    DOWNLOAD_FOLDER = "General" "DownloadFolder", r"%PROGRAMDATA%\OpConxps\SMArt Email\Received", "Folder to save them in.";
    EXIT_CODE_FOR_NO_MATCHING_EMAILS = "General" "ExitCodeForNoMatchingEmails", "0", "Exit code when no mail matched: 0 to 255.";
    USE_LAST_RUN_DATE = "General" "UseLastRunDate", "True", "Keep LastRunDate up to date and honour it: True or False.";
    LAST_RUN_DATE = "General" "LastRunDate", "", "Time of the newest mail looked at; edit it to process from there again.";
    UNSAFE_TEXT = "General" "UnsafeText", "Reject", "Mail text that would change an event: Reject, Replace or Allow (commas only).";
    MAX_MAIL_SIZE = "General" "MaxMailSize", "150", "Largest mail that is saved, in MiB: 1 to 1024.";
    MAX_EVENTS_PER_RUN = "General" "MaxEventsPerRun", "", "Storm brake: events that one run may write; the rest waits for the next run. Blank: no limit.";
    SEND_REJECTION_NOTICE = "General" "SendRejectionNotice", "False", "Older name of [Audit] NotifyOnRejects.";
    SEND_ACCEPTED_NOTICE = "General" "SendAcceptedNotice", "False", "Older name of [Audit] NotifyOnAccepts.";

    USER = "Mail" "User", "", "Mailbox user; set by --credentials.";
    PASSWORD = "Mail" "Password", "", "Mailbox password; set by --credentials.";
    SERVER = "Mail" "Server", "", "Mail server, as its certificate names it.";
    EMAIL_PROTOCOL = "Mail" "EmailProtocol", "", "IMAP, POP, MSAL or FOLDER.";
    FOLDER = "Mail" "Folder", "", "With FOLDER: a folder of .eml files, a Maildir or an mbox.";
    SECURITY_PROTOCOL = "Mail" "SecurityProtocol", "", "Lowest TLS version: SSL, SSL2, TLS1, TLS1_1, TLS1_2 or TLS1_3.";
    PORT = "Mail" "Port", "", "Port; blank: 993 (POP 995) with SecurityProtocol, else 143 (POP 110).";
    CONNECTION_SECURITY = "Mail" "ConnectionSecurity", "", "none, start-tls, start-tls-required or ssl-tls; blank: by port and SecurityProtocol.";
    SELF_SIGNED_CERTIFICATE = "Mail" "SelfSignedCertificate", "True", "Accept a certificate that no known authority vouches for: True or False.";
    CONNECT_TIMEOUT = "Mail" "ConnectTimeout", "00:00:30", "Time to reach the server, hh:mm:ss: up to 00:10:00.";
    READ_TIMEOUT = "Mail" "ReadTimeout", "00:05:00", "Time to wait for the server's next bytes, hh:mm:ss: up to 01:00:00.";
    WRITE_TIMEOUT = "Mail" "WriteTimeout", "00:05:00", "Time to hand bytes to the network, hh:mm:ss: up to 01:00:00.";
    RETRIES = "Mail" "Retries", "2", "How often a run tries again when the connection fails or the server has no time: 0 to 10.";
    AUTHENTICATION = "Mail" "Authentication", "Password", "IMAP and POP: Password, or XOAUTH2 for tokens by [MSAL].";

    CLIENT_ID = "MSAL" "ClientId", "", "Application (client) ID of your registration in Microsoft Entra, or of Google.";
    TENANT = "MSAL" "Tenant", "organizations", "Directory (tenant) ID or domain; organizations: whatever directory the user is in.";
    AUTHORITY = "MSAL" "Authority", "https://login.microsoftonline.com", "Who signs in: the address of your Microsoft cloud, or Google.";
    GRAPH_ENDPOINT = "MSAL" "GraphEndpoint", "https://graph.microsoft.com", "Microsoft Graph of the same cloud.";
    PERMANENT_DELETE = "MSAL" "PermanentDelete", "False", "Remove deleted mails for good instead of moving them to Deleted Items: True or False.";
    SCOPES = "MSAL" "Scopes", "", "Permissions to ask for, separated by blanks; blank: what the mailbox needs.";
    GRANT_TYPE = "MSAL" "GrantType", "", "client_credentials: the application itself; refresh_token: RefreshToken; blank: the account of --renewMsalToken.";
    CLIENT_SECRET = "MSAL" "ClientSecret", "", "The application's secret; set by -seal:MSAL.ClientSecret.";
    CLIENT_CERTIFICATE = "MSAL" "ClientCertificate", "", "PEM file with the application's certificate, in place of a secret.";
    CLIENT_KEY = "MSAL" "ClientKey", "", "PEM file with its RSA key; blank: it is in the file of the certificate.";
    REFRESH_TOKEN = "MSAL" "RefreshToken", "", "Google's refresh token; set by -seal:MSAL.RefreshToken.";

    AUDIT_ACCEPT_LOG_FILE = "Audit" "AuditAcceptLogFile", "Audit.log", "Log of accepted mails; relative to the INI file's folder.";
    LOG_ACCEPTS = "Audit" "LogAccepts", "False", "Log accepted mails: True or False.";
    LOG_ACCEPT_FORMAT = "Audit" "LogAcceptFormat", "SMArt Email - Message Accepted - From: [[SENDER]] Subject: [[SUBJECT]]", "Line for an accepted mail.";
    NOTIFY_ON_ACCEPTS = "Audit" "NotifyOnAccepts", "False", "Send a notice for an accepted mail: True or False.";
    NOTIFY_ON_ACCEPT_SUBJECT = "Audit" "NotifyOnAcceptSubject", "SMArt Email - Message Accepted - From: [[SENDER]] Subject: [[SUBJECT]]", "Its subject.";
    NOTIFY_ON_ACCEPT_BODY = "Audit" "NotifyOnAcceptBody", "Email message was accepted and generated event: [[EVENT]]", "Its text.";
    NOTIFY_ON_ACCEPT_TO = "Audit" "NotifyOnAcceptTo", "[[SENDER]]", "Its recipients, separated by semicolons.";
    AUDIT_REJECT_LOG_FILE = "Audit" "AuditRejectLogFile", "Audit.log", "Log of rejected mails; relative to the INI file's folder.";
    LOG_REJECTS = "Audit" "LogRejects", "False", "Log rejected mails: True or False.";
    LOG_REJECT_FORMAT = "Audit" "LogRejectFormat", "SMArt Email - Message Rejected - From: [[SENDER]] Subject: [[SUBJECT]]", "Line for a rejected mail.";
    NOTIFY_ON_REJECTS = "Audit" "NotifyOnRejects", "False", "Send a notice for a rejected mail: True or False.";
    NOTIFY_ON_REJECT_SUBJECT = "Audit" "NotifyOnRejectSubject", "SMArt Email - Message Rejected - From: [[SENDER]] Subject: [[SUBJECT]]", "Its subject.";
    NOTIFY_ON_REJECT_BODY = "Audit" "NotifyOnRejectBody", "Email message sent on [[DATE]] was rejected for reason: [[REASON]]", "Its text.";
    NOTIFY_ON_REJECT_TO = "Audit" "NotifyOnRejectTo", "[[SENDER]]", "Its recipients, separated by semicolons.";
    NOTIFY_FROM = "Audit" "NotifyFrom", "", "Address that notices are from; blank: [smtp-client] user, else [Mail] User.";
    NOTIFY_LIMIT = "Audit" "NotifyLimitPerSenderPerHour", "1", "Rejections of one sender's mails that bring a notice within an hour: 0 to 1000.";
    NOTIFY_LIMIT_ALL = "Audit" "NotifyLimitPerHour", "100", "Rejections of all senders' mails that bring a notice within an hour: 0 to 100000.";
    REJECT_TIMEFRAME_MESSAGE = "Audit" "RejectTimeframeMessage", "Message received outside timeframe", "[[REASON]] for a mail outside AllowedTimeFrame.";
    REJECT_SENDER_MESSAGE = "Audit" "RejectSenderMessage", "Invalid Sender", "[[REASON]] for a sender not in AllowedSenders.";
    REJECT_NO_MATCHING_SUBJECT_MESSAGE = "Audit" "RejectNoMatchingSubjectMessage", "No matching subjects found", "[[REASON]] for a mail that no configuration wants.";
    REJECT_NO_ATTACHMENT_MESSAGE = "Audit" "RejectNoAttachmentMessage", "No matching attachments found", "[[REASON]] for a mail without a matching attachment.";
    REJECT_EVENT = "Audit" "RejectEvent", "N/A", "Event to write for a rejected mail.";
    LOG_OPCON_EVENTS = "Audit" "LogOpConEvents", "N/A", "Log the events: True or False.";
    OPCON_EVENT_LOG_FILE = "Audit" "OpConEventLogFile", "N/A", "Log of the events; relative to the INI file's folder.";
    LOG_OPCON_EVENT_FORMAT = "Audit" "LogOpConEventFormat", "Generated Event: [[Event]]", "Line for an event.";

    SMTP_SERVER_TYPE = "smtp-client" "server-type", "SMTP", "How notices are sent: SMTP, EWS or GRAPH.";
    SMTP_SERVER = "smtp-client" "server", "", "Name of the mail server; with EWS its address (https://…/EWS/Exchange.asmx).";
    SMTP_PORT = "smtp-client" "port", "25", "Port of the SMTP server.";
    SMTP_CONNECTION_SECURITY = "smtp-client" "smtp-connection-security", "none", "none, start-tls, start-tls-required or ssl-tls.";
    SMTP_ENABLE_AUTHENTICATION = "smtp-client" "enable-authentication", "false", "Log in to the SMTP server: true or false.";
    SMTP_USER = "smtp-client" "user", "", "User to log in as; with GRAPH the mailbox that sends; in plain text, or set by -seal:smtp-client.user or --credentials -smtpuser.";
    SMTP_PASSWORD = "smtp-client" "password", "", "Its password, the refresh token (Google) or the application's secret (GRAPH, client_credentials); set by -seal:smtp-client.password or --credentials -smtppassword.";
    SMTP_MECHANISMS = "smtp-client" "mail.smtp.auth.mechanisms", "", "SMTP log-in: PLAIN, LOGIN, or XOAUTH2 for tokens; blank: what the server offers of PLAIN and LOGIN.";
    EWS_MECHANISMS = "smtp-client" "mail.ews.auth.mechanisms", "", "EWS log-in: XOAUTH2 for tokens; blank: user and password.";
    SMTP_CLIENT_ID = "smtp-client" "client-id", "", "ID of the application registered in Microsoft Entra or with Google.";
    SMTP_DIRECTORY_ID = "smtp-client" "directory-id", "", "ID of the directory (tenant) that the application is registered in.";
    SMTP_TENANT_AUTHORITY = "smtp-client" "tenant-authority", "https://login.microsoftonline.com", "Who gives tokens: Microsoft's address, or any text with google in it.";
    SMTP_SCOPE = "smtp-client" "scope", "https://outlook.office.com/.default", "What tokens are asked for; with GRAPH https://graph.microsoft.com/.default.";
    SMTP_GRANT_TYPE = "smtp-client" "grant-type", "", "How tokens are asked for: client_credentials; blank: with user and password.";
    SMTP_SECRET = "smtp-client" "secret", "smtp", "Google: the secret of the application stands in the section secret-NAME of this name.";
    SMTP_TOKEN_MARGIN = "smtp-client" "token-expiry-margin-time", "00:00:10", "A connection is closed so long before its token expires, hh:mm:ss: less than 01:00:00.";
    SMTP_ALLOW_DELEGATE = "smtp-client" "allow-delegate", "false", "GRAPH: send on behalf of the address that notices are from: true or false.";
    SMTP_EXCHANGE_VERSION = "smtp-client" "exchange-version", "Exchange2010", "EWS: the version of the Exchange server, up to Exchange2016 or Office365.";
    SMTP_CONNECT_TIMEOUT = "smtp-client" "connect-timeout", "00:05:00", "Time to reach the server, hh:mm:ss.";
    SMTP_PROTOCOL_TIMEOUT = "smtp-client" "protocol-timeout", "00:05:00", "Time to wait for an answer of the server, hh:mm:ss.";
    SMTP_POOL_SIZE = "smtp-client" "cnx-pool-size", "10", "Mails sent at the same time, at least 1; more than 100 count as 100.";
    SMTP_CHECK_IDLE = "smtp-client" "cnx-check-idle-time", "00:00:30", "A connection that was idle for longer is tried by NOOP first, hh:mm:ss; 00:00:00: always.";
    SMTP_MAX_IDLE = "smtp-client" "cnx-max-idle-time", "00:05:00", "A connection that was idle for longer is closed, hh:mm:ss.";
    SMTP_ENABLE_DEBUG = "smtp-client" "enable-debug", "false", "Show the conversation on standard output, every secret starred: true or false.";

    APPLICATION_SECRET = "secret-smtp" "password", "", "Google: the secret of the application; set by -seal:secret-smtp.password.";

    SUBJECT_LINE_MASK = "Configuration#" "SubjectLineMask", "", "Regular expression to find in the subject (and body lines with ProcessBody).";
    EVENT = "Configuration#" "Event", "", "Event to write, without user and password; more: Event2, Event3 and so on.";
    ALLOWED_SENDERS = "Configuration#" "AllowedSenders", "", "Addresses separated by semicolons; any@domain; ALL. Blank: nobody.";
    ALLOWED_TIME_FRAME = "Configuration#" "AllowedTimeFrame", "", "HHMM-HHMM of the time received, local time, both included. Blank: always.";
    PROCESS_BODY = "Configuration#" "ProcessBody", "No", "Try the body lines too: Yes or No.";
    QUALIFYING_SUBJECT_LINE = "Configuration#" "QualifyingSubjectLine", "", "With ProcessBody: regular expression that the subject must match first.";
    PROCESS_ATTACHMENTS = "Configuration#" "ProcessAttachments", "False", "Ask for a matching attachment, and write the events for each: True or False.";
    ATTACHMENT_MASK = "Configuration#" "AttachmentMask", "", "With ProcessAttachments: regular expression to find in the name. Blank: any.";
    RULE_MAX_EVENTS_PER_RUN = "Configuration#" "MaxEventsPerRun", "", "As in [General], for the events of this configuration. Blank: no limit.";
    RULE_UNSAFE_TEXT = "Configuration#" "UnsafeText", "", "As in [General], for this configuration. Blank: as there.";
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../SMArtEmail.ini.example");
    const README: &str = include_str!("../../README.md");

    #[test]
    fn the_example_names_every_setting_with_its_default_and_meaning() {
        let mut problems = crate::config::Problems::default();
        let document = crate::config::ini::Document::parse(EXAMPLE, &mut problems);
        assert_eq!(problems.worst(), None);
        let lines: Vec<&str> = EXAMPLE.lines().collect();
        for key in ALL {
            let section = document.section(&key.section.replace('#', "1")).unwrap();
            let entry = section
                .get(key.name)
                .unwrap_or_else(|| panic!("{key:?} is not in the example"));
            assert_eq!(entry.key, key.name);
            if key.section != "Configuration#" {
                assert_eq!(entry.value, key.default, "{key:?}");
            }
            assert_eq!(
                lines[entry.line - 2],
                format!("# {}", key.meaning),
                "{key:?}"
            );
        }
    }

    #[test]
    fn the_example_names_no_other_setting() {
        let mut problems = crate::config::Problems::default();
        let document = crate::config::ini::Document::parse(EXAMPLE, &mut problems);
        for section in document
            .sections
            .iter()
            .filter(|section| section.name != "Tokens")
        {
            let table = section.name.replace('1', "#");
            for entry in &section.entries {
                assert!(
                    ALL.iter()
                        .any(|key| key.section == table && key.name == entry.key),
                    "[{}] {}",
                    section.name,
                    entry.key
                );
            }
        }
    }

    #[test]
    fn the_readme_names_every_setting_with_its_default() {
        for key in ALL {
            let default = if key.default.is_empty() {
                "blank".to_owned()
            } else {
                format!("`{}`", key.default)
            };
            let row = format!("| `{}` | {default} | {} |", key.name, key.meaning);
            assert!(README.contains(&row), "the README has no row {row}");
        }
    }

    #[test]
    fn names_are_unique_in_their_section() {
        for (index, key) in ALL.iter().enumerate() {
            assert!(
                ALL[..index].iter().all(|other| other.section != key.section
                    || !other.name.eq_ignore_ascii_case(key.name)),
                "{key:?}"
            );
            assert!(key.meaning.ends_with('.'), "{key:?}");
        }
    }
}
