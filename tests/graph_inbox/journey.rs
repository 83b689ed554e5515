//! The whole way, once: somebody signs in, 250 mails over three pages become events once and go to
//! Deleted Items, while tokens expire and the program is killed twice. It tells what happens:
//!
//! ```text
//! cargo test --test graph_inbox journey -- --nocapture
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bed::in_short;
use crate::harness::cloud::{EVENTS_OF_A_MAIL, RULE, token_cache};
use crate::harness::graph::Fault;
use crate::harness::idp::USER;
use crate::harness::{Cloud, IdentityProvider, Ran, Sam, World};

const MAILS: usize = 250;

/// A world over a cloud, and what has been told of the two so far.
struct Journey<'a> {
    cloud: &'a Cloud,
    world: World,
    /// The requests to the token endpoint that have been told.
    tokens: usize,
    steps: usize,
}

impl Journey<'_> {
    /// Runs the program, and tells what it said and what it asked for.
    fn step(&mut self, what: &str, switches: &[&str], dies_at: Option<&str>) -> Ran {
        self.steps += 1;
        println!("\n{}. {what}", self.steps);
        let world = std::mem::take(&mut self.world);
        let world = match dies_at {
            Some(point) => world.env("SMARTEMAIL_CRASH", point),
            None => world.without_env("SMARTEMAIL_CRASH"),
        };
        let ran = world.run(switches);
        println!("   $ {}", [&["smartemail"], switches].concat().join(" "));
        for line in ran.output().lines() {
            let told = ["signed in", "connected", "recovered", "summary", "error"];
            if told.iter().any(|start| line.starts_with(start)) {
                println!("   | {line}");
            }
        }
        match (ran.code, dies_at) {
            (Some(code), _) => println!("   exit code {code}"),
            (None, point) => println!("   killed at \"{}\"", point.unwrap_or_default()),
        }
        for (count, turn) in in_short(&self.cloud.graph.turns()) {
            println!("   Graph: {count} x {turn}");
        }
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        let requests = self.cloud.provider.requests();
        for request in &requests[self.tokens..] {
            let grant = request.form["grant_type"].as_str().unwrap();
            *asked
                .entry(format!("{grant} {}", request.status))
                .or_default() += 1;
        }
        self.tokens = requests.len();
        for (grant, count) in asked {
            println!("   token endpoint: {count} x {grant}");
        }
        let [inbox, deleted] = ["inbox", "deleteditems"].map(|name| self.cloud.folder(name));
        println!("   Inbox {inbox}, Deleted Items {deleted}");
        self.world = world;
        ran
    }
}

/// Each refresh token was used once, and was the one that came last. Gives how many were used.
fn assert_rotated(provider: &IdentityProvider) -> usize {
    let mut last = None;
    let mut used = 0;
    for request in provider.requests() {
        if let Some(token) = request.form["refresh_token"].as_str() {
            assert_eq!(Some(token), last.as_deref(), "the one that came last");
            used += 1;
        }
        let answer: Value = serde_json::from_str(&request.body).unwrap();
        let next = answer["refresh_token"].as_str().map(str::to_owned);
        assert!(next.is_some() && next != last, "a new one each time");
        last = next;
    }
    used
}

#[test]
fn from_the_sign_in_to_deleted_items() {
    let Some(cloud) = Cloud::start() else { return };
    let mut expected = cloud.deliver_many(0..MAILS);
    cloud.graph.inbox(|inbox| inbox.page(100));
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .rule(RULE);
    let world = World::with(&ini).env("BROWSER", &IdentityProvider::browser(USER));
    let mut journey = Journey {
        cloud: &cloud,
        world,
        tokens: 0,
        steps: 0,
    };
    println!("{MAILS} mails in the Inbox, in pages of 100; one configuration, two events a mail");

    let ran = journey.step(
        "Somebody signs in: authorization code with PKCE, in a browser",
        &["--renewMsalToken"],
        None,
    );
    ran.exit(0).says(&format!("signed in: {USER}"));
    let sealed = std::fs::read_to_string(token_cache(&journey.world).unwrap()).unwrap();
    assert!(sealed.starts_with("enc:v1:"));

    let sam = Sam::reading(journey.world.path("MSGIN"), EVENTS_OF_A_MAIL);
    cloud.graph.revoke_tokens_after(2);
    let ran = journey.step(
        "The job runs. After two pages the access token is taken no longer, and it is killed while it hands over events",
        &[],
        Some("submitting:120"),
    );
    ran.killed();
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (MAILS, 0)
    );

    // One part of a batch finds that the token has expired.
    cloud.graph.fail(
        "move",
        Fault::Refuse(401, "InvalidAuthenticationToken", vec![]),
    );
    let ran = journey.step(
        "It is repeated. The token expires within a batch of deletions, and it is killed when all mails are moved, \
         before it has noted so",
        &[],
        Some("deleted"),
    );
    ran.killed();
    assert_eq!(ran.lines_starting("recovered:"), 1, "{ran}");
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (0, MAILS)
    );

    let ran = journey.step("It is repeated, and nobody disturbs it", &[], None);
    ran.exit(0).without_complaint().says("0 mails looked at");

    cloud.provider.lifetime(2);
    cloud.graph.revoke_tokens_after(1);
    expected.extend(cloud.deliver_many(MAILS..MAILS + 10));
    let ran = journey.step(
        "Ten more mails. The token expires, and those that take its place live two seconds",
        &[],
        None,
    );
    ran.exit(0).without_complaint().says("10 mails looked at");

    let ran = journey.step("Nothing is new", &[], None);
    ran.exit(0).without_complaint().says("0 mails looked at");

    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (0, MAILS + 10)
    );
    let read = sam.finish();
    read.assert_once(&expected);
    let refreshed = assert_rotated(&cloud.provider);
    assert!(refreshed > 3, "{refreshed}");
    let judged = cloud.graph.judged();
    let tokens = cloud.provider.assert_described();
    println!(
        "\nMSGIN: {} events in {} files, each once, none missing, no file half written",
        read.events.len(),
        read.files
    );
    println!(
        "refresh tokens: {refreshed} used, each once and none twice, {} given",
        refreshed + 1
    );
    println!(
        "judged by the description of Graph: {} requests and {} answers, parts of batches among them; none wrong",
        judged.requests, judged.answers
    );
    println!(
        "judged by the description of the token endpoint: {tokens} pages, requests and answers; none wrong"
    );
}
