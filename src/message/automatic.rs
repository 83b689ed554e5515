//! Whether a program sent a mail: what nobody answers by another program, or the two would go on
//! for ever (RFC 3834; RFC 5230, section 4.6).

use super::date::without_comments;
use super::header::Field;

/// The sign that a program or a mailing list sent a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Automatic {
    /// `Auto-Submitted`, other than `no` (RFC 3834, section 5).
    AutoSubmitted,
    /// `Precedence: bulk`, `list` or `junk`.
    Precedence,
    /// `Return-Path: <>`, as on reports of delivery (RFC 5321, section 4.5.5).
    EmptyReturnPath,
    /// `List-Id` (RFC 2919).
    List,
    /// Its sender is the name of a program: `mailer-daemon`, `owner-…` and their like.
    Robot,
}

impl std::fmt::Display for Automatic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AutoSubmitted => "it was sent by a program (Auto-Submitted)",
            Self::Precedence => "it was sent in bulk (Precedence)",
            Self::EmptyReturnPath => "it wants no answer (an empty Return-Path)",
            Self::List => "it came through a mailing list (List-Id)",
            Self::Robot => "its sender is a program",
        })
    }
}

/// Collects the signs in the fields of a header.
#[derive(Debug, Default)]
pub(super) struct Signs {
    found: Option<Automatic>,
    /// The topmost one counts: the last server has written it.
    return_path_seen: bool,
}

impl Signs {
    /// Looks at one field.
    pub(super) fn look(&mut self, field: &Field<'_>) {
        let value = || without_comments(field.value);
        let sign = if field.is("Auto-Submitted") {
            let value = value();
            let keyword = value.split(';').next().unwrap_or_default().trim();
            (!keyword.eq_ignore_ascii_case("no")).then_some(Automatic::AutoSubmitted)
        } else if field.is("Precedence") {
            let value = value().trim().to_ascii_lowercase();
            matches!(value.as_str(), "bulk" | "list" | "junk").then_some(Automatic::Precedence)
        } else if field.is("Return-Path") {
            let topmost = !std::mem::replace(&mut self.return_path_seen, true);
            let path: String = value().split_whitespace().collect();
            (topmost && path == "<>").then_some(Automatic::EmptyReturnPath)
        } else {
            field.is("List-Id").then_some(Automatic::List)
        };
        self.found = self.found.or(sign);
    }

    /// The first sign of all, the sender's address (which may be empty) included.
    pub(super) fn verdict(self, sender: &str) -> Option<Automatic> {
        self.found.or(is_robot(sender).then_some(Automatic::Robot))
    }
}

/// The names that RFC 5230, section 4.6, gives as examples, and `postmaster`, who sends the reports
/// of some servers.
fn is_robot(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let local = local.to_ascii_lowercase();
    ["mailer-daemon", "postmaster", "listserv", "majordomo"].contains(&local.as_str())
        || local.starts_with("owner-")
        || local.ends_with("-request")
}

#[cfg(test)]
mod tests {
    use super::super::Envelope;
    use super::*;

    fn sign(header: &str) -> Option<Automatic> {
        Envelope::parse(format!("{header}\r\n\r\n").as_bytes()).automatic
    }

    #[test]
    fn what_people_send_is_not_automatic() {
        for header in [
            "",
            "From: ops@example.test",
            "Auto-Submitted: no",
            "Auto-Submitted:\r\n No (by hand); x=y",
            "Precedence: first-class",
            "Return-Path: <ops@example.test>",
            "Return-Path: <ops@example.test>\r\nReturn-Path: <>",
            "From: the-owner@example.test",
            "From: mailer-daemons@example.test",
        ] {
            assert_eq!(sign(header), None, "{header}");
        }
    }

    #[test]
    fn what_programs_send_is() {
        for (header, expected) in [
            ("Auto-Submitted: auto-generated", Automatic::AutoSubmitted),
            (
                "AUTO-SUBMITTED: (x) Auto-Replied; y",
                Automatic::AutoSubmitted,
            ),
            ("Auto-Submitted:", Automatic::AutoSubmitted),
            (
                "Auto-Submitted: no\r\nAuto-Submitted: auto-replied",
                Automatic::AutoSubmitted,
            ),
            ("Precedence: Bulk", Automatic::Precedence),
            ("Precedence:\r\n list (x)", Automatic::Precedence),
            ("precedence: junk", Automatic::Precedence),
            ("Return-Path: <>", Automatic::EmptyReturnPath),
            ("Return-Path: < > (report)", Automatic::EmptyReturnPath),
            ("List-Id: <ops.example.test>", Automatic::List),
            (
                "From: Mail System <MAILER-DAEMON@example.test>",
                Automatic::Robot,
            ),
            ("From: postmaster@example.test", Automatic::Robot),
            ("From: owner-ops@example.test", Automatic::Robot),
            ("From: ops-request@example.test", Automatic::Robot),
        ] {
            assert_eq!(sign(header), Some(expected), "{header}");
        }
    }
}
