//! The table of switches: names, help and which exclude each other.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};

use super::Accept;
use crate::net::NoFingerprint;

/// The switches in one line, for help and every message about wrong arguments.
pub(super) const USAGE: &str = "smartemail [-inifile:FILE] [-server:HOST] [-port:N] [--imap | --pop | --msal | -folder:PATH] \
[--ssl | --tls1_1 | --tls1_2] [--delete] [--retry] [--acceptCertificate[:SHA256]] [--explain[=json] | --check | --credentials … | -seal:SECTION.KEY | --renewMsalToken]";

/// Switches whose value is asked for when it is left out.
pub(super) const ASKABLE: [&str; 6] = [
    "user",
    "password",
    "opconuser",
    "opconpassword",
    "smtpuser",
    "smtppassword",
];

/// Switches that mean something with and without a value.
pub(super) const VALUE_OPTIONAL: [&str; 2] = ["explain", "acceptCertificate"];

/// Command lines, and what each does.
pub const EXAMPLES: [(&str, &str); 7] = [
    (
        "smartemail",
        "One pass, everything as the INI file says. This is what a scheduled job runs.",
    ),
    (
        "smartemail -server:imap.example.com -port:993 --imap --tls1_2",
        "The same with the mailbox given here.",
    ),
    (
        "smartemail --explain -folder:mails",
        "Show what each rule makes of the mails in a folder; change nothing.",
    ),
    (
        "smartemail --check",
        "Tell whether a run would work, and everything that is wrong with the INI file.",
    ),
    (
        "smartemail --credentials -user:mailuser -password -opconuser:ocadm -opconpassword",
        "Ask for the two passwords and seal all four values into the INI file.",
    ),
    (
        "smartemail -seal:smtp-client.password",
        "Ask for the password of the SMTP server and seal it into the INI file.",
    ),
    (
        "smartemail smail /?",
        "Send a mail from the command line: the help of smail, which has its own options.",
    ),
];

/// How switches may be written.
pub const SPELLING: &str = "\
Switches may be written in any case, with one dash or two, with the value after ':' or '='
or as the next argument.";

/// Exit codes, and what each means.
pub const EXIT_CODES: [(&str, &str); 4] = [
    ("0", "some mail matched"),
    ("1", "wrong arguments"),
    ("2", "any other failure"),
    (
        "ExitCodeForNoMatchingEmails",
        "nothing matched; 0 unless the INI file says otherwise",
    ),
];

/// What stands below the switches.
fn closing() -> String {
    let examples = EXAMPLES.map(|(line, meaning)| format!("  {line}\n      {meaning}\n"));
    let codes = EXIT_CODES.map(|(code, meaning)| format!("\n  {code}  {meaning}"));
    let (examples, codes) = (examples.concat(), codes.concat());
    format!("Examples:\n{examples}\n{SPELLING}\n\nExit codes:{codes}")
}

/// The whole command line.
#[must_use]
pub fn command() -> Command {
    Command::new("smartemail")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Turns incoming mail into OpCon events: reads a mailbox, applies the rules of an INI file and writes the events into MSGIN.")
        .override_usage(USAGE)
        .after_help(closing())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .next_help_heading("Mailbox (each wins over the INI file)")
        .args([
            value("server", "HOST", "Mail server [INI: Server]"),
            value("port", "N", "Port [INI: Port]").value_parser(value_parser!(u16).range(1..)),
            flag("imap", "Read by IMAP [INI: EmailProtocol=IMAP]"),
            flag("pop", "Read by POP3 [INI: EmailProtocol=POP]"),
            flag("msal", "Read a Microsoft 365 mailbox [INI: EmailProtocol=MSAL]"),
            value("folder", "PATH", "Read a folder of .eml files, a Maildir or an mbox [INI: EmailProtocol=FOLDER, Folder]")
                .conflicts_with_all(["server", "port", "ssl", "tls1_1", "tls1_2"]),
            flag("ssl", "Accept the lowest TLS version that the TLS library has [INI: SecurityProtocol=SSL]"),
            flag("tls1_1", "Accept TLS 1.1 and above [INI: SecurityProtocol=TLS1_1]"),
            flag("tls1_2", "Accept TLS 1.2 and above [INI: SecurityProtocol=TLS1_2]"),
        ])
        .group(ArgGroup::new("protocol").args(["imap", "pop", "msal", "folder"]))
        .group(ArgGroup::new("encryption").args(["ssl", "tls1_1", "tls1_2"]))
        .next_help_heading("Run")
        .args([
            value("inifile", "FILE", "Settings [default: %PROGRAMDATA%\\OpConxps\\SMArt Email\\SMArtEmail.ini]"),
            flag("delete", "Delete matched mails even where the INI file says DeleteEmails=None (not with POP)"),
            flag(
                "retry",
                "Take up again the mails that were set aside after failing in five runs",
            )
            .conflicts_with_all(["explain", "check"]),
            Arg::new("acceptCertificate")
                .long("acceptCertificate")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("")
                .value_parser(accept)
                .value_name("SHA256")
                .help("Accept this certificate for the server from now on; without a value the one that it shows")
                .conflicts_with_all(["explain", "check", "folder"]),
            flag("verbose", "Show the protocol steps, without secrets, on standard error"),
        ])
        .next_help_heading("Try out (nothing is changed anywhere)")
        .args([
            Arg::new("explain")
                .long("explain")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("text")
                .value_parser(["text", "json"])
                .hide_possible_values(true)
                .value_name("json")
                .help("Show for each mail and rule what would happen and why; =json for JSON lines"),
            flag("check", "Report everything that is wrong with the INI file, then connect and count the mails")
                .conflicts_with("explain"),
        ])
        .next_help_heading("Set up")
        .args([
            flag("credentials", "Encrypt credentials into the INI file; a value left out or given as - is asked for")
                .requires_all(["opconuser", "opconpassword"])
                .conflicts_with_all([
                    "protocol", "encryption", "server", "port", "delete", "explain", "check",
                    "renewMsalToken", "verbose", "retry", "acceptCertificate",
                ]),
            value("user", "NAME", "Mailbox user").requires("credentials"),
            value("password", "PASSWORD", "Mailbox password").requires("credentials"),
            value("opconuser", "NAME", "OpCon user of the events").requires("credentials"),
            value("opconpassword", "PASSWORD", "External event password of the OpCon user").requires("credentials"),
            value("smtpuser", "NAME", "User of the server that sends notices").requires("credentials"),
            value("smtppassword", "PASSWORD", "Password of that user").requires("credentials"),
            value("seal", "SECTION.KEY", "Encrypt one setting into the INI file; its value is asked for, or read from standard input")
                .conflicts_with_all([
                    "credentials", "protocol", "encryption", "server", "port", "delete", "explain",
                    "check", "renewMsalToken", "verbose", "retry",
                ]),
        ])
        .next_help_heading("Microsoft 365")
        .args([
            flag("renewMsalToken", "Sign in by a browser and store the account (implies --msal)")
                .conflicts_with_all([
                    "imap", "pop", "folder", "server", "port", "encryption", "delete", "retry", "explain", "check",
                    "acceptCertificate",
                ]),
            flag("renewTokenSilent", "With --renewMsalToken: refresh the stored token, nobody is asked")
                .requires("renewMsalToken")
                .conflicts_with_all(["doNotSaveAccount", "deviceCode"]),
            flag("deviceCode", "With --renewMsalToken: sign in by a code that is entered on another device")
                .requires("renewMsalToken"),
            flag("doNotSaveAccount", "With --renewMsalToken: sign in, but store nothing").requires("renewMsalToken"),
        ])
        .next_help_heading("Information")
        .args([flag("help", "Print this"), flag("version", "Print the version")])
}

/// A value that is left out arrives as an empty one.
fn accept(value: &str) -> Result<Accept, NoFingerprint> {
    Ok(match value {
        "" => Accept::Shown,
        value => Accept::Exactly(value.parse()?),
    })
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn value(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(placeholder)
        .value_parser(NonEmptyStringValueParser::new())
        .allow_hyphen_values(true)
        .help(help)
}
