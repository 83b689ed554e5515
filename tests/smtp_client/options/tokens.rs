//! The options that say how tokens are had.

use super::*;
use crate::ways::with_tokens;

pub(super) const ROWS: &[Row] = &[
    ("client-id", "0a1b-native, 0a1b-daemon", client_id),
    (
        "directory-id",
        "contoso.example, elsewhere.example",
        directory_id,
    ),
    (
        "tenant-authority",
        "its address, one with google in it",
        tenant_authority,
    ),
    ("scope", "absent, absent with GRAPH, another", scope),
    ("grant-type", "absent, client_credentials", grant_type),
    ("secret", "blank, mine", secret),
    ("token-expiry-margin-time", "blank, 00:59:59", token_margin),
    (
        "[secret-smtp] password",
        "the right one, another",
        application_secret,
    ),
];

/// What the provider was asked for one notice by EWS with these options on top.
fn asked(options: &[(&str, &str)], sealed: &[(&str, &str)], given: bool) -> Option<TokenRequest> {
    let provider = IdentityProvider::start()?;
    let ini = with_tokens(ini(), &provider.authority(), NATIVE)
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", "http://localhost:1/EWS/Exchange.asmx");
    let ini = options.iter().fold(ini, |ini, (key, value)| {
        let (section, key) = key.split_once('/').unwrap_or((SECTION, key));
        ini.set(
            section,
            key,
            &value.replace("{provider}", &provider.authority()),
        )
    });
    let token = provider.refresh_token("https://outlook.office.com/.default");
    let sealed: Vec<_> = sealed
        .iter()
        .map(|(name, value)| {
            (
                *name,
                if *value == "(refresh token)" {
                    &token
                } else {
                    *value
                },
            )
        })
        .collect();
    let ran = check(&ini, &sealed);
    if given {
        ran.exit(0).says("a token was given");
    } else {
        ran.exit(2).complains("[smtp-client]");
    }
    let mut requests = provider.requests();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    requests.pop()
}

pub(super) const BY_PASSWORD: [(&str, &str); 1] = [("smtp-client.password", PASSWORD)];

pub(super) const BY_SECRET: [(&str, &str); 1] = [("smtp-client.password", SECRET)];

const OF_ITSELF: (&str, &str) = ("grant-type", "client_credentials");

fn client_id() -> Option<String> {
    let native = asked(&[], &BY_PASSWORD, true)?;
    let daemon = asked(&[("client-id", DAEMON), OF_ITSELF], &BY_SECRET, true)?;
    assert_eq!(native.form["client_id"], NATIVE);
    assert_eq!(daemon.form["client_id"], DAEMON);
    Some("client_id of the token request".into())
}

fn directory_id() -> Option<String> {
    let here = asked(&[], &BY_PASSWORD, true)?.path;
    assert_eq!(here, format!("/{DIRECTORY}/oauth2/v2.0/token"));
    let provider = IdentityProvider::start()?;
    let ini = to_graph(&provider, &Graph::start(&provider));
    check(
        &ini.set(SECTION, "directory-id", "elsewhere.example"),
        &BY_SECRET,
    )
    .exit(2)
    .complains("directory-id");
    assert_eq!(provider.requests().len(), 0);
    Some(format!(
        "the token request goes to {here}; another directory: refused"
    ))
}

fn tenant_authority() -> Option<String> {
    let microsoft = asked(&[], &BY_PASSWORD, true)?;
    let google = [
        ("tenant-authority", "{provider}/google"),
        ("client-id", DAEMON),
    ];
    let sealed = [
        ("smtp-client.password", "(refresh token)"),
        ("secret-smtp.password", SECRET),
    ];
    let google = asked(&google, &sealed, true)?;
    assert_eq!(microsoft.form["grant_type"], "password");
    assert_eq!(google.form["grant_type"], "refresh_token");
    Some(format!(
        "{}; {} with the refresh token",
        microsoft.path, google.path
    ))
}

fn scope() -> Option<String> {
    let usual = asked(&[], &BY_PASSWORD, true)?;
    let other = asked(
        &[("scope", "https://mail.example/Send")],
        &BY_PASSWORD,
        true,
    )?;
    let provider = IdentityProvider::start()?;
    let ini = to_graph(&provider, &Graph::start(&provider)).unset(SECTION, "scope");
    check(&ini, &BY_SECRET).exit(0).says("a token was given");
    let requests = provider.requests();
    let graph = requests.first().expect("a request");
    let scopes = [&usual, graph, &other].map(|request| request.form["scope"].as_str().unwrap());
    assert_eq!(
        scopes,
        [
            "https://outlook.office.com/.default",
            "https://graph.microsoft.com/.default",
            "https://mail.example/Send"
        ]
    );
    Some(format!("scope={}", scopes.join("; scope=")))
}

fn grant_type() -> Option<String> {
    let password = asked(&[], &BY_PASSWORD, true)?;
    let itself = asked(&[("client-id", DAEMON), OF_ITSELF], &BY_SECRET, true)?;
    assert_eq!(
        (&password.form["username"], &password.form["password"]),
        (&USER.into(), &PASSWORD.into())
    );
    assert_eq!(itself.form["client_secret"], SECRET);
    let grants = [password, itself].map(|request| request.form["grant_type"].clone());
    assert_eq!(grants, ["password", "client_credentials"]);
    Some("grant_type=password with both; grant_type=client_credentials with password as client_secret".into())
}

/// What Google is asked with the application's secret in this section.
fn google_with(option: &str, sealed_as: &str, value: &str, given: bool) -> Option<TokenRequest> {
    let options = [
        ("tenant-authority", "{provider}/google"),
        ("client-id", DAEMON),
        ("secret", option),
    ];
    let sealed = [
        ("smtp-client.password", "(refresh token)"),
        (sealed_as, value),
    ];
    asked(&options, &sealed, given)
}

fn secret() -> Option<String> {
    for (option, sealed_as) in [
        ("", "secret-smtp.password"),
        ("mine", "secret-mine.password"),
    ] {
        let request = google_with(option, sealed_as, SECRET, true)?;
        assert_eq!(request.form["client_secret"], SECRET);
    }
    Some("client_secret from [secret-smtp]; from [secret-mine]".into())
}

fn application_secret() -> Option<String> {
    let right = google_with("", "secret-smtp.password", SECRET, true)?;
    let wrong = google_with("", "secret-smtp.password", "Other-secret-3306", false)?;
    assert_eq!((right.status, wrong.status), (200, 401), "{wrong:?}");
    assert_eq!(wrong.form["client_secret"], "Other-secret-3306");
    Some("client_secret of the token request; 401 invalid_client".into())
}

fn token_margin() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let server = Exim::with(exim::Options {
        tokens: Some(provider.port),
        extra: "log_selector = +smtp_connection",
        ..exim::Options::default()
    })?;
    let ini = with_tokens(ini().smtp(server.smtps), &provider.authority(), NATIVE)
        .set(SECTION, "smtp-connection-security", "ssl-tls")
        .set(SECTION, "cnx-pool-size", "1");
    // Tokens live for an hour there.
    let connections = || server.log().matches("TCP/IP connection count").count();
    let mut seen = Vec::new();
    for margin in ["", "00:59:59"] {
        if margin == "00:59:59" {
            provider.lifetime(3000);
        }
        let ini = ini.clone().set(SECTION, "token-expiry-margin-time", margin);
        let before = (provider.requests().len(), connections());
        let world = trusting(&ini, &BY_PASSWORD);
        for number in 0..3 {
            world.mail(&format!("{number}.eml"), &Mail::new("Test").bytes());
        }
        world.run(&[]).exit(0).says("3 notices sent");
        server.mails("bob", 3 * (seen.len() + 1));
        let tokens = provider.requests().len() - before.0;
        seen.push((tokens, connections() - before.1));
    }
    assert_eq!(seen, [(1, 1), (3, 3)], "{}", server.log());
    Some(
        "3 mails: 1 token, 1 connection; with 50 minutes left of it: 3 tokens, 3 connections"
            .into(),
    )
}
