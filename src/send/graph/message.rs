//! A mail as Graph's resource `message` (learn.microsoft.com/graph/api/resources/message).

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::Serialize;

use crate::send::compose::content_type;
use crate::send::compose::header::one_line;
use crate::send::compose::parts::{content_id, with_content_ids};
use crate::send::{Answered, Body, File, Mail, Person, Priority};

/// What the action `sendMail` takes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendMail<'a> {
    pub(super) message: Message<'a>,
    pub(super) save_to_sent_items: bool,
}

/// A mail. Graph writes the headers itself, and of others takes only those that begin with `X-`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    subject: String,
    body: Text<'a>,
    /// The mailbox's owner where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Recipient<'a>>,
    to_recipients: Vec<Recipient<'a>>,
    cc_recipients: Vec<Recipient<'a>>,
    bcc_recipients: Vec<Recipient<'a>>,
    internet_message_id: &'a str,
    importance: &'static str,
    is_read_receipt_requested: bool,
    is_delivery_receipt_requested: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    internet_message_headers: Option<[Header; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    single_value_extended_properties: Vec<Property<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<FileAttachment<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'a> {
    content_type: &'static str,
    content: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recipient<'a> {
    email_address: EmailAddress<'a>,
}

#[derive(Serialize)]
struct EmailAddress<'a> {
    address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
}

#[derive(Serialize)]
struct Header {
    name: &'static str,
    value: &'static str,
}

/// The resource `singleValueLegacyExtendedProperty`.
#[derive(Serialize)]
struct Property<'a> {
    id: &'static str,
    value: &'a str,
}

impl<'a> Property<'a> {
    /// What a mail answers, and that it does so by itself (RFC 3834, section 5). The resource has
    /// no names for these headers; Exchange writes them from its own properties (\[MS-OXPROPS\]:
    /// PidTagInReplyToId, PidTagInternetReferences, and PS_INTERNET_HEADERS, the set of those that
    /// are headers by their names).
    fn of(answered: &'a Answered) -> Vec<Self> {
        let automatic = Self {
            id: "String {00020386-0000-0000-C000-000000000046} Name Auto-Submitted",
            value: "auto-replied",
        };
        let ids = answered
            .usable_id()
            .into_iter()
            .flat_map(|value| ["String 0x1042", "String 0x1039"].map(|id| Self { id, value }));
        std::iter::once(automatic).chain(ids).collect()
    }
}

/// Exchange's own word for a mail that wants no automatic answer (MS-OXCMAIL, section
/// 2.1.3.2.20).
const NO_ANSWERS: Header = Header {
    name: "X-Auto-Response-Suppress",
    value: "All",
};

impl<'a> Message<'a> {
    /// The mail without its files.
    pub(super) fn new(mail: &'a Mail, from: Option<&'a Person>) -> Self {
        let (content_type, content) = match &mail.body {
            Body::Text(text) => ("text", Cow::Borrowed(text.as_str())),
            Body::Html { page, inline } => ("html", with_content_ids(page, inline).into()),
        };
        Self {
            subject: one_line(&mail.subject),
            body: Text {
                content_type,
                content,
            },
            from: from.map(Recipient::of),
            to_recipients: mail.to.iter().map(Recipient::of).collect(),
            cc_recipients: mail.cc.iter().map(Recipient::of).collect(),
            bcc_recipients: mail.bcc.iter().map(Recipient::of).collect(),
            internet_message_id: &mail.message_id,
            importance: match mail.priority {
                Priority::Highest | Priority::High => "high",
                Priority::Normal => "normal",
                Priority::Low | Priority::Lowest => "low",
            },
            is_read_receipt_requested: mail.read_receipt,
            is_delivery_receipt_requested: mail.delivery_receipt,
            internet_message_headers: mail.answers.is_some().then_some([NO_ANSWERS]),
            single_value_extended_properties: mail.answers.as_ref().map_or(vec![], Property::of),
            attachments: Vec::new(),
        }
    }

    /// The mail with its files.
    pub(super) fn with_files(mail: &'a Mail, from: Option<&'a Person>) -> Self {
        Self {
            attachments: attachments(mail).map(|a| a.with_bytes()).collect(),
            ..Self::new(mail, from)
        }
    }
}

impl<'a> Recipient<'a> {
    fn of(person: &'a Person) -> Self {
        Self {
            email_address: EmailAddress {
                address: person.address.as_str(),
                name: &person.name,
            },
        }
    }
}

/// A file as a mail carries it.
pub(super) struct Attachment<'a> {
    pub(super) file: &'a File,
    /// The page shows it, by `cid:` and its name.
    inline: bool,
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

/// The resource `fileAttachment`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileAttachment<'a> {
    #[serde(rename = "@odata.type")]
    kind: &'static str,
    #[serde(flatten)]
    described: Described<'a>,
    content_bytes: String,
}

/// What an upload is asked for with.
#[derive(Serialize)]
pub(super) struct Upload<'a> {
    #[serde(rename = "AttachmentItem")]
    item: AttachmentItem<'a>,
}

/// The resource `attachmentItem`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachmentItem<'a> {
    attachment_type: &'static str,
    #[serde(flatten)]
    described: Described<'a>,
    size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described<'a> {
    name: &'a str,
    content_type: &'static str,
    is_inline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id: Option<String>,
}

impl<'a> Attachment<'a> {
    pub(super) fn with_bytes(&self) -> FileAttachment<'a> {
        FileAttachment {
            kind: "#microsoft.graph.fileAttachment",
            described: self.described(),
            content_bytes: BASE64.encode(&self.file.bytes),
        }
    }

    pub(super) fn upload(&self) -> Upload<'a> {
        Upload {
            item: AttachmentItem {
                attachment_type: "file",
                described: self.described(),
                size: self.file.bytes.len(),
            },
        }
    }

    fn described(&self) -> Described<'a> {
        let name = self.file.name.as_str();
        Described {
            name,
            content_type: content_type::of(name),
            is_inline: self.inline,
            content_id: self.inline.then(|| content_id(name)),
        }
    }
}
