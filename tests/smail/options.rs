//! Each option by what arrives.

use crate::harness::recorder::{self, Recorded};
use crate::harness::{Parsed, Ran, Recorder, Table, parsed};
use crate::{PDF, Sender};

/// A mail that was sent with an option, and what the sender said.
struct Arrival<'a> {
    recorded: &'a Recorded,
    mail: Parsed,
    ran: Ran,
    sender: &'a Sender,
}

/// An option, and what has to come of it; gives that in short.
struct Case {
    arguments: &'static [&'static str],
    shows: fn(&Arrival<'_>) -> String,
}

fn case(arguments: &'static [&'static str], shows: fn(&Arrival<'_>) -> String) -> Case {
    Case { arguments, shows }
}

fn is(value: String, expected: &str) -> String {
    assert_eq!(value, expected);
    value.replace('\n', " | ")
}

fn envelope(arrival: &Arrival<'_>) -> Vec<String> {
    let recipients = arrival.recorded.recipients.iter();
    recipients
        .map(|recipient| recipient["address"].as_str().unwrap().to_owned())
        .collect()
}

fn urgency(arrival: &Arrival<'_>) -> String {
    let headers = ["X-Priority", "Importance", "Priority"];
    headers.map(|name| arrival.mail.header(name)).join(" / ")
}

fn names(arrival: &Arrival<'_>) -> String {
    let names = arrival.mail.files().into_iter().map(|file| file.name);
    names.collect::<Vec<_>>().join(", ")
}

fn cases() -> Vec<Case> {
    vec![
        case(&["/MODE=SMTP"], |a| {
            is(a.mail.text("text"), "Bonjour,\nvoil\u{e0}.")
        }),
        case(&["/mode=smtp"], |a| {
            is(a.mail.text("text"), "Bonjour,\nvoil\u{e0}.")
        }),
        case(&["/LANG=FR"], |a| {
            a.ran.says("Message envoy\u{e9}");
            "messages in French".into()
        }),
        case(&["/RETRY=3"], |a| {
            a.ran.says("Mail sent");
            "sent at the first attempt".into()
        }),
        case(&["/LOG=a.log"], |a| {
            assert!(a.sender.world.read("a.log").contains("INFO    Mail sent"));
            "a.log at INFO".into()
        }),
        case(&["/LOG_FILE=b.log", "/LOG_LEVEL=DEBUG"], |a| {
            assert!(
                a.sender
                    .world
                    .read("b.log")
                    .contains("DEBUG   SMTP 1 C: EHLO")
            );
            "b.log with the conversation".into()
        }),
        case(&["/ERROR_FILE=old.txt"], |a| {
            assert!(!a.sender.world.path("old.txt").exists());
            "old.txt was deleted".into()
        }),
        case(
            &["/SUBJECT=\u{c9}t\u{e9} 2026 \u{2013} \u{1f973}, a=b"],
            |a| {
                is(
                    a.mail.text("subject"),
                    "\u{c9}t\u{e9} 2026 \u{2013} \u{1f973}, a=b",
                )
            },
        ),
        case(&["/SUBJECT="], |a| {
            let subject = is(a.mail.text("subject"), "");
            format!("empty subject{subject}")
        }),
        case(&["--From_Name=\"Albert Dupont, \u{c9}quipe\""], |a| {
            is(
                a.mail.people("from").concat(),
                "Albert Dupont, \u{c9}quipe <jobs@example.test>",
            )
        }),
        case(&["/FROM_ADDR=albert@b\u{fc}cher.example"], |a| {
            // The servers' own words for it; the other program reads it back.
            let bytes = String::from_utf8_lossy(&a.recorded.bytes).into_owned();
            assert!(
                bytes.contains("From: albert@xn--bcher-kva.example"),
                "{bytes}"
            );
            is(
                a.recorded.sender["address"].as_str().unwrap().to_owned(),
                "albert@b\u{fc}cher.example",
            )
        }),
        case(
            &["/TO= a@example.test , b@example.test ;\"Doe, Jo\" <c@example.test>"],
            |a| {
                assert_eq!(
                    envelope(a),
                    ["a@example.test", "b@example.test", "c@example.test"]
                );
                is(
                    a.mail.people("to").join(", "),
                    "<a@example.test>, <b@example.test>, Doe, Jo <c@example.test>",
                )
            },
        ),
        case(&["/CC=cc1@example.test,cc2@example.test"], |a| {
            assert_eq!(envelope(a).len(), 3);
            is(
                a.mail.people("cc").join(", "),
                "<cc1@example.test>, <cc2@example.test>",
            )
        }),
        case(&["/BCC=hidden@example.test"], |a| {
            assert_eq!(envelope(a), ["bob@example.test", "hidden@example.test"]);
            let bytes = String::from_utf8_lossy(&a.recorded.bytes).into_owned();
            assert!(!bytes.contains("hidden"), "{bytes}");
            "in the envelope, not in the mail".into()
        }),
        case(&["/BODY_FILE=Msg.txt"], |a| {
            assert_eq!(a.mail.text("html"), "");
            is(a.mail.header("Content-Type"), "text/plain; charset=utf-8")
        }),
        case(&["/BODY_FILE=Msg.html"], |a| {
            assert!(a.mail.text("html").contains("<p>Veuillez"));
            format!("HTML, and text: {}", a.mail.text("text"))
        }),
        case(&["/ATTACH=Facture_032026.pdf,Conditions.pdf"], |a| {
            let files = a.mail.files();
            assert!(
                files
                    .iter()
                    .all(|file| file.bytes == PDF && file.kind == "application/pdf")
            );
            is(names(a), "Facture_032026.pdf, Conditions.pdf")
        }),
        case(&["/ATTACH=Offre, finale.pdf"], |a| {
            is(names(a), "Offre, finale.pdf")
        }),
        case(&["/ATTACH=\"Offre, finale.pdf\" ; Conditions.pdf"], |a| {
            is(
                names(a).replace("pdf, C", "pdf + C"),
                "Offre, finale.pdf + Conditions.pdf",
            )
        }),
        case(&["/BODY_FILE=Msg.html", "/INLINE=a;b.png"], |a| {
            is(names(a), "a;b.png")
        }),
        case(
            &["/BODY_FILE=Msg.html", "/INLINE=logo.png,banner.jpg"],
            |a| {
                let files = a.mail.files();
                assert!(
                    files
                        .iter()
                        .all(|file| file.related && file.disposition == "inline")
                );
                let ids = files.iter().filter_map(|file| file.cid.clone());
                is(ids.collect::<Vec<_>>().join(", "), "logo.png, banner.jpg")
            },
        ),
        case(&["/PRIORITY=HIGHEST"], |a| {
            is(urgency(a), "1 (Highest) / high / urgent")
        }),
        case(&["/PRIORITY=high"], |a| {
            is(urgency(a), "2 (High) / high / urgent")
        }),
        case(&["/PRIORITY=NORMAL"], |a| {
            assert_eq!(urgency(a), " /  / ");
            "no header".into()
        }),
        case(&["/PRIORITY=LOW"], |a| {
            is(urgency(a), "4 (Low) / low / non-urgent")
        }),
        case(&["/PRIORITY=LOWEST"], |a| {
            is(urgency(a), "5 (Lowest) / low / non-urgent")
        }),
        case(&["/READ_ACK"], |a| {
            let to = is(
                a.mail.header("Disposition-Notification-To"),
                "<jobs@example.test>",
            );
            format!("Disposition-Notification-To: {to}")
        }),
        case(&["/RECEPTION_ACK"], |a| {
            a.ran.says("delivery status notification (DSN)");
            assert_eq!(a.mail.header("Return-Receipt-To"), "");
            let notify = a.recorded.recipients[0]["dsn"]["notify"].to_string();
            is(notify, "[\"SUCCESS\",\"FAILURE\",\"DELAY\"]")
        }),
        case(&["/SMTP_SERVER=127.0.0.1"], |a| {
            a.ran.says("through 127.0.0.1:");
            "by its address".into()
        }),
        case(
            &[
                "/SMTP_USERNAME=u@example.test",
                "/SMTP_PASSWORD=p w",
                "/AUTH_TYPE=DEFAULT",
            ],
            |a| {
                assert_eq!(a.recorded.login["secret"], "p w");
                a.ran.complains("in clear text");
                is(a.recorded.login["method"].to_string(), "\"LOGIN\"")
            },
        ),
        case(
            &[
                "/SMTP_USERNAME=u@example.test",
                "/SMTP_PASSWORD=p",
                "/AUTH_TYPE=NONE",
            ],
            |a| {
                assert_eq!(a.recorded.user, None);
                "no log-in".into()
            },
        ),
        case(
            &[
                "/SMTP_USERNAME=u@example.test",
                "/SMTP_PASSWORD=p",
                "/AUTH_TYPE=SASL",
            ],
            |a| {
                assert!(a.recorded.secure && a.recorded.login["username"] == "u@example.test");
                is(a.recorded.login["method"].to_string(), "\"PLAIN\"")
            },
        ),
        case(
            &[
                "/SMTP_USERNAME=u@example.test",
                "/SMTP_TOKEN_FILE=token.txt",
                "/AUTH_TYPE=XOAUTH2",
            ],
            |a| {
                assert!(a.recorded.secure && a.recorded.login["secret"] == "ey.t0ken");
                is(a.recorded.login["method"].to_string(), "\"XOAUTH2\"")
            },
        ),
        case(&["/SSL_VERSION=TLSV1_2"], |a| {
            assert!(a.recorded.secure);
            "over TLS".into()
        }),
        case(&["/SSL_VERSION="], |a| {
            assert!(!a.recorded.secure);
            "in clear text".into()
        }),
    ]
}

#[test]
fn every_option_does_what_it_says() {
    let Some(server) = crate::recorder() else {
        return;
    };
    let cases = cases();
    let mut table = Table::new("option", ["what arrived".to_owned()]);
    for case in &cases {
        table.row(&case.arguments.join(" "), vec![Some(case)]);
    }
    table.prove(|case| {
        let sender = Sender::new();
        sender.file("old.txt", "an old error");
        sender.file("token.txt", "ey.t0ken\n");
        for name in [
            "Facture_032026.pdf",
            "Conditions.pdf",
            "Offre, finale.pdf",
            "a;b.png",
        ] {
            sender.file(name, PDF);
        }
        let number = cases
            .iter()
            .position(|other| std::ptr::eq(other, *case))
            .unwrap();
        // By this recipient the mail is known.
        let copy = format!("case{number}@example.test");
        let bcc = match case.arguments.iter().find(|a| a.starts_with("/BCC=")) {
            Some(given) => format!("{given},{copy}"),
            None => format!("/BCC={copy}"),
        };
        let others = case.arguments.iter().filter(|a| !a.starts_with("/BCC="));
        let arguments: Vec<_> = others.copied().chain([bcc.as_str()]).collect();
        let ran = sender.mail(server.smtp, &arguments);
        ran.exit(0);
        let mut mails = server.mails();
        let is_it = |mail: &Recorded| mail.recipients.iter().any(|r| r["address"] == copy);
        let mut recorded = mails.swap_remove(mails.iter().position(is_it).expect("a mail"));
        recorded.recipients.retain(|r| r["address"] != copy);
        (case.shows)(&Arrival {
            mail: Parsed::of(&recorded.bytes),
            recorded: &recorded,
            ran,
            sender: &sender,
        })
    });
}

#[test]
fn a_delivery_receipt_is_asked_for_by_a_header_where_there_is_no_better_way() {
    let Some(server) = Recorder::with(recorder::Options {
        hidden: &["DSN"],
        ..Default::default()
    })
    .filter(|_| parsed::is_installed()) else {
        return;
    };
    let ran = Sender::new().mail(server.smtp, &["/RECEPTION_ACK"]);
    ran.exit(0).says("by the header Return-Receipt-To");
    assert_eq!(
        crate::last(&server).header("Return-Receipt-To"),
        "<jobs@example.test>"
    );
}
