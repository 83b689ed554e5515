//! Delivery by Exchange Web Services: `CreateItem` with `SendAndSaveCopy`
//! (learn.microsoft.com/exchange/client-developer/web-service-reference/createitem).
//!
//! The mail is the MIME text that SMTP would carry; what no header can say stands beside it.

mod answer;
mod request;

use std::time::Duration;

use answer::Answer;

use super::web::{Call, Caller, Error, Kind, Purpose, delivered};
use super::{Delivery, Form, Mail};
use crate::net::Trace;
use crate::net::http::{Limits, Method, Response, StatusCode, request_id};

pub use super::web::Login;

/// Where mails are handed over, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of the service (`server`), such as
    /// `https://mail.example.com/EWS/Exchange.asmx`.
    pub address: String,
    /// What the request says it is written for (`exchange-version`).
    pub version: Version,
    /// As whom (`mail.ews.auth.mechanisms`).
    pub login: Login,
    /// The mailbox that an application acts for, whose token is nobody's own (client
    /// credentials).
    pub impersonate: Option<String>,
    /// Time limits of a request.
    pub limits: Limits,
}

/// The version of the schema that a request is written for. A server takes those up to its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Exchange 2010.
    Exchange2010,
    /// Exchange 2010 SP1.
    Exchange2010Sp1,
    /// Exchange 2010 SP2, and SP3, which has the same schema.
    Exchange2010Sp2,
    /// Exchange 2013.
    Exchange2013,
    /// Exchange 2013 SP1: every server that is still supported takes it.
    #[default]
    Exchange2013Sp1,
    /// Exchange 2016 and 2019.
    Exchange2016,
}

impl Version {
    /// Reads the setting `exchange-version`; `None` is for a value that it does not have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "" | "office365" => Self::Exchange2013Sp1,
            "exchange2010" => Self::Exchange2010,
            "exchange2010_sp1" => Self::Exchange2010Sp1,
            "exchange2010_sp2" | "exchange2010_sp3" => Self::Exchange2010Sp2,
            "exchange2013" => Self::Exchange2013,
            "exchange2016" => Self::Exchange2016,
            _ => return None,
        })
    }

    /// The schema's word for it (`ExchangeVersionType`).
    fn name(self) -> &'static str {
        match self {
            Self::Exchange2010 => "Exchange2010",
            Self::Exchange2010Sp1 => "Exchange2010_SP1",
            Self::Exchange2010Sp2 => "Exchange2010_SP2",
            Self::Exchange2013 => "Exchange2013",
            Self::Exchange2013Sp1 => "Exchange2013_SP1",
            Self::Exchange2016 => "Exchange2016",
        }
    }
}

/// Sends mails by EWS.
#[derive(Debug)]
pub struct Ews {
    settings: Settings,
    caller: Caller,
}

impl Ews {
    /// Nothing is asked before the first mail.
    #[must_use]
    pub fn new(settings: Settings, trace: Trace) -> Self {
        Self {
            caller: Caller::new(
                &settings.address,
                settings.login.clone(),
                settings.limits,
                trace,
            ),
            settings,
        }
    }

    /// Has a token given, where one is needed.
    ///
    /// # Errors
    /// There is none, so no mail could be sent either.
    pub fn check(&self) -> Result<super::Checked, Error> {
        self.caller.check()
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// The server does not take it, or can't be asked.
    pub fn send(&self, mail: &Mail) -> Result<Delivery, super::Error> {
        let mime = mail.compose(Form::default())?;
        let impersonate = self.settings.impersonate.as_deref();
        let body = request::create_item(self.settings.version, impersonate, mail, &mime);
        self.create_item(body.as_bytes())?;
        Ok(delivered(mail))
    }

    /// Repeats the request only after the pause that a busy server asks for.
    fn create_item(&self, body: &[u8]) -> Result<(), Error> {
        let mut patience = self.caller.patience();
        let mut headers = vec![
            ("Content-Type", "text/xml; charset=utf-8".to_owned()),
            ("Accept", "text/xml".to_owned()),
            ("client-request-id", request_id()),
            ("return-client-request-id", "true".to_owned()),
        ];
        if let Some(mailbox) = &self.settings.impersonate {
            // Leads the request to the server that has the mailbox.
            headers.push(("X-AnchorMailbox", mailbox.clone()));
        }
        let call = Call {
            method: Method::POST,
            address: &self.settings.address,
            headers,
            body,
            purpose: Purpose::Sends,
        };
        loop {
            let answer = self.caller.call(&call, &mut patience)?;
            match self.judge(&answer) {
                Err(Refused {
                    error,
                    pause: Some(pause),
                }) if is_busy(&error) && patience.wait(Some(pause)) => {}
                Err(refused) => return Err(refused.error),
                Ok(()) => return Ok(()),
            }
        }
    }

    fn judge(&self, answer: &Response<Vec<u8>>) -> Result<(), Refused> {
        let status = answer.status();
        // Faults come with status 500; every other status is a gateway's or the log-in's.
        if status != StatusCode::OK && status != StatusCode::INTERNAL_SERVER_ERROR {
            return Err(self.refused(answer, "", "", None));
        }
        match answer::read(answer.body()) {
            Ok(Answer::Sent) if status == StatusCode::OK => Ok(()),
            Ok(Answer::Refused {
                code,
                message,
                pause,
            }) => Err(self.refused(answer, &code, &message, pause)),
            Err(_) if status != StatusCode::OK => Err(self.refused(answer, "", "", None)),
            Ok(Answer::Sent) => Err(self.malformed("success with status 500")),
            Err(cause) => Err(self.malformed(cause)),
        }
    }

    fn refused(
        &self,
        answer: &Response<Vec<u8>>,
        code: &str,
        message: &str,
        pause: Option<Duration>,
    ) -> Refused {
        let refusal = self.caller.refusal(answer, code, message, Purpose::Sends);
        Refused {
            error: refusal.into(),
            pause,
        }
    }

    fn malformed(&self, cause: &str) -> Refused {
        self.caller.malformed(cause, Purpose::Sends).into()
    }
}

/// A refusal and the pause after which the server may not refuse any more.
struct Refused {
    error: Error,
    pause: Option<Duration>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, pause: None }
    }
}

fn is_busy(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.kind == Kind::Transient)
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn each_version_of_the_setting_has_a_word_of_the_schema() {
        let told: Vec<_> = [
            "",
            "Office365",
            "Exchange2010",
            "exchange2010_sp1",
            "Exchange2010_SP2",
            "Exchange2010_SP3",
            "Exchange2013",
            " Exchange2016 ",
        ]
        .into_iter()
        .map(|text| Version::parse(text).unwrap().name())
        .collect();
        assert_eq!(
            told,
            [
                "Exchange2013_SP1",
                "Exchange2013_SP1",
                "Exchange2010",
                "Exchange2010_SP1",
                "Exchange2010_SP2",
                "Exchange2010_SP2",
                "Exchange2013",
                "Exchange2016",
            ]
        );
        assert_eq!(Version::parse("Exchange2019"), None);
    }
}
