//! Microsoft 365 with the built program: what `--check` tells, and notices through Graph.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::idp::{DAEMON, SECRET, USER};
use harness::{Graph, IdentityProvider, Ini, Mail, Sink, World};
use serde_json::json;

const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

struct Cloud {
    provider: IdentityProvider,
    graph: Graph,
}

impl Cloud {
    /// With one mail in the Inbox.
    fn start() -> Option<Self> {
        let provider = IdentityProvider::start()?;
        let graph = Graph::start(&provider);
        let mail = Mail::new("Test one").from("bob@example.test").bytes();
        graph.inbox(|inbox| inbox.deliver(&mail, "2026-01-06T12:00:00Z", &json!({})));
        Some(Self { provider, graph })
    }

    fn ini(&self) -> Ini {
        Ini::graph(&self.provider.authority(), &self.graph.endpoint()).rule(RULE)
    }

    /// Somebody has signed in.
    fn signed_in(&self, ini: &Ini) -> World {
        let world = World::with(ini).env("BROWSER", &IdentityProvider::browser(USER));
        world.run(&["--renewMsalToken"]).exit(0);
        world
    }

    /// Nobody has; the application has a secret.
    fn application(&self, ini: Ini) -> World {
        let ini = ini
            .set("MSAL", "ClientId", DAEMON)
            .set("MSAL", "GrantType", "client_credentials")
            .set("Mail", "User", USER);
        let world = World::with(&ini);
        world.seal_one("MSAL.ClientSecret", SECRET);
        world
    }
}

fn telling(ini: Ini) -> Ini {
    ini.set("Audit", "NotifyOnAccepts", "True")
}

#[test]
fn each_step_is_told() {
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let world = cloud.signed_in(&cloud.ini());
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
    let world = cloud.application(cloud.ini());
    let checked = world.run(&["--msal", "--check"]);
    checked
        .exit(0)
        .says("can't be seen")
        .says(&format!("Inbox of {USER}"));
}

#[test]
fn what_is_wrong_is_told_at_its_step() {
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let mail_read = "Mail.ReadWrite";
    let world = cloud.signed_in(&cloud.ini().set("MSAL", "Scopes", mail_read));
    world
        .run(&["--check"])
        .exit(0)
        .says("send permission: not granted, and not needed");
    let world = cloud.signed_in(&telling(cloud.ini()).set("MSAL", "Scopes", mail_read));
    world
        .run(&["--check"])
        .exit(2)
        .complains("have Mail.Send granted");

    for (ini, complaint) in [
        (
            cloud.ini().set("MSAL", "Tenant", "fabrikam.example"),
            "[MSAL] Tenant",
        ),
        (
            cloud.ini().set("MSAL", "Authority", "http://localhost:9"),
            "localhost:9",
        ),
        (cloud.ini(), "nobody is signed in"),
        (cloud.ini().unset("MSAL", "ClientId"), "ClientId"),
        (
            cloud
                .ini()
                .set("MSAL", "Authority", "http://login.example.test"),
            "https://",
        ),
        (
            cloud
                .ini()
                .set("MSAL", "GraphEndpoint", "http://graph.example.test"),
            "GraphEndpoint",
        ),
        (
            cloud.ini().set("MSAL", "GrantType", "client_credentials"),
            "ClientSecret",
        ),
        (
            cloud.ini().set("MSAL", "GrantType", "password"),
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
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let worlds = [
        cloud.signed_in(&telling(cloud.ini())),
        cloud.application(telling(cloud.ini())),
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
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let sink = Sink::start();
    let world = cloud.signed_in(&telling(cloud.ini()).smtp(sink.port));
    world.run(&[]).exit(0);
    assert_eq!(sink.take_mails().len(), 1);
    assert_eq!(cloud.graph.sent().len(), 0);
}
