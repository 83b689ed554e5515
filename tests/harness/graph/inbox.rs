//! The mailbox of the stand-in for Graph, as far as it is read: mails in folders, with what is odd
//! about the service.
//!
//! Ids change when a mail is moved, unless immutable ones are preferred; times are told in seconds
//! and compared in fractions; pages go on at addresses that mean nothing to anybody else, at the
//! same place of a list that may have become another; a filter has to begin with what is ordered
//! by; `hasAttachments` knows no inline files.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use mailparse::{DispositionType, MailHeaderMap, ParsedMail};
use serde_json::{Map, Value, json};

use super::refused;
use crate::harness::site::{Asked, Reply};

/// The end of every id: characters that a path has to encode.
const ID_END: &str = "AAA/b+c=";
/// What the Inbox is called in this mailbox's language.
const INBOX_NAME: &str = "Posteingang";

/// Mails and the folders that they are in.
pub struct Inbox {
    pub(super) port: u16,
    mails: Vec<Stored>,
    count: usize,
    /// No page has more mails than this.
    page: usize,
    /// Pages are empty and go on for ever.
    pub(super) endless: bool,
    /// The addresses at which pages go on, by their sign: the query that they belong to and the
    /// place in the list.
    links: BTreeMap<String, (Vec<(String, String)>, usize)>,
    /// Mails over which the service fails, by their numbers: with what it says.
    stuck: BTreeMap<usize, Stuck>,
    violations: Vec<String>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            port: 0,
            mails: Vec::new(),
            count: 0,
            page: 1000,
            endless: false,
            links: BTreeMap::new(),
            stuck: BTreeMap::new(),
            violations: Vec::new(),
        }
    }
}

/// What the service says to requests about a mail.
struct Stuck {
    status: u16,
    code: &'static str,
    /// It can be read all the same.
    readable: bool,
}

/// A mail.
#[derive(Clone, Debug)]
struct Stored {
    number: usize,
    folder: String,
    /// So often it was moved.
    moves: usize,
    received: DateTime<Utc>,
    mime: Vec<u8>,
    /// Properties in place of those that follow from the mail.
    properties: Map<String, Value>,
    /// Attachments beside those that follow from the mail.
    attachments: Vec<Value>,
}

impl Inbox {
    /// A mail arrives. The properties take the place of those that follow from it; a null takes
    /// one away.
    pub fn deliver(&mut self, mime: &[u8], received: &str, properties: &Value) -> usize {
        self.count += 1;
        let mut properties = properties.as_object().cloned().unwrap_or_default();
        let attachments = properties.remove("attachments");
        self.mails.push(Stored {
            number: self.count,
            folder: "inbox".into(),
            moves: 0,
            received: received.parse().unwrap(),
            mime: mime.to_vec(),
            properties,
            attachments: attachments.map_or_else(Vec::new, |all| all.as_array().unwrap().clone()),
        });
        self.count
    }

    /// Somebody moves a mail to another folder.
    pub fn move_to(&mut self, number: usize, folder: &str) {
        let mail = self.mails.iter_mut().find(|mail| mail.number == number);
        let mail = mail.unwrap();
        mail.folder = folder.into();
        mail.moves += 1;
    }

    /// Somebody removes a mail for good.
    pub fn remove(&mut self, number: usize) {
        self.mails.retain(|mail| mail.number != number);
    }

    /// From now on the service refuses to move or remove a mail, with this status and code.
    pub fn stick(&mut self, number: usize, status: u16, code: &'static str) {
        let readable = true;
        let stuck = Stuck {
            status,
            code,
            readable,
        };
        self.stuck.insert(number, stuck);
    }

    /// From now on it says so to every request about this mail alone.
    pub fn spoil(&mut self, number: usize, status: u16, code: &'static str) {
        let readable = false;
        let stuck = Stuck {
            status,
            code,
            readable,
        };
        self.stuck.insert(number, stuck);
    }

    /// It does so no longer.
    pub fn free(&mut self, number: usize) {
        self.stuck.remove(&number);
    }

    /// The mailbox is moved to another place, and all ids become others.
    pub fn renumber(&mut self) {
        for mail in &mut self.mails {
            self.count += 1;
            mail.number = self.count;
        }
    }

    /// From now on no page has more mails than this.
    pub fn page(&mut self, mails: usize) {
        self.page = mails;
    }

    /// The numbers of the mails in a folder.
    pub fn folder(&self, name: &str) -> Vec<usize> {
        let inside = self.mails.iter().filter(|mail| mail.folder == name);
        inside.map(|mail| mail.number).collect()
    }

    pub(super) fn violations(&mut self) -> Vec<String> {
        std::mem::take(&mut self.violations)
    }

    /// An answer, if it is the Inbox that is asked.
    pub(super) fn act(&mut self, asked: &Asked, below: &[&str]) -> Option<Reply> {
        let ["mailFolders", folder, below @ ..] = below else {
            return None;
        };
        let prefer = asked.headers.get("prefer").map_or("", String::as_str);
        let immutable = prefer.contains("IdType=\"ImmutableId\"");
        if !immutable && !below.is_empty() {
            self.violations
                .push("ids that change were asked for".into());
        }
        if *folder != "inbox" {
            return Some(refused(400, "ErrorInvalidIdMalformed", vec![]));
        }
        let of_one = matches!(below, [_, _, ..]);
        let found = match below {
            [_, id, ..] => {
                let mut mails = self.mails.iter();
                let place = mails.position(|mail| [true, false].iter().any(|i| mail.id(*i) == *id));
                let Some(place) = place else {
                    return Some(refused(404, "ErrorItemNotFound", vec![]));
                };
                place
            }
            _ => 0,
        };
        let stuck = self
            .mails
            .get(found)
            .and_then(|mail| self.stuck.get(&mail.number));
        if let Some(stuck) = stuck.filter(|_| of_one)
            && !(stuck.readable && asked.method == "GET")
        {
            // Nobody is kept waiting for what does not change.
            let now = vec![("Retry-After", "0".into())];
            return Some(refused(stuck.status, stuck.code, now));
        }
        Some(match (asked.method.as_str(), below) {
            ("GET", []) => {
                let count = self.folder("inbox").len();
                Reply::json(
                    200,
                    &selected(
                        asked,
                        json!({ "id": "F1", "displayName": INBOX_NAME, "totalItemCount": count, "unreadItemCount": 0 }),
                    ),
                )
            }
            ("GET", ["messages"]) => self.list(asked, immutable),
            ("GET", ["messages", _]) => {
                let mail = &self.mails[found];
                Reply::json(200, &selected(asked, mail.resource(asked, immutable)))
            }
            ("GET", ["messages", _, "attachments"]) => {
                let all = self.mails[found].attachments();
                let all: Vec<_> = all.into_iter().map(|file| selected(asked, file)).collect();
                Reply::json(200, &json!({ "value": all }))
            }
            ("GET", ["messages", _, "$value"]) => Reply::Answer {
                status: 200,
                headers: vec![("Content-Type", "text/plain".into())],
                body: self.mails[found].mime.clone(),
            },
            ("POST", ["messages", _, "move"]) => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                let mail = &mut self.mails[found];
                mail.folder = body["destinationId"].as_str().unwrap().into();
                mail.moves += 1;
                Reply::json(201, &mail.resource(asked, immutable))
            }
            ("POST", ["messages", _, "permanentDelete"]) => {
                self.mails.remove(found);
                Reply::empty(204)
            }
            _ => return None,
        })
    }

    fn list(&mut self, asked: &Asked, immutable: bool) -> Reply {
        let of = |name: &str| {
            let found = asked.query.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.clone())
        };
        let mut query = asked.query.clone();
        let mut from = 0;
        if let Some(sign) = of("$skip") {
            query.retain(|(name, _)| name != "$skip");
            match self.links.get(&sign) {
                Some((issued, place)) if *issued == query => from = *place,
                _ => self
                    .violations
                    .push(format!("an address of a page of one's own: {query:?}")),
            }
        }
        let (filter, order) = (of("$filter"), of("$orderby"));
        if let (Some(filter), Some(order)) = (&filter, &order) {
            let first = order.split(' ').next().unwrap();
            if !filter.starts_with(first) {
                return refused(400, "InefficientFilter", vec![]);
            }
        }
        let fits = |mail: &Stored| {
            let bounds = filter.iter().flat_map(|filter| filter.split(" and "));
            bounds
                .map(|bound| bound.split(' ').collect::<Vec<_>>())
                .all(|bound| {
                    let ["receivedDateTime", relation, time] = bound.as_slice() else {
                        panic!("{bound:?}");
                    };
                    let time: DateTime<Utc> = time.parse().unwrap();
                    match *relation {
                        "ge" => mail.received >= time,
                        "gt" => mail.received > time,
                        "le" => mail.received <= time,
                        "lt" => mail.received < time,
                        _ => panic!("{bound:?}"),
                    }
                })
        };
        let mut mails: Vec<&Stored> = (self.mails.iter())
            .filter(|mail| mail.folder == "inbox" && fits(mail))
            .collect();
        match order.as_deref() {
            Some("receivedDateTime desc") => {
                mails.sort_by_key(|mail| std::cmp::Reverse(mail.received));
            }
            Some("receivedDateTime" | "receivedDateTime asc") => {
                mails.sort_by_key(|mail| mail.received);
            }
            // In no order that anybody knows.
            _ => mails.sort_by_key(|mail| mail.number * 7 % 11),
        }
        let top = of("$top").map_or(10, |top| top.parse().unwrap());
        let to = (from + self.page.min(top)).min(mails.len());
        let page = mails.get(from.min(to)..to).unwrap_or_default();
        let page: Vec<_> = page
            .iter()
            .map(|mail| selected(asked, mail.resource(asked, immutable)))
            .collect();
        let mut answer = json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", "value": page });
        if to < mails.len() || self.endless {
            let sign = (self.links.len() * 7919 + 104_729).to_string();
            let path: Vec<_> = asked.path.iter().map(|part| encoded(part)).collect();
            let pairs = query
                .iter()
                .map(|(name, value)| format!("{name}={}", encoded(value)));
            let pairs: Vec<_> = pairs.collect();
            answer["@odata.nextLink"] = json!(format!(
                "http://localhost:{}/{}?{}&$skip={sign}",
                self.port,
                path.join("/"),
                pairs.join("&")
            ));
            self.links.insert(sign, (query, to));
        }
        Reply::json(200, &answer)
    }
}

impl Stored {
    fn id(&self, immutable: bool) -> String {
        if immutable {
            format!("I{}{ID_END}", self.number)
        } else {
            format!("V{}-{}{ID_END}", self.moves, self.number)
        }
    }

    fn resource(&self, asked: &Asked, immutable: bool) -> Value {
        let parsed = mailparse::parse_mail(&self.mime).unwrap();
        let header = |name: &str| parsed.headers.get_first_value(name);
        let from = parsed.headers.get_first_header("From").and_then(|header| {
            let all = mailparse::addrparse_header(header).ok()?;
            all.first().map(|first| match first {
                mailparse::MailAddr::Single(one) => (one.display_name.clone(), one.addr.clone()),
                mailparse::MailAddr::Group(group) => (None, group.group_name.clone()),
            })
        });
        let prefer = asked.headers.get("prefer").map_or("", String::as_str);
        let as_text = prefer.contains("outlook.body-content-type=\"text\"");
        let seconds = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let sent = header("Date").and_then(|date| mailparse::dateparse(&date).ok());
        let sent = sent.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let headers: Vec<_> = (parsed.headers.iter())
            .map(|header| json!({ "name": header.get_key(), "value": header.get_value() }))
            .collect();
        let files = self.attachments();
        let mut resource = json!({
            "@odata.etag": format!("W/\"{}.{}\"", self.number, self.moves),
            "id": self.id(immutable),
            "receivedDateTime": seconds(self.received),
            "sentDateTime": seconds(sent.unwrap_or(self.received)),
            "subject": header("Subject"),
            "from": from.map(|(name, address)| json!({ "emailAddress": { "name": name.unwrap_or(address.clone()), "address": address } })),
            "internetMessageId": header("Message-ID"),
            "internetMessageHeaders": headers,
            "hasAttachments": files.iter().any(|file| file["isInline"] == false),
            "isRead": false,
            "parentFolderId": "F1",
            "body": body(&parsed, as_text),
        });
        let expanded = asked.query.iter().find(|(name, _)| name == "$expand");
        if let Some((_, what)) = expanded {
            assert_eq!(
                what,
                "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"
            );
            resource["singleValueExtendedProperties"] =
                json!([{ "id": "Integer 0xe08", "value": self.mime.len().to_string() }]);
        }
        for (name, value) in &self.properties {
            if value.is_null() {
                resource.as_object_mut().unwrap().remove(name);
            } else {
                resource[name] = value.clone();
            }
        }
        resource
    }

    fn attachments(&self) -> Vec<Value> {
        let parsed = mailparse::parse_mail(&self.mime).unwrap();
        let mut files = Vec::new();
        collect(&parsed, &mut files);
        files.extend(self.attachments.iter().cloned());
        for (place, file) in files.iter_mut().enumerate() {
            file["id"] = json!(format!("{}-{place}{ID_END}", self.number));
            file["@odata.mediaContentType"] = json!("application/octet-stream");
            if file["@odata.type"] != "#microsoft.graph.fileAttachment" {
                file.as_object_mut()
                    .unwrap()
                    .remove("@odata.mediaContentType");
            }
        }
        files
    }
}

/// The files of a mail as Exchange keeps them. Of an enclosed mail it knows the subject.
fn collect(part: &ParsedMail<'_>, files: &mut Vec<Value>) {
    let disposition = part.get_content_disposition();
    let name = disposition.params.get("filename").cloned();
    let inline = disposition.disposition == DispositionType::Inline;
    if part.ctype.mimetype == "message/rfc822" {
        let raw = part.get_body_raw().unwrap();
        let enclosed = mailparse::parse_mail(&raw).unwrap();
        let subject = enclosed.headers.get_first_value("Subject");
        files.push(json!({
            "@odata.type": "#microsoft.graph.itemAttachment", "contentType": null, "isInline": false,
            "name": subject, "size": raw.len(),
        }));
    } else if name.is_some() || disposition.disposition == DispositionType::Attachment {
        files.push(json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "contentType": part.ctype.mimetype, "isInline": inline,
            "name": name, "size": part.get_body_raw().unwrap().len(),
        }));
    }
    part.subparts.iter().for_each(|part| collect(part, files));
}

/// The best body of a mail, which is all that Exchange keeps, in the form that is preferred.
fn body(mail: &ParsedMail<'_>, as_text: bool) -> Value {
    fn leaf<'a, 'b>(mail: &'a ParsedMail<'b>, kind: &str) -> Option<&'a ParsedMail<'b>> {
        if mail.ctype.mimetype == kind && mail.get_content_disposition().params.is_empty() {
            return Some(mail);
        }
        mail.subparts.iter().find_map(|part| leaf(part, kind))
    }
    let html = leaf(mail, "text/html").map(|part| part.get_body().unwrap());
    let plain = leaf(mail, "text/plain").map_or_else(String::new, |part| part.get_body().unwrap());
    let (kind, content) = match (html, as_text) {
        (Some(page), true) => ("text", without_tags(&page)),
        (Some(page), false) => ("html", page),
        (None, true) => ("text", plain),
        (None, false) => {
            let page = plain
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace("\r\n", "<br>\r\n");
            (
                "html",
                format!("<html><body><div class=\"PlainText\">{page}</div></body></html>"),
            )
        }
    };
    json!({ "contentType": kind, "content": content })
}

fn without_tags(page: &str) -> String {
    let broken = page.replace("<br>", "\r\n").replace("</p>", "\r\n");
    let mut text = String::new();
    let mut inside = false;
    for letter in broken.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            letter if !inside => text.push(letter),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&amp;", "&")
}

/// What of a resource was selected. The id always comes, and what is expanded.
fn selected(asked: &Asked, resource: Value) -> Value {
    let select = asked.query.iter().find(|(name, _)| name == "$select");
    let Some((_, select)) = select else {
        return resource;
    };
    let select: Vec<_> = select.split(',').collect();
    let mut fields: Map<_, _> = serde_json::from_value(resource).unwrap();
    fields.retain(|name, _| {
        name.starts_with("@odata.")
            || ["id", "singleValueExtendedProperties"].contains(&name.as_str())
            || select.contains(&name.as_str())
    });
    Value::Object(fields)
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~,:$".contains(&byte);
    let code = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(code).collect()
}
