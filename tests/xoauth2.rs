//! Tokens in place of a password: a real identity provider issues them, Dovecot asks it what they
//! are worth.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that breaks ends, loudly")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::idp::{CERTIFIED, DAEMON, SECRET, USER};
use harness::{CountingProxy, Dovecot, IdentityProvider, Ini, Mail, Table, World, certs, dovecot};

const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";
const SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";

fn servers() -> Option<(IdentityProvider, Dovecot)> {
    let provider = IdentityProvider::start()?;
    let server = taking_tokens(&provider)?;
    Some((provider, server))
}

fn taking_tokens(provider: &IdentityProvider) -> Option<Dovecot> {
    let server = Dovecot::with(&dovecot::Options {
        tokens: Some(provider.port),
        ..dovecot::Options::default()
    })?;
    server.deliver(&Mail::new("Test one").bytes(), 1_760_000_000);
    Some(server)
}

/// A mailbox by either protocol, at this port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Imap,
    Pop,
}

impl Protocol {
    fn ini(self, port: u16) -> Ini {
        match self {
            Self::Imap => Ini::imap(port),
            Self::Pop => Ini::pop(port),
        }
        .rule(RULE)
    }

    fn port(self, server: &Dovecot) -> u16 {
        match self {
            Self::Imap => server.imap,
            Self::Pop => server.pop,
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Imap => "AUTHENTICATE XOAUTH2",
            Self::Pop => "AUTH XOAUTH2",
        }
    }
}

/// By a secret of the application.
fn by_secret(protocol: Protocol, provider: &IdentityProvider, port: u16) -> World {
    let ini = protocol
        .ini(port)
        .by_token(&provider.authority())
        .set("MSAL", "ClientId", DAEMON)
        .set("MSAL", "GrantType", "client_credentials");
    let world = World::with(&ini);
    world.seal_one("MSAL.ClientSecret", SECRET);
    world
}

/// By the application's certificate.
fn by_certificate(protocol: Protocol, provider: &IdentityProvider, port: u16) -> World {
    let certificate = certs::folder().unwrap().join("application.pem");
    let path = |kind| certificate.with_extension(kind).display().to_string();
    World::with(
        &protocol
            .ini(port)
            .by_token(&provider.authority())
            .set("MSAL", "ClientId", CERTIFIED)
            .set("MSAL", "GrantType", "client_credentials")
            .set("MSAL", "ClientCertificate", &path("pem"))
            .set("MSAL", "ClientKey", &path("key")),
    )
}

/// By a refresh token that somebody got from Google.
fn by_google(protocol: Protocol, provider: &IdentityProvider, port: u16) -> World {
    let ini = protocol
        .ini(port)
        .by_token(&provider.google())
        .set("MSAL", "ClientId", DAEMON)
        .set("MSAL", "GrantType", "refresh_token");
    let world = World::with(&ini);
    world.seal_one("MSAL.ClientSecret", SECRET);
    world.seal_one("MSAL.RefreshToken", &provider.refresh_token(SCOPE));
    world
}

/// By an account that somebody signed in to with a browser.
fn by_person(protocol: Protocol, provider: &IdentityProvider, port: u16) -> World {
    let ini = protocol.ini(port).by_token(&provider.authority());
    let world = World::with(&ini).env("BROWSER", &IdentityProvider::browser(USER));
    world.run(&["--renewMsalToken"]).exit(0).says(USER);
    world
}

type Grant = fn(Protocol, &IdentityProvider, u16) -> World;

#[test]
fn every_grant_opens_a_mailbox_by_either_protocol() {
    // Google's refresh tokens stay what they are.
    let Some(provider) = IdentityProvider::with(false) else {
        return;
    };
    let Some(server) = taking_tokens(&provider) else {
        return;
    };
    let grants: [(&str, Grant); 4] = [
        ("somebody signed in", by_person),
        ("client secret", by_secret),
        ("client certificate", by_certificate),
        ("Google refresh token", by_google),
    ];
    let mut table = Table::new("XOAUTH2", ["IMAP", "POP"].map(str::to_owned));
    for (name, grant) in grants {
        let cells = [Protocol::Imap, Protocol::Pop].map(|protocol| Some((grant, protocol)));
        table.row(name, cells.to_vec());
    }
    table.prove(|(grant, protocol)| {
        let world = grant(*protocol, &provider, protocol.port(&server));
        world.run(&[]).exit(0);
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
        let checked = world.run(&["--check"]);
        checked
            .exit(0)
            .says("authority: ")
            .says("token: good until ")
            .says("1 mail");
        "1 event".to_owned()
    });
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let Some((provider, server)) = servers() else {
        return;
    };
    // What the provider says is good is not what it knows.
    let stale = r#"{"token_type":"Bearer","access_token":"stale-4711","expires_in":3600}"#;
    let json = || serde_json::json!({"Content-Type": "application/json"});
    for protocol in [Protocol::Imap, Protocol::Pop] {
        let proxy = CountingProxy::before("127.0.0.1", protocol.port(&server));
        let world = by_secret(protocol, &provider, proxy.port);
        world.secret("stale-4711");
        let before = provider.requests().len();
        provider.fault(1, 200, json(), stale);
        world.run(&["--verbose"]).exit(0);
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
        let traffic = proxy.take_traffic();
        assert_eq!(traffic.connections, 1, "{protocol:?}");
        assert_eq!(traffic.commands_with(protocol.command()).len(), 2);
        assert_eq!(provider.requests().len() - before, 2);

        let world = by_secret(protocol, &provider, proxy.port);
        world.secret("stale-4711");
        provider.fault(2, 200, json(), stale);
        let ran = world.run(&["--verbose"]);
        ran.exit(2)
            .complains("refused the token for")
            .complains("--check")
            .without_retry();
        assert_eq!(world.events(), [""; 0]);
        let traffic = proxy.take_traffic();
        assert_eq!(traffic.commands_with(protocol.command()).len(), 2);
    }
}

#[test]
fn an_expired_token_of_the_cache_is_refreshed_by_the_next_run() {
    let Some((provider, server)) = servers() else {
        return;
    };
    provider.lifetime(2);
    let world = by_person(Protocol::Imap, &provider, server.imap);
    let before = provider.requests().len();
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
    let requests = provider.requests();
    assert_eq!(requests.len() - before, 1);
    assert_eq!(requests.last().unwrap().form["grant_type"], "refresh_token");
    // A token that is good for long enough is used as it is.
    provider.lifetime(3600);
    world
        .run(&["--renewMsalToken", "--renewTokenSilent"])
        .exit(0)
        .says("good until");
    let before = provider.requests().len();
    for word in ["two", "three"] {
        server.deliver(&Mail::new(&format!("Test {word}")).bytes(), 1_760_000_000);
        world.run(&[]).exit(0);
    }
    assert_eq!(world.events().len(), 3);
    assert_eq!(provider.requests().len(), before);
}

#[test]
fn without_a_token_the_mail_server_is_not_asked() {
    let Some((provider, server)) = servers() else {
        return;
    };
    for protocol in [Protocol::Imap, Protocol::Pop] {
        let proxy = CountingProxy::before("127.0.0.1", protocol.port(&server));
        let world = World::with(&protocol.ini(proxy.port).by_token(&provider.authority()));
        for mode in [&[][..], &["--check"], &["--explain"]] {
            let ran = world.run(mode);
            let command = format!(
                "smartemail -inifile:{} --renewMsalToken",
                world.place("SMArtEmail.ini")
            );
            ran.exit(2)
                .complains("nobody is signed in")
                .complains(&command)
                .without_retry();
        }
        assert_eq!(proxy.traffic().connections, 0);
    }
}

#[test]
fn a_server_without_xoauth2_gets_no_token() {
    let (Some(provider), Some(server)) = (IdentityProvider::start(), Dovecot::start()) else {
        return;
    };
    for protocol in [Protocol::Imap, Protocol::Pop] {
        let proxy = CountingProxy::before("127.0.0.1", protocol.port(&server));
        let world = by_secret(protocol, &provider, proxy.port);
        world
            .run(&[])
            .exit(2)
            .complains("does not offer that")
            .complains("Authentication=Password");
        assert_eq!(proxy.traffic().commands_with("AUTH XOAUTH2").len(), 0);
        assert_eq!(proxy.traffic().commands_with("AUTHENTICATE").len(), 0);
    }
}
