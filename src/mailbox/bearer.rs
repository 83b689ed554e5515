//! Log-ins with tokens, for tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use data_encoding::BASE64;

use super::{Login, Proof};
use crate::auth::{Authority, Grant, Names, Settings, TokenSource};
use crate::net::Trace;
use crate::net::http::Limits;
use crate::secret::Secret;

const USER: &str = "me@example.test";

/// The log-in of somebody whose authority gives these tokens, one for each request.
pub(super) fn with_tokens(list: &'static [&str]) -> Login {
    Login {
        user: USER.into(),
        proof: Proof::Token(tokens(list)),
    }
}

/// What goes over the wire for a token.
pub(super) fn message(token: &str) -> String {
    let text = format!("user={USER}\u{1}auth=Bearer {token}\u{1}\u{1}");
    BASE64.encode(text.as_bytes())
}

/// Tokens of an authority that gives these, one for each request, and then none.
fn tokens(list: &'static [&str]) -> TokenSource {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for token in list {
            let (stream, _) = listener.accept().unwrap();
            let head = BufReader::new(&stream).lines().map_while(Result::ok);
            // The form behind the head is of no interest.
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let body =
                format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{token}"}}"#);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            { &stream }.write_all(answer.as_bytes()).unwrap();
        }
    });
    let limit = Duration::from_secs(20);
    let settings = Settings {
        authority: Authority::of(&format!("http://127.0.0.1:{port}"), "t").unwrap(),
        client_id: "app".into(),
        grant: Grant::ClientCredentials {
            secret: Secret::new("app-secret".into()),
        },
        scope: "s".into(),
        margin: Duration::ZERO,
        limits: Limits {
            connect: limit,
            answer: limit,
        },
        names: Names::Msal,
    };
    TokenSource::new(settings, Trace::off())
}
