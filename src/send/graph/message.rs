//! A mail as Graph's resource `message` (learn.microsoft.com/graph/api/resources/message).

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::send::{Body, File, Mail, Person, Priority};

/// Where the files of a mail are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// In the message.
    Within,
    /// They follow one by one.
    Apart,
}

/// The mail; its sender is the mailbox's owner unless there is a `from`.
///
/// Graph writes the headers itself, and of others takes only those that begin with `X-`. So
/// automatic answers are told by Exchange's own header (MS-OXCMAIL, section 2.1.3.2.20).
pub(super) fn json(mail: &Mail, from: Option<&Person>, files: Files) -> Value {
    let (kind, text) = match &mail.body {
        Body::Text(text) => ("text", text),
        Body::Html { page, .. } => ("html", page),
    };
    let mut message = Map::new();
    let mut set = |name: &str, value: Value| message.insert(name.to_owned(), value);
    let subject = mail.subject.replace(['\r', '\n'], " ");
    set("subject", subject.into());
    set("body", json!({ "contentType": kind, "content": text }));
    set("toRecipients", people(&mail.to));
    set("ccRecipients", people(&mail.cc));
    set("bccRecipients", people(&mail.bcc));
    set("internetMessageId", mail.message_id.as_str().into());
    set("importance", importance(mail.priority).into());
    set("isReadReceiptRequested", mail.read_receipt.into());
    set("isDeliveryReceiptRequested", mail.delivery_receipt.into());
    if let Some(from) = from {
        set("from", person(from));
    }
    if mail.answers.is_some() {
        let header = json!({ "name": "X-Auto-Response-Suppress", "value": "All" });
        set("internetMessageHeaders", json!([header]));
    }
    if files == Files::Within {
        let all: Vec<Value> = attachments(mail)
            .map(|attachment| attachment.json())
            .collect();
        if !all.is_empty() {
            set("attachments", all.into());
        }
    }
    message.into()
}

fn importance(priority: Priority) -> &'static str {
    match priority {
        Priority::Highest | Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low | Priority::Lowest => "low",
    }
}

fn people(people: &[Person]) -> Value {
    people.iter().map(person).collect()
}

fn person(person: &Person) -> Value {
    let mut address = json!({ "address": person.address.as_str() });
    if !person.name.is_empty() {
        address["name"] = person.name.as_str().into();
    }
    json!({ "emailAddress": address })
}

/// A file as a mail carries it.
pub(super) struct Attachment<'a> {
    pub(super) file: &'a File,
    /// The page shows it, by `cid:` and its name.
    pub(super) inline: bool,
}

/// All files of a mail, the pictures of its page first.
pub(super) fn attachments(mail: &Mail) -> impl Iterator<Item = Attachment<'_>> {
    let inline: &[File] = match &mail.body {
        Body::Text(_) => &[],
        Body::Html { inline, .. } => inline,
    };
    let of = |inline| move |file| Attachment { file, inline };
    inline
        .iter()
        .map(of(true))
        .chain(mail.attachments.iter().map(of(false)))
}

impl Attachment<'_> {
    /// With its bytes (resource `fileAttachment`).
    pub(super) fn json(&self) -> Value {
        let mut value = self.described();
        value["@odata.type"] = "#microsoft.graph.fileAttachment".into();
        value["contentBytes"] = BASE64.encode(&self.file.bytes).into();
        value
    }

    /// Without them, for what is uploaded (resource `attachmentItem`).
    pub(super) fn item(&self) -> Value {
        let mut value = self.described();
        value["attachmentType"] = "file".into();
        value["size"] = self.file.bytes.len().into();
        value
    }

    fn described(&self) -> Value {
        let name = self.file.name.as_str();
        let mut value = json!({ "name": name });
        if self.inline {
            value["isInline"] = true.into();
            value["contentId"] = name.into();
        }
        value
    }
}
