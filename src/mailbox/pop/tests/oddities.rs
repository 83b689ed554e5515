//! Answers that are no answers at all.

use proptest::prelude::*;

use super::*;

/// Pieces of answers, so that random ones get far.
fn pieces() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "+OK\r\n",
        "+OK",
        "-ERR\r\n",
        "-ERR [SYS/TEMP] x\r\n",
        "-ERR [AUTH\r\n",
        "+ \r\n",
        "+\r\n",
        ".\r\n",
        ".\n",
        "..\r\n",
        ".",
        "\r\n",
        "\n",
        "\r",
        "1 a\r\n",
        "2 b\r\n",
        "2 4000000\r\n",
        "3 18446744073709551616\r\n",
        "4294967295 c\r\n",
        "0 x\r\n",
        "1\r\n",
        "Subject: x\r\n\r\n",
        "From: a@b\n\n",
        "UIDL\r\nTOP\r\nPIPELINING\r\n",
        "\0",
        "\u{fc}",
        "* OK\r\n",
        "+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n",
        "+OK\r\n1 10\r\n2 20\r\n3 99999\r\n.\r\n",
        "+OK\r\nSubject: x\r\n\r\n.\r\n",
    ]);
    prop_oneof![4 => fixed.prop_map(str::to_owned), 1 => "\\PC{0,5}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_server_makes_it_panic_or_hang(
        answers in prop::collection::vec(prop::collection::vec(pieces(), 0..4), 1..40),
        capabilities in prop::sample::select(vec![None, Some(MODERN), Some("USER"), Some("SASL PLAIN")]),
        lets_in: bool,
    ) {
        let mut answers = answers.into_iter();
        let (mailbox, lines) = open_with(capabilities, &login(), Trace::off(), move |line| {
            let opens = ["AUTH", "USER", "PASS"].iter().any(|verb| line.starts_with(verb));
            if lets_in && opens {
                return b"+OK\r\n".to_vec();
            }
            answers.next().unwrap_or_default().concat().into()
        });
        let Ok(mut mailbox) = mailbox else { return Ok(()) };
        let all = mailbox.list(&Known::default()).map(|listing| listing.ids).unwrap_or_default();
        let _ = mailbox.summaries(&all);
        let queries: Vec<Query> = all.iter().map(|id| Query { id: id.clone(), text: true }).collect();
        let _ = mailbox.contents(&queries);
        let _ = mailbox.raw(&all, &mut |_, mail| assert!(mail.map_or(0, |mail| mail.len()) <= 1000));
        Box::new(mailbox).close();
        prop_assert!(lines.borrow().iter().all(|line| !line.starts_with("DELE")));
    }
}

#[test]
fn long_words_of_the_server_are_cut_and_cleaned() {
    let (mailbox, _) = open(MODERN, |_| {
        format!("-ERR \u{1b}[31m{}\r\n", "x".repeat(5000))
    });
    let text = mailbox.unwrap_err().to_string();
    assert!(!text.contains('\u{1b}') && text.len() < 400, "{text}");
}
