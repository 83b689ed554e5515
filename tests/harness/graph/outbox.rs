//! Mails that are sent: at once, or as drafts that get their files one by one.

use data_encoding::BASE64;
use mailparse::MailHeaderMap;
use serde_json::{Value, json};

use super::{
    ID_END, LARGEST_REQUEST, Message, SMALLEST_UPLOAD, State, StoredFile, Upload, refused,
};
use crate::harness::idp::USER;
use crate::harness::site::{Asked, Reply};

impl State {
    pub(super) fn new_message(&mut self) -> Message {
        self.ids += 1;
        Message {
            id: format!("M{}{ID_END}", self.ids),
            ..Message::default()
        }
    }

    pub(super) fn send_mail(&mut self, asked: &Asked) -> Reply {
        let mut message = self.new_message();
        if asked.headers["content-type"] == "text/plain" {
            let Ok(mime) = BASE64.decode(&asked.body) else {
                return refused(400, "ErrorMimeContentInvalidBase64String", vec![]);
            };
            message.mime = mime;
        } else {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            message.resource = body["message"].clone();
            let files = body["message"]["attachments"].as_array();
            message.files = files
                .into_iter()
                .flatten()
                .map(|f| stored(f, &bytes_of(f), 0))
                .collect();
        }
        self.send(message)
    }

    /// Checks what the service does before it sends a mail.
    pub(super) fn send(&mut self, message: Message) -> Reply {
        let (from, recipients) = if message.mime.is_empty() {
            let address = |person: &Value| {
                person["emailAddress"]["address"]
                    .as_str()
                    .map(str::to_owned)
            };
            let from = address(&message.resource["from"]);
            let of = |field: &str| {
                message.resource[field]
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            };
            let all = [of("toRecipients"), of("ccRecipients"), of("bccRecipients")].concat();
            (from, all.iter().filter_map(address).count())
        } else {
            let parsed = message.parsed();
            let of = |field: &str| {
                let header = parsed.headers.get_first_header(field)?;
                mailparse::addrparse_header(header)
                    .ok()?
                    .extract_single_info()
            };
            let count = ["To", "Cc", "Bcc"]
                .iter()
                .filter(|field| parsed.headers.get_first_header(field).is_some());
            (of("From").map(|from| from.addr), count.count())
        };
        if recipients == 0 {
            return refused(400, "ErrorInvalidRecipients", vec![]);
        }
        let from = from.unwrap_or_else(|| USER.into());
        if from != USER && !self.may_send_as.contains(&from) {
            return refused(403, "ErrorSendAsDenied", vec![]);
        }
        self.folders.entry("sentitems").or_default().push(message);
        Reply::empty(202)
    }

    pub(super) fn attach(&mut self, id: &str, file: StoredFile) -> Reply {
        let drafts = self.folders.entry("drafts").or_default();
        let Some(draft) = drafts.iter_mut().find(|draft| draft.id == id) else {
            return refused(404, "ErrorItemNotFound", vec![]);
        };
        let made = json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "id": format!("A{}", draft.files.len()),
            "name": file.name, "size": file.bytes.len(),
        });
        draft.files.push(file);
        Reply::json(201, &made)
    }

    pub(super) fn begin_upload(&mut self, id: &str, asked: &Asked) -> Reply {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let item = body["AttachmentItem"].clone();
        if item["size"].as_u64().unwrap() < SMALLEST_UPLOAD {
            return refused(
                400,
                "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
                vec![],
            );
        }
        let name = format!("u{}", self.uploads.len());
        let upload = Upload {
            message: id.into(),
            item,
            bytes: Vec::new(),
            pieces: 0,
        };
        self.uploads.insert(name.clone(), upload);
        let address = format!(
            "http://127.0.0.1:{}/upload/{name}?authtoken=up-s3cret",
            self.port
        );
        Reply::json(
            201,
            &json!({
                "uploadUrl": address, "expirationDateTime": "2026-11-22T00:00:00Z", "nextExpectedRanges": ["0-"],
            }),
        )
    }

    /// Not in the description: the address of an upload has its permission in itself.
    pub(super) fn take_piece(&mut self, asked: &Asked) -> Reply {
        let name = asked.path.get(1).cloned().unwrap_or_default();
        if asked.headers.contains_key("authorization") {
            self.violation("upload", "a token was sent to the address of an upload");
        }
        if asked.query != [("authtoken".to_owned(), "up-s3cret".to_owned())] {
            self.violation("upload", "the address was changed");
        }
        let Some(upload) = self.uploads.get_mut(&name) else {
            return refused(404, "ErrorItemNotFound", vec![]);
        };
        let (start, size) = (upload.bytes.len(), upload.item["size"].as_u64().unwrap());
        let end = start + asked.body.len();
        let expected = format!("bytes {start}-{}/{size}", end - 1);
        let range = asked
            .headers
            .get("content-range")
            .cloned()
            .unwrap_or_default();
        if range != expected || asked.body.len() >= LARGEST_REQUEST {
            self.violation("upload", &format!("{range} instead of {expected}"));
            return refused(416, "InvalidRange", vec![]);
        }
        upload.bytes.extend_from_slice(&asked.body);
        upload.pieces += 1;
        if end as u64 != size {
            return Reply::json(
                200,
                &json!({ "ExpirationDateTime": "2026-11-22T00:00:00Z", "nextExpectedRanges": [end.to_string()] }),
            );
        }
        let upload = self.uploads.remove(&name).unwrap();
        let file = stored(&upload.item, &upload.bytes, upload.pieces);
        match self.attach(&upload.message, file) {
            Reply::Answer { status: 201, .. } => Reply::Answer {
                status: 201,
                headers: vec![(
                    "Location",
                    "https://outlook.example/Attachments('A1')".into(),
                )],
                body: Vec::new(),
            },
            other => other,
        }
    }
}

pub(super) fn bytes_of(attachment: &Value) -> Vec<u8> {
    let coded = attachment["contentBytes"].as_str().unwrap();
    BASE64.decode(coded.as_bytes()).unwrap()
}

pub(super) fn stored(file: &Value, bytes: &[u8], pieces: usize) -> StoredFile {
    let text = |name: &str| file[name].as_str().map(str::to_owned);
    assert_eq!(file["isInline"] == true, text("contentId").is_some());
    StoredFile {
        name: text("name").unwrap(),
        content_id: text("contentId"),
        bytes: bytes.to_vec(),
        pieces,
    }
}
