//! Writes the manual into a folder: man pages and shell completions, made of what the program
//! itself knows of its switches, options and settings. Run by `.ci/package`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::builder::Resettable::Reset;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use smartemail::cli;
use smartemail::config::keys;
use smartemail::config::places::DEFAULT_INI;
use smartemail::smail::{self, Language, Part};

const NAME: &str = "smartemail";
/// Pages are the same whenever they are made. The quotes keep the place of the date.
const NO_DATE: &str = "\"\"";

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("the folder for the manual is missing: manual FOLDER")?;
    for (name, page) in [
        ("man/man1/smartemail.1", smartemail_page()?),
        ("man/man1/smail.1", smail_page(Language::English)),
        ("man/fr/man1/smail.1", smail_page(Language::French)),
        ("man/man5/smartemail.ini.5", settings_page()),
    ] {
        let file = folder.join(name);
        make(file.parent().unwrap_or(&folder))?;
        fs::write(&file, page).with_context(|| format!("can't write {}", file.display()))?;
    }
    let folder = folder.join("completions");
    make(&folder)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
        clap_complete::generate_to(shell, &mut cli::command(), NAME, &folder)
            .with_context(|| format!("can't write into {}", folder.display()))?;
    }
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("can't create {}", folder.display()))
}

fn smartemail_page() -> Result<Vec<u8>> {
    let mut page = Vec::new();
    // What stands below the switches in the help has sections of its own here, and the version
    // is in the head of the page.
    let command = cli::command().after_help(Reset).version(Reset);
    Man::new(command)
        .date(NO_DATE)
        .source(source())
        .render(&mut page)?;
    let mut rest = Roff::new();
    section(&mut rest, "Spelling");
    rest.text([roman(cli::SPELLING)]);
    section(&mut rest, "Exit status");
    for (code, meaning) in cli::EXIT_CODES {
        term(&mut rest, code, meaning);
    }
    section(&mut rest, "Examples");
    for (line, meaning) in cli::EXAMPLES {
        term(&mut rest, line, meaning);
    }
    section(&mut rest, "See also");
    rest.text([roman("smartemail.ini(5), smail(1)")]);
    rest.to_writer(&mut page)?;
    Ok(page)
}

fn smail_page(language: Language) -> Vec<u8> {
    let (about, parts) = smail::manual(language);
    let (name, see) = match language {
        Language::English => ("Name", "See also"),
        Language::French => ("Nom", "Voir aussi"),
    };
    let mut page = Roff::new();
    head(&mut page, smail::NAME, "1");
    section(&mut page, name);
    page.text([roman(format!("{} - {about}", smail::NAME))]);
    for part in parts {
        match part {
            Part::Heading(text) => section(&mut page, &text),
            Part::Paragraph(text) => {
                page.control("PP", []);
                page.text([roman(text)]);
            }
            Part::Lines(text) => {
                page.control("PP", []).control("RS", ["4"]);
                page.control("nf", []).text([roman(text)]);
                page.control("fi", []).control("RE", []);
            }
            Part::Term { name, meaning } => term(&mut page, &name, &meaning),
        }
    }
    section(&mut page, see);
    page.text([roman("smartemail(1)")]);
    page.render().into_bytes()
}

fn settings_page() -> Vec<u8> {
    let mut page = Roff::new();
    head(&mut page, "smartemail.ini", "5");
    section(&mut page, "Name");
    page.text([roman("smartemail.ini - settings of smartemail")]);
    section(&mut page, "Description");
    page.text([roman(format!(
        "smartemail reads its settings from {DEFAULT_INI}, or from the file named by -inifile."
    ))]);
    page.control("PP", []);
    page.text([roman(
        "Sections and keys may be written in any case. A blank value and N/A mean \"not set\". \
         Values are taken as they stand: no quotes, no escapes, no comments behind them. \
         Lines that start with # or ; are comments.",
    )]);
    page.control("PP", []);
    page.text([roman(
        "%NAME% in a path is an environment variable; on Unix %PROGRAMDATA% is /var/lib for root, \
         else $XDG_DATA_HOME or ~/.local/share, unless a variable of that name is set.",
    )]);
    let mut current = "";
    for key in keys::ALL {
        if key.section != current {
            current = key.section;
            // As it stands in the file.
            page.control("SH", [format!("[{current}]").as_str()]);
        }
        term(
            &mut page,
            &format!("{}={}", key.name, key.default),
            key.meaning,
        );
    }
    section(&mut page, "See also");
    page.text([roman("smartemail(1)")]);
    page.render().into_bytes()
}

fn head(page: &mut Roff, name: &str, section: &str) {
    page.control("TH", [name, section, NO_DATE, source().as_str()]);
}

/// What every page says it belongs to.
fn source() -> String {
    format!("{NAME} {}", env!("CARGO_PKG_VERSION"))
}

fn section(page: &mut Roff, heading: &str) {
    page.control("SH", [heading.to_uppercase().as_str()]);
}

fn term(page: &mut Roff, name: &str, meaning: &str) {
    page.control("TP", []);
    page.text([bold(name)]).text([roman(meaning)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page as text without markup.
    fn plain(page: Vec<u8>) -> String {
        let text = String::from_utf8(page).unwrap();
        text.replace("\\fB", "")
            .replace("\\fR", "")
            .replace("\\-", "-")
    }

    #[test]
    fn no_switch_option_or_setting_is_missing() {
        let page = plain(smartemail_page().unwrap());
        for switch in cli::command().get_arguments() {
            let name = format!("\n--{}", switch.get_long().unwrap());
            assert!(page.contains(&name), "{name}");
        }
        let page = plain(settings_page());
        for key in keys::ALL {
            let line = format!("\n{}=", key.name);
            assert!(page.contains(&line), "{key:?}");
        }
        for language in [Language::English, Language::French] {
            let page = plain(smail_page(language));
            for name in ["/SUBJECT=", "/RECEPTION_ACK", "/GRAPH_SERVER="] {
                assert!(page.contains(&format!("\n{name}")), "{name}");
            }
            assert!(page.contains("\n9  EXIT_INVALID_MODE\n"));
        }
    }
}
