//! Every kind of failure, in both languages: nothing of it is left in the other one.

use std::collections::BTreeSet;
use std::io;

use super::super::texts::{Language, Speaker};
use super::*;
use crate::net::{Fingerprint, TlsFloor};
use crate::send::Lost;

/// What stands for a server's own words, for a name or for an address.
const OWN: &str = "<own>";

/// Words of the other language that no message needs. French has "on", "a", "or" and "son", too.
const ENGLISH: &[&str] = &[
    "the",
    "of",
    "is",
    "it",
    "its",
    "and",
    "to",
    "in",
    "with",
    "without",
    "not",
    "no",
    "for",
    "by",
    "at",
    "that",
    "which",
    "who",
    "how",
    "many",
    "this",
    "these",
    "was",
    "were",
    "be",
    "been",
    "has",
    "have",
    "had",
    "an",
    "as",
    "from",
    "or",
    "but",
    "does",
    "did",
    "can",
    "may",
    "check",
    "server",
    "while",
    "address",
    "status",
    "saying",
    "said",
    "closed",
    "connection",
    "error",
];
const FRENCH: &[&str] = &[
    "le", "la", "les", "de", "des", "du", "un", "une", "et", "est", "ce", "que", "qui", "n", "d",
    "l", "pas", "ou", "pour", "avec", "dans", "sur", "il", "elle", "au", "aux", "en", "par",
];

/// Names the kind of a value; together with `KINDS` the compiler and the test see to it that none
/// is forgotten.
macro_rules! kinds {
    ($name:ident, $type:ty, $($pattern:pat),+ $(,)?) => {
        mod $name {
            use super::*;

            pub(super) const ALL: &[&str] = &[$(stringify!($pattern)),+];

            pub(super) fn of(value: &$type) -> &'static str {
                match value {
                    $($pattern => stringify!($pattern),)+
                }
            }
        }
    };
}

kinds!(
    errors,
    Error,
    Error::Compose(_),
    Error::Connection(_),
    Error::Web(_),
    Error::Unanswered { .. },
    Error::Token(_),
    Error::Login { .. },
    Error::NoLogin { .. },
    Error::NobodyTook(_),
    Error::Refused { .. },
    Error::TooLarge { .. },
    Error::NotAscii { .. },
    Error::Protocol { .. },
);
kinds!(
    nets,
    Net,
    Net::Unresolved { .. },
    Net::Refused { .. },
    Net::Unreachable { .. },
    Net::TimedOut { .. },
    Net::Tls { .. },
    Net::NoStartTls { .. },
    Net::Closed { .. },
    Net::Broken { .. },
);
kinds!(
    faults,
    TlsFault,
    TlsFault::VersionFloor(_),
    TlsFault::NotOnThisMachine(_),
    TlsFault::NotTls,
    TlsFault::NotTlsAfterAll,
    TlsFault::HungUp { .. },
    TlsFault::Expired,
    TlsFault::NotYetValid,
    TlsFault::WrongHost(_),
    TlsFault::UnknownAuthority,
    TlsFault::SelfSigned,
    TlsFault::CertificateChanged { .. },
    TlsFault::BadCertificate(CertificateFlaw::Revoked),
    TlsFault::BadCertificate(CertificateFlaw::TooWeak),
    TlsFault::BadCertificate(CertificateFlaw::WrongPurpose),
    TlsFault::BadCertificate(CertificateFlaw::Other(_)),
    TlsFault::NothingInCommon,
    TlsFault::Other(_),
);
kinds!(
    webs,
    Web,
    Web::Token(_),
    Web::UnusableToken,
    Web::Unanswered { arrived: true, .. },
    Web::Unanswered { arrived: false, .. },
    Web::Refused(_),
    Web::Malformed { arrived: true, .. },
    Web::Malformed { arrived: false, .. },
    Web::BadRequest { .. },
);
kinds!(
    https,
    Http,
    Http::BadAddress { .. },
    Http::ClearText { .. },
    Http::Unresolved { .. },
    Http::Unreachable { .. },
    Http::Tls { .. },
    Http::TimedOut { .. },
    Http::Broken { .. },
    Http::TooLarge { .. },
);
kinds!(
    tokens,
    auth::Error,
    auth::Error::Rejected { .. },
    auth::Error::Busy { .. },
    auth::Error::Unanswered(_),
    auth::Error::Malformed { .. },
    auth::Error::NotSignedIn { .. },
    auth::Error::Cache { .. },
    auth::Error::CacheHeld { .. },
    auth::Error::NoSignIn,
    auth::Error::Listener { .. },
    auth::Error::NobodyCame { .. },
    auth::Error::Signing,
);
kinds!(
    refusals,
    Refused,
    Refused::Conversation,
    Refused::Sender,
    Refused::Mail,
    Refused::Contents,
);
kinds!(
    no_logins,
    NoLogin,
    NoLogin::NotOffered {
        offered: Some(_),
        ..
    },
    NoLogin::NotOffered { offered: None, .. },
    NoLogin::ZeroByte,
    NoLogin::Demanded { .. },
);
kinds!(answers, Answer, Answer::Said(_), Answer::NotAscii { .. });
kinds!(
    logins,
    LoginAnswer,
    LoginAnswer::Said(_),
    LoginAnswer::Left(_)
);
kinds!(
    composing,
    ComposeError,
    ComposeError::NoRecipient,
    ComposeError::MessageId(_),
    ComposeError::FileName(_)
);

/// All of these, each kind at least once.
#[track_caller]
fn complete<T>(all: Vec<T>, kinds: &[&'static str], kind: impl Fn(&T) -> &'static str) -> Vec<T> {
    let there: BTreeSet<_> = all.iter().map(kind).collect();
    assert_eq!(there, kinds.iter().copied().collect());
    all
}

fn own() -> String {
    OWN.to_owned()
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

fn all_faults() -> Vec<TlsFault> {
    let floor = TlsFloor::Tls1_2;
    let shown = Fingerprint::of(b"x");
    let bad = TlsFault::BadCertificate;
    complete(
        vec![
            TlsFault::VersionFloor(floor),
            TlsFault::NotOnThisMachine(vec![floor, TlsFloor::Tls1_3]),
            TlsFault::NotTls,
            TlsFault::NotTlsAfterAll,
            TlsFault::HungUp {
                floor,
                missing: Vec::new(),
            },
            TlsFault::Expired,
            TlsFault::NotYetValid,
            TlsFault::WrongHost(own()),
            TlsFault::UnknownAuthority,
            TlsFault::SelfSigned,
            TlsFault::CertificateChanged {
                remembered: shown,
                shown,
            },
            bad(CertificateFlaw::Revoked),
            bad(CertificateFlaw::TooWeak),
            bad(CertificateFlaw::WrongPurpose),
            bad(CertificateFlaw::Other(foreign())),
            TlsFault::NothingInCommon,
            TlsFault::Other(foreign()),
        ],
        faults::ALL,
        faults::of,
    )
}

fn all_nets() -> Vec<Net> {
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
    let tls = all_faults().into_iter().map(|fault| Net::Tls {
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

fn all_https() -> Vec<Http> {
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
    let tls = all_faults().into_iter().map(|fault| Http::Tls {
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

fn all_tokens() -> Vec<auth::Error> {
    let codes = [7_000_215, 7_000_222, 700_016, 90_002, 1].map(Some);
    let rejected = codes.into_iter().chain([None]);
    let rejected = rejected.flat_map(|code| {
        [String::new(), own()].map(|description| auth::Error::Rejected {
            server: own(),
            error: own(),
            code,
            description,
            advice: foreign(),
        })
    });
    let others = [
        auth::Error::Busy {
            server: own(),
            status: 503,
            retry_after: None,
        },
        auth::Error::Malformed {
            server: own(),
            cause: foreign(),
            advice: foreign(),
        },
        auth::Error::NotSignedIn {
            why: foreign(),
            advice: foreign(),
        },
        auth::Error::Cache {
            path: own(),
            what: "read",
            cause: foreign(),
        },
        auth::Error::CacheHeld {
            path: own(),
            after: time(),
        },
        auth::Error::NoSignIn,
        auth::Error::Listener { cause: foreign() },
        auth::Error::NobodyCame {
            after: time(),
            advice: foreign(),
        },
        auth::Error::Signing,
    ];
    let unanswered = all_https().into_iter().map(auth::Error::Unanswered);
    let all = rejected.chain(others).chain(unanswered);
    complete(all.collect(), tokens::ALL, tokens::of)
}

fn all_webs() -> Vec<Web> {
    let refused = [
        Kind::Permanent,
        Kind::Authentication,
        Kind::Transient,
        Kind::Uncertain,
    ]
    .into_iter()
    .flat_map(|kind| {
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
        let unanswered = all_https().into_iter();
        let unanswered = unanswered.map(move |cause| Web::Unanswered { cause, arrived });
        unanswered.chain([Web::Malformed {
            server: own(),
            cause: foreign(),
            arrived,
        }])
    });
    let others = [Web::UnusableToken, Web::BadRequest { address: own() }];
    let tokens = all_tokens().into_iter().map(Web::Token);
    let all = refused.chain(either).chain(others).chain(tokens);
    complete(all.collect(), webs::ALL, webs::of)
}

fn all_answers() -> Vec<Answer> {
    let all = vec![Answer::Said(own()), Answer::NotAscii { server: own() }];
    complete(all, answers::ALL, answers::of)
}

fn all_errors() -> Vec<Error> {
    let logins = all_nets().into_iter();
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
    let composing = complete(composing, composing::ALL, composing::of).into_iter();
    let composing = composing.map(Error::Compose);
    let nobody = all_answers().into_iter().map(|answer| send::Refusal {
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
    let nets = || all_nets().into_iter().map(Error::from);
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
        .chain(all_webs().into_iter().map(Error::Web))
        .chain(all_tokens().into_iter().map(Error::Token));
    complete(all.collect(), errors::ALL, errors::of)
}

#[test]
fn every_failure_is_told_in_one_language() {
    let errors = all_errors();
    assert!(errors.len() > 200, "{}", errors.len());
    for (language, foreign) in [(Language::French, ENGLISH), (Language::English, FRENCH)] {
        let speaker = Speaker::of(language);
        for (error, by_token) in errors
            .iter()
            .flat_map(|error| [(error, false), (error, true)])
        {
            let said = speaker.say(&message(error, by_token)).replace(OWN, "");
            let words: Vec<_> = said
                .split(|c: char| !c.is_alphanumeric() && !['_', '/', '.'].contains(&c))
                .map(str::to_lowercase)
                .collect();
            let left: Vec<_> = words
                .iter()
                .filter(|word| foreign.contains(&word.as_str()))
                .collect();
            assert!(left.is_empty(), "{left:?} in {said}");
            assert!(words.len() > 3, "{said}");
        }
    }
}
