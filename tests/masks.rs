//! Masks that could take for ever: the work on each mail is bounded, told, and holds up no other.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

use harness::{Ini, Mail, World};

/// Runs a mask that never ends over a mail that it was made for, and over one that it is good for.
#[track_caller]
fn assert_given_up(mask: &str, text: &str, good: &str) {
    let ini = Ini::folder()
        .set("General", "DeleteEmails", "All")
        .rule(&format!(
            "SubjectLineMask={mask}\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,found"
        ));
    let mails = [
        Mail::new("slow").text(text),
        Mail::new("good").text(good),
        Mail::new("other").text("nothing\n"),
    ];
    let world = World::with_mails(&ini, &mails);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["[Configuration1]", "slow", mask]);
    assert!(ran.took < Duration::from_secs(20), "{ran}");
    assert_eq!(ran.stderr.matches("[Configuration1]").count(), 1, "{ran}");
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,found"]);
    assert_eq!(world.mails_left(), ["001.eml"]);
}

#[test]
fn nested_repetition_with_a_back_reference_is_bounded_over_all_lines_of_a_mail() {
    // Every line is beyond the steps of one text, or within them and thousands are minutes.
    for (length, count) in [(18, 2000), (12, 4000)] {
        let lines = format!("{}c\n", "a".repeat(length)).repeat(count);
        assert_given_up(r"^(?:(a+)\1?)+b", &lines, "aaab\n");
    }
}

#[test]
fn looking_ahead_from_every_place_of_long_lines_is_bounded() {
    let lines = format!("{}\n", "word ".repeat(3000)).repeat(20);
    assert_given_up(r"(\w+)(?=.*X) failed", &lines, "job failed: X\n");
}
