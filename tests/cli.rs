//! The command line: how switches may be written, what is refused, and what wins over what.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, World};

const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

/// A world in which a plain run would write one event.
fn ready() -> World {
    World::with_mails(&Ini::folder().rule(RULE), &[Mail::new("Test")])
}

/// The program refused these arguments: exit 1, one line that names the switch, then the
/// usage line, and nothing was touched.
#[track_caller]
fn assert_refused(args: &[&str], switch: &str) {
    let world = ready();
    let before = world.tree();
    let ran = world.run(args);
    ran.exit(1);
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "one line and the usage line\n{ran}");
    assert!(
        lines.iter().take(1).all(|line| named(line, switch)),
        "the first line names {switch}\n{ran}"
    );
    assert!(
        lines
            .iter()
            .skip(1)
            .all(|line| line.to_lowercase().starts_with("usage:")),
        "{ran}"
    );
    assert_eq!(ran.stdout, "", "{ran}");
    world.tree().assert_same_as(&before);
}

fn named(line: &str, switch: &str) -> bool {
    line.to_lowercase().contains(&switch.to_lowercase())
}

/// A server that is asked for in one of many spellings and can't be reached: the answer
/// names it.
#[track_caller]
fn assert_server_is_understood(args: &[&str]) {
    let world = World::with(
        &Ini::imap(9)
            .unset("Mail", "Server")
            .unset("Mail", "Port")
            .rule(RULE),
    );
    let ran = world.run(args);
    ran.exit(2);
    assert!(
        ran.stderr.contains("127.0.0.1") && ran.stderr.contains('9'),
        "{ran}"
    );
}

#[test]
fn switches_are_case_insensitive_with_one_or_two_dashes() {
    for delete in ["--delete", "-delete", "--DELETE", "-Delete"] {
        let world = ready();
        world.run(&[delete]).exit(0);
        assert_eq!(world.mails_left().len(), 0, "{delete}");
    }
}

#[test]
fn a_value_comes_after_a_colon_an_equals_sign_or_as_the_next_argument() {
    assert_server_is_understood(&["-server:127.0.0.1", "-port:9"]);
    assert_server_is_understood(&["--Server=127.0.0.1", "--PORT=9"]);
    assert_server_is_understood(&["--server", "127.0.0.1", "-Port", "9"]);
}

#[test]
fn a_value_may_hold_colons_and_equals_signs() {
    let world = ready();
    std::fs::rename(world.path("mails"), world.path("a=b")).unwrap();
    world
        .run(&[&format!("-folder:{}", world.place("a=b"))])
        .exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn an_unknown_switch_is_refused() {
    assert_refused(&["--imagine"], "imagine");
    assert_refused(&["-imapp"], "imapp");
    assert_refused(&["/delete"], "/delete");
}

#[test]
fn a_doubled_switch_is_refused() {
    assert_refused(&["--delete", "--delete"], "delete");
    assert_refused(&["-server:a", "--SERVER=b"], "server");
}

#[test]
fn a_missing_value_is_refused() {
    assert_refused(&["-server"], "server");
    assert_refused(&["-server:"], "server");
    assert_refused(&["-port", "--imap"], "port");
    assert_refused(&["-folder="], "folder");
}

#[test]
fn a_port_that_is_none_is_refused() {
    for port in ["-port:0", "-port:65536", "-port:imap", "-port:-1"] {
        assert_refused(&[port], "port");
    }
}

#[test]
fn switches_that_exclude_each_other_are_refused() {
    assert_refused(&["--pop", "--imap"], "--pop");
    assert_refused(&["--msal", "--imap"], "--msal");
    assert_refused(&["--ssl", "--tls1_2"], "--ssl");
    assert_refused(&["--tls1_1", "--tls1_2"], "--tls1_1");
    assert_refused(
        &[
            "--renewMsalToken",
            "--renewTokenSilent",
            "--doNotSaveAccount",
        ],
        "--renewTokenSilent",
    );
}

#[test]
fn the_switches_of_a_token_renewal_need_it() {
    assert_refused(&["--renewTokenSilent"], "--renewMsalToken");
    assert_refused(&["--msal", "--doNotSaveAccount"], "--renewMsalToken");
}

#[test]
fn credentials_need_the_opcon_user_and_password() {
    assert_refused(&["--credentials", "-opconuser:batch"], "opconpassword");
    assert_refused(
        &["--credentials", "-opconpassword:Never-shown-77"],
        "opconuser",
    );
    assert_refused(&["-opconuser:batch"], "credentials");
}

#[test]
fn a_refusal_never_repeats_a_password() {
    let world = ready();
    for args in [
        &["--credentials", "-opconpassword:Never-shown-77"][..],
        &[
            "--credentials",
            "-opconuser:a",
            "-opconpassword:Never-shown-77",
            "-opconpassword:Never-shown-77",
        ],
        &["-password:Never-shown-77"],
        &["-passwort:Never-shown-77"],
        &["-password", "Never-shown-77"],
        &[
            "--credentials",
            "-opconuser:u",
            "-opconpassword",
            "-Never-shown-77",
        ],
        &[
            "--credentials",
            "-opconuser:u",
            "-opconpassword",
            "my",
            "Never-shown-77",
        ],
        &[
            "--credentials",
            "-opconuser:u",
            "-opconpassword:x",
            "--Never-shown-77:y",
        ],
    ] {
        world.secret("Never-shown-77");
        world.run(args).exit(1);
    }
}

#[test]
fn help_names_every_switch_on_standard_output() {
    for spelling in ["--help", "-help", "--HELP"] {
        let ran = World::new().run_bare(&[spelling]);
        ran.exit(0).without_complaint();
        for switch in [
            "server",
            "port",
            "folder",
            "--imap",
            "--pop",
            "--msal",
            "--ssl",
            "--tls1_1",
            "--tls1_2",
            "--delete",
            "--renewMsalToken",
            "--renewTokenSilent",
            "--doNotSaveAccount",
            "--credentials",
            "user",
            "password",
            "opconuser",
            "opconpassword",
            "inifile",
            "--explain",
            "--check",
            "--verbose",
            "--version",
        ] {
            ran.says(switch);
        }
    }
}

#[test]
fn version_is_printed_on_standard_output() {
    let ran = World::new().run_bare(&["--version"]);
    ran.exit(0)
        .without_complaint()
        .says(env!("CARGO_PKG_VERSION"))
        .says("smartemail");
}

#[test]
fn help_and_version_need_no_ini_file_and_touch_nothing() {
    let world = ready();
    let before = world.tree();
    world.run(&["--help"]).exit(0);
    world.run(&["--version"]).exit(0);
    world.tree().assert_same_as(&before);
}

#[test]
fn msal_on_the_command_line_needs_an_application_and_no_server() {
    let world = World::with(&Ini::folder().unset("Mail", "EmailProtocol").rule(RULE));
    for switch in ["--msal", "--renewMsalToken"] {
        let before = world.tree();
        let ran = world.run(&[switch]);
        ran.exit(2).complains("[MSAL] ClientId is not set");
        assert!(!named(&ran.stderr, "Server"), "{ran}");
        world.tree().assert_same_as(&before);
    }
}

#[test]
fn the_command_line_wins_over_the_ini_file() {
    let world = ready();
    std::fs::create_dir(world.path("others")).unwrap();
    std::fs::write(
        world.path("others/1.eml"),
        Mail::new("Test from the switch").bytes(),
    )
    .unwrap();
    world.configure(&Ini::folder().rule("SubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,[[1]]"));
    world.run(&["-folder", &world.place("others")]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,Test from the switch"]);
}

#[test]
fn a_folder_on_the_command_line_needs_no_protocol_in_the_ini_file() {
    let world = ready();
    world.configure(
        &Ini::folder()
            .unset("Mail", "EmailProtocol")
            .unset("Mail", "Folder")
            .rule(RULE),
    );
    world
        .run(&[&format!("-folder:{}", world.place("mails"))])
        .exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn a_missing_server_or_protocol_names_the_setting_and_the_switch() {
    let missing = |ini: Ini, words: &[&str]| {
        let world = World::with(&ini.rule(RULE));
        let before = world.tree();
        let ran = world.run(&[]);
        ran.exit(1);
        for word in words {
            assert!(named(&ran.stderr, word), "{word} is missing\n{ran}");
        }
        world.tree().assert_same_as(&before);
    };
    missing(Ini::imap(9).unset("Mail", "Server"), &["Server", "-server"]);
    missing(
        Ini::imap(9).unset("Mail", "EmailProtocol"),
        &["EmailProtocol", "--imap"],
    );
    missing(
        Ini::folder().unset("Mail", "Folder"),
        &["Folder", "-folder"],
    );
    missing(
        Ini::imap(9).set("Mail", "Server", "N/A"),
        &["Server", "-server"],
    );
}

#[test]
fn inifile_works_with_every_operation() {
    let world = World::new();
    let place = world.place("other name.ini");
    std::fs::write(
        world.path("other name.ini"),
        Ini::folder().rule(RULE).text(&world.place("")),
    )
    .unwrap();
    world.mail("1.eml", &Mail::new("Test").bytes());
    let ini = format!("-inifile:{place}");
    let secret = [
        "--credentials",
        "-opconuser:batch",
        "-opconpassword:Event-pass-5824-word",
    ];
    world
        .run_bare(&[&[ini.as_str()], &secret[..]].concat())
        .exit(0);
    world.run_bare(&["-inifile", &place, "--check"]).exit(0);
    world.run_bare(&["--INIFILE", &place, "--explain"]).exit(0);
    world.run_bare(&[&ini]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn a_relative_inifile_is_looked_for_in_the_current_folder() {
    let world = ready();
    world.run_bare(&["-inifile:SMArtEmail.ini"]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn an_inifile_that_does_not_exist_is_named() {
    let ran = World::new().run_bare(&["-inifile:nowhere/at all.ini"]);
    ran.exit(2);
    assert!(ran.stderr.contains("at all.ini"), "{ran}");
}

/// The program finds its INI file here without being told.
#[track_caller]
fn assert_default_ini(world: &World, place: &str) {
    world.move_ini(place);
    world.run_bare(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn the_default_ini_file_lies_in_the_programdata_of_the_environment() {
    assert_default_ini(&ready(), "ProgramData/OpConxps/SMArt Email/SMArtEmail.ini");
}

#[cfg(unix)]
#[test]
fn without_programdata_it_lies_in_var_lib_for_root_and_in_the_data_home_for_others() {
    let world = ready().without_env("PROGRAMDATA");
    // Whoever runs the tests owns the world's folder.
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(world.path("")).unwrap());
    if owner == 0 {
        let ran = world.run_bare(&["--check"]);
        ran.exit(2)
            .complains("/var/lib/OpConxps/SMArt Email/SMArtEmail.ini");
    } else {
        assert_default_ini(
            &world,
            "home/.local/share/OpConxps/SMArt Email/SMArtEmail.ini",
        );
    }
}

#[test]
fn delete_asks_for_the_deletion_of_matched_mails_where_the_ini_says_none() {
    let mails = [Mail::new("Test"), Mail::new("other")];
    let world = World::with_mails(
        &Ini::folder()
            .set("General", "DeleteEmails", "None")
            .rule(RULE),
        &mails,
    );
    world.run(&["--delete"]).exit(0);
    assert_eq!(world.mails_left(), ["002.eml"]);
}

#[test]
fn delete_never_narrows_all() {
    let mails = [Mail::new("Test"), Mail::new("other")];
    let world = World::with_mails(
        &Ini::folder()
            .set("General", "DeleteEmails", "All")
            .rule(RULE),
        &mails,
    );
    world.run(&["--delete"]).exit(0);
    assert_eq!(world.mails_left(), [""; 0]);
}

#[test]
fn job_output_has_no_colour_codes() {
    let world = ready();
    for args in [
        &["--explain"][..],
        &["--check"],
        &["--help"],
        &["--verbose"],
        &["--nonsense"],
    ] {
        let ran = world.run(args);
        assert!(!ran.output().contains('\u{1b}'), "{ran}");
    }
}
