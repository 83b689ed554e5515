//! The full help, made of the table of options, in the language of the speaker: in parts, of which
//! the manual is made as well, and as text for a console.

use super::exit::Exit;
use super::request::Kind;
use super::table::{Group, Key, Row, TABLE, Takes};
use super::texts::{Message, Phrase, Speaker};

/// Consoles are at least so wide.
const WIDTH: usize = 79;
/// What is explained begins here.
const COLUMN: usize = 26;

const SIMPLE: &[&str] = &[
    "/SMTP_SERVER=smtp.example.com",
    "/FROM_ADDR=jobs@example.com",
    "/TO=client@example.org",
    "/SUBJECT=\"Hello\"",
    "/BODY_FILE=message.txt",
];
const SECURED: &[&str] = &[
    "/SMTP_SERVER=smtp.office365.com",
    "/AUTH_TYPE=SASL",
    "/SSL_VERSION=TLSV1_2",
    "/SMTP_USERNAME=jobs@example.com",
    "/SMTP_PASSWORD=@C:\\safe\\password.txt",
    "/TO=client@example.org",
    "/BODY_FILE=message.html",
    "/INLINE=logo.png",
    "/ATTACH=\"offer.pdf,terms.pdf\"",
];
const TOKEN: &[&str] = &[
    "/SMTP_SERVER=smtp.office365.com",
    "/AUTH_TYPE=XOAUTH2",
    "/SMTP_USERNAME=jobs@example.com",
    "/SMTP_TOKEN_FILE=token.txt",
    "/TO=client@example.org",
    "/BODY_FILE=message.html",
];
const GRAPH: &[&str] = &[
    "/MODE=GRAPH",
    "/O365_TENANT_ID=23452339-a007-48cd-87f5-86cbecde67bd",
    "/O365_APP_ID=cf415c27-ec7a-4efa-9795-102f1eabe367",
    "/O365_SECRET=@C:\\safe\\secret.txt",
    "/GRAPH_SENDER=jobs@example.com",
    "/TO=client@example.org",
    "/BODY_FILE=message.html",
];

/// A piece of the help, in the language of the speaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the pieces up to the next heading are about.
    Heading(String),
    /// Text to be wrapped.
    Paragraph(String),
    /// Lines that stay as they are: commands.
    Lines(String),
    /// A name and what it stands for.
    Term {
        /// An option, an exit code or a way of sending.
        name: String,
        /// Text to be wrapped.
        meaning: String,
    },
}

/// What the program is, in one line.
pub(super) fn about(speaker: &Speaker) -> String {
    speaker.say(&Phrase::HelpAbout.into())
}

/// The help.
pub(super) fn text(speaker: &Speaker) -> String {
    let mut page = Page::default();
    let title = Phrase::HelpTitle
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("about", about(speaker));
    page.wrapped("", &speaker.say(&title), 0);
    for part in parts(speaker) {
        page.part(&part);
    }
    page.out
}

/// The help without its title.
pub(super) fn parts(speaker: &Speaker) -> Vec<Part> {
    let say = |text: Phrase| speaker.say(&text.into());
    let mut parts = vec![
        Part::Heading(say(Phrase::HelpUsage)),
        Part::Lines(say(Phrase::HelpUsageLines)),
        Part::Paragraph(say(Phrase::HelpWriting)),
    ];
    for (group, heading) in [
        (Group::General, Phrase::GroupGeneral),
        (Group::Message, Phrase::GroupMessage),
        (Group::Smtp, Phrase::GroupSmtp),
        (Group::Graph, Phrase::GroupGraph),
    ] {
        parts.push(Part::Heading(say(heading)));
        let rows = TABLE.iter().filter(|row| row.group == group);
        parts.extend(rows.map(|row| option(speaker, row)));
        if group == Group::General {
            parts.push(Part::Term {
                name: "/?, /HELP".to_owned(),
                meaning: say(Phrase::OptionHelp),
            });
        }
    }
    parts.push(Part::Heading(say(Phrase::HelpRequired)));
    parts.extend(Kind::ALL.map(|kind| required(speaker, kind)));
    parts.push(Part::Heading(say(Phrase::HelpSecrets)));
    parts.push(Part::Paragraph(say(Phrase::HelpSecretsText)));
    parts.push(Part::Heading(say(Phrase::HelpRetry)));
    parts.push(Part::Paragraph(say(Phrase::HelpRetryText)));
    parts.push(Part::Heading(say(Phrase::HelpExit)));
    parts.extend(Exit::ALL.map(|exit| Part::Term {
        name: format!("{}  {}", exit.code(), exit.name()),
        meaning: say(exit.meaning()),
    }));
    parts.push(Part::Heading(say(Phrase::HelpExamples)));
    for (about, words) in [
        (Phrase::ExampleSimple, SIMPLE),
        (Phrase::ExampleSecured, SECURED),
        (Phrase::ExampleToken, TOKEN),
        (Phrase::ExampleGraph, GRAPH),
    ] {
        parts.push(Part::Paragraph(say(about)));
        // As it stands in a batch file.
        parts.push(Part::Lines(format!("smail {}", words.join(" ^\n  "))));
    }
    parts
}

fn option(speaker: &Speaker, row: &Row) -> Part {
    let say = |text: Phrase| speaker.say(&text.into());
    let name = row.shown();
    let name = match row.takes {
        Takes::Nothing => name,
        Takes::Value(place) | Takes::Secret(place) => format!("{name}={}", say(place)),
        Takes::Choice(words) => format!("{name}={}", words.join("|")),
    };
    Part::Term {
        name,
        meaning: say(row.help),
    }
}

fn required(speaker: &Speaker, kind: Kind) -> Part {
    let mut options: Vec<_> = kind.required().iter().map(|name| name.shown()).collect();
    match kind {
        Kind::Smtp => {}
        Kind::Sasl => options.insert(0, format!("{}=SASL", Key::AuthType.shown())),
        Kind::Xoauth2 => options.insert(0, format!("{}=XOAUTH2", Key::AuthType.shown())),
        Kind::Graph => options.insert(0, format!("{}=GRAPH", Key::Mode.shown())),
    }
    Part::Term {
        name: speaker.say(&Message::from(kind.text())),
        meaning: options.join(" "),
    }
}

/// The help for a console.
#[derive(Default)]
struct Page {
    out: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Heading(text) => {
                self.line("");
                self.line(text);
            }
            Part::Paragraph(text) => self.wrapped("", text, 2),
            Part::Lines(text) => {
                for line in text.lines() {
                    self.line(&format!("    {line}"));
                }
            }
            Part::Term { name, meaning } => self.term(name, meaning),
        }
    }

    /// A name, and what it means behind it or on the next line.
    fn term(&mut self, name: &str, meaning: &str) {
        let name = format!("  {name}");
        if name.chars().count() + 2 > COLUMN {
            self.line(&name);
            self.wrapped("", meaning, COLUMN);
        } else {
            self.wrapped(&format!("{name:COLUMN$}"), meaning, COLUMN);
        }
    }

    /// Text broken at blanks; no-break spaces are none. The first line begins with `lead`.
    fn wrapped(&mut self, lead: &str, text: &str, indent: usize) {
        let mut line = format!("{lead:indent$}");
        let mut is_empty = true;
        for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = " ".repeat(indent);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts::Language;
    use super::*;

    #[test]
    fn help_has_everything_and_fits_a_console() {
        for language in [Language::English, Language::French] {
            let help = text(&Speaker::of(language));
            for row in &TABLE {
                assert!(help.contains(&row.shown()), "{row:?}");
                if let Takes::Choice(words) = row.takes {
                    assert!(help.contains(&words.join("|")), "{row:?}");
                }
            }
            for exit in Exit::ALL {
                let line = format!("\n  {}  {}", exit.code(), exit.name());
                assert!(help.contains(&line), "{exit:?}");
            }
            for line in help.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
                assert_eq!(line.trim_end(), line);
            }
            assert!(help.contains("SMAIL_SMTP_PASSWORD") && help.contains("@C:"));
        }
    }
}
