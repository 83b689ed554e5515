//! Attachment names and body text, without a byte of any attachment.
//!
//! `hasAttachments` is not asked: it says nothing of files that are shown within the text.

use serde::Deserialize;
use serde_json::Value;

use super::list::{Page, Pages};
use super::service::{self, Ask, Prefer};
use super::{GraphMailbox, Told, batch};
use crate::mailbox::{Content, Each, Error, Outcome, Query};
use crate::message::{Attachment, Body, Fault};
use crate::net::clean;

/// A mail with its body (resources/itembody).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WithBody {
    body: Option<ItemBody>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ItemBody {
    content_type: Option<String>,
    content: Option<String>,
}

/// An attachment of any kind (resources/attachment).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Described {
    #[serde(rename = "@odata.type")]
    kind: String,
    name: Option<String>,
    is_inline: bool,
}

/// What one of a mail's requests came to: an outcome for the mail, or that it is gone.
type Part<T> = Result<Option<Outcome<T>>, Error>;

impl GraphMailbox {
    pub(super) fn contents_of(&mut self, queries: &[Query]) -> Result<Each<Content>, Error> {
        let mut each = Vec::new();
        let mut rest = queries;
        while !rest.is_empty() {
            let mut asks = Vec::new();
            let mut count = 0;
            for query in rest {
                let own = asks_of(query);
                if asks.len() + own.len() > batch::MOST {
                    break;
                }
                asks.extend(own);
                count += 1;
            }
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = later;
            let answers = self.service.ask_all(&asks)?;
            let mut told = asks.iter().zip(answers);
            let mut next = || match told.next() {
                Some((ask, answer)) => self.service.told(ask, answer),
                None => Ok(Told::Gone),
            };
            for query in now {
                let attachments = self.attachments(query, next()?)?;
                let text = if query.text { Some(next()?) } else { None };
                let body = text.map(|told| self.body(told));
                let outcome = match (attachments, body) {
                    (None, _) | (_, Some(None)) => continue,
                    (Some(attachments), None) => attachments.map(|found| (found, None)),
                    (Some(attachments), Some(Some(body))) => {
                        attachments.and_then(|found| Ok((found, Some(body?))))
                    }
                };
                let content = outcome.map(|(attachments, body)| Content { attachments, body });
                each.push((query.id.clone(), content));
            }
        }
        Ok(each)
    }

    fn attachments(&self, query: &Query, told: Told) -> Part<Vec<Attachment>> {
        let limit = self.limits.parts;
        let first: Page = match told {
            Told::Content(content) => match json(content) {
                Ok(page) => page,
                Err(fault) => return Ok(Some(Err(fault))),
            },
            Told::Gone => return Ok(None),
            Told::Fault(words) => return Ok(Some(Err(Fault::Unreadable(words)))),
            Told::TooLarge => return Ok(Some(Err(Fault::TooManyParts { limit }))),
        };
        let ask = attachments_of(query);
        let mut pages = Pages::after(&self.service, ask, &first);
        let mut described = first.value;
        while let Some(more) = pages.next()? {
            described.extend(more);
            if described.len() > limit {
                break;
            }
        }
        if described.len() > limit {
            return Ok(Some(Err(Fault::TooManyParts { limit })));
        }
        let attachments: Result<Vec<_>, _> = described.iter().map(attachment).collect();
        Ok(Some(
            attachments.map(|found| found.into_iter().flatten().collect()),
        ))
    }

    fn body(&self, told: Told) -> Option<Outcome<Body>> {
        let limit = self.limits.text;
        let content = match told {
            Told::Content(content) => content,
            Told::Gone => return None,
            Told::Fault(words) => return Some(Err(Fault::Unreadable(words))),
            Told::TooLarge => {
                let size = self.service.largest();
                return Some(Err(Fault::TextTooLong { size, limit }));
            }
        };
        Some(json(content).and_then(|message: WithBody| {
            let body = message.body.unwrap_or_default();
            let text = body.content.unwrap_or_default();
            let size = text.len() as u64;
            if size > limit {
                return Err(Fault::TextTooLong { size, limit });
            }
            // Whatever was preferred, the answer says what it is.
            Ok(match body.content_type.as_deref() {
                Some("html") => Body::of_html(&text),
                _ => Body::of_text(&text),
            })
        }))
    }
}

fn asks_of(query: &Query) -> Vec<Ask> {
    let mut asks = vec![attachments_of(query)];
    if query.text {
        asks.push(Ask {
            prefer: Prefer::Text,
            ..Ask::of_mail("GET message", &query.id, "?$select=id,body")
        });
    }
    asks
}

fn attachments_of(query: &Query) -> Ask {
    let place = "/attachments?$select=id,name,contentType,size,isInline";
    Ask::of_mail("GET attachments", &query.id, place)
}

/// An attachment as every mailbox tells of it; `None` for what is shown within the text and has no
/// name.
fn attachment(described: &Value) -> Outcome<Option<Attachment>> {
    let read = Described::deserialize(described);
    let read = read.map_err(|error| Fault::Unreadable(clean(&error.to_string(), 200)))?;
    let name = read.name.unwrap_or_default();
    let is_mail = read.kind == "#microsoft.graph.itemAttachment";
    if read.is_inline && name.is_empty() && !is_mail {
        return Ok(None);
    }
    let has_ending = || name.to_ascii_lowercase().ends_with(".eml");
    // A mail within a mail goes by its subject here, and by a file name everywhere else.
    let name = match (is_mail, name.as_str()) {
        (true, "") => "message.eml".to_owned(),
        (true, subject) if !has_ending() => format!("{subject}.eml"),
        _ => name,
    };
    Ok(Some(Attachment {
        section: String::new(),
        name,
    }))
}

fn json<T: serde::de::DeserializeOwned>(content: service::Content) -> Outcome<T> {
    let read = content.json();
    read.map_err(|error| Fault::Unreadable(clean(&error.to_string(), 200)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_attachment_is() {
        let name = |kind: &str, name: Value, inline: bool| {
            let described = json!({ "@odata.type": format!("#microsoft.graph.{kind}"), "name": name, "isInline": inline });
            attachment(&described).unwrap().map(|found| found.name)
        };
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(
            name("fileAttachment", json!("a/b.csv"), false),
            some("a/b.csv")
        );
        assert_eq!(
            name("fileAttachment", json!("logo.png"), true),
            some("logo.png")
        );
        assert_eq!(name("fileAttachment", json!(null), true), None);
        assert_eq!(name("fileAttachment", json!(null), false), some(""));
        assert_eq!(
            name("referenceAttachment", json!("Plan"), false),
            some("Plan")
        );
        assert_eq!(
            name("itemAttachment", json!("Fwd: x"), false),
            some("Fwd: x.eml")
        );
        assert_eq!(name("itemAttachment", json!("x.EML"), false), some("x.EML"));
        assert_eq!(
            name("itemAttachment", json!(""), false),
            some("message.eml")
        );
        for odd in [json!({ "name": 1 }), json!("x")] {
            assert!(
                matches!(attachment(&odd), Err(Fault::Unreadable(_))),
                "{odd}"
            );
        }
    }
}
