//! What the journal remembers from one run to the next.

use super::*;

fn id(text: &str) -> MailId {
    MailId::new(text)
}

fn intent(mail: &str, file: &str) -> Intent {
    Intent {
        id: id(mail),
        file: file.to_owned(),
        delete: false,
        seen: None,
        notice: None,
    }
}

fn open(folder: &Path, mailbox: &str) -> Journal {
    Journal::open(folder, mailbox, DateTime::from_timestamp(0, 0).unwrap()).unwrap()
}

#[test]
fn what_was_written_is_known_in_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "m");
    journal
        .intend(&[intent("1", "a"), intent("2", "b")])
        .unwrap();
    journal.handled(&id("1"), None, None);
    journal.failed(&id("3"), "mail", "why");
    journal.failed(&id("3"), "mail", "why again");
    journal.doom(&id("1"));
    journal.sync().unwrap();
    drop(journal);

    let journal = open(folder.path(), "m");
    let state = journal.state();
    assert_eq!(state.intents().collect::<Vec<_>>(), [&intent("2", "b")]);
    assert!(
        state.is_handled(&id("1")) && !state.is_handled(&id("2")) && !state.is_handled(&id("3"))
    );
    assert_eq!(
        state
            .failures()
            .map(|(id, f)| (id.as_str(), f.runs, f.reason.as_str()))
            .collect::<Vec<_>>(),
        [("3", 2, "why again")]
    );
    assert_eq!(state.doomed().collect::<Vec<_>>(), [&id("1")]);
    assert_eq!(
        Journal::peek(folder.path(), "other").unwrap().state,
        State::default()
    );
    drop(journal);
    assert_eq!(open(folder.path(), "other").state(), &State::default());
}

#[test]
fn a_position_covers_what_is_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "m");
    journal.handled(&id("1"), None, None);
    journal.failed(&id("2"), "mail", "why");
    journal.doom(&id("1"));
    journal.advance(&Position::new("9"));
    journal.sync().unwrap();
    drop(journal);
    let journal = open(folder.path(), "m");
    assert_eq!(journal.state().position, Some(Position::new("9")));
    assert_eq!(journal.state().ids().count(), 0);
    assert_eq!(
        (
            journal.state().failures().count(),
            journal.state().doomed().count()
        ),
        (1, 1)
    );
}

#[test]
fn a_mail_that_is_absent_for_a_moment_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "m");
    let day = |number: i64| DateTime::from_timestamp(number * 86_400, 0).unwrap();
    journal.handled(&id("1"), None, None);
    journal.handled(&id("2"), None, None);
    journal.retain(&[id("1")], day(1));
    journal.retain(&[id("1"), id("2")], day(2));
    journal.retain(&[id("1")], day(3));
    journal.retain(&[id("1")], day(33));
    assert!(journal.state().is_handled(&id("2")));
    journal.retain(&[id("1")], day(34));
    assert!(journal.state().is_handled(&id("1")) && !journal.state().is_handled(&id("2")));
}

#[test]
fn nothing_new_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "m");
    journal.advance(&Position::new("9"));
    journal.sync().unwrap();
    let before = std::fs::read(folder.path().join("journal")).unwrap();
    journal.advance(&Position::new("9"));
    journal.sync().unwrap();
    assert_eq!(
        std::fs::read(folder.path().join("journal")).unwrap(),
        before
    );
}

#[test]
fn our_own_date_is_known_before_and_after_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "m");
    journal.wish("old");
    assert!(journal.dates().is_ours("old") && !journal.dates().is_ours("new"));
    journal.writing_date("new").unwrap();
    assert!(journal.dates().is_ours("old") && journal.dates().is_ours("new"));
    journal.date_written("new");
    assert!(!journal.dates().is_ours("old") && journal.dates().is_ours("new"));
}

#[test]
fn mailboxes_share_the_date_and_follow_a_wish_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "a");
    journal.wish("1");
    journal.follow(None).unwrap();
    journal.handled(&id("1"), None, None);
    journal.writing_date("2").unwrap();
    journal.date_written("2");
    journal.sync().unwrap();
    drop(journal);

    let mut journal = open(folder.path(), "b");
    assert!(
        journal.dates().is_ours("2"),
        "the date that another mailbox wrote is no wish"
    );
    journal.handled(&id("9"), None, None);
    journal.follow(None).unwrap();
    assert!(
        journal.state().is_handled(&id("9")),
        "the first wish asks for nothing again"
    );
    journal.wish("3");
    journal.follow(None).unwrap();
    assert!(!journal.state().is_handled(&id("9")));
    drop(journal);

    let journal = open(folder.path(), "a");
    assert!(journal.state().is_handled(&id("1")));
    assert!(journal.state().followed() < journal.dates().wishes());
}

#[test]
fn a_second_run_is_told_who_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), "m");
    let Err(Error::Locked { holder, .. }) =
        Journal::open(folder.path(), "m", DateTime::from_timestamp(0, 0).unwrap())
    else {
        panic!("two runs at once");
    };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    drop(first);
    open(folder.path(), "m");
}

#[test]
fn history_is_dropped_and_the_state_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), "m");
    for number in 0..3000 {
        journal.handled(&id(&number.to_string()), None, None);
    }
    journal.failed(&id("x"), "mail", "why");
    journal.advance(&Position::new("3000"));
    journal.sync().unwrap();
    let state = journal.state().clone();
    drop(journal);
    let long = std::fs::metadata(folder.path().join("journal"))
        .unwrap()
        .len();
    let journal = open(folder.path(), "m");
    assert_eq!(journal.state(), &state);
    assert!(
        std::fs::metadata(folder.path().join("journal"))
            .unwrap()
            .len()
            < long / 100
    );
}
