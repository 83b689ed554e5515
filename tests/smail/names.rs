//! How the sender is called.

use std::process::Command;

use crate::Sender;

/// The program under another name.
fn called(name: &str, copy: bool, arguments: &[&str]) -> (Option<i32>, String, String) {
    let sender = Sender::new();
    let program = env!("CARGO_BIN_EXE_smartemail");
    let path = sender.world.path(name);
    if copy {
        // A file that this process writes is busy as long as another test's child has it too.
        let copied = Command::new("cp").arg(program).arg(&path).status();
        assert!(copied.unwrap().success());
    } else {
        std::os::unix::fs::symlink(program, &path).unwrap();
    }
    let ran = Command::new(path)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir(sender.world.path(""))
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

#[test]
fn a_link_or_a_copy_is_the_sender() {
    for (name, copy) in [
        ("smail", false),
        ("SMail", false),
        ("SMAIL.EXE", false),
        ("SMail.exe", true),
    ] {
        let (code, help, _) = called(name, copy, &["/?"]);
        assert_eq!(code, Some(0), "{name}");
        assert!(
            help.starts_with("smail ") && help.contains("/RECEPTION_ACK"),
            "{name}: {help}"
        );
        let (code, _, told) = called(name, copy, &["/MODE=FAX"]);
        assert!(
            code == Some(9) && told.contains("/MODE=FAX"),
            "{name}: {told}"
        );
    }
    let (code, help, _) = called("mailer", false, &["--help"]);
    assert!(code == Some(0) && help.contains("--explain"), "{help}");
}

#[test]
fn the_first_argument_makes_it_the_sender_too() {
    let sender = Sender::new();
    for first in ["smail", "SMail", "SMAIL"] {
        sender
            .world
            .run_bare(&[first, "/HELP"])
            .exit(0)
            .says("/SMTP_SERVER=host");
    }
    // Only there.
    sender.world.run_bare(&["/HELP", "smail"]).exit(1);
}

#[test]
fn help_comes_in_every_way_that_it_is_asked_for() {
    let sender = Sender::new();
    let help = sender.run(&["/?"]);
    help.exit(0).without_complaint();
    for arguments in [
        &["/HELP"][..],
        &["/help"],
        &["--help"],
        &[],
        &["/TO=x", "/?", "/NONSENSE"],
    ] {
        let ran = sender.run(arguments);
        ran.exit(0).without_complaint();
        assert_eq!(ran.stdout, help.stdout, "{arguments:?}");
    }
}

#[test]
fn the_other_face_tells_of_it() {
    Sender::new()
        .world
        .run_bare(&["--help"])
        .exit(0)
        .says("smartemail smail /?");
}

#[test]
fn the_readme_has_every_option_and_every_exit_code() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("\n## smail").unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `/"));
    let first = rows.map(|row| row.split('|').nth(1).unwrap());
    let mut told: Vec<_> = first
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .filter(|name| !["/?", "/HELP", "/LOG_FILE"].contains(&name.as_str()))
        .collect();
    let help = Sender::new().run(&["/?"]).stdout;
    let lines = help
        .lines()
        .take_while(|line| !line.starts_with("What each way"));
    let mut there: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("  /"))
        .map(|line| format!("/{}", line.split([' ', '=', ',']).next().unwrap()))
        .filter(|name| name != "/?")
        .collect();
    told.sort();
    there.sort();
    assert_eq!(told, there);
    for code in 0..10 {
        assert!(section.contains(&format!("\n| {code} | ")), "{code}");
    }
}
