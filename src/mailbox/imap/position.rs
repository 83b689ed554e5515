//! Names of mails and positions: `UIDVALIDITY.UID` and `UIDVALIDITY.UIDNEXT`.

use crate::mailbox::{MailId, Position};

/// A mail's identity in this protocol (RFC 9051, section 2.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which numbering of the folder.
    pub(super) validity: u32,
    /// The mail's number, or the next one to come.
    pub(super) uid: u32,
}

impl Mark {
    pub(super) fn of_id(id: &MailId) -> Option<Self> {
        Self::read(id.as_str())
    }

    pub(super) fn of_position(position: &Position) -> Option<Self> {
        Self::read(position.as_str())
    }

    fn read(text: &str) -> Option<Self> {
        let (validity, uid) = text.split_once('.')?;
        Some(Self {
            validity: validity.parse().ok()?,
            uid: uid.parse().ok()?,
        })
    }

    pub(super) fn id(self) -> MailId {
        MailId::new(format!("{}.{}", self.validity, self.uid))
    }

    pub(super) fn position(self) -> Position {
        Position::new(format!("{}.{}", self.validity, self.uid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let mark = Mark {
            validity: 1_700_000_000,
            uid: 42,
        };
        assert_eq!(mark.id().as_str(), "1700000000.42");
        assert_eq!(Mark::of_id(&mark.id()), Some(mark));
        assert_eq!(Mark::of_position(&mark.position()), Some(mark));
        for wrong in ["", "1", "1.", "1.x", "1.2.3", "99999999999.1"] {
            assert_eq!(Mark::of_id(&MailId::new(wrong)), None);
        }
    }
}
