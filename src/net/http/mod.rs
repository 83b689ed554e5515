//! HTTP for the services that are spoken to over it: token endpoints, Graph, EWS.
//!
//! Every status is an answer, no redirect is followed (it would carry a token elsewhere), and
//! size and time are bounded. The steps that `--verbose` shows have neither headers nor bodies
//! nor the query of an address, so no secret can be among them.

mod error;
mod patience;
mod pieces;

use std::cell::Cell;
use std::io::{self, Read};
use std::net::IpAddr;
use std::time::{Duration, Instant};

pub use error::{Error, Step};
pub use patience::{Patience, retry_after};
pub use pieces::{path_segment, query_value, request_id};
use ureq::http::header::CONTENT_LENGTH;
pub use ureq::http::{Method, Request, Response, StatusCode, Uri, header};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, AsSendBody, SendBody};

use super::Trace;

/// An answer larger than this is none of what is asked for here.
const LARGEST_ANSWER: u64 = 4 * 1024 * 1024;
/// A connection that rested longer may have been closed at the other end, and a request over it
/// would be lost without a trace of what became of it.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Time limits of a request (`connect-timeout` and `protocol-timeout`, `ConnectTimeout` and `ReadTimeout`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To find and reach the server and agree on TLS.
    pub connect: Duration,
    /// To hand over the head of a request, its body, to wait for an answer, and to take it: for
    /// each of them.
    pub answer: Duration,
}

/// Sends requests, over connections that are kept for the next one.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    limits: Limits,
    trace: Trace,
}

impl Client {
    /// A client without a connection yet. Servers are trusted as by every other connection:
    /// TLS 1.2 at least, and a chain to an authority of this machine. The variables
    /// `HTTPS_PROXY` and `NO_PROXY` are heeded.
    #[must_use]
    pub fn new(limits: Limits, trace: Trace) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let Limits { connect, answer } = limits;
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("smartemail/", env!("CARGO_PKG_VERSION")))
            .max_idle_age(LONGEST_REST)
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect))
            .timeout_send_request(Some(answer))
            .timeout_send_body(Some(answer))
            .timeout_recv_response(Some(answer))
            .timeout_recv_body(Some(answer))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            limits,
            trace,
        }
    }

    /// The time limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sends a request, once, and reads its answer whole.
    ///
    /// # Errors
    /// There is no answer, whatever its status: see [`Error`].
    pub fn send(&self, request: Request<impl AsRef<[u8]>>) -> Result<Response<Vec<u8>>, Error> {
        self.send_for(request, LARGEST_ANSWER)
    }

    /// The same for an answer of up to so many bytes.
    ///
    /// # Errors
    /// There is no answer, whatever its status: see [`Error`].
    pub fn send_for(
        &self,
        request: Request<impl AsRef<[u8]>>,
        largest: u64,
    ) -> Result<Response<Vec<u8>>, Error> {
        let server = checked(request.uri())?;
        let began = Instant::now();
        let (mut parts, bytes) = request.into_parts();
        let bytes = bytes.as_ref();
        let what = format!("{} {}", parts.method, shown(&parts.uri));
        self.trace
            .line(|| format!("> {what}, {} bytes", bytes.len()));
        let body = Body::new(bytes);
        let is_harmless = bytes.is_empty() && parts.method != Method::POST;
        let answer = if is_harmless {
            self.run(Request::from_parts(parts, ()))
        } else {
            parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
            let mut reader = &body;
            self.run(Request::from_parts(
                parts,
                SendBody::from_reader(&mut reader),
            ))
        };
        let answer = answer.and_then(|answer| {
            let (head, content) = answer.into_parts();
            let limited = content.into_with_config().limit(largest);
            Ok(Response::from_parts(head, limited.read_to_vec()?))
        });
        match answer {
            Ok(answer) => {
                self.trace.line(|| {
                    let took = began.elapsed().as_secs_f64();
                    let size = answer.body().len();
                    format!("< {}, {size} bytes, {took:.2} s", answer.status().as_u16())
                });
                Ok(answer)
            }
            Err(cause) => {
                let fate = if is_harmless {
                    Fate::Harmless
                } else {
                    body.fate()
                };
                let error = Error::of(server, cause, fate, began.elapsed());
                self.trace.line(|| format!("< {error}"));
                Err(error)
            }
        }
    }

    fn run(&self, request: Request<impl AsSendBody>) -> Result<Response<ureq::Body>, ureq::Error> {
        if is_this_machine(request.uri()) {
            // A proxy elsewhere can't reach it, and clear text is to stay on this machine.
            let request = self.agent.configure_request(request).proxy(None).build();
            return self.agent.run(request);
        }
        self.agent.run(request)
    }
}

/// How much of a request has left, for the question whether the server can have acted on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing of the body was asked for: the connection was not ready for it.
    Untouched,
    /// The body was not handed over whole: no server has a complete request.
    Incomplete,
    /// It was.
    Complete,
    /// There was no body to tell by.
    Unknown,
    /// Neither was there, and nothing is done twice by a repetition (RFC 9110, section 9.2.2).
    Harmless,
}

/// A request's body, which knows how far it was read.
struct Body<'a> {
    bytes: &'a [u8],
    left: Cell<&'a [u8]>,
}

impl<'a> Body<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            left: Cell::new(bytes),
        }
    }

    fn fate(&self) -> Fate {
        match (self.bytes.len(), self.left.get().len()) {
            (0, _) => Fate::Unknown,
            (_, 0) => Fate::Complete,
            (all, left) if all == left => Fate::Untouched,
            _ => Fate::Incomplete,
        }
    }
}

impl Read for &Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut left = self.left.get();
        let count = left.read(buffer)?;
        self.left.set(left);
        Ok(count)
    }
}

/// Whether this address may be asked: over TLS, or on this machine itself.
///
/// # Errors
/// [`Error::BadAddress`] or [`Error::ClearText`], as a request to it would have.
pub fn check(address: &str) -> Result<(), Error> {
    let uri = address.parse::<Uri>().map_err(|_| Error::BadAddress {
        address: super::clean(address, 300),
    })?;
    checked(&uri).map(drop)
}

/// An address that may be asked, as messages name its server.
fn checked(uri: &Uri) -> Result<String, Error> {
    let bad = || Error::BadAddress {
        address: shown(uri),
    };
    let authority = uri.authority().ok_or_else(bad)?;
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(bad());
    }
    match uri.scheme_str() {
        Some("https") => Ok(authority.to_string()),
        Some("http") if is_this_machine(uri) => Ok(authority.to_string()),
        Some("http") => Err(Error::ClearText {
            server: authority.to_string(),
        }),
        _ => Err(bad()),
    }
}

/// The host of an address is this machine by its name or number, so clear text leaves it not.
#[must_use]
pub fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An address without what may be secret in it: user, password and query.
fn shown(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or("?");
    super::clean(&format!("{scheme}://{host}{}", uri.path()), 300)
}

#[cfg(test)]
mod tests;
