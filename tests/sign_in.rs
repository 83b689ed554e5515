//! Signing in to Microsoft 365 with the built program: by a browser, by a code, without a person,
//! and what becomes of the account in between.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that breaks ends, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use harness::cloud::token_cache;
use harness::idp::USER;
use harness::{IdentityProvider, Ini, Ran, Tree, World, program};
use serde_json::{Value, json};

const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

fn ini(provider: &IdentityProvider) -> Ini {
    Ini::graph(&provider.authority(), "http://localhost:9").rule(RULE)
}

fn world(provider: &IdentityProvider, user: &str) -> World {
    World::with(&ini(provider)).env("BROWSER", &IdentityProvider::browser(user))
}

/// None of the provider's tokens and codes stands in what was shown or in any file.
#[track_caller]
fn assert_no_token_in(world: &World, provider: &IdentityProvider, ran: &Ran) {
    let tree = Tree::of(&world.path(""));
    for request in provider.requests() {
        let answer: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let fields = [
            "access_token",
            "refresh_token",
            "id_token",
            "code",
            "code_verifier",
        ];
        let told = fields
            .iter()
            .flat_map(|name| [&answer[*name], &request.form[*name]]);
        for secret in told.filter_map(Value::as_str) {
            assert!(!ran.output().contains(secret), "{secret} in\n{ran}");
            let files = tree.files_holding(secret.as_bytes());
            assert!(files.is_empty(), "{secret} in {files:?}");
        }
    }
}

fn renew(world: &World) -> Ran {
    world.run(&["--renewMsalToken", "--renewTokenSilent", "--verbose"])
}

/// A refusal in Microsoft's form.
fn refuse(provider: &IdentityProvider, error: &str, number: u32) {
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{number}: Some words.\r\nTrace ID: 1-2\r\nTimestamp: 2026-11-21"),
        "error_codes": [number], "trace_id": "1-2", "correlation_id": "3-4",
    });
    let headers = json!({ "Content-Type": "application/json" });
    provider.fault(1, 400, headers, &body.to_string());
}

#[test]
fn somebody_signs_in_with_a_browser() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let world = world(&provider, USER);
    let ran = world.run(&["--renewMsalToken", "--verbose"]);
    ran.exit(0)
        .says(&format!("signed in: {USER}"))
        .says("stored in ")
        .says("good until ");
    assert_no_token_in(&world, &provider, &ran);

    let cache = token_cache(&world).unwrap();
    for path in [cache.as_path(), cache.parent().unwrap()] {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        // In Windows the folder, in the account's own profile, rules over it.
        assert!(
            mode & 0o077 == 0 || program::is_windows(),
            "{}",
            path.display()
        );
    }
    assert!(
        std::fs::read_to_string(&cache)
            .unwrap()
            .starts_with("enc:v1:")
    );

    let pages = provider.pages();
    assert_eq!(pages.len(), 1);
    let page = &pages[0];
    assert_eq!(page["prompt"], "select_account");
    assert_eq!(page["code_challenge_method"], "S256");
    let scope = page["scope"].as_str().unwrap();
    for name in [
        "offline_access",
        "openid",
        "profile",
        "http://localhost:9/Mail.ReadWrite",
    ] {
        assert!(scope.split(' ').any(|own| own == name), "{name} in {scope}");
    }
    let requests = provider.requests();
    let form = &requests[0].form;
    assert_eq!(
        (requests.len(), &form["grant_type"]),
        (1, &json!("authorization_code"))
    );
    assert!(form.get("client_secret").is_none() && form["code_verifier"].is_string());
    let redirect = form["redirect_uri"].as_str().unwrap();
    assert!(redirect.starts_with("http://localhost:"), "{redirect}");
    assert_eq!(redirect, page["redirect_uri"]);
}

#[test]
fn who_says_no_is_not_signed_in() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let world = world(&provider, "deny@example.com");
    let ran = world.run(&["--renewMsalToken"]);
    ran.exit(2)
        .complains("AADSTS65004")
        .complains("--renewMsalToken");
    assert_eq!(token_cache(&world), None);
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn consent_alone_leaves_nothing_behind() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let world = world(&provider, USER);
    let ran = world.run(&["--renewMsalToken", "--doNotSaveAccount"]);
    ran.exit(0)
        .says(&format!("signed in: {USER}"))
        .says("nothing was stored");
    assert_eq!(token_cache(&world), None);
    assert_eq!(provider.pages()[0]["prompt"], "consent");
    assert_no_token_in(&world, &provider, &ran);
}

/// Signs in by a code; without a browser that comes by itself.
fn by_code(world: &World, switches: &[&str], goes_on: bool) -> Ran {
    let mut running = world.start(&[&["--renewMsalToken"], switches].concat());
    let line = running.line_with("enter the code").unwrap();
    let after = |text: &str| line.split_once(text).unwrap().1.split(' ').next().unwrap();
    IdentityProvider::enter(after("open "), after("enter the code "), goes_on);
    world.ended(running)
}

#[test]
fn a_code_takes_the_place_of_a_browser() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    for (world, switches) in [
        (world(&provider, USER), &["--deviceCode"][..]),
        (World::with(&ini(&provider)), &[]),
        // A browser that does not start.
        (
            World::with(&ini(&provider)).env("BROWSER", "/nowhere/browser"),
            &[],
        ),
    ] {
        let ran = by_code(&world, switches, true);
        ran.exit(0).says(&format!("signed in: {USER}"));
        assert!(token_cache(&world).is_some());
        assert_no_token_in(&world, &provider, &ran);
    }
    assert_eq!(provider.pages().len(), 0);
    let world = World::with(&ini(&provider));
    let ran = by_code(&world, &["--deviceCode"], false);
    ran.exit(2)
        .complains("authorization_declined")
        .complains("--renewMsalToken");
    assert_eq!(token_cache(&world), None);

    provider.lifetime_of_codes(1);
    let ran = world.run(&["--renewMsalToken", "--deviceCode"]);
    ran.exit(2)
        .complains("expired_token")
        .complains("nobody signed in in time");
}

#[test]
fn the_account_is_refreshed_without_a_person() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let world = world(&provider, USER);
    let nobody = renew(&world);
    let command = format!(
        "smartemail -inifile:{} --renewMsalToken",
        world.place("SMArtEmail.ini")
    );
    nobody
        .exit(2)
        .complains("nobody is signed in")
        .complains(&command);
    world.run(&["--renewMsalToken"]).exit(0);
    for _ in 0..3 {
        let ran = renew(&world);
        ran.exit(0)
            .says(&format!("refreshed: {USER}"))
            .says("good until ");
        assert_no_token_in(&world, &provider, &ran);
    }
    let requests = provider.requests();
    let used = |at: usize| requests[at].form["refresh_token"].as_str();
    let given = |at: usize| {
        let answer: Value = serde_json::from_str(&requests[at].body).unwrap();
        answer["refresh_token"].as_str().map(str::to_owned)
    };
    for at in 1..4 {
        assert_eq!(
            used(at).map(str::to_owned),
            given(at - 1),
            "each is used once"
        );
    }
}

/// Numbers of Microsoft, and what the person is told to do about them.
#[test]
fn each_refusal_says_what_to_do() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let world = world(&provider, USER);
    let sign_in = format!(
        "smartemail -inifile:{} --renewMsalToken",
        world.place("SMArtEmail.ini")
    );
    world.run(&["--renewMsalToken"]).exit(0);
    let cache = token_cache(&world).unwrap();
    let good = std::fs::read(&cache).unwrap();
    let consent = format!("{sign_in} --doNotSaveAccount");
    let consent = consent.as_str();
    let sign_in = sign_in.as_str();
    for (numbers, error, advice, help) in [
        (
            &[50058][..],
            "interaction_required",
            "nobody is signed in",
            sign_in,
        ),
        (
            &[700082, 70008],
            "invalid_grant",
            "not used for too long",
            sign_in,
        ),
        (
            &[50173],
            "invalid_grant",
            "the password was changed",
            sign_in,
        ),
        (&[70043], "invalid_grant", "a policy demands", sign_in),
        (&[50089], "invalid_grant", "it took too long", sign_in),
        (&[54005, 501481], "invalid_grant", "used before", sign_in),
        (&[65001], "invalid_grant", "consented", consent),
        (
            &[50076, 50079, 50074, 50072],
            "interaction_required",
            "second factor",
            sign_in,
        ),
        (
            &[53000, 53001, 53002, 53003, 53004, 530035],
            "interaction_required",
            "Conditional Access",
            sign_in,
        ),
        (&[50055], "invalid_grant", "change it in a browser", sign_in),
        (&[50034], "invalid_grant", "no such user", "[MSAL] Tenant"),
        (&[50053], "invalid_grant", "locked", "unlocked"),
        (&[50057], "invalid_grant", "disabled", "enable it"),
        (
            &[700016],
            "unauthorized_client",
            "[MSAL] ClientId",
            "[MSAL] Tenant",
        ),
        (
            &[90002],
            "invalid_request",
            "no such directory",
            "[MSAL] Authority",
        ),
        (
            &[50194],
            "invalid_request",
            "one directory",
            "[MSAL] Tenant",
        ),
        (
            &[70011, 28002],
            "invalid_scope",
            "application has",
            "[MSAL] Scopes",
        ),
        (
            &[500011],
            "invalid_resource",
            "the service",
            "[MSAL] Scopes",
        ),
        (
            &[50011],
            "invalid_request",
            "redirect address",
            "http://localhost",
        ),
    ] {
        for number in numbers {
            // Some of them end the account.
            std::fs::write(&cache, &good).unwrap();
            refuse(&provider, error, *number);
            let ran = renew(&world);
            ran.exit(2)
                .complains(&format!("AADSTS{number}"))
                .complains(advice)
                .complains(help);
            let errors = ran.stderr.lines().find(|line| line.starts_with("error"));
            assert!(!errors.unwrap().contains("Trace ID"), "{ran}");
        }
    }
    refuse(&provider, "invalid_grant", 700082);
    renew(&world).exit(2);
    let asked = provider.requests().len();
    renew(&world)
        .exit(2)
        .complains("is over")
        .complains(sign_in);
    assert_eq!(
        provider.requests().len(),
        asked,
        "a dead token is not tried again"
    );
    world.run(&["--renewMsalToken"]).exit(0);
    renew(&world).exit(0);
}

#[test]
fn a_cache_that_can_not_be_read_is_set_aside() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let world = world(&provider, USER);
    world.run(&["--renewMsalToken"]).exit(0);
    let cache = token_cache(&world).unwrap();
    let aside = PathBuf::from(format!("{}.unreadable", cache.display()));
    for sign_in in [false, true] {
        std::fs::write(&cache, b"\xff\xfe garbage").unwrap();
        if sign_in {
            world
                .run(&["--renewMsalToken"])
                .exit(0)
                .complains("was set aside as");
        } else {
            renew(&world)
                .exit(2)
                .complains("was set aside as")
                .complains("--renewMsalToken");
            assert!(!cache.exists());
        }
        assert_eq!(std::fs::read(&aside).unwrap(), b"\xff\xfe garbage");
        std::fs::remove_file(&aside).unwrap();
    }
    renew(&world).exit(0);
}

#[test]
fn several_programs_share_the_account() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    // With this provider a refresh token that is used twice ends the sign-in.
    let world = world(&provider, USER);
    world.run(&["--renewMsalToken"]).exit(0);
    let silent = ["--renewMsalToken", "--renewTokenSilent"];
    let running: Vec<_> = (0..6).map(|_| world.start(&silent)).collect();
    for running in running {
        world.ended(running).exit(0);
    }
    assert_eq!(provider.requests().len(), 7);
    renew(&world).exit(0);
}

#[test]
fn a_kill_in_the_middle_does_not_end_the_sign_in() {
    // Before the new token is stored: the old one must still do, as it does at Microsoft. After:
    // the new one has to be there, since the old one is gone.
    for (point, rotating) in [("token received", false), ("token stored", true)] {
        let Some(provider) = IdentityProvider::with(rotating) else {
            return;
        };
        let world = world(&provider, USER);
        world.run(&["--renewMsalToken"]).exit(0);
        let world = world.env("SMARTEMAIL_CRASH", point);
        renew(&world).killed();
        let world = world.without_env("SMARTEMAIL_CRASH");
        renew(&world).exit(0);
    }
}

#[test]
fn nobody_signs_in_where_no_person_is_needed() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let ini = ini(&provider).set("MSAL", "GrantType", "client_credentials");
    let world = World::with(&ini);
    world.seal_one("MSAL.ClientSecret", harness::idp::SECRET);
    world
        .run(&["--renewMsalToken"])
        .exit(2)
        .complains("GrantType");
    assert_eq!(provider.pages().len(), 0);
}
