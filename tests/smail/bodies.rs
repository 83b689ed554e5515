//! What a body file becomes.

use crate::{Sender, last, recorder};

#[test]
fn a_text_arrives_whatever_it_was_written_in() {
    let Some(server) = recorder() else { return };
    let text = "D\u{e9}j\u{e0} vu \u{2013} 5 \u{20ac}\n.\nend";
    let utf16 = |mark: &[u8], units: fn(u16) -> [u8; 2]| {
        let bytes = text.encode_utf16().flat_map(units);
        mark.iter().copied().chain(bytes).collect::<Vec<u8>>()
    };
    let sender = Sender::new();
    for (name, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        (
            "UTF-8 with a mark",
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        ),
        ("UTF-16LE with a mark", utf16(b"\xFF\xFE", u16::to_le_bytes)),
        ("UTF-16BE with a mark", utf16(b"\xFE\xFF", u16::to_be_bytes)),
        ("UTF-16LE", utf16(b"", u16::to_le_bytes)),
        (
            "Windows-1252",
            b"D\xE9j\xE0 vu \x96 5 \x80\n.\nend".to_vec(),
        ),
    ] {
        sender.file("Msg.txt", &bytes);
        sender.mail(server.smtp, &[]).exit(0);
        let mail = last(&server);
        assert_eq!(mail.text("text"), text, "{name}");
        assert_eq!(mail.text("html"), "", "{name}");
    }
}

#[test]
fn a_page_arrives_with_a_text_of_its_own() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    for name in ["Mail.html", "MAIL.HTM"] {
        sender.file(
            name,
            "<html><body><h1>Offre</h1><p>\u{c0} bient\u{f4}t&nbsp;!</p></body></html>",
        );
        sender
            .mail(server.smtp, &[&format!("/BODY_FILE={name}")])
            .exit(0);
        let mail = last(&server);
        assert!(
            mail.text("html")
                .contains("<p>\u{c0} bient\u{f4}t&nbsp;!</p>")
        );
        assert_eq!(mail.text("text"), "Offre\n\u{c0} bient\u{f4}t !");
    }
    sender.file("latin.html", b"<meta charset=iso-8859-15><p>5 \xA4</p>");
    sender.mail(server.smtp, &["/BODY_FILE=latin.html"]).exit(0);
    assert_eq!(last(&server).text("text"), "5 \u{20ac}");
}

#[test]
fn pictures_are_shown_by_their_names_and_files_keep_theirs() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    sender.file(
        "page.html",
        "<p><img src=\"cid:logo.png\"><img src='cid:\u{e9}t\u{e9} 1.png'></p>",
    );
    sender.file("\u{e9}t\u{e9} 1.png", crate::PNG);
    for (name, bytes) in [
        ("R\u{e9}sum\u{e9} n\u{b0} 1, final.pdf", crate::PDF),
        ("\u{8acb}\u{6c42}\u{66f8}.xlsx", b"PK\x03\x04"),
        ("data.CSV", b"a;b\n"),
        ("old.eml", b"Subject: x\n\n.\n"),
        ("noextension", b"\0\x01\xff"),
    ] {
        sender.file(name, bytes);
    }
    sender
        .mail(
            server.smtp,
            &[
                "/BODY_FILE=page.html",
                "/INLINE=logo.png; \u{e9}t\u{e9} 1.png",
                "/ATTACH=\"R\u{e9}sum\u{e9} n\u{b0} 1, final.pdf\", \u{8acb}\u{6c42}\u{66f8}.xlsx ;data.CSV,old.eml,noextension",
            ],
        )
        .exit(0);
    let mail = last(&server);
    let html = mail.text("html");
    let files = mail.files();
    let told: Vec<_> = files
        .iter()
        .map(|file| {
            (
                file.name.as_str(),
                file.kind.as_str(),
                file.disposition.as_str(),
                file.related,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("logo.png", "image/png", "inline", true),
            ("\u{e9}t\u{e9} 1.png", "image/png", "inline", true),
            (
                "R\u{e9}sum\u{e9} n\u{b0} 1, final.pdf",
                "application/pdf",
                "attachment",
                false
            ),
            (
                "\u{8acb}\u{6c42}\u{66f8}.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "attachment",
                false
            ),
            ("data.CSV", "text/csv", "attachment", false),
            // The other program knows it by its name.
            ("old.eml", "message/rfc822", "attachment", false),
            (
                "noextension",
                "application/octet-stream",
                "attachment",
                false
            ),
        ]
    );
    // It may know the others by their names, too.
    let bytes = server.mails().pop().unwrap().bytes;
    let written = String::from_utf8_lossy(&bytes).into_owned();
    let types = written
        .lines()
        .filter_map(|line| line.strip_prefix("Content-Type: "));
    let types: Vec<_> = types.map(|line| line.split(';').next().unwrap()).collect();
    assert_eq!(
        types,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "image/png",
            "application/pdf",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "text/csv",
            "application/octet-stream",
            "application/octet-stream",
        ]
    );
    for file in &files[..2] {
        let shown = format!("cid:{}", file.cid.as_ref().unwrap());
        assert!(html.contains(&shown), "{shown} in {html}");
    }
    assert_eq!(files[0].cid.as_deref(), Some("logo.png"));
    assert_eq!(
        (files[2].bytes.as_slice(), files[6].bytes.as_slice()),
        (crate::PDF, &b"\0\x01\xff"[..])
    );
}
