//! Mails for the tests: plain ones with a few words, odd ones header by header.

use data_encoding::BASE64;

/// A mail in the making. What is not given has an ordinary value.
#[derive(Clone, Debug)]
pub struct Mail {
    from: Option<String>,
    subject: Option<String>,
    received: Option<String>,
    date: Option<String>,
    headers: Vec<String>,
    text: Option<String>,
    html: Option<String>,
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    disposition: String,
    bytes: Vec<u8>,
}

/// The sender of a mail that names none.
pub const SENDER: &str = "ops@example.test";
/// When a mail was sent and received that does not say otherwise.
pub const NOON: &str = "Tue, 6 Jan 2026 12:00:00 +0000";

/// This hour of the same day.
pub fn at_hour(hour: u32) -> String {
    format!("Tue, 6 Jan 2026 {hour:02}:00:00 +0000")
}

impl Mail {
    /// A mail "Test WORD" with a Message-ID of its own, received at this hour by its header.
    pub fn named(word: &str, hour: u32) -> Self {
        Self::new(&format!("Test {word}"))
            .received(&at_hour(hour))
            .header(&format!("Message-ID: <{word}@example.test>"))
    }

    /// A mail with this subject, from [`SENDER`], received at [`NOON`], with one line of text.
    pub fn new(subject: &str) -> Self {
        Self {
            from: Some(SENDER.to_owned()),
            subject: Some(encoded(subject)),
            received: Some(NOON.to_owned()),
            date: Some(NOON.to_owned()),
            headers: Vec::new(),
            text: None,
            html: None,
            files: Vec::new(),
        }
    }

    /// A mail that has no Subject header at all.
    pub fn without_subject() -> Self {
        Self {
            subject: None,
            ..Self::new("")
        }
    }

    /// What stands in the From header.
    pub fn from(self, from: &str) -> Self {
        Self {
            from: Some(from.to_owned()),
            ..self
        }
    }

    /// A mail without From.
    pub fn without_from(self) -> Self {
        Self { from: None, ..self }
    }

    /// The date of the newest Received header.
    pub fn received(self, date: &str) -> Self {
        Self {
            received: Some(date.to_owned()),
            ..self
        }
    }

    /// A mail that no server has put its stamp on.
    pub fn without_received(self) -> Self {
        Self {
            received: None,
            ..self
        }
    }

    /// What stands in the Date header.
    pub fn date(self, date: &str) -> Self {
        Self {
            date: Some(date.to_owned()),
            ..self
        }
    }

    /// A mail without Date.
    pub fn without_date(self) -> Self {
        Self { date: None, ..self }
    }

    /// One more header line, written as it is.
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// The plain text.
    pub fn text(self, text: &str) -> Self {
        Self {
            text: Some(text.to_owned()),
            ..self
        }
    }

    /// The HTML text.
    pub fn html(self, html: &str) -> Self {
        Self {
            html: Some(html.to_owned()),
            ..self
        }
    }

    /// One more attached file.
    pub fn attach(self, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("attachment; filename=\"{name}\""), bytes)
    }

    /// One more file that is shown inside the text.
    pub fn inline(self, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("inline; filename=\"{name}\""), bytes)
    }

    /// One more file with a Content-Disposition of one's own.
    pub fn part(mut self, disposition: &str, bytes: &[u8]) -> Self {
        self.files.push(File {
            disposition: disposition.to_owned(),
            bytes: bytes.to_vec(),
        });
        self
    }

    /// The mail as it lies on a server, with CRLF line ends.
    pub fn bytes(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        if let Some(date) = &self.received {
            lines.push(format!(
                "Received: from mx.example.test by mail.example.test with ESMTP id 1;\n {date}"
            ));
        }
        lines.extend(self.from.iter().map(|from| format!("From: {from}")));
        lines.push("To: opcon@example.test".to_owned());
        lines.extend(
            self.subject
                .iter()
                .map(|subject| format!("Subject: {subject}")),
        );
        lines.extend(self.date.iter().map(|date| format!("Date: {date}")));
        lines.extend(self.headers.iter().cloned());
        lines.push("MIME-Version: 1.0".to_owned());
        lines.push(self.content());
        lines
            .join("\n")
            .replace("\r\n", "\n")
            .replace('\n', "\r\n")
            .into_bytes()
    }

    fn content(&self) -> String {
        let text = match (&self.text, &self.html) {
            (Some(text), Some(html)) => {
                multipart("alternative", &[leaf("plain", text), leaf("html", html)])
            }
            (None, Some(html)) => leaf("html", html),
            (text, None) => leaf("plain", text.as_deref().unwrap_or("One line of text.\n")),
        };
        if self.files.is_empty() {
            return text;
        }
        let mut parts = vec![text];
        parts.extend(self.files.iter().map(attached));
        multipart("mixed", &parts)
    }
}

/// A header value in RFC 2047 words where it is not plain ASCII.
pub fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    // An encoded word holds at most 75 characters: 30 bytes of text stay below that.
    let mut words = vec![String::new()];
    for letter in text.chars() {
        if words
            .last()
            .is_some_and(|word| word.len() + letter.len_utf8() > 30)
        {
            words.push(String::new());
        }
        words.last_mut().unwrap().push(letter);
    }
    let words = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes())));
    words.collect::<Vec<_>>().join("\n ")
}

fn leaf(kind: &str, text: &str) -> String {
    format!("Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}")
}

fn attached(file: &File) -> String {
    let code = BASE64.encode(&file.bytes);
    let lines: Vec<_> = code
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "Content-Type: application/octet-stream\nContent-Disposition: {}\nContent-Transfer-Encoding: base64\n\n{}\n",
        file.disposition,
        lines.join("\n")
    )
}

fn multipart(kind: &str, parts: &[String]) -> String {
    let boundary = format!("next-{kind}-part");
    let mut text = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\n\n");
    for part in parts {
        text += &format!("--{boundary}\n{part}\n");
    }
    text + &format!("--{boundary}--\n")
}
