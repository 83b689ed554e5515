//! Notices while Graph or EWS is out of order: few are tried, and the others wait.

use mailparse::MailHeaderMap;

use super::attempts::{by_ews, by_graph};
use super::*;
use crate::harness::graph::Fault;
use crate::harness::idp::{PASSWORD, SECRET};
use crate::harness::program::Ran;
use crate::harness::{Ews, Graph, IdentityProvider, ews};

fn six_mails() -> Vec<Mail> {
    let mails = (1..=6).map(|number| Mail::new(&format!("Test {number}")));
    mails.collect()
}

/// Two were tried, of which nobody may know more; the other four wait for the reason given.
#[track_caller]
fn waits(ran: &Ran, unsure: bool) {
    ran.exit(2).says(if unsure {
        "0 notices sent, 4 failed, 2 unsure"
    } else {
        "0 notices sent, 6 failed"
    });
    let waits = |line: &&str| line.contains("notices can't be sent") && line.contains(" wait and ");
    let waiting: Vec<_> = ran.stderr.lines().filter(waits).collect();
    assert_eq!(waiting.len(), 1, "{ran}");
    assert!(!waiting.concat().contains("went out"), "{ran}");
    assert_eq!(ran.stderr.lines().count(), if unsure { 3 } else { 1 });
}

#[test]
fn graph_out_of_order_uses_up_no_more_than_two() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let later = || vec![("Retry-After", "3600".to_owned())];
    for (fault, unsure) in [
        (Fault::Gateway(502), true),
        (Fault::Gateway(503), true),
        (Fault::Gateway(504), true),
        (Fault::Refuse(500, "ErrorInternalServerError", vec![]), true),
        (Fault::Refuse(429, "ApplicationThrottled", later()), false),
        (Fault::Refuse(503, "serviceNotAvailable", later()), false),
    ] {
        let world = World::with_mails(&by_graph(&graph, &provider), &six_mails());
        world.seal_setting("smtp-client.password", SECRET);
        for fault in [&fault, &fault] {
            graph.fail("sendMail", fault.clone());
        }
        waits(&world.run(&[]), unsure);
        let left = if unsure { "4" } else { "6" };
        world.run(&[]).exit(0).says(&format!("{left} notices sent"));
    }
}

#[test]
fn exchange_out_of_order_uses_up_no_more_than_two() {
    let Some(ews) = Ews::start(None) else {
        return;
    };
    for (fault, unsure) in [
        (ews::Fault::Gateway(502), true),
        (ews::Fault::Answer("ErrorInternalServerError"), true),
        (ews::Fault::Busy(3_600_000), false),
        (ews::Fault::Answer("ErrorMailboxStoreUnavailable"), false),
    ] {
        let world = World::with_mails(&by_ews(&ews), &six_mails());
        world.seal_setting("smtp-client.password", PASSWORD);
        ews.fail(fault);
        ews.fail(fault);
        waits(&world.run(&[]), unsure);
        let left = if unsure { "4" } else { "6" };
        world.run(&[]).exit(0).says(&format!("{left} notices sent"));
    }
}

/// Whatever it is that answers, the mail went out to it.
#[test]
fn an_answer_that_is_none_is_said_to_leave_it_open() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let world = World::with_mails(&by_graph(&graph, &provider), &six_mails());
    world.seal_setting("smtp-client.password", SECRET);
    for _ in 0..2 {
        graph.fail("sendMail", Fault::Say(200, serde_json::Value::Null));
    }
    let ran = world.run(&[]);
    waits(&ran, true);
    let open = "the mail went out, but whether it arrived is not known: ";
    let warnings = ran.stderr.lines().filter(|line| line.contains(open));
    assert_eq!(warnings.count(), 2, "{ran}");
}

/// It may have been the notice after all: those that were not tried come first in the next run.
#[test]
fn what_failed_keeps_nothing_back_in_the_next_run() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let world = World::with_mails(&by_graph(&graph, &provider), &six_mails());
    world.seal_setting("smtp-client.password", SECRET);
    let busy = || Fault::Refuse(429, "TooManyRequests", vec![("Retry-After", "3600".into())]);
    graph.fail("sendMail", busy());
    graph.fail("sendMail", busy());
    world.run(&[]).exit(2);
    world.run(&[]).exit(0);
    let sent = graph.sent();
    let subjects = sent.iter().map(|mail| {
        let subject = mail.parsed().headers.get_first_value("Subject").unwrap();
        subject.rsplit(' ').next().unwrap().to_owned()
    });
    let numbers: Vec<_> = subjects.collect();
    assert_eq!(numbers, ["3", "4", "5", "6", "1", "2"]);
}
