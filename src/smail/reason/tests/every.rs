//! Every kind of failure, with its server's words, its names and what libraries say apart.

use std::collections::BTreeSet;
use std::io;

use super::super::*;
use crate::auth::Error as Token;
use crate::net::{Fingerprint, TlsFloor};
use crate::send::Lost;

/// Names the kind of a value. The compiler sees to it that none is left out here, and `complete`
/// that each is made below.
macro_rules! kinds {
    ($name:ident: $type:ident { $($kind:ident)+ }) => {
        mod $name {
            use super::*;

            pub(super) const ALL: &[&str] = &[$(stringify!($kind)),+];

            pub(super) fn of(value: &$type) -> &'static str {
                match value {
                    $($type::$kind { .. } => stringify!($kind),)+
                }
            }
        }
    };
}

kinds! { errors: Error {
    Compose Connection Web Unanswered Token Login NoLogin NobodyTook Refused TooLarge NotAscii
    Protocol
} }
kinds! { nets: Net {
    Unresolved Refused Unreachable TimedOut Tls NoStartTls Closed Broken
} }
kinds! { faults: TlsFault {
    VersionFloor NotOnThisMachine NotTls NotTlsAfterAll HungUp Expired OutsideItsTime NotYetValid WrongHost
    UnknownAuthority SelfSigned CertificateChanged BadCertificate NothingInCommon Other
} }
kinds! { flaws: CertificateFlaw { Revoked TooWeak WrongPurpose Other } }
kinds! { judged: Kind {
    Permanent Unfit Recipient Authentication Transient Uncertain
} }
kinds! { webs: Web { Token UnusableToken Unanswered Refused Malformed BadRequest } }
kinds! { https: Http {
    BadAddress ClearText Unresolved Unreachable Tls TimedOut Broken TooLarge
} }
kinds! { tokens: Token {
    Rejected Busy Unanswered Malformed NotSignedIn OtherAccount Cache CacheHeld NoSignIn Listener
    NobodyCame Signing
} }
kinds! { refusals: Refused { Conversation Sender Mail Contents } }
kinds! { no_logins: NoLogin { NotOffered ZeroByte Demanded } }
kinds! { answers: Answer { Said NotAscii } }
kinds! { logins: LoginAnswer { Said Left } }
kinds! { compositions: ComposeError { NoRecipient MessageId FileName } }

/// All of these, each kind at least once.
#[track_caller]
fn complete<T>(all: Vec<T>, kinds: &[&'static str], kind: impl Fn(&T) -> &'static str) -> Vec<T> {
    let there: BTreeSet<_> = all.iter().map(kind).collect();
    assert_eq!(there, kinds.iter().copied().collect());
    all
}

fn own() -> String {
    super::OWN.to_owned()
}

/// As libraries and the system speak.
fn foreign() -> String {
    "the words of a library".to_owned()
}

fn io_error() -> io::Error {
    io::Error::other(foreign())
}

fn time() -> Duration {
    Duration::from_secs(144)
}

fn faults() -> Vec<TlsFault> {
    let floor = TlsFloor::Tls1_2;
    let shown = Fingerprint::of(b"x");
    let flaws = vec![
        CertificateFlaw::Revoked,
        CertificateFlaw::TooWeak,
        CertificateFlaw::WrongPurpose,
        CertificateFlaw::Other(foreign()),
    ];
    let flaws = complete(flaws, flaws::ALL, flaws::of).into_iter();
    let others = [
        TlsFault::VersionFloor(floor),
        TlsFault::NotOnThisMachine(vec![floor, TlsFloor::Tls1_3]),
        TlsFault::NotTls,
        TlsFault::NotTlsAfterAll,
        TlsFault::HungUp {
            floor,
            missing: Vec::new(),
        },
        TlsFault::Expired,
        TlsFault::OutsideItsTime,
        TlsFault::NotYetValid,
        TlsFault::WrongHost(own()),
        TlsFault::UnknownAuthority,
        TlsFault::SelfSigned,
        TlsFault::CertificateChanged {
            remembered: shown,
            shown,
        },
        TlsFault::NothingInCommon,
        TlsFault::Other(foreign()),
    ];
    let all = flaws.map(TlsFault::BadCertificate).chain(others);
    complete(all.collect(), faults::ALL, faults::of)
}

fn nets() -> Vec<Net> {
    let server = own;
    let steps = [
        Step::Resolving,
        Step::Connecting,
        Step::Answering,
        Step::Sending,
    ];
    let late = steps.map(|step| Net::TimedOut {
        server: server(),
        step,
        after: time(),
    });
    let tls = faults().into_iter().map(|fault| Net::Tls {
        server: server(),
        fault,
    });
    let others = [
        Net::Unresolved {
            host: own(),
            source: io_error(),
        },
        Net::Refused {
            server: server(),
            source: io_error(),
        },
        Net::Unreachable {
            server: server(),
            source: io_error(),
        },
        Net::NoStartTls { server: server() },
        Net::Closed {
            server: server(),
            words: String::new(),
        },
        Net::Closed {
            server: server(),
            words: own(),
        },
        Net::Broken {
            server: server(),
            cause: io_error(),
        },
    ];
    let all = late.into_iter().chain(tls).chain(others);
    complete(all.collect(), nets::ALL, nets::of)
}

fn https() -> Vec<Http> {
    let steps = [
        http::Step::Connecting,
        http::Step::Sending,
        http::Step::Answering,
    ];
    let late = steps.map(|step| Http::TimedOut {
        server: own(),
        step,
        after: time(),
        arrived: true,
    });
    let tls = faults().into_iter().map(|fault| Http::Tls {
        server: own(),
        fault: Box::new(fault),
    });
    let others = [
        Http::BadAddress { address: own() },
        Http::ClearText { server: own() },
        Http::Unresolved { server: own() },
        Http::Unreachable {
            server: own(),
            cause: foreign(),
        },
        Http::Broken {
            server: own(),
            cause: foreign(),
            arrived: true,
        },
        Http::TooLarge {
            server: own(),
            largest: 1,
        },
    ];
    let all = late.into_iter().chain(tls).chain(others);
    complete(all.collect(), https::ALL, https::of)
}

fn tokens() -> Vec<Token> {
    let codes = [7_000_215, 7_000_222, 700_016, 90_002, 1].map(Some);
    let rejected = codes.into_iter().chain([None]);
    let rejected = rejected.flat_map(|code| {
        [String::new(), own()].map(|description| Token::Rejected {
            server: own(),
            error: own(),
            code,
            description,
            advice: foreign(),
        })
    });
    let others = [
        Token::Busy {
            server: own(),
            status: 503,
            retry_after: None,
        },
        Token::Malformed {
            server: own(),
            cause: foreign(),
            advice: foreign(),
        },
        Token::NotSignedIn {
            why: foreign(),
            advice: foreign(),
        },
        Token::OtherAccount {
            wanted: foreign(),
            found: foreign(),
            advice: foreign(),
        },
        Token::Cache {
            path: own(),
            what: "read",
            cause: foreign(),
        },
        Token::CacheHeld {
            path: own(),
            after: time(),
        },
        Token::NoSignIn,
        Token::Listener { cause: foreign() },
        Token::NobodyCame {
            after: time(),
            advice: foreign(),
        },
        Token::Signing,
    ];
    let unanswered = https().into_iter().map(Token::Unanswered);
    let all = rejected.chain(others).chain(unanswered);
    complete(all.collect(), tokens::ALL, tokens::of)
}

fn webs() -> Vec<Web> {
    let refused = vec![
        Kind::Permanent,
        Kind::Unfit,
        Kind::Recipient,
        Kind::Authentication,
        Kind::Transient,
        Kind::Uncertain,
    ];
    let refused = complete(refused, judged::ALL, judged::of).into_iter();
    let refused = refused.flat_map(|kind| {
        [Code::Name(own()), Code::Status(500)].map(|code| {
            Web::from(Refusal {
                server: own(),
                code,
                message: own(),
                request_id: own(),
                kind,
                advice: "the advice for others",
            })
        })
    });
    let either = [true, false].into_iter().flat_map(|arrived| {
        let unanswered = https().into_iter();
        let unanswered = unanswered.map(move |cause| Web::Unanswered { cause, arrived });
        unanswered.chain([Web::Malformed {
            server: own(),
            cause: foreign(),
            arrived,
        }])
    });
    let others = [Web::UnusableToken, Web::BadRequest { address: own() }];
    let tokens = tokens().into_iter().map(Web::Token);
    let all = refused.chain(either).chain(others).chain(tokens);
    complete(all.collect(), webs::ALL, webs::of)
}

fn answers() -> Vec<Answer> {
    let all = vec![Answer::Said(own()), Answer::NotAscii { server: own() }];
    complete(all, answers::ALL, answers::of)
}

pub(super) fn errors() -> Vec<Error> {
    let logins = nets().into_iter();
    let logins = logins.map(|cause| LoginAnswer::Left(Lost::from(cause)));
    let logins = logins.chain([LoginAnswer::Said(own())]).collect();
    let logins = complete(logins, logins::ALL, logins::of).into_iter();
    let logins = logins.map(|answer| Error::Login {
        server: own(),
        user: own(),
        answer,
        transient: false,
        advice: "the advice for others",
    });
    let no_logins = vec![
        NoLogin::NotOffered {
            wanted: vec!["PLAIN", "LOGIN"],
            offered: Some(own()),
        },
        NoLogin::NotOffered {
            wanted: vec!["XOAUTH2"],
            offered: None,
        },
        NoLogin::ZeroByte,
        NoLogin::Demanded { answer: own() },
    ];
    let no_logins = complete(no_logins, no_logins::ALL, no_logins::of).into_iter();
    let no_logins = no_logins.map(|why| Error::NoLogin { server: own(), why });
    let refused = vec![
        Refused::Conversation,
        Refused::Sender,
        Refused::Mail,
        Refused::Contents,
    ];
    let refused = complete(refused, refusals::ALL, refusals::of).into_iter();
    let refused = refused.map(|what| Error::Refused {
        server: own(),
        what,
        answer: own(),
        transient: false,
    });
    let composing = vec![
        ComposeError::NoRecipient,
        ComposeError::MessageId(own()),
        ComposeError::FileName(own()),
    ];
    let composing = complete(composing, compositions::ALL, compositions::of).into_iter();
    let composing = composing.map(Error::Compose);
    let nobody = answers().into_iter().map(|answer| send::Refusal {
        recipient: own(),
        answer,
        transient: false,
    });
    let others = [
        Error::NobodyTook(nobody.collect()),
        Error::TooLarge {
            server: own(),
            size: 2,
            limit: 1,
        },
        Error::NotAscii {
            server: own(),
            address: own(),
        },
        Error::Protocol {
            server: own(),
            what: foreign(),
        },
    ];
    let nets = || nets().into_iter().map(Error::from);
    let unanswered = nets().map(|cause| Error::Unanswered {
        cause: Box::new(cause),
    });
    let all = nets()
        .chain(unanswered)
        .chain(logins)
        .chain(no_logins)
        .chain(refused)
        .chain(composing)
        .chain(others)
        .chain(webs().into_iter().map(Error::Web))
        .chain(tokens().into_iter().map(Error::Token));
    complete(all.collect(), errors::ALL, errors::of)
}
