//! Rules that look into a mail: its body lines and its attachments.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, World};

/// The texts of the events (behind `$CONSOLE:DISPLAY,`) that one mail gives.
#[track_caller]
fn texts(rule: &str, mail: &[u8]) -> Vec<String> {
    let world = World::with(&Ini::folder().rule(rule));
    world.mail("1.eml", mail);
    world.run(&[]).exit(0);
    let start = "$CONSOLE:DISPLAY,";
    world
        .events()
        .iter()
        .map(|event| event.replacen(start, "", 1))
        .collect()
}

/// A body rule that writes what its mask captures.
fn body(mask: &str) -> String {
    format!("SubjectLineMask={mask}\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]")
}

/// A rule on attachment names that writes what its mask captures.
fn attachment(mask: &str) -> String {
    format!(
        "SubjectLineMask=Files\nProcessAttachments=True\nAttachmentMask={mask}\nEvent=$CONSOLE:DISPLAY,[[1]]"
    )
}

#[test]
fn the_body_is_not_looked_at_unless_asked() {
    let mail = Mail::new("x").text("total 5\n").bytes();
    let rule = "SubjectLineMask=total (\\d)\nEvent=$CONSOLE:DISPLAY,[[1]]";
    assert_eq!(texts(rule, &mail), [""; 0]);
    assert_eq!(texts(&format!("{rule}\nProcessBody=NO"), &mail), [""; 0]);
    for yes in ["YES", "Yes", "true", "1"] {
        assert_eq!(
            texts(&format!("{rule}\nProcessBody={yes}"), &mail),
            ["5"],
            "{yes}"
        );
    }
}

#[test]
fn without_a_qualifier_the_subject_and_each_line_write_their_events() {
    let mail = Mail::new("total 0")
        .text("total 1\nno\ntotal 2, total 3\n  total 4\n\ntotal 1\n")
        .bytes();
    // One match a line; equal lines each count.
    assert_eq!(
        texts(&body("total (\\d)"), &mail),
        ["0", "1", "2", "4", "1"]
    );
}

#[test]
fn a_qualifier_lets_only_body_lines_write_events() {
    let rule = format!("{}\nQualifyingSubjectLine=(?i)daily", body("total (\\d)"));
    let text = "total 1\ntotal 2\n";
    assert_eq!(
        texts(&rule, &Mail::new("Daily total 9").text(text).bytes()),
        ["1", "2"]
    );
    assert_eq!(
        texts(&rule, &Mail::new("Weekly total 9").text(text).bytes()),
        [""; 0]
    );
    assert_eq!(
        texts(&rule, &Mail::new("Daily total 9").text("nothing\n").bytes()),
        [""; 0]
    );
}

#[test]
fn anchors_hold_for_each_line_whatever_its_end() {
    for text in ["a\ntotal=7\nb", "a\r\ntotal=7\r\nb\r\n", "total=7"] {
        assert_eq!(
            texts(&body("^total=(\\d+)$"), &Mail::new("x").text(text).bytes()),
            ["7"],
            "{text:?}"
        );
    }
}

#[test]
fn bodies_are_decoded() {
    let mail = |headers: &str, content: &[u8]| {
        [
            format!("From: a@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n{headers}\r\n")
                .as_bytes(),
            content,
        ]
        .concat()
    };
    for (headers, content) in [
        (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
            &b"TWHDnzogMTIg4oKsCg==\r\n"[..],
        ),
        (
            "Content-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            b"Ma=DF: =\r\n12 =80\r\n",
        ),
        (
            "Content-Type: text/plain; charset=\"iso-8859-1\"\r\nContent-Transfer-Encoding: 8bit\r\n",
            b"Ma\xdf: 12 \x80\r\n",
        ),
        (
            "Content-Type: text/plain; charset=us-ascii\r\n",
            "Maß: 12 €\r\n".as_bytes(),
        ),
        ("Content-Type: text/plain\r\n", b"Ma\xdf: 12 \x80\r\n"),
        (
            "Content-Type: text/plain; charset=no-such\r\n",
            "Maß: 12 €\r\n".as_bytes(),
        ),
        (
            "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n",
            b"TQBhAN8AOgAgADEAMgAgAKwgCgA=\r\n",
        ),
        ("", "Maß: 12 €\r\n".as_bytes()),
    ] {
        assert_eq!(
            texts(&body("Maß: (\\d+) €"), &mail(headers, content)),
            ["12"],
            "{headers:?}"
        );
    }
}

#[test]
fn html_gives_lines_where_there_is_no_plain_text() {
    let html = "<html><head><style>total 2</style></head><body><p>tot<b>al</b>&nbsp;3</p>\
                <div>total 4<br>total&#32;5</div><table><tr><td>total 6</td></tr></table><script>total 7</script>\
                <!-- total 8 -->\n<p>total\n9</p>a &lt;total&gt; 0</body></html>";
    let mail = Mail::new("x").html(html).bytes();
    let found = texts(&body("^total\\s(\\d)$"), &mail);
    assert_eq!(found, ["3", "4", "5", "6", "9"]);
    assert_eq!(texts(&body("(<total>)"), &mail), ["<total>"]);
}

#[test]
fn html_is_not_looked_at_where_there_is_plain_text() {
    let mail = Mail::new("x")
        .text("plain total 1\n")
        .html("<p>html total 2</p>")
        .bytes();
    assert_eq!(texts(&body("total (\\d)"), &mail), ["1"]);
}

#[test]
fn every_plain_text_part_that_is_no_attachment_gives_lines() {
    let part = |headers: &str, text: &str| {
        format!("--b\r\nContent-Type: text/plain\r\n{headers}\r\n{text}\r\n")
    };
    let mail = [
        "From: a@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\ntotal 0\r\n",
        &part("", "total 1"),
        &part("Content-Disposition: inline\r\n", "total 2"),
        &part("Content-Disposition: attachment; filename=a.txt\r\n", "total 3"),
        &part("Content-Disposition: attachment\r\n", "total 4"),
        &part("Content-Disposition: inline; filename=b.txt\r\n", "total 5"),
        &part("", "total 6"),
        "--b--\r\ntotal 7\r\n",
    ]
    .concat();
    assert_eq!(
        texts(&body("total (\\d)"), mail.as_bytes()),
        ["1", "2", "6"]
    );
}

#[test]
fn an_enclosed_mail_is_an_attachment_and_gives_no_lines() {
    let mail = "From: a@example.test\r\nSubject: Files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
                --b\r\nContent-Type: text/plain\r\n\r\ntotal 1\r\n--b\r\nContent-Type: message/rfc822\r\n\
                Content-Disposition: attachment; filename=\"forwarded.eml\"\r\n\r\nSubject: total 2\r\n\r\ntotal 3\r\n--b--\r\n";
    assert_eq!(texts(&body("total (\\d)"), mail.as_bytes()), ["1"]);
    assert_eq!(
        texts(&attachment("^(.*)$"), mail.as_bytes()),
        ["forwarded.eml"]
    );
}

#[test]
fn a_mask_that_can_span_lines_is_searched_in_the_whole_body() {
    let text = "BEGIN\nJob: A\nState: OK\nBEGIN\nJob: B\n\nState: BAD\nJob: C\n";
    let mail = Mail::new("x").text(text).bytes();
    assert_eq!(texts(&body("(?s)BEGIN.Job: (\\w)"), &mail), ["A", "B"]);
    assert_eq!(texts(&body("Job: (\\w)\\r?\\nState: OK"), &mail), ["A"]);
    assert_eq!(
        texts(&body("(?s)Job: (\\w).*?State"), &mail),
        ["A", "B"],
        "matches do not overlap"
    );
}

#[test]
fn a_mask_that_can_not_span_lines_never_does() {
    let mail = Mail::new("x").text("Job: A\nState: OK\n").bytes();
    assert_eq!(texts(&body("Job: (\\w)\\s+State"), &mail), [""; 0]);
}

#[test]
fn every_matching_attachment_writes_the_events_once_equal_names_too() {
    let mail = Mail::new("Files")
        .attach("a.csv", b"1")
        .attach("b.txt", b"2")
        .attach("c.csv", b"3")
        .attach("a.csv", b"4");
    assert_eq!(
        texts(&attachment("(\\w)\\.csv$"), &mail.bytes()),
        ["a", "c", "a"]
    );
}

#[test]
fn the_subject_must_match_too() {
    let mail = Mail::new("other").attach("a.csv", b"1").bytes();
    assert_eq!(texts(&attachment("(a)"), &mail), [""; 0]);
    assert_eq!(
        texts(
            &attachment("(z)"),
            &Mail::new("Files").attach("a.csv", b"1").bytes()
        ),
        [""; 0]
    );
    assert_eq!(
        texts(&attachment("(.)"), &Mail::new("Files").bytes()),
        [""; 0]
    );
}

#[test]
fn a_blank_attachment_mask_takes_any_attachment() {
    let rule =
        "SubjectLineMask=Files\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[ATTACHMENTNAME]]";
    let mail = Mail::new("Files")
        .attach("a.csv", b"1")
        .attach("b.txt", b"2")
        .bytes();
    assert_eq!(texts(rule, &mail), ["a.csv", "b.txt"]);
    assert_eq!(texts(rule, &Mail::new("Files").bytes()), [""; 0]);
}

#[test]
fn groups_are_numbered_through_from_the_subject_to_the_attachment() {
    let rule = "SubjectLineMask=(\\w+) of (?<day>\\w+)\nProcessAttachments=True\nAttachmentMask=^(\\w+)\\.(?<kind>\\w+)$\n\
                Event=$CONSOLE:DISPLAY,[[1]] [[2]] [[3]] [[4]] [[day]] [[kind]] [[5]]";
    let mail = Mail::new("Report of Monday")
        .attach("sales.csv", b"1")
        .bytes();
    assert_eq!(
        texts(rule, &mail),
        ["Report Monday sales csv Monday csv [[5]]"]
    );
}

#[test]
fn an_attachment_mask_alone_asks_for_nothing() {
    let rule = "SubjectLineMask=(Files)\nAttachmentMask=never\nEvent=$CONSOLE:DISPLAY,[[1]]";
    assert_eq!(texts(rule, &Mail::new("Files").bytes()), ["Files"]);
    assert_eq!(
        texts(
            &format!("{rule}\nProcessAttachments=false"),
            &Mail::new("Files").bytes()
        ),
        ["Files"]
    );
}

#[test]
fn inline_parts_with_a_file_name_are_attachments() {
    let mail = Mail::new("Files")
        .html("<img src=cid:logo>")
        .inline("logo.png", b"png")
        .attach("a.csv", b"1");
    assert_eq!(
        texts(&attachment("^(.+)$"), &mail.bytes()),
        ["logo.png", "a.csv"]
    );
}

#[test]
fn attachments_of_html_mails_are_seen() {
    let mail = Mail::new("Files")
        .text("plain")
        .html("<p>html</p>")
        .attach("deep.csv", b"1");
    assert_eq!(texts(&attachment("^(.+)$"), &mail.bytes()), ["deep.csv"]);
    let related = "From: a@example.test\r\nSubject: Files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
                   --r\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--r\r\nContent-Type: text/csv; name=\"in type.csv\"\r\n\r\na,b\r\n--r--\r\n";
    assert_eq!(
        texts(&attachment("^(.+)$"), related.as_bytes()),
        ["in type.csv"]
    );
}

#[test]
fn a_mail_that_is_nothing_but_an_attachment_has_one() {
    let mail = "From: a@example.test\r\nSubject: Files\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf; name=\"scan.pdf\"\r\n\
                Content-Disposition: attachment; filename=\"scan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n";
    assert_eq!(texts(&attachment("^(.+)$"), mail.as_bytes()), ["scan.pdf"]);
}

#[test]
fn attachment_names_are_decoded_in_every_way_that_mails_write_them() {
    for (disposition, name) in [
        ("attachment; filename=plain.csv", "plain.csv"),
        (
            "attachment; filename=\"with space; and \\\"quote.csv\"",
            "with space; and \"quote.csv",
        ),
        (
            "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.csv",
            "Größe.csv",
        ),
        (
            "attachment; filename*=windows-1252'de'Gr%F6%DFe%20%80.csv",
            "Größe €.csv",
        ),
        (
            "attachment; filename*0*=utf-8''Gr%C3%B6; filename*1*=%C3%9Fe; filename*2=.csv",
            "Größe.csv",
        ),
        (
            "attachment; filename*0=part; filename*1=ed.csv",
            "parted.csv",
        ),
        (
            "attachment; filename=\"=?utf-8?B?R3LDtsOfZS5jc3Y=?=\"",
            "Größe.csv",
        ),
        (
            "attachment; filename==?windows-1252?Q?Gr=F6=DFe.csv?=",
            "Größe.csv",
        ),
        (
            "attachment; filename=old.csv; filename*=utf-8''new.csv",
            "new.csv",
        ),
        ("attachment; filename=\"Größe.csv\"", "Größe.csv"),
        ("ATTACHMENT; FILENAME=\"Upper.csv\"", "Upper.csv"),
        (
            "attachment; filename=\"2026/01 report.csv\"",
            "2026/01 report.csv",
        ),
    ] {
        let mail = Mail::new("Files").part(disposition, b"1").bytes();
        assert_eq!(texts(&attachment("^(.+)$"), &mail), [name], "{disposition}");
    }
}
