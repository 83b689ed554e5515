//! A mail too large for one request: a draft, its files one by one, and the word to send it.
//!
//! Until that word nothing can have gone out, so whatever fails before it leaves the mail unsent,
//! and the draft is deleted.

use serde::Serialize;
use serde_json::Value;

use super::message::{Attachment, Message, attachments};
use super::{Graph, Request};
use crate::net::http::path_segment;
use crate::net::http::{Method, Patience, Response, StatusCode};
use crate::send::web::{Call, Error, Purpose};
use crate::send::{Mail, Person};

/// From this size on a file is uploaded; Graph takes smaller ones only in a request of their own,
/// and larger ones only like this.
const UPLOADED: usize = 3_000_000;
/// The bytes of one piece: below Graph's 4 MB, and a multiple of 320 KiB as its other uploads
/// want it.
const PIECE: usize = 3_932_160;

/// The address of a draft below the mailbox.
pub(super) struct Draft(String);

impl Graph {
    pub(super) fn create_draft(
        &self,
        mail: &Mail,
        from: Option<&Person>,
        patience: &mut Patience,
    ) -> Result<Draft, Error> {
        let made = self.create("messages", &Message::new(mail, from), patience)?;
        match made.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => Ok(Draft(format!("messages/{}", path_segment(id)))),
            _ => Err(self
                .caller
                .malformed("the draft has no id", Purpose::Prepares)),
        }
    }

    pub(super) fn attach_all(
        &self,
        draft: &Draft,
        mail: &Mail,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        for attachment in attachments(mail) {
            if attachment.file.bytes.len() < UPLOADED {
                let path = format!("{}/attachments", draft.0);
                self.create(&path, &attachment.with_bytes(), patience)?;
            } else {
                self.upload(draft, &attachment, patience)?;
            }
        }
        Ok(())
    }

    pub(super) fn send_draft(&self, draft: &Draft, patience: &mut Patience) -> Result<(), Error> {
        let answer = self.call(
            Request {
                method: Method::POST,
                path: &format!("{}/send", draft.0),
                content: None,
                purpose: Purpose::Sends,
            },
            patience,
        )?;
        self.accepted(&answer, StatusCode::ACCEPTED, Purpose::Sends)
    }

    /// One that can't be deleted is left to the mailbox's owner: nothing is lost by it.
    pub(super) fn delete_draft(&self, draft: &Draft) {
        let request = Request {
            method: Method::DELETE,
            path: &draft.0,
            content: None,
            purpose: Purpose::Prepares,
        };
        let deleted = self
            .call(request, &mut Patience::none())
            .and_then(|answer| self.accepted(&answer, StatusCode::NO_CONTENT, Purpose::Prepares));
        if let Err(error) = deleted {
            self.trace
                .line(|| format!("the draft is left in the folder Drafts: {error}"));
        }
    }

    /// Makes something within the mailbox.
    fn create(
        &self,
        path: &str,
        content: &impl Serialize,
        patience: &mut Patience,
    ) -> Result<Value, Error> {
        let body = self.written(content)?;
        let answer = self.call(
            Request {
                method: Method::POST,
                path,
                content: Some(("application/json", &body)),
                purpose: Purpose::Prepares,
            },
            patience,
        )?;
        self.accepted(&answer, StatusCode::CREATED, Purpose::Prepares)?;
        self.read(&answer)
    }

    fn upload(
        &self,
        draft: &Draft,
        attachment: &Attachment<'_>,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        let path = format!("{}/attachments/createUploadSession", draft.0);
        let session = self.create(&path, &attachment.upload(), patience)?;
        let address = session.get("uploadUrl").and_then(Value::as_str);
        let address = address.ok_or_else(|| {
            self.caller
                .malformed("the upload has no address", Purpose::Prepares)
        })?;
        let size = attachment.file.bytes.len();
        let mut start = 0;
        for piece in attachment.file.bytes.chunks(PIECE) {
            let end = start + piece.len();
            // The address is a permission by itself and may be another host's: no token goes there.
            let call = Call {
                method: Method::PUT,
                address,
                headers: vec![
                    ("Content-Type", "application/octet-stream".into()),
                    ("Content-Range", format!("bytes {start}-{}/{size}", end - 1)),
                ],
                body: piece,
                purpose: Purpose::Prepares,
            };
            let answer = self.caller.call_without_login(&call, patience)?;
            if end == size {
                self.accepted(&answer, StatusCode::CREATED, Purpose::Prepares)?;
            } else {
                self.accepted(&answer, StatusCode::OK, Purpose::Prepares)?;
                self.goes_on_at(&answer, end)?;
            }
            start = end;
        }
        Ok(())
    }

    /// The service has all bytes up to this one.
    fn goes_on_at(&self, answer: &Response<Vec<u8>>, end: usize) -> Result<(), Error> {
        let told = self.read(answer)?;
        let next = told
            .pointer("/nextExpectedRanges/0")
            .and_then(Value::as_str);
        let start = next.and_then(|range| range.split('-').next());
        if start.is_some_and(|start| start.parse() == Ok(end)) {
            return Ok(());
        }
        Err(self.caller.malformed(
            "the upload does not go on where it should",
            Purpose::Prepares,
        ))
    }

    fn read(&self, answer: &Response<Vec<u8>>) -> Result<Value, Error> {
        serde_json::from_slice(answer.body())
            .map_err(|_| self.caller.malformed("not JSON", Purpose::Prepares))
    }
}
