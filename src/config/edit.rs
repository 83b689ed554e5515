//! Changing single values of an INI file in place: every other byte stays, and the file is
//! replaced in one step, so that nobody ever reads half of it.

use std::path::Path;

use super::lines::{Kind, scan};
use super::text::Text;
use super::values::is_set;

/// A value to put into the file.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Section, without brackets.
    pub section: &'a str,
    /// Key.
    pub key: &'a str,
    /// The new value, ASCII without line breaks.
    pub value: &'a str,
}

/// The file could not be changed; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It can't be read or replaced.
    #[error("can't {what} {path}: {cause}")]
    File {
        /// "read" or "replace".
        what: &'static str,
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A value that could not stand in a line.
    #[error("a value for [{section}] {key} can't be written: it must be one line of ASCII text")]
    Value {
        /// Section of the value.
        section: String,
        /// Its key.
        key: String,
    },
}

/// Puts the values into the file. A setting that is missing is added at the end of its section, a
/// section that is missing at the end of the file.
pub fn change(path: &Path, changes: &[Change<'_>]) -> Result<(), EditError> {
    let fail = |what| {
        move |cause| EditError::File {
            what,
            path: path.display().to_string(),
            cause,
        }
    };
    // Through a link, the file that it leads to is replaced, not the link.
    let target = dunce::canonicalize(path).map_err(fail("read"))?;
    let mut bytes = std::fs::read(&target).map_err(fail("read"))?;
    for change in changes {
        bytes = changed(bytes, change).ok_or_else(|| EditError::Value {
            section: change.section.to_owned(),
            key: change.key.to_owned(),
        })?;
    }
    crate::durable::replace(&target, &bytes).map_err(fail("replace"))
}

/// The value as it stands in the file now, if it is set; for a caller that changes it only if
/// nobody else did.
pub fn current(path: &Path, section: &str, key: &str) -> std::io::Result<Option<String>> {
    let text = Text::decode(std::fs::read(path)?);
    Ok(match find(text.as_str(), section, key) {
        Place::Value { from, to } => text
            .as_str()
            .get(from..to)
            .filter(|value| is_set(value))
            .map(str::to_owned),
        _ => None,
    })
}

fn changed(bytes: Vec<u8>, change: &Change<'_>) -> Option<Vec<u8>> {
    if change.value.contains(['\r', '\n']) {
        return None;
    }
    let text = Text::decode(bytes);
    let content = text.as_str();
    let end = if content.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    match find(content, change.section, change.key) {
        Place::Value { from, to } => text.replaced(from, to, change.value),
        Place::Section { after } => {
            // Behind the end of the line `after`, which may be the last one without a line end.
            let line = format!("{end}{}={}", change.key, change.value);
            text.replaced(after, after, &line)
        }
        Place::Nowhere => {
            let gap = if content.is_empty() || content.ends_with(['\r', '\n']) {
                ""
            } else {
                end
            };
            let block = format!(
                "{gap}{end}[{}]{end}{}={}{end}",
                change.section, change.key, change.value
            );
            text.replaced(content.len(), content.len(), &block)
        }
    }
}

/// Where a value belongs, in bytes of the decoded text.
enum Place {
    /// It stands here.
    Value { from: usize, to: usize },
    /// Its section ends with this place: the end of the last line that is not blank.
    Section { after: usize },
    /// There is no such section.
    Nowhere,
}

fn find(text: &str, section: &str, key: &str) -> Place {
    let mut here = false;
    let mut place = Place::Nowhere;
    for line in scan(text) {
        match line.kind {
            Kind::Section(name) => {
                // A section that stands twice is one; the first block takes what is new.
                here = name.eq_ignore_ascii_case(section);
                if here && matches!(place, Place::Nowhere) {
                    place = Place::Section { after: line.end };
                }
            }
            Kind::Setting {
                key: found,
                value,
                value_at,
            } if here && found.eq_ignore_ascii_case(key) => {
                return Place::Value {
                    from: value_at,
                    to: value_at + value.len(),
                };
            }
            Kind::Setting { .. } if here => place = Place::Section { after: line.end },
            _ => {}
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str, value: &str) -> String {
        let change = Change {
            section: "General",
            key: "LastRunDate",
            value,
        };
        String::from_utf8(changed(text.as_bytes().to_vec(), &change).unwrap()).unwrap()
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let text = "; LastRunDate=x\r\n[mail]\r\nLastRunDate=0\r\n[GENERAL]\r\n  lastrundate =  old  \r\nA=1";
        assert_eq!(set(text, "new"), text.replace("  old  ", "  new  "));
    }

    #[test]
    fn a_missing_setting_is_added_to_its_section() {
        assert_eq!(
            set("[General]\r\nA=1\r\n\r\n[Mail]\r\n", "x"),
            "[General]\r\nA=1\r\nLastRunDate=x\r\n\r\n[Mail]\r\n"
        );
        assert_eq!(set("[General]", "x"), "[General]\nLastRunDate=x");
        assert_eq!(set("A=1", "x"), "A=1\n\n[General]\nLastRunDate=x\n");
        assert_eq!(set("", "x"), "\n[General]\nLastRunDate=x\n");
    }

    #[test]
    fn the_first_of_two_counts_as_when_reading() {
        let text = "[General]\nLastRunDate=1\nLastRunDate=2\n";
        assert_eq!(set(text, "x"), "[General]\nLastRunDate=x\nLastRunDate=2\n");
    }

    #[test]
    fn rights_and_links_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ini");
        std::fs::write(&path, "[S]\nk=\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            let link = folder.path().join("link.ini");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            change(
                &link,
                &[Change {
                    section: "S",
                    key: "k",
                    value: "v",
                }],
            )
            .unwrap();
            assert!(link.is_symlink());
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o640
            );
        }
        assert_eq!(
            current(&path, "s", "K").unwrap().as_deref(),
            if cfg!(unix) { Some("v") } else { None }
        );
        let twice = change(
            &path,
            &[Change {
                section: "S",
                key: "k",
                value: "a\nb",
            }],
        );
        assert!(matches!(twice, Err(EditError::Value { .. })));
    }

    proptest! {
        /// Reading back gives what was written, and every other setting is as it was.
        #[test]
        fn only_the_value_changes(
            lines in proptest::collection::vec("(\\[(General|Mail)\\]|[a-z]{1,3} ?= ?[ -~]{0,6}|LastRunDate=[a-z]{0,3}|;c|junk|)", 0..12),
            crlf: bool,
            value in "[!-~]([ -~]{0,8}[!-~])?",
        ) {
            let text = lines.join(if crlf { "\r\n" } else { "\n" });
            let after = set(&text, &value);
            match find(&after, "General", "LastRunDate") {
                Place::Value { from, to } => prop_assert_eq!(after.get(from..to).unwrap_or_default(), value.as_str()),
                _ => prop_assert!(false, "not written"),
            }
            let mut problems = crate::config::Problems::default();
            let others = |text: &str, problems: &mut crate::config::Problems| -> Vec<(String, String)> {
                let document = crate::config::ini::Document::parse(text, problems);
                document.sections.iter().flat_map(|section| section.entries.iter().map(|e| (format!("{}.{}", section.name.to_lowercase(), e.key.to_lowercase()), e.value.clone())))
                    .filter(|(name, _)| name != "general.lastrundate").collect()
            };
            prop_assert_eq!(others(&text, &mut problems), others(&after, &mut problems));
        }
    }
}
