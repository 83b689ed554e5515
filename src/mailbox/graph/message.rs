//! What Graph says of a mail (resources/message), in the terms of every mailbox.
//!
//! Whatever its `@odata.type` is: a meeting request (`eventMessageRequest`) is a mail with more
//! properties.

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::mailbox::{MailId, Summary};
use crate::message::{Envelope, Sender};
use crate::net::http::query_value;

/// What tells where a mail stands among others.
pub(super) const PLACE: &str = "$select=id,receivedDateTime";

/// Where MAPI keeps the size of a mail (PidTagMessageSize), which Graph has no property for.
const SIZE: &str = "Integer 0x0E08";
/// The same as Graph may write it.
const SIZE_TOLD: [&str; 2] = ["integer 0x0e08", "integer 0xe08"];

/// What a summary is made of, in an address.
pub(super) fn summary_fields() -> String {
    let size = query_value(&format!(
        "singleValueExtendedProperties($filter=id eq '{SIZE}')"
    ));
    format!(
        "$select=id,receivedDateTime,sentDateTime,subject,from,internetMessageId,internetMessageHeaders&$expand={size}"
    )
}

/// Longest id that is taken; real ones have about 150 characters.
const LONGEST_ID: usize = 1000;
/// What a mail counts for whose size is not told: more than most have.
const UNTOLD_SIZE: u64 = 256 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    sent_date_time: Option<String>,
    subject: Option<String>,
    from: Option<Recipient>,
    internet_message_id: Option<String>,
    internet_message_headers: Option<Vec<Header>>,
    single_value_extended_properties: Option<Vec<Property>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Header {
    name: Option<String>,
    value: Option<String>,
}

impl Header {
    /// The field as a line of a header block.
    fn line(&self) -> String {
        let part = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            text.replace(['\r', '\n'], " ")
        };
        format!("{}: {}\r\n", part(&self.name), part(&self.value))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recipient {
    email_address: Option<EmailAddress>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EmailAddress {
    address: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Property {
    id: String,
    value: Option<String>,
}

/// The id of a mail, if it is one.
pub(super) fn id_of(message: &Value) -> Option<MailId> {
    let id = message.get("id")?.as_str()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    let named = !id.trim_matches('.').is_empty();
    (plain && named && id.len() <= LONGEST_ID).then(|| MailId::new(id))
}

/// When a mail was received, in whole seconds: that is how Graph tells it, whatever it compares.
pub(super) fn received_of(message: &Value) -> Option<DateTime<Utc>> {
    time(message.get("receivedDateTime")?.as_str()?)
}

/// A mail's summary. `now` stands for the time of receipt where that can't be read and the mail
/// does not say when it was sent.
pub(super) fn summary_of(
    id: MailId,
    message: &Value,
    now: DateTime<Utc>,
) -> Result<Summary, String> {
    let read = Message::deserialize(message).map_err(|error| error.to_string())?;
    let date = read.sent_date_time.as_deref().and_then(time);
    let properties = read.single_value_extended_properties.iter().flatten();
    let mut sizes = properties.filter_map(|property| {
        let tag = property.id.to_ascii_lowercase();
        let value = property.value.as_deref();
        value
            .filter(|_| SIZE_TOLD.contains(&tag.as_str()))?
            .parse()
            .ok()
    });
    let headers = read.internet_message_headers.iter().flatten();
    let block: String = headers.map(Header::line).collect();
    let address = (read.from)
        .and_then(|from| from.email_address?.address)
        .unwrap_or_default();
    Ok(Summary {
        id,
        received: received_of(message).or(date).unwrap_or(now),
        size: sizes.next().unwrap_or(UNTOLD_SIZE),
        envelope: Envelope::told(
            Sender::told(&address),
            &read.subject.unwrap_or_default(),
            date,
            &read.internet_message_id.unwrap_or_default(),
            block.as_bytes(),
        ),
    })
}

/// A time in UTC; `None` for what is none, such as the year 1 that stands for it at Microsoft.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    // So far from both ends that no time zone leads beyond them.
    (1601..=9998).contains(&time.year()).then_some(time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn summary(message: &Value) -> Summary {
        summary_of(MailId::new("A"), message, now()).unwrap()
    }

    #[test]
    fn a_usual_mail() {
        let summary = summary(&json!({
            "@odata.etag": "W/\"x\"", "id": "A", "subject": " \u{dc}ber\r\nNacht ", "hasAttachments": true,
            "receivedDateTime": "2026-11-20T23:59:59Z", "sentDateTime": "2026-11-20T23:59:50Z",
            "from": { "emailAddress": { "name": "\u{202e}N", "address": "Night@example.test" } },
            "internetMessageId": "<1@example.test>",
            "singleValueExtendedProperties": [{ "id": "Integer 0xe08", "value": "4711" }],
        }));
        assert_eq!(summary.received.to_rfc3339(), "2026-11-20T23:59:59+00:00");
        assert_eq!(summary.size, 4711);
        let envelope = summary.envelope;
        assert_eq!(envelope.subject, "\u{dc}ber Nacht");
        assert_eq!(envelope.sender.address, "Night@example.test");
        assert!(envelope.sender.reliable);
        assert_eq!(
            envelope.date.unwrap().to_rfc3339(),
            "2026-11-20T23:59:50+00:00"
        );
        assert_eq!(envelope.message_id.as_deref(), Some("<1@example.test>"));
    }

    #[test]
    fn whatever_may_be_missing() {
        let bare = summary(&json!({ "id": "A" }));
        assert_eq!(bare.received, now());
        assert_eq!(bare.envelope, Envelope::default());
        let nulls = summary(&json!({
            "id": "A", "subject": null, "from": { "emailAddress": { "address": null } },
            "receivedDateTime": null, "sentDateTime": "2026-11-20T10:00:00Z", "internetMessageId": null,
            "internetMessageHeaders": null, "singleValueExtendedProperties": null,
        }));
        assert_eq!(nulls.received.to_rfc3339(), "2026-11-20T10:00:00+00:00");
        assert_eq!(nulls.envelope.subject, "");
        assert!(!nulls.envelope.sender.reliable);
        assert!(summary_of(MailId::new("A"), &json!({ "subject": 1 }), now()).is_err());
    }

    #[test]
    fn headers_tell_of_programs() {
        let automatic = |name: &str, value: &str| {
            let headers =
                json!([{ "name": "Received", "value": null }, { "name": name, "value": value }]);
            summary(&json!({ "internetMessageHeaders": headers }))
                .envelope
                .automatic
        };
        assert!(automatic("Auto-Submitted", "auto-replied").is_some());
        assert!(automatic("Auto-Submitted", "no").is_none());
        assert!(automatic("X", "a\r\n\r\nAuto-Submitted: auto-replied").is_none());
        assert!(automatic("X", "a\r\nList-Id: x").is_none());
    }

    #[test]
    fn two_senders_are_none_to_rely_on() {
        let reliable = |headers: Value| {
            let from = json!({ "emailAddress": { "address": "boss@example.test" } });
            let message = json!({ "from": from, "internetMessageHeaders": headers });
            summary(&message).envelope.sender.reliable
        };
        let from = |value: &str| json!({ "name": "From", "value": value });
        assert!(
            reliable(json!(null)),
            "a mail from within the organisation may have none"
        );
        assert!(reliable(json!([from("Boss <boss@example.test>")])));
        assert!(!reliable(json!([
            from("boss@example.test"),
            from("x@example.test")
        ])));
        assert!(!reliable(
            json!([from("boss@example.test"), { "name": "from", "value": null }])
        ));
    }

    #[test]
    fn senders_that_are_no_addresses_are_not_believed() {
        let sender = |address: &str| {
            let message = json!({ "from": { "emailAddress": { "address": address } } });
            summary(&message).envelope.sender
        };
        assert!(sender("o'neil+x@example.test").reliable);
        for odd in [
            "/O=EXCHANGELABS/OU=X/CN=RECIPIENTS/CN=ADMIN",
            "a@example.test,boss@example.test",
            "boss@example.test <a@example.test>",
            "<boss@example.test>",
            "(boss@example.test) a@example.test",
            "boss",
            "",
        ] {
            assert!(!sender(odd).reliable, "{odd}");
        }
    }

    #[test]
    fn times_that_no_zone_carries_away() {
        let of = |text: &str| time(text).map(|time| time.to_rfc3339());
        assert_eq!(
            of("2026-11-21T05:30:00.1234567+05:30").as_deref(),
            Some("2026-11-21T00:00:00.123456700+00:00")
        );
        for none in [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59-14:00",
            "2026-02-30T00:00:00Z",
            "yesterday",
            "",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn ids_that_are_none() {
        let id = |id: Value| id_of(&json!({ "id": id })).map(|id| id.as_str().to_owned());
        assert_eq!(id(json!("AAkALgAA/b+c=")).as_deref(), Some("AAkALgAA/b+c="));
        for odd in [
            json!(""),
            json!(null),
            json!(1),
            json!("a b"),
            json!("a\n"),
            json!(".."),
            json!("x".repeat(1001)),
        ] {
            assert_eq!(id(odd.clone()), None, "{odd}");
        }
        assert_eq!(id_of(&json!("A")), None);
    }
}
