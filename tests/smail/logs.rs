//! The log and the file for the final error.

use chrono::NaiveDateTime;

use crate::harness::daemon;
use crate::{Sender, recorder};

#[test]
fn each_level_has_its_lines_with_time_and_name() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    let levels = ["ERROR", "WARNING", "INFO", "DEBUG"];
    for (number, level) in levels.iter().enumerate() {
        let log = format!("{level}.log");
        let log_file = format!("/LOG_FILE={log}");
        let log_level = format!("/log_level={}", level.to_lowercase());
        // A password in clear text is worth a warning; a recipient who is refused an error.
        for to in ["bob@example.test", "reject@example.test"] {
            let to = format!("/TO={to}");
            let login = ["/SMTP_USERNAME=u@example.test", "/SMTP_PASSWORD=x"];
            sender.mail(
                server.smtp,
                &[&[log_file.as_str(), &log_level, &to], &login[..]].concat(),
            );
        }
        let text = sender.world.read(&log);
        for line in text.lines() {
            let (time, rest) = line.split_at(23);
            NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S%.3f").unwrap();
            let name = rest.split_whitespace().next().unwrap();
            assert!(levels[..=number].contains(&name), "{line}");
        }
        for (at, name) in levels.iter().enumerate() {
            let there = text.contains(&format!(" {name} "));
            assert_eq!(there, at <= number, "{level}: {name}\n{text}");
        }
    }
    let debug = sender.world.read("DEBUG.log");
    assert!(
        debug.contains("S: 220") && debug.contains("C: EHLO"),
        "{debug}"
    );
    // What the system says, in its own words, stands nowhere else.
    let [nobody] = daemon::free_ports("127.0.0.1");
    let log = ["/LOG=DEBUG.log", "/LOG_LEVEL=DEBUG", "/LANG=FR"];
    let ran = sender.mail(nobody, &log);
    ran.exit(3).complains("a refus\u{e9} la connexion");
    let words = "Connection refused";
    let debug = sender.world.read("DEBUG.log");
    assert!(debug.contains(&format!("DEBUG   {words}")), "{debug}");
    assert!(!ran.stderr.contains(words), "{ran}");
    sender
        .mail(server.smtp, &["/LOG=none.log", "/LOG_LEVEL=NONE"])
        .exit(0);
    assert!(!sender.world.path("none.log").exists());
}

#[test]
fn a_log_grows_and_is_at_info_without_a_level() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    sender.mail(server.smtp, &["/LOG=log.txt"]).exit(0);
    let first = sender.world.read("log.txt");
    sender.mail(server.smtp, &["/LOG=log.txt"]).exit(0);
    let both = sender.world.read("log.txt");
    assert!(both.starts_with(&first) && both.len() > first.len());
    for text in [
        "plain SMTP",
        "From jobs@example.test to bob@example.test",
        "Attempt 1 of 1",
        "Mail sent to bob@example.test",
    ] {
        assert!(first.contains(text), "{text} in {first}");
    }
    assert!(!first.contains("DEBUG"), "{first}");
}

#[test]
fn the_error_file_holds_the_last_error_and_goes_with_success() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new();
    let ran = sender.mail(
        server.smtp,
        &["/ERROR_FILE=error.txt", "/TO=reject@example.test"],
    );
    ran.exit(5);
    let told = sender.world.log("error.txt");
    assert_eq!(format!("Error: {told}"), ran.stderr);
    // Wrong options are told there as well.
    sender.run(&["/ERROR_FILE=error.txt"]).exit(2);
    assert!(
        sender
            .world
            .read("error.txt")
            .contains("/SMTP_SERVER, /FROM_ADDR, /TO, /BODY_FILE")
    );
    sender
        .mail(server.smtp, &["/ERROR_FILE=error.txt"])
        .exit(0)
        .without_complaint();
    assert!(!sender.world.path("error.txt").exists());
    sender.mail(server.smtp, &["/ERROR_FILE=error.txt"]).exit(0);
    // What can't be written or deleted changes nothing but a line.
    sender
        .mail(
            server.smtp,
            &["/ERROR_FILE=none/error.txt", "/TO=reject@example.test"],
        )
        .exit(5)
        .complains("/ERROR_FILE: the file none/error.txt can't be written");
    std::fs::create_dir(sender.world.path("folder")).unwrap();
    sender
        .mail(server.smtp, &["/ERROR_FILE=folder"])
        .exit(0)
        .complains("Warning: /ERROR_FILE: folder can't be deleted");
}
