//! The INI file's bytes: encodings and line ends, and changes that leave every other byte as it
//! was.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, World};
use regex::Regex;

/// How an INI file may be written to disk.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Utf8,
    Utf8Bom,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

const ENCODINGS: [Encoding; 5] = [
    Encoding::Utf8,
    Encoding::Utf8Bom,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Windows1252,
];

impl Encoding {
    fn encode(self, text: &str) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8Bom => marked.into_bytes(),
            Self::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Windows1252 => text
                .chars()
                .map(|letter| if letter == '€' { 0x80 } else { letter as u8 })
                .collect(),
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        let units = |read: fn([u8; 2]) -> u16| {
            let (pairs, rest) = bytes.as_chunks::<2>();
            assert!(rest.is_empty(), "half a UTF-16 unit");
            pairs.iter().map(|pair| read(*pair)).collect::<Vec<_>>()
        };
        let text = match self {
            Self::Utf8 | Self::Utf8Bom => String::from_utf8(bytes.to_vec()).unwrap_or_default(),
            Self::Utf16Le => String::from_utf16_lossy(&units(u16::from_le_bytes)),
            Self::Utf16Be => String::from_utf16_lossy(&units(u16::from_be_bytes)),
            Self::Windows1252 => bytes
                .iter()
                .map(|byte| {
                    if *byte == 0x80 {
                        '€'
                    } else {
                        char::from(*byte)
                    }
                })
                .collect(),
        };
        match self {
            Self::Utf8 | Self::Windows1252 => text,
            _ => text
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or_else(|| format!("the mark is lost: {text}")),
        }
    }
}

#[test]
fn every_encoding_and_line_end_is_read() {
    for encoding in ENCODINGS {
        for line_end in ["\n", "\r\n"] {
            let world = World::new();
            let ini = Ini::folder()
                .rule("SubjectLineMask=Größe: (\\d+) €\nEvent=$CONSOLE:DISPLAY,Maß [[1]]");
            world.write_ini(encoding.encode(&ini.text(&world.place("")).replace('\n', line_end)));
            world.seal(false);
            world.mail("1.eml", &Mail::new("Größe: 12 €").bytes());
            world.run(&[]).exit(0);
            assert_eq!(
                world.events(),
                ["$CONSOLE:DISPLAY,Maß 12"],
                "{encoding:?} {line_end:?}"
            );
        }
    }
}

/// A file as people leave it: comments, odd spacing, a key that is commented out, a last
/// line without an end. `{root}` becomes the world's folder.
const UNTIDY: &str = "; Größe and Maß
  # an indented comment

[General]
MSGINDirectory={root}/MSGIN
  DeleteEmails =  none
DownloadEmails=FALSE
\tOpConUser=
OpConUserPassword=
;LastRunDate=1/1/2017 12:30:00 AM
LastRunDate=
[Mail]
EmailProtocol=FOLDER
Folder={root}/mails


[Configuration7]
SubjectLineMask=.
Event=$CONSOLE:DISPLAY,a;b # c \"d\" %e% \\
AllowedSenders=ALL
# the end";

#[test]
fn every_other_byte_is_kept_when_credentials_and_the_last_run_date_are_written() {
    let written = Regex::new("(?m)^(\tOpConUser|OpConUserPassword|LastRunDate)=[^\r\n]*").unwrap();
    for (encoding, line_end) in ENCODINGS
        .into_iter()
        .flat_map(|encoding| [(encoding, "\n"), (encoding, "\r\n")])
    {
        let world = World::new().env("TZ", "UTC");
        let before = UNTIDY
            .replace("{root}", &world.place(""))
            .replace('\n', line_end);
        world.write_ini(encoding.encode(&before));
        world.seal(false);
        world.mail("1.eml", &Mail::new("x").bytes());
        world.run(&[]).exit(0);

        let after = encoding.decode(&world.ini_bytes());
        assert!(
            after.contains("LastRunDate=1/6/2026 12:00:00 PM"),
            "{encoding:?} {line_end:?}: {after}"
        );
        assert_eq!(
            written.replace_all(&after, "$1="),
            before,
            "{encoding:?} {line_end:?}"
        );
    }
}

#[test]
fn settings_that_are_not_in_the_file_are_added_and_nothing_else_changes() {
    let added = Regex::new("(?m)^(OpConUser|OpConUserPassword|LastRunDate)=[^\r\n]+\r?\n").unwrap();
    for line_end in ["\n", "\r\n"] {
        let world = World::new().env("TZ", "UTC");
        let before = Ini::folder()
            .rule("SubjectLineMask=.\nEvent=$CONSOLE:DISPLAY,a")
            .text(&world.place(""))
            .replace('\n', line_end);
        world.write_ini(&before);
        world.seal(false);
        world.mail("1.eml", &Mail::new("x").bytes());
        world.run(&[]).exit(0);

        let after = world.ini_text();
        assert_eq!(added.find_iter(&after).count(), 3, "{after}");
        assert_eq!(added.replace_all(&after, ""), before);
        let general = after.split("[Mail]").next().unwrap_or_default();
        assert!(
            general.contains("LastRunDate=") && general.contains("OpConUserPassword="),
            "{after}"
        );
    }
}

// The zone is changed by TZ, which Windows' own functions for the time don't look at.
#[cfg(unix)]
#[test]
fn the_last_run_date_is_written_in_local_time() {
    let world = World::with_mails(
        &Ini::folder().rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a"),
        &[Mail::new("x")],
    )
    .env("TZ", "EAS-13");
    world.run(&[]).exit(0);
    assert!(
        world.ini_text().contains("LastRunDate=1/7/2026 1:00:00 AM"),
        "{}",
        world.ini_text()
    );
}
