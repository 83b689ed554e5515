//! What only Windows has: command lines as cmd.exe passes them, paths longer than 260 characters,
//! shares, names of devices, files that another program holds, and two accounts' keys.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "what breaks here ends the test, loudly")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::fs::{self, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use harness::world::{KEY, OPCON_PASSWORD, OPCON_USER};
use harness::{Ini, Mail, World};

const RULE: &str = "SubjectLineMask=Test (.*)\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// Runs a line of a batch file; gives its exit code and what it wrote.
fn by_cmd(world: &World, line: &str) -> (Option<i32>, String) {
    world.write("line.bat", &format!("@echo off\r\n{line}\r\n"));
    let ran = Command::new("cmd")
        .args(["/d", "/c", "line.bat"])
        .current_dir(world.path(""))
        .envs(world.environment())
        .output()
        .unwrap();
    let text = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn quotes_come_as_cmd_passes_them() {
    let world = World::new();
    world.write_ini(Ini::folder().rule(RULE).text(&world.place("")));
    world.mail("1.eml", &Mail::new("Test one").bytes());
    let program = env!("CARGO_BIN_EXE_smartemail");
    // Doubled quotes within quotes are quotes; the comma is what no password of an event may hold.
    for (argument, is_good) in [
        (r#"-opconpassword:"a ""b"" c""#, true),
        (r#""-opconpassword:a ""b"" c""#, true),
        (r#"-opconpassword:"a \"b\" c""#, true),
        (r#"-opconpassword:"a, c""#, false),
    ] {
        let (code, text) = by_cmd(
            &world,
            &format!(
                r#""{program}" -inifile:SMArtEmail.ini --credentials -opconuser:batch {argument}"#
            ),
        );
        assert_eq!(code == Some(0), is_good, "{argument}: {text}");
        assert!(!text.contains("\"b\""), "{text}");
    }
    world.run(&[]).exit(0);
    assert_eq!(
        world.event_lines(),
        [r#"$CONSOLE:DISPLAY,one,batch,a "b" c"#]
    );
}

#[test]
fn help_comes_by_a_slash_and_by_both_names() {
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_smartemail");
    fs::copy(program, world.path("SMail.EXE")).unwrap();
    for (line, word) in [
        (format!("\"{program}\" /?"), "--credentials"),
        ("SMail.EXE /?".to_owned(), "/SMTP_PASSWORD"),
        ("smail /HELP /LANG=FR".to_owned(), "envoi de courriels"),
        (format!("\"{program}\" SMAIL /?"), "/SMTP_PASSWORD"),
    ] {
        let (code, text) = by_cmd(&world, &line);
        assert_eq!(code, Some(0), "{line}: {text}");
        assert!(text.contains(word), "{line}: {text}");
    }
}

#[test]
fn paths_may_be_longer_than_260_characters() {
    // Within MSGIN, where secrets belong.
    let deep = format!("{{root}}/MSGIN/{}/{}", "d".repeat(120), "e".repeat(120));
    let world = World::new();
    let folder = |name: &str| deep.replace("{root}", &world.place("")) + "/" + name;
    for name in ["MSGIN", "mails"] {
        fs::create_dir_all(folder(name)).unwrap();
    }
    let ini = Ini::folder()
        .set("General", "MSGINDirectory", &format!("{deep}/MSGIN"))
        .set("General", "DownloadFolder", &format!("{deep}/Received"))
        .set("General", "DownloadEmails", "True")
        .set("General", "DeleteEmails", "Match")
        .set("Mail", "Folder", &format!("{deep}/mails"))
        .rule(RULE);
    world.configure(&ini);
    fs::write(folder("mails/1.eml"), Mail::new("Test one").bytes()).unwrap();
    world.run(&[]).exit(0).without_complaint();
    let count = |name: &str| fs::read_dir(folder(name)).unwrap().count();
    assert_eq!(
        [count("MSGIN"), count("Received"), count("mails")],
        [1, 1, 0]
    );
}

#[test]
fn a_share_is_a_place_like_any_other() {
    // Where Wine looks for the shares of other machines.
    let Some(prefix) = std::env::var_os("WINEPREFIX") else {
        println!("skipped: there is no share on this machine");
        return;
    };
    let name = format!("server{}", std::process::id());
    let unix = format!("{}/dosdevices/unc/{name}", prefix.display());
    let made = std::path::PathBuf::from(format!(r"\\?\unix{}", unix.replace('/', r"\")));
    fs::create_dir_all(made.join("share").join("MSGIN")).unwrap();
    let share = format!(r"\\{name}\share");
    let ini = Ini::folder()
        .set("General", "MSGINDirectory", &format!(r"{share}\MSGIN"))
        .rule(RULE);
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    let ran = world.run(&[]);
    let count = fs::read_dir(made.join("share").join("MSGIN"))
        .unwrap()
        .count();
    fs::remove_dir_all(&made).unwrap();
    ran.exit(0).without_complaint();
    assert_eq!(count, 1);
}

#[test]
fn event_files_and_logs_end_their_lines_as_windows_does() {
    let ini = Ini::folder()
        .set("Audit", "LogAccepts", "True")
        .set("Audit", "AuditAcceptLogFile", "{root}/accepts.log")
        .rule(RULE);
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world.run(&[]).exit(0);
    let event = fs::read_to_string(world.path("MSGIN").join(&world.event_files()[0])).unwrap();
    for text in [event, world.read("accepts.log")] {
        assert!(text.ends_with("\r\n"), "{text:?}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }
}

/// Holds a file as a virus scanner or an editor does, from now on until so long after an event is
/// written: only then the program comes to it.
fn held(world: &World, name: &str, time: Duration) -> thread::JoinHandle<()> {
    let mut options = OpenOptions::new();
    // Nobody else may write or remove it.
    options.read(true).share_mode(1);
    let file = options.open(world.path(name)).unwrap();
    let msgin = world.path("MSGIN");
    thread::spawn(move || {
        while fs::read_dir(&msgin).unwrap().next().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(time);
        drop(file);
    })
}

#[test]
fn a_file_that_another_program_holds_for_a_moment_is_waited_for() {
    let ini = Ini::folder()
        .set("General", "DeleteEmails", "Match")
        .set("General", "UseLastRunDate", "True")
        .rule(RULE);
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    let moment = Duration::from_millis(700);
    let holders = [
        held(&world, "SMArtEmail.ini", moment),
        held(&world, "mails/001.eml", moment),
    ];
    world.run(&[]).exit(0).without_complaint();
    for holder in holders {
        holder.join().unwrap();
    }
    world.assert_events(&["one"]);
    assert_eq!(world.mails_left(), [""; 0]);
    assert!(
        world.ini_text().contains("LastRunDate=1/"),
        "{}",
        world.ini_text()
    );
}

#[test]
fn a_file_that_stays_held_ends_the_run_and_doubles_nothing() {
    let ini = Ini::folder()
        .set("General", "DeleteEmails", "Match")
        .rule(RULE);
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    let holder = held(&world, "mails/001.eml", Duration::from_secs(15));
    world.run(&[]).exit(2).complains("001.eml");
    world.assert_events(&["one"]);
    holder.join().unwrap();
    world.run(&[]).exit(0);
    world.assert_events(&["one"]);
    assert_eq!(world.mails_left(), [""; 0]);
}

#[test]
fn msgin_may_be_open_in_another_program() {
    let world = World::with_mails(&Ini::folder().rule(RULE), &[Mail::new("Test one")]);
    // FILE_FLAG_BACKUP_SEMANTICS: a folder is opened by it.
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(0x0200_0000)
        .open(world.path("MSGIN"))
        .unwrap();
    world.run(&[]).exit(0).without_complaint();
    world.assert_events(&["one"]);
    drop(folder);
}

#[test]
fn a_job_with_another_profile_finds_the_key_of_the_settings() {
    let world = World::with_mails(&Ini::folder().rule(RULE), &[Mail::new("Test one")]);
    assert!(world.path(KEY).exists());
    let text = world.read(KEY);
    assert!(text.starts_with("smartemail-key:dpapi:"), "{text}");
    // The job's account has another profile than the installer's.
    let world = world.without_env("LOCALAPPDATA").without_env("USERPROFILE");
    world.run(&[]).exit(0);
    assert_eq!(
        world.event_lines(),
        [format!(
            "$CONSOLE:DISPLAY,one,{OPCON_USER},{OPCON_PASSWORD}"
        )]
    );
}
