//! The one request that is made of EWS, in XML.

use data_encoding::BASE64;

use super::Version;
use crate::send::{Mail, Person};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\">";

/// `CreateItem`, which sends the mail and keeps a copy in the mailbox's Sent Items. The order of
/// the elements is the schema's (`types.xsd`, `MessageType`).
pub(super) fn create_item(
    version: Version,
    impersonate: Option<&str>,
    mail: &Mail,
    mime: &[u8],
) -> String {
    let mut xml = Xml(HEAD.to_owned());
    xml.within("s:Header", |xml| {
        xml.empty("t:RequestServerVersion", &[("Version", version.name())]);
        if let Some(mailbox) = impersonate {
            xml.within("t:ExchangeImpersonation", |xml| {
                xml.within("t:ConnectingSID", |xml| {
                    xml.text("t:PrimarySmtpAddress", mailbox);
                });
            });
        }
    });
    xml.within("s:Body", |xml| {
        let disposition = [("MessageDisposition", "SendAndSaveCopy")];
        xml.element("m:CreateItem", &disposition, |xml| {
            xml.within("m:SavedItemFolderId", |xml| {
                xml.empty("t:DistinguishedFolderId", &[("Id", "sentitems")]);
            });
            xml.within("m:Items", |xml| {
                xml.within("t:Message", |xml| message(xml, mail, mime));
            });
        });
    });
    xml.0.push_str("</s:Envelope>");
    xml.0
}

fn message(xml: &mut Xml, mail: &Mail, mime: &[u8]) {
    let charset = [("CharacterSet", "UTF-8")];
    xml.element("t:MimeContent", &charset, |xml| {
        BASE64.encode_append(mime, &mut xml.0);
    });
    if !mail.bcc.is_empty() {
        xml.within("t:BccRecipients", |xml| {
            mail.bcc.iter().for_each(|person| mailbox(xml, person));
        });
    }
    if mail.delivery_receipt {
        xml.text("t:IsDeliveryReceiptRequested", "true");
    }
}

fn mailbox(xml: &mut Xml, person: &Person) {
    xml.within("t:Mailbox", |xml| {
        if !person.name.is_empty() {
            xml.text("t:Name", &person.name);
        }
        xml.text("t:EmailAddress", person.address.as_str());
    });
}

/// XML as it is written: whatever is begun ends.
struct Xml(String);

impl Xml {
    fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        self.0.push('>');
        content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element(name, &[], content);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.within(name, |xml| xml.escaped(text));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes);
        self.0.push_str("/>");
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.escaped(value);
            self.0.push('"');
        }
    }

    /// What has a meaning is escaped, and what XML can't hold (XML 1.0, section 2.2) becomes a
    /// blank.
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => self.0.push(' '),
                c => self.0.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_its_element() {
        let mut xml = Xml(String::new());
        let text = "a<b>&\"'\u{1}\r\n\u{ffff}\u{e4}";
        xml.element("e", &[("a", text)], |xml| xml.text("f", text));
        let read = roxmltree::Document::parse(&xml.0).unwrap();
        let expected = "a<b>&\"'    \u{e4}";
        let element = read.root_element();
        assert_eq!(element.attribute("a"), Some(expected));
        assert_eq!(element.first_child().unwrap().text(), Some(expected));
    }
}
