//! From nothing to a conversation: connection, greeting, EHLO and TLS (RFC 5321, section 3.1;
//! RFC 3207).

use std::net::IpAddr;

use super::capabilities::Capabilities;
use super::reply::Reply;
use super::wire::{Talk, Wire};
use crate::net::{self, Channel, Connection, Endpoint, Trace, Upgrade};
use crate::send::{Error, Refused};

/// A conversation in which nobody has been logged in yet.
pub(super) struct Opened {
    pub(super) wire: Wire<Connection>,
    pub(super) capabilities: Capabilities,
    pub(super) encrypted: bool,
}

/// Connects and learns what the server can do.
pub(super) fn open(endpoint: &Endpoint, trace: &Trace, number: usize) -> Result<Opened, Error> {
    let talk = Talk::new(endpoint.server(), trace.clone(), number);
    let mut in_clear = None;
    let connection = net::connect(endpoint, |connection| {
        let name = own_name(connection.local_address());
        let mut wire = Wire::new(connection, talk.clone());
        let capabilities = begin(&mut wire, &name)?;
        let upgrade = start_tls(&mut wire, &capabilities)?;
        in_clear = Some(capabilities);
        Ok::<_, Error>(upgrade)
    })?;
    let name = own_name(connection.local_address());
    let encrypted = connection.is_encrypted();
    let mut wire = Wire::new(connection, talk);
    let capabilities = match in_clear {
        None => begin(&mut wire, &name)?,
        // What was said in clear text is void now (RFC 3207, section 4.2).
        Some(_) if encrypted => hello(&mut wire, &name)?,
        Some(capabilities) => capabilities,
    };
    Ok(Opened {
        wire,
        capabilities,
        encrypted,
    })
}

/// Waits for the greeting and introduces this machine.
fn begin<C: Channel>(wire: &mut Wire<C>, name: &str) -> Result<Capabilities, Error> {
    let greeting = wire.reply()?;
    match greeting.code {
        220 => hello(wire, name),
        _ if greeting.is_positive() || greeting.awaits_more() => {
            Err(wire.talk.nonsense(greeting.words()))
        }
        _ => Err(refused(&wire.talk, &greeting)),
    }
}

/// Introduces this machine; a server from before 1995 knows only HELO.
fn hello<C: Channel>(wire: &mut Wire<C>, name: &str) -> Result<Capabilities, Error> {
    wire.command(&format!("EHLO {name}\r\n"))?;
    let reply = wire.reply()?;
    if reply.is_positive() {
        return Ok(Capabilities::of(&reply));
    }
    if reply.is_transient() {
        return Err(refused(&wire.talk, &reply));
    }
    wire.command(&format!("HELO {name}\r\n"))?;
    let reply = wire.reply()?;
    if reply.is_positive() {
        return Ok(Capabilities::default());
    }
    Err(refused(&wire.talk, &reply))
}

/// Asks for TLS where it is offered; the server awaits the handshake after that.
fn start_tls<C: Channel>(
    wire: &mut Wire<C>,
    capabilities: &Capabilities,
) -> Result<Upgrade, Error> {
    if !capabilities.start_tls {
        return Ok(Upgrade::NotOffered);
    }
    wire.command("STARTTLS\r\n")?;
    let reply = wire.reply()?;
    if reply.code != 220 {
        // It was offered, so clear text is not what the settings allow now.
        return Err(refused(&wire.talk, &reply));
    }
    wire.nothing_came_ahead()?;
    Ok(Upgrade::Ready)
}

fn refused(talk: &Talk, reply: &Reply) -> Error {
    if reply.is_good_bye() {
        return talk.closed(reply);
    }
    Error::Refused {
        server: talk.server.clone(),
        what: Refused::Conversation,
        answer: reply.words(),
        transient: reply.is_transient(),
    }
}

/// How this machine is called: by its full name if it knows one, else by its address (RFC 5321,
/// section 4.1.3).
fn own_name(local: Option<IpAddr>) -> String {
    if let Some(name) = full_name() {
        return name;
    }
    match local {
        Some(IpAddr::V4(address)) => format!("[{address}]"),
        Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        None => "[127.0.0.1]".to_owned(),
    }
}

#[cfg(unix)]
fn full_name() -> Option<String> {
    let system = rustix::system::uname();
    let name = system.nodename().to_str().ok()?;
    is_full_name(name).then(|| name.to_owned())
}

/// Windows tells a name without its domain, which is worth less than the address.
#[cfg(windows)]
fn full_name() -> Option<String> {
    None
}

/// Several labels, and not those that stand for "nowhere".
#[cfg(any(unix, test))]
fn is_full_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(is_label)
        && !name.ends_with(".localdomain")
        && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::script::Script;

    fn talk() -> Talk {
        Talk::new("h:25".into(), Trace::off(), 1)
    }

    fn begun(
        greeting: &str,
        answer: impl FnMut(&str) -> Vec<u8> + 'static,
    ) -> (Result<Capabilities, Error>, Vec<String>) {
        let (script, lines) = Script::new(greeting.as_bytes(), answer);
        let result = begin(&mut Wire::new(script, talk()), "me.example");
        let lines = lines.borrow().clone();
        (result, lines)
    }

    #[test]
    fn the_machine_introduces_itself_and_learns() {
        let (result, sent) = begun("220-hello\r\n220 there\r\n", |_| {
            "250-mx\r\n250-PIPELINING\r\n250 DSN\r\n".into()
        });
        let capabilities = result.unwrap();
        assert!(capabilities.pipelining && capabilities.dsn);
        assert_eq!(sent, ["EHLO me.example"]);
    }

    #[test]
    fn an_old_server_is_greeted_as_it_expects() {
        let (result, sent) = begun("220 old\r\n", |line| match line {
            "EHLO me.example" => "502 what?\r\n".into(),
            _ => "250 hello\r\n".into(),
        });
        assert_eq!(result.unwrap(), Capabilities::default());
        assert_eq!(sent, ["EHLO me.example", "HELO me.example"]);
    }

    #[test]
    fn a_server_that_has_no_time_is_told_apart_from_one_that_never_will() {
        let cases = [
            ("421 too busy\r\n", true, "too busy"),
            ("450 later\r\n", true, "later"),
            ("554 not you\r\n", false, "not you"),
            ("250 odd\r\n", false, "does not answer as a mail server"),
            ("* OK IMAP\r\n", false, "does not answer as a mail server"),
        ];
        for (greeting, transient, says) in cases {
            let error = begun(greeting, |_| Vec::new()).0.unwrap_err();
            assert_eq!(error.is_transient(), transient, "{error}");
            assert!(
                error.is_connection() && error.to_string().contains(says),
                "{error}"
            );
        }
    }

    #[test]
    fn what_comes_before_the_handshake_is_not_listened_to() {
        let offered = Capabilities {
            start_tls: true,
            ..Capabilities::default()
        };
        let asked = |answer: &'static str| {
            let (script, _) = Script::new(b"", move |_| answer.into());
            start_tls(&mut Wire::new(script, talk()), &offered)
        };
        assert_eq!(asked("220 go\r\n").unwrap(), Upgrade::Ready);
        assert!(asked("454 no\r\n").unwrap_err().is_transient());
        let forged = asked("220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n").unwrap_err();
        assert!(forged.to_string().contains("clear text"), "{forged}");
        let (script, lines) = Script::new(b"", |_| Vec::new());
        let without = start_tls(&mut Wire::new(script, talk()), &Capabilities::default());
        assert_eq!(without.unwrap(), Upgrade::NotOffered);
        assert!(lines.borrow().is_empty());
    }

    #[test]
    fn names_that_mean_nothing_elsewhere_are_not_told() {
        assert!(is_full_name("mail.example.com"));
        for name in [
            "",
            "host",
            "localhost.localdomain",
            "a..b",
            "a_b.c",
            "127.0.0.1",
            "a b.c",
        ] {
            assert!(!is_full_name(name), "{name}");
        }
    }
}
