//! Microsoft 365 with the built program: what `--check` tells, and notices through Graph.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::fs;
use std::net::TcpListener;

use harness::cloud::{self, token_cache};
use harness::graph::Fault;
use harness::idp::{DAEMON, SECRET, USER};
use harness::{Cloud, IdentityProvider, Ini, Mail, Sink, World};
use serde_json::json;

const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// With one mail in the Inbox.
fn start() -> Option<Cloud> {
    let cloud = Cloud::start()?;
    let mail = Mail::new("Test one").from("bob@example.test");
    cloud.deliver(&mail, "2026-01-06T12:00:00Z", &json!({}));
    Some(cloud)
}

fn ini(cloud: &Cloud) -> Ini {
    cloud.ini().rule(RULE)
}

fn telling(ini: Ini) -> Ini {
    ini.set("Audit", "NotifyOnAccepts", "True")
}

#[test]
fn each_step_is_told() {
    let Some(cloud) = start() else {
        return;
    };
    let world = cloud.signed_in(&ini(&cloud));
    let checked = world.run(&["--msal", "--check"]);
    checked.exit(0).without_complaint();
    let steps: Vec<&str> = checked.stdout.lines().collect();
    let expected = [
        format!("authority: {}/", cloud.provider.authority()),
        "token: good until ".into(),
        "permissions: ".into(),
        "send permission: granted".into(),
        "connected: Inbox of the account that is signed in".into(),
        "checked: a run would work".into(),
    ];
    assert_eq!(steps.len(), expected.len(), "{checked}");
    for (step, expected) in steps.iter().zip(&expected) {
        assert!(step.starts_with(expected), "{expected}\n{checked}");
    }
    assert!(steps[2].contains("/Mail.ReadWrite") && steps[4].contains("1 mail"));
    assert_eq!(world.events(), [""; 0]);

    // An application's token says itself what it is good for, and this provider's does not.
    let world = cloud.application(ini(&cloud));
    let checked = world.run(&["--msal", "--check"]);
    checked
        .exit(0)
        .says("can't be seen")
        .says(&format!("Inbox of {USER}"));
}

#[test]
fn what_is_wrong_is_told_at_its_step() {
    let Some(cloud) = start() else {
        return;
    };
    let mail_read = "Mail.ReadWrite";
    let world = cloud.signed_in(&ini(&cloud).set("MSAL", "Scopes", mail_read));
    world
        .run(&["--check"])
        .exit(0)
        .says("send permission: not granted, and not needed");
    let world = cloud.signed_in(&telling(ini(&cloud)).set("MSAL", "Scopes", mail_read));
    world
        .run(&["--check"])
        .exit(2)
        .complains("have Mail.Send granted");

    for (ini, complaint) in [
        (
            ini(&cloud).set("MSAL", "Tenant", "fabrikam.example"),
            "[MSAL] Tenant",
        ),
        (
            ini(&cloud).set("MSAL", "Authority", "http://localhost:9"),
            "localhost:9",
        ),
        (ini(&cloud), "nobody is signed in"),
        (ini(&cloud).unset("MSAL", "ClientId"), "ClientId"),
        (
            ini(&cloud).set("MSAL", "Authority", "http://login.example.test"),
            "https://",
        ),
        (
            ini(&cloud).set("MSAL", "GraphEndpoint", "http://graph.example.test"),
            "GraphEndpoint",
        ),
        (
            ini(&cloud).set("MSAL", "GrantType", "client_credentials"),
            "ClientSecret",
        ),
        (
            ini(&cloud).set("MSAL", "GrantType", "password"),
            "client_credentials, refresh_token",
        ),
    ] {
        let checked = World::with(&ini).run(&["--check"]);
        checked.exit(2).complains(complaint).never_says("connected");
        let errors = checked
            .stderr
            .lines()
            .filter(|line| line.starts_with("error"));
        assert!(errors.count() <= 2, "{checked}");
    }
}

#[test]
fn notices_go_the_way_that_the_mails_came() {
    let Some(cloud) = start() else {
        return;
    };
    let worlds = [
        cloud.signed_in(&telling(ini(&cloud))),
        cloud.application(telling(ini(&cloud))),
    ];
    for (number, world) in worlds.iter().enumerate() {
        world
            .run(&["--check"])
            .exit(0)
            .says(&format!("from {USER}; nothing was sent"));
        assert_eq!(cloud.graph.sent().len(), number);
        world.run(&[]).exit(0);
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
        let sent = cloud.graph.sent();
        assert_eq!(sent.len(), number + 1);
        let notice = sent[number].parsed();
        let header = |name| mailparse::MailHeaderMap::get_first_value(&notice.headers[..], name);
        assert_eq!(header("To").as_deref(), Some("bob@example.test"));
        assert_eq!(header("From").as_deref(), Some(USER));
        assert_eq!(header("Auto-Submitted").as_deref(), Some("auto-replied"));
        world.run(&[]).exit(0);
        assert_eq!(cloud.graph.sent().len(), number + 1, "once");
    }
    // One token did for the mailbox and the notice.
    let forms = cloud.provider.requests();
    let by_secret = forms
        .iter()
        .filter(|asked| asked.form["grant_type"] == "client_credentials");
    assert_eq!(by_secret.count(), 3, "one for each run");
}

#[test]
fn the_section_for_sending_comes_first() {
    let Some(cloud) = start() else {
        return;
    };
    let sink = Sink::start();
    let world = cloud.signed_in(&telling(ini(&cloud)).smtp(sink.port));
    world.run(&[]).exit(0);
    assert_eq!(sink.take_mails().len(), 1);
    assert_eq!(cloud.graph.sent().len(), 0);

    // As it is copied from the example, with nothing filled in.
    let world = cloud.signed_in(&telling(ini(&cloud)).set("smtp-client", "server", ""));
    world.run(&[]).exit(2).complains_in_one_line(&[
        "[smtp-client] ",
        "server",
        "remove the section",
    ]);
}

#[test]
fn a_notice_from_somebody_else_goes_out_on_their_behalf() {
    let Some(cloud) = start() else {
        return;
    };
    let team = "team@example.com";
    let world = cloud.application(telling(ini(&cloud)).set("Audit", "NotifyFrom", team));
    // Without the right to do so nothing goes out, and nothing else is held up.
    world.run(&[]).exit(2).complains("ErrorSendAsDenied");
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
    assert_eq!(cloud.graph.sent().len(), 0);
    cloud.graph.allow_sending_as(team);
    let world = cloud.application(telling(ini(&cloud)).set("Audit", "NotifyFrom", team));
    world.run(&[]).exit(0);
    let sent = cloud.graph.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].resource["from"]["emailAddress"]["address"], team);
}

/// Somebody else signs in while a job runs: the mails of two mailboxes would be mixed up.
#[test]
fn a_run_keeps_to_the_account_that_it_began_with() {
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let expected = cloud.deliver_many(0..30);
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .rule(cloud::RULE);
    let world = cloud.signed_in(&ini);
    let cache = token_cache(&world).unwrap();
    let first = fs::read(&cache).unwrap();
    let other = "night@example.com";
    let world = world.env("BROWSER", &IdentityProvider::browser(other));
    world.run(&["--renewMsalToken"]).exit(0);
    let second = fs::read(&cache).unwrap();
    fs::write(&cache, first).unwrap();

    // The mails are listed; then the other account is there, and the token is good no longer.
    cloud
        .graph
        .after(1, move |_| fs::write(cache, second).unwrap());
    cloud.graph.revoke_tokens_after(1);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains(&format!("the account has changed from {USER} to {other}"))
        .complains("run the job again")
        .complains(&format!(
            "smartemail -inifile:{} --renewMsalToken",
            world.place("SMArtEmail.ini")
        ));
    assert_eq!(world.events(), [""; 0]);
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (30, 0)
    );

    // The next run begins with the other account.
    world.run(&[]).exit(0).says("30 mails looked at");
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(world.events(), expected);
    let journal = world.read("SMArtEmail.state/journal");
    assert!(journal.contains(&format!("\"msal:{other}\"")), "{journal}");
}

/// The same mailbox, named in the settings or by the account, read by the one or the other.
#[test]
fn whoever_reads_a_mailbox_knows_what_was_handled_in_it() {
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let mut expected = cloud.deliver_many(0..3);
    let ini = cloud
        .ini()
        .set("General", "UseLastRunDate", "False")
        .rule(cloud::RULE);
    let world = cloud.signed_in(&ini);
    world.run(&[]).exit(0).says("3 mails looked at");
    let named = ini.clone().set("Mail", "User", USER);
    let by_itself = named.clone().set("MSAL", "ClientId", DAEMON).set(
        "MSAL",
        "GrantType",
        "client_credentials",
    );
    for (number, ini) in [&named, &by_itself, &ini].into_iter().enumerate() {
        world.configure(ini);
        if ini.has("MSAL", "ClientId", DAEMON) {
            world.seal_one("MSAL.ClientSecret", SECRET);
        }
        expected.extend(cloud.deliver_many(3 + number..4 + number));
        world.run(&[]).exit(0).says("1 mail looked at");
    }
    assert_eq!(world.events(), expected);
}

/// Without an account nobody knows whose mails were handled: nothing is begun.
#[test]
fn a_run_without_an_account_touches_nothing() {
    let Some(cloud) = start() else {
        return;
    };
    let world = cloud.signed_in(&ini(&cloud));
    let cache = token_cache(&world).unwrap();
    let good = fs::read(&cache).unwrap();
    fs::write(&cache, b"\xff\xfe garbage").unwrap();
    // The first of them sets it aside, and then there is none.
    for complaint in ["was set aside as", "nobody is signed in"] {
        world
            .run(&[])
            .exit(2)
            .complains(complaint)
            .complains("--renewMsalToken")
            .never_says("connected");
        assert!(!world.path("SMArtEmail.state/journal").exists());
    }
    fs::write(&cache, good).unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
}

/// What an earlier run has left does not wait for somebody to sign in.
#[test]
fn a_run_without_an_account_finishes_what_was_begun() {
    let Some(cloud) = start() else {
        return;
    };
    let sink = Sink::start();
    let world = cloud.signed_in(&telling(ini(&cloud)).smtp(sink.port));
    let world = world.env("SMARTEMAIL_CRASH", "intended");
    world.run(&[]).killed();
    let world = world.without_env("SMARTEMAIL_CRASH");
    assert_eq!((world.events(), sink.take_mails().len()), (vec![], 0));
    let cache = token_cache(&world).unwrap();
    let signed_in = fs::read(&cache).unwrap();
    fs::remove_file(&cache).unwrap();

    let ran = world.run(&["--retry"]);
    ran.exit(2)
        .says("1 event file submitted now")
        .complains("nobody is signed in")
        .never_says("retry:");
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
    assert_eq!(sink.take_mails().len(), 1, "the notice");

    fs::write(&cache, signed_in).unwrap();
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(sink.take_mails().len(), 0);
}

/// As in the clouds of states: nobody is asked but those two whom the settings name.
#[test]
fn every_request_goes_to_the_two_endpoints() {
    let Some(cloud) = Cloud::start() else {
        return;
    };
    cloud.deliver_many(0..25);
    cloud.graph.inbox(|inbox| inbox.page(10));
    let ini = telling(cloud.ini())
        .set("General", "DeleteEmails", "Match")
        .set("General", "DownloadEmails", "True")
        .rule(cloud::RULE);
    let [login, graph] = [cloud.provider.authority(), cloud.graph.endpoint()];
    let world = cloud.signed_in(&ini);
    cloud.graph.revoke_tokens_after(3);
    for switches in [
        &["--renewMsalToken", "--renewTokenSilent", "--verbose"][..],
        &["--check", "--verbose"],
        &["--explain", "--verbose"],
        &["--verbose"],
    ] {
        let ran = world.run(switches);
        ran.exit(0);
        let requests = ran.stderr.lines().filter(|line| line.starts_with("> "));
        let addresses =
            requests.filter_map(|line| line.split(' ').find(|word| word.starts_with("http")));
        let mut asked = 0;
        for address in addresses {
            let is_known = [&login, &graph]
                .iter()
                .any(|base| address.starts_with(&format!("{base}/")));
            assert!(is_known, "{address} in\n{ran}");
            asked += 1;
        }
        assert!(asked > 0, "{ran}");
        for usual in ["microsoftonline.com", "graph.microsoft.com"] {
            assert!(!ran.output().contains(usual), "{usual} in\n{ran}");
        }
    }
    assert_eq!(cloud.folder("deleteditems"), 25);
    assert_eq!(cloud.graph.sent().len(), 25, "notices");
    for request in cloud.provider.requests() {
        let scope = request.form["scope"].as_str().unwrap_or_default();
        let of_services = scope.split(' ').filter(|name| name.contains("://"));
        for name in of_services {
            assert!(name.starts_with(&format!("{graph}/")), "{scope}");
        }
    }

    // And a list goes on nowhere else.
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let link = format!(
        "http://{}/v1.0/me/messages",
        elsewhere.local_addr().unwrap()
    );
    let page = json!({ "value": [], "@odata.nextLink": link });
    cloud.graph.fail("messages", Fault::Say(200, page));
    world.run(&[]).exit(2).complains("which is another server");
    assert!(elsewhere.accept().is_err(), "somebody came");
}
