//! Tokens: how often they are asked for, and with what.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smartemail::auth::{Error, TokenSource};

use crate::grants::{SCOPE, credentials, refresh, settings, source};
use crate::harness::IdentityProvider;
use crate::harness::idp::{PASSWORD, SECRET, USER};
use crate::{Shown, by_password};

#[test]
fn a_token_is_used_until_its_margin_and_fetched_once_for_all() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let source = source(settings(&provider, credentials()));
    let tokens = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let token = source.get().unwrap();
                tokens
                    .lock()
                    .unwrap()
                    .push(token.secret().expose().to_owned());
            });
        }
    });
    let tokens = tokens.into_inner().unwrap();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(provider.requests().len(), 1);

    // A server refuses it: all who were refused share one new token.
    let refused = source.get().unwrap();
    let renewed = source.renew(&refused).unwrap();
    assert_ne!(renewed.secret(), refused.secret());
    assert_eq!(source.renew(&refused).unwrap().secret(), renewed.secret());
    assert_eq!(provider.requests().len(), 2);

    // A lifetime below the margin: each call needs a new one.
    provider.lifetime(5);
    let short = source.renew(&renewed).unwrap();
    assert!(short.expires() <= Instant::now() + Duration::from_secs(5));
    assert_ne!(source.get().unwrap().secret(), short.secret());
    assert_eq!(provider.requests().len(), 4);
}

#[test]
fn a_new_refresh_token_takes_the_place_of_the_old_one() {
    for rotating in [true, false] {
        let Some(provider) = IdentityProvider::with(rotating) else {
            return;
        };
        let given = provider.refresh_token(SCOPE);
        let source = source(settings(&provider, refresh(&given)));
        let mut token = source.get().unwrap();
        for _ in 0..2 {
            token = source.renew(&token).unwrap();
        }
        // Each is used that came with the answer before.
        let mut due = given.clone();
        for request in provider.requests() {
            assert_eq!(request.form["refresh_token"], due);
            let answer: Value = serde_json::from_str(&request.body).unwrap();
            let came = answer["refresh_token"].as_str().unwrap().to_owned();
            assert_eq!(came != due, rotating);
            due = came;
        }
        assert_eq!(due != given, rotating);
    }
}

#[test]
fn what_a_provider_quotes_of_the_secrets_is_not_shown() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let token = provider.refresh_token(SCOPE);
    let shown = Shown::default();
    for (grant, secrets) in [
        (by_password(USER, PASSWORD), vec![PASSWORD]),
        (refresh(&token), vec![token.as_str(), SECRET]),
    ] {
        for secret in secrets {
            let quoted = json!({ "error": format!("bad_{secret}"), "error_description": format!("AADSTS1: {secret}?") });
            provider.fault(1, 400, json!({}), &quoted.to_string());
            let source = TokenSource::new(settings(&provider, grant.clone()), shown.trace());
            let error = source.get().unwrap_err().to_string();
            assert!(error.contains("(bad_***; AADSTS1: ***?)"), "{error}");
            shown.add(&error);
        }
    }
    shown.hides([token]);
}

#[test]
fn a_busy_provider_is_asked_again_and_a_refusal_stands() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    // The pauses that it asks for are made.
    let began = Instant::now();
    provider.fault(1, 503, json!({ "Retry-After": "1" }), "busy");
    provider.fault(1, 429, json!({ "Retry-After": "0" }), "");
    source(settings(&provider, credentials())).get().unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(provider.requests().len(), 3);

    // One that asks for too much is left to a later run.
    provider.fault(1, 503, json!({ "Retry-After": "3600" }), "busy");
    let busy = source(settings(&provider, credentials()));
    let error = busy.get().unwrap_err();
    assert!(
        matches!(&error, Error::Busy { status: 503, retry_after: Some(pause), .. } if pause.as_secs() == 3600),
        "{error:?}"
    );
    assert!(error.is_transient());
    assert_eq!(provider.requests().len(), 4);
    // That does not stand: the next mail may ask.
    busy.get().unwrap();
    assert_eq!(provider.requests().len(), 5);

    // A connection that breaks is not asked again, and does not stand either.
    provider.hang_up();
    let lost = source(settings(&provider, credentials()));
    let error = lost.get().unwrap_err();
    assert!(
        matches!(error, Error::Unanswered(_)) && error.is_transient(),
        "{error:?}"
    );
    lost.get().unwrap();
    assert_eq!(provider.requests().len(), 7);

    // A wrong password is tried once, however many mails there are: more would lock the account.
    let wrong = source(settings(&provider, by_password(USER, "Wr0ng-s3cret")));
    for _ in 0..3 {
        let error = wrong.get().unwrap_err();
        assert!(!error.is_transient());
        let told = error.to_string();
        assert!(
            told.contains("AADSTS50126") && told.contains("check user and password"),
            "{told}"
        );
        assert!(
            !told.contains("Wr0ng-s3cret") && !told.contains("Trace ID"),
            "{told}"
        );
    }
    assert_eq!(provider.requests().len(), 8);
}
