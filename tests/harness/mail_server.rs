//! What the tests ask of any real mail server.

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    /// Its address.
    pub address: &'static str,
    /// The port of plain IMAP (and STARTTLS).
    pub imap: u16,
    /// The port of IMAP over TLS.
    pub imaps: u16,
    /// The port of plain POP3 (and STLS).
    pub pop: Option<u16>,
    /// The port of POP3 over TLS.
    pub pops: Option<u16>,
}

/// A server with one mailbox, the one of [`super::world::MAIL_USER`].
pub trait MailServer {
    /// Where it listens.
    fn doors(&self) -> Doors;

    /// Puts a mail into the INBOX, received at this second of the Unix epoch.
    fn deliver(&self, mail: &[u8], received: u64);
}
