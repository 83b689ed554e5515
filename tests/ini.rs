//! The INI file: literal values, numbering, expansions, defaults, and problems.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::net::TcpListener;

use harness::{Ini, Mail, Ran, World};

/// A folder run of these rules over one mail for each subject; gives back the events.
#[track_caller]
fn events_of(ini: &Ini, subjects: &[&str]) -> Vec<String> {
    let mails: Vec<_> = subjects.iter().map(|subject| Mail::new(subject)).collect();
    let world = World::with_mails(ini, &mails);
    world.run(&[]).exit(0);
    world.events()
}

/// One line of standard error names the file with the line number and all these words.
#[track_caller]
fn assert_problem(ran: &Ran, line: usize, words: &[&str]) {
    let place = format!("SMArtEmail.ini:{line}");
    ran.complains_in_one_line(&[&[place.as_str()], words].concat());
}

#[test]
fn values_are_taken_literally() {
    let rule = "SubjectLineMask=^(\"a\\\\b\" #;%x% '.*)$\nEvent=$CONSOLE:DISPLAY,[[1]] ; # \"q\" %PATH% \\";
    let events = events_of(&Ini::folder().rule(rule), &["\"a\\b\" #;%x% 'quoted'"]);
    assert_eq!(
        events,
        ["$CONSOLE:DISPLAY,\"a\\b\" #;%x% 'quoted' ; # \"q\" %PATH% \\"]
    );
}

#[test]
fn a_value_that_ends_with_a_backslash_does_not_swallow_the_next_line() {
    let rule =
        "SubjectLineMask=x\\\\\nEvent=$CONSOLE:DISPLAY,C:\\Temp\\\nEvent2=$CONSOLE:DISPLAY,second";
    assert_eq!(
        events_of(&Ini::folder().rule(rule), &["x\\"]),
        ["$CONSOLE:DISPLAY,C:\\Temp\\", "$CONSOLE:DISPLAY,second"]
    );
}

#[test]
fn a_value_may_start_with_a_comment_sign_or_hold_more_equals_signs() {
    let rule = "SubjectLineMask=#(\\d+)=(\\w+)\nEvent=$PROPERTY:SET,[[1]],a=b=[[2]]";
    assert_eq!(
        events_of(&Ini::folder().rule(rule), &["order #12=ok"]),
        ["$PROPERTY:SET,12,a=b=ok"]
    );
}

#[test]
fn sections_and_keys_are_case_insensitive() {
    let world = World::new();
    let root = world.place("");
    world.write_ini(format!(
        "[GENERAL]\nmsginDIRECTORY={root}/MSGIN\ndownloademails=no\n[mail]\nEMAILPROTOCOL=folder\nfolder={root}/mails\n\
         [configuration1]\nSUBJECTLINEMASK=x\nevent=$CONSOLE:DISPLAY,a\nEVENT2=$CONSOLE:DISPLAY,b\nallowedsenders=all\n"
    ));
    world.seal(false);
    world.mail("1.eml", &Mail::new("x").bytes());
    world.run(&[]).exit(0).without_complaint();
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,a", "$CONSOLE:DISPLAY,b"]);
    assert_eq!(
        world.ini_text().to_lowercase().matches("[general]").count(),
        1
    );
}

#[test]
fn lines_that_start_with_a_hash_or_semicolon_are_comments() {
    let world = World::with_mails(
        &Ini::folder().rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a"),
        &[Mail::new("x")],
    );
    world.write_ini(format!(
        "# Folder=a\n; b\n   ; [Mail]\n\t# c\n{}#Event2=no\n;Event3=no\n",
        world.ini_text()
    ));
    world.run(&[]).exit(0).without_complaint();
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,a"]);
}

#[test]
fn configurations_run_in_numeric_order_and_gaps_are_allowed() {
    let world = World::with_mails(&Ini::folder(), &[Mail::new("x")]);
    let section = |number: u32| {
        format!(
            "[Configuration{number}]\nSubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,{number}\nAllowedSenders=ALL\n"
        )
    };
    let sections = [10, 9, 2, 700].map(section).join("\n");
    world.write_ini(format!("{}{sections}", world.ini_text()));
    world.run(&[]).exit(0);
    assert_eq!(
        world.events(),
        [
            "$CONSOLE:DISPLAY,2",
            "$CONSOLE:DISPLAY,9",
            "$CONSOLE:DISPLAY,10",
            "$CONSOLE:DISPLAY,700"
        ]
    );
}

#[test]
fn events_are_written_in_numeric_order() {
    let rule = "SubjectLineMask=x\nEvent11=$CONSOLE:DISPLAY,11\nEvent2=$CONSOLE:DISPLAY,2\nEvent=$CONSOLE:DISPLAY,1\nEvent3=$CONSOLE:DISPLAY,3";
    let expected = [1, 2, 3, 11].map(|number| format!("$CONSOLE:DISPLAY,{number}"));
    assert_eq!(events_of(&Ini::folder().rule(rule), &["x"]), expected);
}

#[test]
fn environment_variables_are_expanded_in_paths_and_backslashes_work() {
    let ini = Ini::folder()
        .set("General", "MSGINDirectory", "%Test_Place%\\MSGIN")
        .set("General", "DownloadEmails", "True")
        .set(
            "General",
            "DownloadFolder",
            "%Test_Place%\\Received\\%Test_Leaf%",
        )
        .set("Mail", "Folder", "%Test_Place%\\mails")
        .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a");
    let world = World::with_mails(&ini, &[Mail::new("x")]);
    let place = world.place("");
    let world = world.env("Test_Place", &place).env("Test_Leaf", "deep");
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,a"]);
    assert!(
        world.saved().iter().all(|name| name.starts_with("deep/")) && !world.saved().is_empty(),
        "{:?}",
        world.saved()
    );
}

#[test]
fn an_unknown_variable_is_an_error_that_names_the_setting() {
    let ini = Ini::folder()
        .set("General", "MSGINDirectory", "%NO_SUCH_THING%/MSGIN")
        .rule("SubjectLineMask=x");
    let world = World::with_mails(&ini, &[Mail::new("x")]);
    let ran = world.run(&[]);
    ran.exit(2);
    assert_problem(&ran, 2, &["MSGINDirectory", "NO_SUCH_THING"]);
    assert!(!world.path("%NO_SUCH_THING%").exists());
}

#[test]
fn blank_and_not_available_mean_not_set() {
    for nothing in ["", "N/A", "N\\A", "n/a", "  "] {
        let rule = format!(
            "SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a\nEvent2={nothing}\nAllowedTimeFrame={nothing}\nQualifyingSubjectLine={nothing}\nAttachmentMask={nothing}"
        );
        let ini = Ini::folder()
            .set("Audit", "RejectEvent", nothing)
            .rule(&rule);
        assert_eq!(
            events_of(&ini, &["x", "rejected"]),
            ["$CONSOLE:DISPLAY,a"],
            "{nothing:?}"
        );
    }
}

#[test]
fn booleans_have_three_spellings_in_any_case() {
    for (value, saves) in [
        ("true", true),
        ("YES", true),
        ("1", true),
        ("False", false),
        ("no", false),
        ("0", false),
    ] {
        let ini = Ini::folder()
            .set("General", "DownloadEmails", value)
            .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a");
        let world = World::with_mails(&ini, &[Mail::new("x")]);
        world.run(&[]).exit(0);
        assert_eq!(!world.saved().is_empty(), saves, "{value}");
    }
}

#[test]
fn delete_emails_is_read_in_any_case() {
    for (value, left) in [
        ("MATCH", 1),
        ("match", 1),
        ("ALL", 0),
        ("all", 0),
        ("none", 2),
        ("NONE", 2),
    ] {
        let ini = Ini::folder()
            .set("General", "DeleteEmails", value)
            .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a");
        let world = World::with_mails(&ini, &[Mail::new("x"), Mail::new("other")]);
        world.run(&[]).exit(0);
        assert_eq!(world.mails_left().len(), left, "{value}");
    }
}

#[test]
fn unknown_sections_and_keys_are_named_with_file_and_line_and_the_nearest_known_one() {
    let world = World::with_mails(
        &Ini::folder().rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a"),
        &[Mail::new("x")],
    );
    world.write_ini(format!(
        "[Genral]\nx=1\n[General]\nMSGINDirectroy=a\n{}SubjctLineMask=y\n",
        world.ini_text()
    ));
    let ran = world.run(&["--check"]);
    let named = |line: usize, wrong: &str, near: &str| {
        let place = format!("SMArtEmail.ini:{line}");
        let output = ran.output();
        let mut lines = output.lines().filter(|line| line.contains(wrong));
        assert!(
            lines.any(|line| line.contains(&place) && line.contains(near)),
            "{wrong} at {place}, near {near}\n{ran}"
        );
    };
    named(1, "Genral", "General");
    named(4, "MSGINDirectroy", "MSGINDirectory");
    let last = world.ini_text().lines().count();
    named(last, "SubjctLineMask", "SubjectLineMask");
}

#[test]
fn all_problems_are_reported_in_one_run_with_file_line_section_and_key() {
    let world = World::new();
    let root = world.place("");
    world.write_ini(format!(
        "[General]\nMSGINDirectory={root}/MSGIN\nDeleteEmails=Some\nDownloadEmails=perhaps\nExitCodeForNoMatchingEmails=many\n\n\
         [Mail]\nEmailProtocol=IMAP\nServer=localhost\nPort=70000\nSecurityProtocol=TLS9\n\n\
         [Configuration1]\nSubjectLineMask=(open\nAllowedTimeFrame=0900-2561\nProcessBody=sometimes\nEvent=$CONSOLE:DISPLAY,a\nAllowedSenders=ALL\n"
    ));
    let ran = world.run(&[]);
    ran.exit(2);
    assert_problem(&ran, 3, &["[General]", "DeleteEmails", "Some"]);
    assert_problem(&ran, 4, &["[General]", "DownloadEmails", "perhaps"]);
    assert_problem(
        &ran,
        5,
        &["[General]", "ExitCodeForNoMatchingEmails", "many"],
    );
    assert_problem(&ran, 10, &["[Mail]", "Port", "70000"]);
    assert_problem(&ran, 11, &["[Mail]", "SecurityProtocol", "TLS9"]);
    assert_problem(&ran, 14, &["[Configuration1]", "SubjectLineMask"]);
    assert_problem(&ran, 15, &["[Configuration1]", "AllowedTimeFrame"]);
    assert_problem(&ran, 16, &["[Configuration1]", "ProcessBody"]);
}

#[test]
fn a_bad_configuration_is_disabled_alone_and_the_run_ends_with_2() {
    let bad = [
        "SubjectLineMask=(x",
        "SubjectLineMask=x\nAllowedTimeFrame=99",
        "SubjectLineMask=x\nProcessAttachments=maybe",
        "SubjectLineMask=x\nUnsafeText=Perhaps",
    ];
    for lines in bad {
        let ini = Ini::folder()
            .rule(&format!("{lines}\nEvent=$CONSOLE:DISPLAY,bad"))
            .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,good");
        let world = World::with_mails(&ini, &[Mail::new("x")]);
        let ran = world.run(&[]);
        ran.exit(2).complains("[Configuration1]");
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,good"], "{lines}");
    }
}

#[test]
fn an_error_in_general_or_mail_stops_the_run_before_it_connects() {
    for (section, key, value) in [
        ("General", "DeleteEmails", "Maybe"),
        ("Mail", "ReadTimeout", "soon"),
        ("General", "UnsafeText", "Trust"),
    ] {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let port = server.local_addr().unwrap().port();
        let world = World::with(
            &Ini::imap(port)
                .set("Mail", "Server", "127.0.0.1")
                .set(section, key, value)
                .rule("SubjectLineMask=x"),
        );
        world
            .run(&[])
            .exit(2)
            .complains(&format!("[{section}]"))
            .complains(key);
        assert!(
            server.accept().is_err(),
            "it connected although [{section}] {key}={value}"
        );
    }
}

#[test]
fn the_older_names_of_the_notice_settings_are_known() {
    let ini = Ini::folder()
        .set("General", "SendRejectionNotice", "FALSE")
        .set("General", "SendAcceptedNotice", "FALSE")
        .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a");
    let world = World::with_mails(&ini, &[Mail::new("x")]);
    world.run(&[]).exit(0).without_complaint();
}

#[test]
fn settings_have_the_defaults_of_the_specification() {
    let world = World::new();
    world.write_ini(format!(
        "[Mail]\nEmailProtocol=FOLDER\nFolder={}\n[Configuration1]\nSubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a\nAllowedSenders=ALL\n",
        world.place("mails")
    ));
    world.seal(false);
    world.mail("1.eml", &Mail::new("x").bytes());
    world.mail("2.eml", &Mail::new("other").bytes());
    let data = world.path("ProgramData/OpConxps");
    std::fs::create_dir_all(data.join("SAM/MSGIN")).unwrap();

    world.run(&[]).exit(0);

    assert_eq!(
        std::fs::read_dir(data.join("SAM/MSGIN")).unwrap().count(),
        1
    );
    assert_ne!(
        std::fs::read_dir(data.join("SMArt Email/Received"))
            .unwrap()
            .count(),
        0
    );
    assert!(
        world.ini_text().contains("LastRunDate="),
        "UseLastRunDate is on"
    );
    // The one that differs by protocol: a folder of mails is not emptied unless asked.
    assert_eq!(world.mails_left().len(), 2);
}
