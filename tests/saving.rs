//! What a run leaves on disk: saved mails, attachments, event files, and nothing else.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::world::KEY;
use harness::{Ini, Mail, Tree, World};

const HIT: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";
const FILES: &str =
    "SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[ATTACHMENTNAME]]";

fn saving(rule: &str) -> Ini {
    Ini::folder()
        .set("General", "DownloadEmails", "True")
        .rule(rule)
}

/// Runs [`FILES`] over one mail with an attachment of this name; gives back the name that it
/// was saved under.
#[track_caller]
fn saved_as(name: &str) -> String {
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mail = Mail::new("Test").part(
        &format!("attachment; filename*=utf-8''{encoded}"),
        b"content",
    );
    let world = World::with_mails(&saving(&FILES.replace("[[ATTACHMENTNAME]]", "x")), &[mail]);
    world.run(&[]).exit(0);
    let attachments: Vec<_> = world
        .saved()
        .into_iter()
        .filter(|name| !name.ends_with(".eml") || name.contains('/'))
        .collect();
    assert_eq!(attachments.len(), 1, "{name:?}: {attachments:?}");
    let folders = attachments.concat().matches('/').count();
    assert_eq!(folders, 1, "one folder deep: {attachments:?}");
    // Nothing got out of the folder of saved mails.
    let outside: Vec<_> = Tree::without(
        &world.path(""),
        &["Received", "MSGIN", "mails", KEY, "SMArtEmail.state"],
    )
    .files();
    assert_eq!(outside, ["SMArtEmail.ini"]);
    attachments
        .concat()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn accepted_mails_are_saved_as_they_are_and_rejected_ones_are_not() {
    let mails = [
        Mail::new("Test one").text("eins\n"),
        Mail::new("other"),
        Mail::new("Test two").attach("a", b"1"),
    ];
    let world = World::with_mails(&saving(HIT), &mails);
    world.run(&[]).exit(0);
    let saved = world.saved();
    assert_eq!(saved.len(), 2, "{saved:?}");
    let mut bytes: Vec<_> = saved
        .iter()
        .map(|name| std::fs::read(world.path("Received").join(name)).unwrap())
        .collect();
    bytes.sort();
    let mut expected = [mails[0].bytes(), mails[2].bytes()];
    expected.sort();
    assert_eq!(bytes, expected);
}

#[test]
fn nothing_is_saved_when_nothing_is_to_be() {
    let mails = [Mail::new("Test").attach("a.txt", b"1")];
    let world = World::with_mails(&Ini::folder().rule(FILES), &mails);
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,a.txt"]);
    assert!(!world.path("Received").exists());
}

#[test]
fn matched_attachments_lie_decoded_in_a_folder_of_the_mail_s_stem() {
    let rule = format!("{FILES}\nAttachmentMask=\\.csv$");
    let mail = Mail::new("Test")
        .attach("a.csv", b"one")
        .attach("b.txt", b"two")
        .attach("c.csv", &[0, 1, 255, 10, 13]);
    let world = World::with_mails(&saving(&rule), &[mail]);
    world.run(&[]).exit(0);
    let saved = world.saved();
    let stem = saved
        .iter()
        .find_map(|name| name.strip_suffix(".eml"))
        .unwrap();
    let mut expected = vec![
        format!("{stem}.eml"),
        format!("{stem}/a.csv"),
        format!("{stem}/c.csv"),
    ];
    let mut found = saved.clone();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let read = |name: &str| std::fs::read(world.path("Received").join(stem).join(name)).unwrap();
    assert_eq!(
        (read("a.csv"), read("c.csv")),
        (b"one".to_vec(), vec![0, 1, 255, 10, 13])
    );
}

#[test]
fn attachments_of_equal_names_are_all_kept() {
    let mail = Mail::new("Test")
        .attach("a.csv", b"1")
        .attach("A.CSV", b"2")
        .attach("a.csv", b"3");
    let world = World::with_mails(&saving(FILES), &[mail]);
    world.run(&[]).exit(0);
    let files: Vec<_> = world
        .saved()
        .into_iter()
        .filter(|name| name.contains('/'))
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    let mut small: Vec<_> = files.iter().map(|name| name.to_lowercase()).collect();
    small.sort();
    small.dedup();
    assert_eq!(
        small.len(),
        3,
        "on a system that knows no case, too: {files:?}"
    );
    let mut contents: Vec<_> = files
        .iter()
        .map(|name| std::fs::read(world.path("Received").join(name)).unwrap())
        .collect();
    contents.sort();
    assert_eq!(contents, [b"1", b"2", b"3"]);
}

#[test]
fn nothing_that_is_there_already_is_overwritten() {
    let world = World::with_mails(&saving(FILES), &[Mail::new("Test").attach("a.csv", b"1")]);
    world.run(&[]).exit(0);
    let first = Tree::of(&world.path("Received"));
    // The same mail once more, as a copy that is new to the program.
    world.mail("002.eml", &Mail::new("Test").attach("a.csv", b"2").bytes());
    world.run(&[]).exit(0);
    let second = Tree::of(&world.path("Received"));
    for (name, bytes) in &first.0 {
        assert_eq!(second.0.get(name), Some(bytes), "{}", name.display());
    }
    assert_eq!(second.files().len(), 4);
}

#[test]
fn names_that_would_leave_the_folder_stay_in_it() {
    for name in [
        "../../../evil.txt",
        "..\\..\\evil.txt",
        "/etc/evil.txt",
        "C:\\evil.txt",
        "a/b/evil.txt",
        "..",
        ".",
        "evil.txt/",
    ] {
        let saved = saved_as(name);
        assert!(
            !saved.contains(['/', '\\', ':']) && saved != ".." && saved != ".",
            "{name} became {saved}"
        );
        assert!(
            !name.contains("evil") || saved.contains("evil"),
            "{name} became {saved}"
        );
    }
}

#[test]
fn names_that_windows_can_not_bear_are_changed_on_every_system() {
    for name in [
        "CON",
        "con.txt",
        "NUL.tar.gz",
        "COM1",
        "LPT9.csv",
        "aux .txt",
        "a<b>c.txt",
        "a|b?c*.txt",
        "a\"b.txt",
        "dots...",
        "blank.txt ",
        "tab\tbell\u{7}.txt",
        "nul\0byte.txt",
    ] {
        let saved = saved_as(name);
        let stem = saved
            .split('.')
            .next()
            .unwrap_or_default()
            .trim()
            .to_uppercase();
        let device = ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
            || ["COM", "LPT"].iter().any(|port| {
                stem.strip_prefix(port)
                    .is_some_and(|number| number.len() == 1 && number != "0")
            });
        let bad = |letter: char| letter.is_control() || "<>:\"/\\|?*".contains(letter);
        assert!(
            !device && !saved.contains(bad) && !saved.ends_with(['.', ' ']) && !saved.is_empty(),
            "{name:?} became {saved:?}"
        );
    }
}

#[test]
fn names_without_end_are_cut_and_keep_their_ending() {
    for name in ["a".repeat(1000) + ".csv", "ö".repeat(400) + ".csv"] {
        let saved = saved_as(&name);
        assert!(
            saved.len() <= 255 && saved.ends_with(".csv"),
            "{} bytes: {saved}",
            saved.len()
        );
    }
}

#[test]
fn ordinary_names_stay_what_they_are() {
    for name in [
        "report 2026-01.csv",
        "Größe.txt",
        "東京.pdf",
        "a,b;c=d (1).txt",
    ] {
        assert_eq!(saved_as(name), name);
    }
}

#[test]
fn a_subject_never_becomes_a_path() {
    let mails = [
        "Test ../../x",
        "Test C:\\x",
        "Test \0 | ? *",
        "Test ".to_owned().as_str(),
    ]
    .map(Mail::new);
    let world = World::with_mails(&saving(HIT), &mails);
    world.run(&[]).exit(0);
    let saved = world.saved();
    assert_eq!(saved.len(), 4, "{saved:?}");
    assert!(
        saved
            .iter()
            .all(|name| !name.contains(['/', '\\', ':', '|', '?', '*', '\0'])),
        "{saved:?}"
    );
}

#[test]
fn the_download_folder_is_made_when_it_is_missing() {
    let ini = saving(HIT).set("General", "DownloadFolder", "{root}/Received/deep/down");
    let world = World::with_mails(&ini, &[Mail::new("Test")]);
    world.run(&[]).exit(0);
    assert_eq!(world.saved().len(), 1);
}

#[test]
fn a_mail_that_can_not_be_saved_stays_and_the_run_goes_on() {
    let ini = saving(HIT).set("General", "DeleteEmails", "All").set(
        "General",
        "DownloadFolder",
        "{root}/mails-log/Received",
    );
    let world = World::with_mails(&ini, &[Mail::new("Test"), Mail::new("other")]);
    std::fs::write(world.path("mails-log"), "a file where a folder should be").unwrap();
    let ran = world.run(&[]);
    ran.exit(2).complains("mails-log");
    assert_eq!(world.event_lines(), [""; 0], "no event without its copy");
    assert!(world.mails_left().contains(&"001.eml".to_owned()));
}

#[test]
fn staging_leaves_nothing_behind_and_lies_beside_msgin() {
    let world = World::with_mails(
        &Ini::folder().rule(HIT),
        &[Mail::new("Test"), Mail::new("Test")],
    );
    world.run(&[]).exit(0);
    assert_eq!(world.event_files().len(), 2);
    let staging = world.path("MSGIN.staging");
    assert!(
        !staging.exists() || Tree::of(&staging).files().is_empty(),
        "{}",
        Tree::of(&staging)
    );
}

#[test]
fn a_staging_folder_can_be_chosen() {
    let ini = Ini::folder()
        .set("General", "StagingDirectory", "{root}/elsewhere")
        .rule(HIT);
    let world = World::with_mails(&ini, &[Mail::new("Test")]);
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
    assert!(!world.path("MSGIN.staging").exists());
    assert!(Tree::of(&world.path("elsewhere")).files().is_empty());
}

#[test]
fn a_staging_folder_inside_msgin_is_refused() {
    for place in ["{root}/MSGIN", "{root}/MSGIN/staging"] {
        let ini = Ini::folder()
            .set("General", "StagingDirectory", place)
            .rule(HIT);
        let world = World::with_mails(&ini, &[Mail::new("Test")]);
        world.run(&[]).exit(2).complains("StagingDirectory");
        assert_eq!(world.event_files(), [""; 0]);
    }
}

#[test]
fn a_staged_file_without_its_intent_is_removed_and_never_delivered() {
    let world = World::with_mails(&Ini::folder().rule(HIT), &[Mail::new("Test")]);
    std::fs::create_dir(world.path("MSGIN.staging")).unwrap();
    std::fs::write(
        world.path("MSGIN.staging/20260101-000000-000001.evt"),
        "$CONSOLE:DISPLAY,half",
    )
    .unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn nothing_is_deleted_while_msgin_is_missing() {
    let ini = saving(HIT).set("General", "DeleteEmails", "All");
    let world = World::with_mails(&ini, &[Mail::new("Test"), Mail::new("other")]);
    std::fs::remove_dir(world.path("MSGIN")).unwrap();
    world.run(&[]).exit(2).complains("MSGIN");
    assert_eq!(world.mails_left().len(), 2);
    assert!(
        !world.path("MSGIN").exists(),
        "a folder that OpCon does not watch must not be made up"
    );

    std::fs::create_dir(world.path("MSGIN")).unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
    assert_eq!(world.mails_left(), [""; 0]);
}

#[test]
fn a_mail_above_the_size_limit_is_not_saved_and_stays() {
    let ini =
        saving(HIT)
            .set("General", "MaxMailSize", "1")
            .set("General", "DeleteEmails", "Match");
    let world = World::with_mails(
        &ini,
        &[
            Mail::new("Test").attach("big.bin", &vec![7; 2 << 20]),
            Mail::new("Test small"),
        ],
    );
    world.run(&[]).exit(2).complains("MaxMailSize");
    assert_eq!(world.mails_left(), ["001.eml"]);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}
