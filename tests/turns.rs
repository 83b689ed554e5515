//! What a run costs: network turns and bytes, counted by a proxy between program and server.
//!
//! A turn is one wait for the network: the client sends after it has received. Counted from
//! LOGIN to LOGOUT; the greeting is none.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::proxy::Traffic;
use harness::{CountingProxy, Dovecot, Ini, Inspector, Mail, World};

const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=^Test\nEvent=$CONSOLE:DISPLAY,hit";
const MEGABYTE: usize = 1 << 20;

/// A mail with a big attachment and a short text.
fn big(subject: &str) -> Vec<u8> {
    let mail = Mail::new(subject).text("The total is 42\nand nothing else\n");
    mail.attach("report.bin", &vec![b'x'; 4 * MEGABYTE]).bytes()
}

/// What one run of these settings costs on this server, and the events of it.
fn cost(server: &Dovecot, ini: impl FnOnce(Ini) -> Ini) -> (Traffic, Vec<String>) {
    let proxy = CountingProxy::before(server.address, server.imap);
    let world = World::with(&ini(Ini::imap(proxy.port)));
    world.run(&[]).exit(0);
    (proxy.traffic(), world.events())
}

#[test]
fn an_idle_poll_over_a_thousand_old_mails_takes_three_turns() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_many(&Mail::new("other").bytes(), NOON, 1000);
    let proxy = CountingProxy::before(server.address, server.imap);
    let world = World::with(&Ini::imap(proxy.port).rule(RULE));
    world.run(&[]).exit(0);
    proxy.take_traffic();

    world.run(&[]).exit(0);

    let idle = proxy.take_traffic();
    println!("idle poll: {} turns, {} bytes down", idle.turns, idle.down);
    // LOGIN, STATUS, LOGOUT.
    assert_eq!(idle.turns, 3, "{:?}", idle.commands_with(" "));
    assert!(idle.down < 2048, "{} bytes", idle.down);
    assert_eq!(idle.connections, 1);
}

#[test]
fn a_poll_with_ten_new_mails_takes_five_turns_and_three_more_to_save_and_delete() {
    for (saves, turns) in [(false, 5), (true, 8)] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        server.deliver_many(&Mail::new("other").bytes(), NOON, 1000);
        let proxy = CountingProxy::before(server.address, server.imap);
        let ini = Ini::imap(proxy.port)
            .set(
                "General",
                "DownloadEmails",
                if saves { "True" } else { "False" },
            )
            .set(
                "General",
                "DeleteEmails",
                if saves { "Match" } else { "None" },
            )
            .rule(RULE);
        let world = World::with(&ini);
        world.run(&[]).exit(0);
        proxy.take_traffic();
        server.deliver_many(&Mail::new("Test").bytes(), NOON + 60, 10);

        world.run(&[]).exit(0);

        assert_eq!(world.events().len(), 10);
        assert_eq!(world.saved().len(), if saves { 10 } else { 0 });
        assert_eq!(
            Inspector::open(&server).subjects().len(),
            if saves { 1000 } else { 1010 }
        );
        let poll = proxy.take_traffic();
        println!(
            "ten new mails, saved and deleted {saves}: {} turns, {} bytes down",
            poll.turns, poll.down
        );
        // LOGIN, STATUS, SELECT, FETCH, LOGOUT; whole mails, STORE, EXPUNGE.
        assert_eq!(poll.turns, turns, "{:?}", poll.commands_with(" "));
        assert!(poll.down < 32 * 1024, "{} bytes", poll.down);
    }
}

#[test]
fn a_first_poll_that_saves_and_deletes_two_thousand_mails_takes_seven_turns() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_many(&Mail::new("Test").bytes(), NOON, 2000);
    let saving = |ini: Ini| {
        ini.set("General", "DownloadEmails", "True")
            .set("General", "DeleteEmails", "Match")
            .rule(RULE)
    };
    let (traffic, events) = cost(&server, saving);
    assert_eq!(events.len(), 2000);
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
    // LOGIN, SELECT, FETCH, FETCH, STORE, EXPUNGE, LOGOUT.
    assert_eq!(traffic.turns, 7, "{:?}", traffic.commands_with(" "));
}

#[test]
fn an_attachment_that_no_rule_wants_never_crosses_the_wire() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&big("Test"), NOON);
    let body = "SubjectLineMask=total is (\\d+)\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let named = "SubjectLineMask=Test\nProcessAttachments=True\nAttachmentMask=(rep\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";
    for (rule, event) in [(RULE, "hit"), (body, "42"), (named, "report")] {
        let (traffic, events) = cost(&server, |ini| ini.rule(rule));
        assert_eq!(events, [format!("$CONSOLE:DISPLAY,{event}")]);
        assert!(
            traffic.down < 16 * 1024,
            "{} bytes for {rule}",
            traffic.down
        );
    }
}

#[test]
fn a_mail_that_is_rejected_is_not_fetched_to_be_saved() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&big("other"), NOON);
    let (traffic, events) = cost(&server, |ini| {
        ini.set("General", "DownloadEmails", "True").rule(RULE)
    });
    assert_eq!(events, [""; 0]);
    assert!(traffic.down < 16 * 1024, "{} bytes", traffic.down);
}

#[test]
fn the_text_is_asked_for_only_where_a_body_rule_still_wants_it() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let long = Mail::new("other")
        .text(&"a line of the text\n".repeat(20_000))
        .bytes();
    server.deliver(&long, NOON);
    server.deliver(&Mail::new("Daily report").text("total 7\n").bytes(), NOON);
    let qualified = "QualifyingSubjectLine=^Daily\nSubjectLineMask=total (\\d)\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let (traffic, events) = cost(&server, |ini| ini.rule(qualified));
    assert_eq!(events, ["$CONSOLE:DISPLAY,7"]);
    assert!(traffic.down < 16 * 1024, "{} bytes", traffic.down);
}

/// The turns of a POP3 run after the first one, which had so many mails, with ten new ones.
fn pop_costs(server: &Dovecot, hidden: &[&'static str], old: usize, saves: bool) -> [Traffic; 3] {
    let proxy = CountingProxy::before(server.address, server.pop);
    hidden.iter().for_each(|word| proxy.hide(word));
    let ini = Ini::pop(proxy.port)
        .set(
            "General",
            "DownloadEmails",
            if saves { "True" } else { "False" },
        )
        .rule(RULE);
    let world = World::with(&ini);
    server.deliver_many(&Mail::new("Test").bytes(), NOON, old);
    world.run(&[]).exit(0);
    let first = proxy.take_traffic();
    assert_eq!(world.events().len(), old);
    world.run(&[]).exit(0);
    let idle = proxy.take_traffic();
    server.deliver_many(&Mail::new("Test").bytes(), NOON + 60, 10);
    world.run(&[]).exit(0);
    assert_eq!(world.events().len(), old + 10);
    assert_eq!(world.saved().len(), if saves { old + 10 } else { 0 });
    let costs = [first, idle, proxy.take_traffic()];
    for (what, cost) in ["first", "idle", "ten new"].iter().zip(&costs) {
        let (turns, down) = (cost.turns, cost.down);
        println!(
            "POP3 without {hidden:?}, {old} mails, saved {saves}: {what} poll {turns} turns, {down} bytes down"
        );
        assert_eq!(cost.connections, 1);
    }
    costs
}

#[test]
fn turns_of_pop3_where_commands_may_be_sent_ahead() {
    for (saves, first, ten) in [(false, 8, 5), (true, 12, 6)] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        let [all, idle, new] = pop_costs(&server, &[], 2000, saves);
        // CAPA, AUTH, UIDL, QUIT.
        assert_eq!(idle.turns, 4, "{:?}", idle.lines());
        // LIST with TOP, and RETR, for 500 mails a turn.
        assert_eq!((all.turns, new.turns), (first, ten));
        assert_eq!(all.commands_with("TOP ").len(), 2000);
        let fetched = all.commands_with("RETR ").len();
        assert_eq!(fetched, if saves { 2000 } else { 0 });
    }
}

#[test]
fn turns_of_pop3_one_command_at_a_time() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let [all, idle, new] = pop_costs(&server, &["PIPELINING", "SASL"], 30, true);
    // CAPA, USER, PASS, UIDL, QUIT.
    assert_eq!(idle.turns, 5, "{:?}", idle.lines());
    // LIST; TOP and RETR for each.
    assert_eq!(new.turns, 5 + 1 + 20);
    // And CAPA once more, in the hope for better.
    assert_eq!(all.turns, 5 + 1 + 60 + 1);
}
