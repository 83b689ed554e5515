//! What EWS answers to `CreateItem`: a response message or a SOAP fault, both with a code.

use std::time::Duration;

use roxmltree::{Document, Node, ParsingOptions};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
const ERRORS: &str = "http://schemas.microsoft.com/exchange/services/2006/errors";

/// An answer has some twenty elements.
const MOST_NODES: u32 = 10_000;

/// What the server did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It took the mail.
    Sent,
    /// It did not.
    Refused {
        code: String,
        message: String,
        /// How long a busy server wants to be left alone.
        pause: Option<Duration>,
    },
}

/// Reads an answer. A document type, and with it every kind of entity, is refused.
pub(super) fn read(bytes: &[u8]) -> Result<Answer, &'static str> {
    let text = str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let text = text.trim_start_matches('\u{feff}');
    let document = Document::parse_with_options(text, options).map_err(|_| "not XML")?;
    let envelope = document.root_element();
    if !envelope.has_tag_name((SOAP, "Envelope")) {
        return Err("no SOAP envelope");
    }
    let body = child(envelope, SOAP, "Body").ok_or("no SOAP body")?;
    if let Some(fault) = child(body, SOAP, "Fault") {
        return Ok(of_fault(fault));
    }
    let answered = child(body, MESSAGES, "CreateItemResponse")
        .and_then(|response| child(response, MESSAGES, "ResponseMessages"))
        .and_then(|messages| child(messages, MESSAGES, "CreateItemResponseMessage"))
        .ok_or("no answer to CreateItem")?;
    of_message(answered)
}

fn of_message(message: Node<'_, '_>) -> Result<Answer, &'static str> {
    let code = inner(message, MESSAGES, "ResponseCode").ok_or("no ResponseCode")?;
    match (message.attribute("ResponseClass"), code.as_str()) {
        (Some("Success"), "NoError") => Ok(Answer::Sent),
        (Some("Error" | "Warning"), code) if code != "NoError" => Ok(Answer::Refused {
            code: code.to_owned(),
            message: inner(message, MESSAGES, "MessageText").unwrap_or_default(),
            pause: pause(message),
        }),
        _ => Err("ResponseClass and ResponseCode don't go together"),
    }
}

/// The code stands in the detail, or as the local part of `faultcode`.
fn of_fault(fault: Node<'_, '_>) -> Answer {
    let detail = fault.children().find(|node| node.has_tag_name("detail"));
    let plain = |name| {
        let node = fault.children().find(|node| node.has_tag_name(name))?;
        Some(node.text()?.trim().to_owned())
    };
    let code = detail
        .and_then(|detail| inner(detail, ERRORS, "ResponseCode"))
        .or_else(|| Some(plain("faultcode")?.rsplit(':').next()?.to_owned()));
    Answer::Refused {
        code: code.unwrap_or_default(),
        message: detail
            .and_then(|detail| inner(detail, ERRORS, "Message"))
            .or_else(|| plain("faultstring"))
            .unwrap_or_default(),
        pause: detail.and_then(pause),
    }
}

/// `BackOffMilliseconds` of ErrorServerBusy
/// (learn.microsoft.com/exchange: ews-throttling-in-exchange).
fn pause(within: Node<'_, '_>) -> Option<Duration> {
    let values =
        child(within, TYPES, "MessageXml").or_else(|| child(within, MESSAGES, "MessageXml"))?;
    let told = values.children().find(|node| {
        node.has_tag_name((TYPES, "Value")) && node.attribute("Name") == Some("BackOffMilliseconds")
    })?;
    told.text()?.trim().parse().ok().map(Duration::from_millis)
}

fn child<'a, 'i>(of: Node<'a, 'i>, space: &str, name: &str) -> Option<Node<'a, 'i>> {
    of.children().find(|node| node.has_tag_name((space, name)))
}

fn inner(of: Node<'_, '_>, space: &str, name: &str) -> Option<String> {
    Some(child(of, space, name)?.text()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(class: &str, inside: &str) -> String {
        format!(
            "\u{feff}<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{SOAP}\"><s:Body>\
             <m:CreateItemResponse xmlns:m=\"{MESSAGES}\" xmlns:t=\"{TYPES}\"><m:ResponseMessages>\
             <m:CreateItemResponseMessage ResponseClass=\"{class}\">{inside}</m:CreateItemResponseMessage>\
             </m:ResponseMessages></m:CreateItemResponse></s:Body></s:Envelope>"
        )
    }

    fn refused(code: &str, message: &str, pause: Option<u64>) -> Answer {
        Answer::Refused {
            code: code.into(),
            message: message.into(),
            pause: pause.map(Duration::from_millis),
        }
    }

    #[test]
    fn success_and_refusals_are_read() {
        let sent = message(
            "Success",
            "<m:ResponseCode>NoError</m:ResponseCode><m:Items/>",
        );
        assert_eq!(read(sent.as_bytes()), Ok(Answer::Sent));
        let denied = message(
            "Error",
            "<m:MessageText>no &lt;right&gt;</m:MessageText><m:ResponseCode>ErrorSendAsDenied</m:ResponseCode>",
        );
        assert_eq!(
            read(denied.as_bytes()),
            Ok(refused("ErrorSendAsDenied", "no <right>", None))
        );
        let busy = message(
            "Error",
            "<m:ResponseCode>ErrorServerBusy</m:ResponseCode><m:MessageXml>\
             <t:Value Name=\"BackOffMilliseconds\">1500</t:Value></m:MessageXml>",
        );
        assert_eq!(
            read(busy.as_bytes()),
            Ok(refused("ErrorServerBusy", "", Some(1500)))
        );
    }

    #[test]
    fn a_fault_has_its_code_in_the_detail_or_in_front() {
        let fault = |detail| {
            format!(
                "<s:Envelope xmlns:s=\"{SOAP}\"><s:Body><s:Fault><faultcode>a:ErrorSchemaValidation</faultcode>\
                 <faultstring>bad</faultstring>{detail}</s:Fault></s:Body></s:Envelope>"
            )
        };
        assert_eq!(
            read(fault("").as_bytes()),
            Ok(refused("ErrorSchemaValidation", "bad", None))
        );
        let detail = format!(
            "<detail><e:ResponseCode xmlns:e=\"{ERRORS}\">ErrorServerBusy</e:ResponseCode>\
             <t:MessageXml xmlns:t=\"{TYPES}\"><t:Value Name=\"BackOffMilliseconds\">7</t:Value></t:MessageXml></detail>"
        );
        assert_eq!(
            read(fault(&detail).as_bytes()),
            Ok(refused("ErrorServerBusy", "bad", Some(7)))
        );
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for (text, why) in [
            (String::new(), "not XML"),
            ("<html/>".into(), "no SOAP envelope"),
            (
                "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".into(),
                "not XML",
            ),
            ("<a>".repeat(20_000), "not XML"),
            (message("Success", ""), "no ResponseCode"),
            (
                message("Success", "<m:ResponseCode>ErrorX</m:ResponseCode>"),
                "ResponseClass and ResponseCode don't go together",
            ),
            (
                message("Error", "<m:ResponseCode>NoError</m:ResponseCode>"),
                "ResponseClass and ResponseCode don't go together",
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Err(why), "{text:.60}");
        }
        assert_eq!(read(b"\xff<a/>"), Err("not UTF-8"));
    }
}
