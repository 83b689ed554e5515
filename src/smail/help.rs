//! The full help, made of the table of options, in the language of the speaker.

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

/// The help.
pub(super) fn text(speaker: &Speaker) -> String {
    let mut page = Page {
        speaker,
        out: String::new(),
    };
    let title = Phrase::HelpTitle.with("version", env!("CARGO_PKG_VERSION"));
    page.wrapped("", &speaker.say(&title), 0);
    page.heading(Phrase::HelpUsage);
    for line in speaker.say(&Phrase::HelpUsageLines.into()).lines() {
        page.line(&format!("  {line}"));
    }
    page.line("");
    page.paragraph(Phrase::HelpWriting);
    for (group, heading) in [
        (Group::General, Phrase::GroupGeneral),
        (Group::Message, Phrase::GroupMessage),
        (Group::Smtp, Phrase::GroupSmtp),
        (Group::Graph, Phrase::GroupGraph),
    ] {
        page.heading(heading);
        for row in TABLE.iter().filter(|row| row.group == group) {
            page.option(row);
        }
        if group == Group::General {
            page.explained("/?, /HELP", &[Phrase::OptionHelp]);
        }
    }
    page.heading(Phrase::HelpRequired);
    for kind in Kind::ALL {
        page.required(kind);
    }
    page.heading(Phrase::HelpSecrets);
    page.paragraph(Phrase::HelpSecretsText);
    page.heading(Phrase::HelpRetry);
    page.paragraph(Phrase::HelpRetryText);
    page.heading(Phrase::HelpExit);
    for exit in Exit::ALL {
        let name = format!("{}  {}", exit.code(), exit.name());
        page.explained(&name, &[exit.meaning()]);
    }
    page.heading(Phrase::HelpExamples);
    for (about, words) in [
        (Phrase::ExampleSimple, SIMPLE),
        (Phrase::ExampleSecured, SECURED),
        (Phrase::ExampleToken, TOKEN),
        (Phrase::ExampleGraph, GRAPH),
    ] {
        page.example(about, words);
    }
    page.out
}

struct Page<'a> {
    speaker: &'a Speaker,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn say(&self, text: Phrase) -> String {
        self.speaker.say(&text.into())
    }

    fn heading(&mut self, text: Phrase) {
        let text = self.say(text);
        self.line("");
        self.line(&text);
    }

    fn paragraph(&mut self, text: Phrase) {
        let text = self.say(text);
        self.wrapped("", &text, 2);
    }

    fn option(&mut self, row: &Row) {
        let name = row.shown();
        match row.takes {
            Takes::Nothing => self.explained(&name, &[row.help]),
            Takes::Value(place) | Takes::Secret(place) => {
                let name = format!("{name}={}", self.say(place));
                self.explained(&name, &[row.help]);
            }
            Takes::Choice(words) => {
                let name = format!("{name}={}", words.join("|"));
                self.explained(&name, &[row.help]);
            }
        }
    }

    /// A name, and what it means behind it or on the next line.
    fn explained(&mut self, name: &str, meaning: &[Phrase]) {
        let meaning: Vec<_> = meaning.iter().map(|text| self.say(*text)).collect();
        let meaning = meaning.join(" ");
        let name = format!("  {name}");
        if name.chars().count() + 2 > COLUMN {
            self.line(&name);
            self.wrapped("", &meaning, COLUMN);
        } else {
            self.wrapped(&format!("{name:COLUMN$}"), &meaning, COLUMN);
        }
    }

    fn required(&mut self, kind: Kind) {
        let name = self.speaker.say(&Message::from(kind.text()));
        let mut options: Vec<_> = kind.required().iter().map(|name| name.shown()).collect();
        match kind {
            Kind::Smtp => {}
            Kind::Sasl => options.insert(0, format!("{}=SASL", Key::AuthType.shown())),
            Kind::Xoauth2 => options.insert(0, format!("{}=XOAUTH2", Key::AuthType.shown())),
            Kind::Graph => options.insert(0, format!("{}=GRAPH", Key::Mode.shown())),
        }
        self.line(&format!("  {name}"));
        self.wrapped("", &options.join(" "), 6);
    }

    /// A command, as it stands in a batch file.
    fn example(&mut self, about: Phrase, words: &[&str]) {
        let about = self.say(about);
        self.line(&format!("  {about}"));
        self.line(&format!("    smail {}", words.join(" ^\n      ")));
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
