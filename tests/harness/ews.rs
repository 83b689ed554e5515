//! A stand-in for Exchange Web Services, of which no server exists to run: it takes mails.
//!
//! Each request and each answer of its own is judged by Exchange's XML schemas with `xmllint`; a
//! test in whose course either was wrong fails.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use roxmltree::{Document, Node};

use super::idp::{self, IdentityProvider, PASSWORD, USER};
use super::site::{self, Asked, Reply};
use super::{daemon, schemas};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
    xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\" \
    xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">";

const VERSION: &str = "<s:Header><t:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"1\" \
    MajorBuildNumber=\"2507\" MinorBuildNumber=\"6\" Version=\"V2017_07_11\"/></s:Header>";

/// A running stand-in; it serves until the test program ends.
pub struct Ews {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    identity_provider: Option<u16>,
    script: Vec<Fault>,
    taken: Vec<Taken>,
    statuses: Vec<u16>,
    violations: Vec<String>,
}

/// A mail that it took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The mail as it came.
    pub mime: Vec<u8>,
    /// The hidden recipients that stood beside it: name and address.
    pub bcc: Vec<(String, String)>,
    /// A delivery receipt was asked for.
    pub receipt: bool,
    /// How the request said who it came from: `Basic` or `Bearer`.
    pub scheme: String,
    /// The version that the request said it was for.
    pub version: String,
    /// The mailbox that an application acted for.
    pub impersonated: Option<String>,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// A fault that asks to wait so many milliseconds.
    Busy(u64),
    /// A fault with this code.
    Refuse(&'static str),
    /// An answer to `CreateItem` with this code.
    Answer(&'static str),
    /// A fault that quotes the credentials, as they came and decoded.
    Quote,
    /// Something before the service answers with this status.
    Gateway(u16),
    /// The connection closes before the service has done anything.
    HangUp,
    /// The service takes the mail; the answer is lost.
    LoseAnswer,
}

impl Ews {
    /// Starts one that takes the password of [`idp::USER`], and tokens of an identity provider;
    /// `None` (said on standard output) where `xmllint` is not installed and the run does not
    /// demand it.
    pub fn start(identity_provider: Option<&IdentityProvider>) -> Option<Self> {
        let xmllint = daemon::find("xmllint");
        daemon::is_installed("xmllint", &[&xmllint]).then(|| {
            let state = Arc::new(Mutex::new(State {
                identity_provider: identity_provider.map(|provider| provider.port),
                ..State::default()
            }));
            let shared = Arc::clone(&state);
            let port = site::serve(move |asked| shared.lock().unwrap().answer(asked));
            Self { port, state }
        })
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://localhost:{}/EWS/Exchange.asmx", self.port)
    }

    /// The next request fails; several are taken in order.
    pub fn fail(&self, fault: Fault) {
        self.state.lock().unwrap().script.push(fault);
    }

    /// The mails that it took.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    /// The statuses that it answered with (0 for no answer).
    pub fn statuses(&self) -> Vec<u16> {
        self.state.lock().unwrap().statuses.clone()
    }
}

impl Drop for Ews {
    fn drop(&mut self) {
        let violations = self.state.lock().unwrap().violations.clone();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "against the schemas:\n{}",
                violations.join("\n")
            );
        }
    }
}

/// What `xmllint` finds wrong with a SOAP message.
pub fn judge(xml: &[u8]) -> Result<(), String> {
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schemas::folder().join("ews/ews-soap.xsd"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint starts");
    // It may be content with the beginning.
    let _ = child.stdin.take().unwrap().write_all(xml);
    let done = child.wait_with_output().unwrap();
    if done.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let fault = (!self.script.is_empty()).then(|| self.script.remove(0));
        let reply = match fault {
            Some(Fault::HangUp) => Reply::HangUp,
            Some(Fault::Gateway(status)) => Reply::Answer {
                status,
                headers: vec![("Content-Type", "text/html".into())],
                body: b"<html><body>Bad gateway<br></body></html>".to_vec(),
            },
            Some(Fault::Busy(pause)) => soap_fault("ErrorServerBusy", Some(pause)),
            Some(Fault::Refuse(code)) => soap_fault(code, None),
            Some(Fault::Quote) => {
                let quoted = &asked.headers["authorization"];
                let text = format!("Who is {quoted}, {USER}:{PASSWORD}?").replace('&', "&amp;");
                soap_fault_with("ErrorAccessDenied", &text, None)
            }
            Some(Fault::Answer(code)) => created(code),
            Some(Fault::LoseAnswer) | None => self.act(asked),
        };
        if let Reply::Answer {
            status: 200 | 500,
            body,
            ..
        } = &reply
            && !matches!(fault, Some(Fault::Gateway(_)))
        {
            self.judged("answer", body);
        }
        let lost = matches!(fault, Some(Fault::LoseAnswer));
        self.statuses.push(match &reply {
            Reply::Answer { status, .. } if !lost => *status,
            _ => 0,
        });
        if lost { Reply::HangUp } else { reply }
    }

    fn judged(&mut self, of: &str, xml: &[u8]) {
        if let Err(error) = judge(xml) {
            self.violations.push(format!("{of}: {error}"));
        }
    }

    fn act(&mut self, asked: &Asked) -> Reply {
        let path: Vec<_> = asked.path.iter().map(String::as_str).collect();
        if (asked.method.as_str(), path.as_slice()) != ("POST", &["EWS", "Exchange.asmx"]) {
            return Reply::empty(404);
        }
        let Some(caller) = self.caller(asked) else {
            return Reply::Answer {
                status: 401,
                headers: vec![("WWW-Authenticate", "Basic realm=\"exchange\"".into())],
                body: Vec::new(),
            };
        };
        self.judged("request", &asked.body);
        if asked.headers["content-type"] != "text/xml; charset=utf-8" {
            return Reply::empty(415);
        }
        let text = str::from_utf8(&asked.body).unwrap();
        let document = Document::parse(text).unwrap();
        let find = |name: &str| {
            document
                .descendants()
                .find(|node| node.tag_name().name() == name)
        };
        let text = |name: &str| find(name).and_then(|node| node.text()).map(str::to_owned);
        let impersonated = text("PrimarySmtpAddress");
        let allowed = match (caller, &impersonated) {
            (Caller::User, None) => true,
            (Caller::User, Some(_)) | (Caller::Application, None) => false,
            (Caller::Application, Some(mailbox)) => {
                mailbox == USER && asked.headers.get("x-anchormailbox") == Some(mailbox)
            }
        };
        if !allowed {
            return soap_fault("ErrorImpersonateUserDenied", None);
        }
        let item = find("CreateItem").unwrap();
        assert_eq!(
            item.attribute("MessageDisposition"),
            Some("SendAndSaveCopy")
        );
        assert_eq!(
            find("DistinguishedFolderId").unwrap().attribute("Id"),
            Some("sentitems")
        );
        let coded = text("MimeContent").unwrap();
        let child = |of: Node<'_, '_>, name: &str| {
            let found = of.children().find(|node| node.tag_name().name() == name);
            found
                .and_then(|node| node.text())
                .unwrap_or_default()
                .to_owned()
        };
        let hidden = find("BccRecipients")
            .into_iter()
            .flat_map(|bcc| bcc.children());
        self.taken.push(Taken {
            mime: BASE64.decode(coded.as_bytes()).unwrap(),
            bcc: hidden
                .map(|person| (child(person, "Name"), child(person, "EmailAddress")))
                .collect(),
            receipt: text("IsDeliveryReceiptRequested").as_deref() == Some("true"),
            scheme: asked.headers["authorization"]
                .split(' ')
                .next()
                .unwrap()
                .to_owned(),
            version: find("RequestServerVersion")
                .unwrap()
                .attribute("Version")
                .unwrap()
                .to_owned(),
            impersonated,
        });
        created("NoError")
    }

    fn caller(&self, asked: &Asked) -> Option<Caller> {
        let authorization = asked.headers.get("authorization")?;
        if let Some(coded) = authorization.strip_prefix("Basic ") {
            let pair = BASE64.decode(coded.as_bytes()).unwrap();
            return (pair == format!("{USER}:{PASSWORD}").into_bytes()).then_some(Caller::User);
        }
        let token = authorization.strip_prefix("Bearer ")?;
        let told = idp::introspect(self.identity_provider?, token)?;
        let is_user = told["sub"] == told["username"];
        Some(if is_user {
            Caller::User
        } else {
            Caller::Application
        })
    }
}

#[derive(Clone, Copy)]
enum Caller {
    User,
    Application,
}

fn created(code: &str) -> Reply {
    let class = if code == "NoError" {
        "Success"
    } else {
        "Error"
    };
    let text = if code == "NoError" {
        ""
    } else {
        "<m:MessageText>The server says no &amp; more.</m:MessageText>"
    };
    xml(
        200,
        &format!(
            "<m:CreateItemResponse><m:ResponseMessages><m:CreateItemResponseMessage ResponseClass=\"{class}\">{text}\
             <m:ResponseCode>{code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey><m:Items/></m:CreateItemResponseMessage></m:ResponseMessages>\
             </m:CreateItemResponse>"
        ),
    )
}

fn soap_fault(code: &str, pause: Option<u64>) -> Reply {
    soap_fault_with(code, &format!("The server says {code}."), pause)
}

fn soap_fault_with(code: &str, message: &str, pause: Option<u64>) -> Reply {
    let pause = pause.map_or_else(String::new, |pause| {
        format!(
            "<t:MessageXml><t:Value Name=\"BackOffMilliseconds\">{pause}</t:Value></t:MessageXml>"
        )
    });
    xml(
        500,
        &format!(
            "<s:Fault><faultcode>t:{code}</faultcode><faultstring xml:lang=\"en-US\">{message}</faultstring>\
             <detail><e:ResponseCode>{code}</e:ResponseCode><e:Message>{message}</e:Message>{pause}</detail>\
             </s:Fault>"
        ),
    )
}

fn xml(status: u16, body: &str) -> Reply {
    Reply::Answer {
        status,
        headers: vec![
            ("Content-Type", "text/xml; charset=utf-8".into()),
            ("request-id", "5f1c-ews".into()),
        ],
        body: format!("{HEAD}{VERSION}<s:Body>{body}</s:Body></s:Envelope>").into_bytes(),
    }
}
