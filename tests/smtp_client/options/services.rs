//! The options of Graph and EWS.

use super::tokens::{BY_PASSWORD, BY_SECRET};
use super::*;
use crate::ways::with_tokens;

pub(super) const ROWS: &[Row] = &[
    ("server-type", "absent, EWS, GRAPH", server_type),
    (
        "mail.ews.auth.mechanisms",
        "absent, XOAUTH2",
        ews_mechanisms,
    ),
    ("allow-delegate", "absent, true", allow_delegate),
    (
        "exchange-version",
        "absent, blank, Exchange2010_SP2, Office365, Exchange2016",
        exchange_version,
    ),
];

fn server_type() -> Option<String> {
    let sink = Sink::start();
    sends(&to_sink(&sink), &[]);
    assert_eq!(verbs(&sink), ["EHLO MAIL RCPT DATA QUIT"]);
    let provider = IdentityProvider::start()?;
    let ews = Ews::start(None)?;
    sends(&to_ews(&ews), &[("smtp-client.password", PASSWORD)]);
    assert_eq!(ews.taken().len(), 1);
    let graph = Graph::start(&provider);
    sends(
        &to_graph(&provider, &graph),
        &[("smtp-client.password", SECRET)],
    );
    assert_eq!(graph.exchanges(), ["POST sendMail 202"]);
    Some("EHLO MAIL RCPT DATA QUIT; EWS: CreateItem; GRAPH: POST sendMail".into())
}

fn to_ews(ews: &Ews) -> Ini {
    ini()
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", &ews.address())
        .set(SECTION, "user", USER)
}

fn ews_mechanisms() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let ews = Ews::start(Some(&provider))?;
    let password = [("smtp-client.password", PASSWORD)];
    sends(&to_ews(&ews), &password);
    sends(
        &with_tokens(to_ews(&ews), &provider.authority(), NATIVE),
        &password,
    );
    let taken = ews.taken();
    let schemes: Vec<_> = taken.iter().map(|mail| mail.scheme.as_str()).collect();
    assert_eq!(schemes, ["Basic", "Bearer"]);
    Some(format!("Authorization: {}", schemes.join("; ")))
}

fn exchange_version() -> Option<String> {
    let ews = Ews::start(None)?;
    let ini = to_ews(&ews);
    sends(&ini, &BY_PASSWORD);
    for version in ["", "Exchange2010_SP2", "Office365", "Exchange2016"] {
        sends(
            &ini.clone().set(SECTION, "exchange-version", version),
            &BY_PASSWORD,
        );
    }
    let taken = ews.taken();
    let versions: Vec<_> = taken.iter().map(|mail| mail.version.as_str()).collect();
    assert_eq!(
        versions,
        [
            "Exchange2010",
            "Exchange2013_SP1",
            "Exchange2010_SP2",
            "Exchange2013_SP1",
            "Exchange2016"
        ]
    );
    Some(format!("RequestServerVersion {}", versions.join(", ")))
}

fn allow_delegate() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let graph = Graph::start(&provider);
    graph.allow_sending_as("jobs@example.test");
    let ini = to_graph(&provider, &graph);
    sends(&ini, &BY_SECRET);
    sends(&ini.set(SECTION, "allow-delegate", "true"), &BY_SECRET);
    let sent = graph.sent();
    let [own, other] = &sent[..] else {
        panic!("two mails: {sent:#?}");
    };
    let text = String::from_utf8_lossy(&own.mime);
    let own = text.lines().find(|line| line.starts_with("From:")).unwrap();
    assert_eq!(own, format!("From: {USER}"));
    let other = other.resource["from"]["emailAddress"]["address"].as_str();
    assert_eq!(other, Some("jobs@example.test"));
    Some(format!("{own} (MIME); from=jobs@example.test (JSON)"))
}
