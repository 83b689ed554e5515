//! Several requests in one (`$batch`, learn.microsoft.com/graph/json-batching).

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::refusal::trouble;
use super::service::{Answer, Ask, Content, Service};
use crate::mailbox::Error;
use crate::net::clean;
use crate::net::http::{self, Method, StatusCode};

/// The service takes no more at once.
pub(super) const MOST: usize = 20;

/// What a batch is called in messages.
const NAME: &str = "POST $batch";

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Part>,
}

/// The answer to one of the requests.
#[derive(Deserialize)]
struct Part {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

impl Part {
    fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let (_, value) = all.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        value.as_str()
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("Retry-After")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    fn answer(self, status: StatusCode) -> Answer {
        Answer {
            status,
            request_id: clean(self.header("request-id").unwrap_or_default(), 80),
            content: Content::Json(self.body),
        }
    }
}

impl Service {
    /// The answers to these, in their order; `None` for one that is too large.
    pub(super) fn ask_all(&self, asks: &[Ask]) -> Result<Vec<Option<Answer>>, Error> {
        let mut answers = Vec::new();
        for asks in asks.chunks(MOST) {
            self.ask_some(asks, &mut answers)?;
        }
        Ok(answers)
    }

    fn ask_some(&self, asks: &[Ask], answers: &mut Vec<Option<Answer>>) -> Result<(), Error> {
        let told = match asks {
            [ask] => self.ask(ask).map(|answer| vec![answer]),
            asks => self.ask_at_once(asks),
        };
        match told {
            Ok(told) => answers.extend(told.into_iter().map(Some)),
            // One of them is too large, or they are together.
            Err(Error::Http(http::Error::TooLarge { .. })) if asks.len() > 1 => {
                let (first, second) = asks.split_at(asks.len() / 2);
                self.ask_some(first, answers)?;
                self.ask_some(second, answers)?;
            }
            Err(Error::Http(http::Error::TooLarge { .. })) => answers.push(None),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Those that ask for patience are asked for again, by themselves; and once those for which the
    /// token is not good any more.
    fn ask_at_once(&self, asks: &[Ask]) -> Result<Vec<Answer>, Error> {
        let mut answers: Vec<Option<Answer>> = asks.iter().map(|_| None).collect();
        let mut patience = self.patience();
        let mut renewed = false;
        loop {
            let open: Vec<(usize, &Ask)> = (answers.iter().zip(asks).enumerate())
                .filter(|(_, (answer, _))| answer.is_none())
                .map(|(place, (_, ask))| (place, ask))
                .collect();
            if open.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            let mut parts = self.post(&open)?;
            let mut expired = false;
            let mut waiting = Vec::new();
            let mut pause: Option<Duration> = None;
            for (place, ask) in open {
                let part = parts.remove(&place.to_string());
                let part = part.ok_or_else(|| {
                    self.protocol(NAME, &format!("it leaves out what came of {}", ask.name))
                })?;
                let status = StatusCode::from_u16(part.status)
                    .map_err(|_| self.protocol(NAME, "a status is none"))?;
                if status == StatusCode::UNAUTHORIZED && !renewed {
                    expired = true;
                } else if let Some(trouble) = trouble(status, || part.body.clone()) {
                    pause = pause.max(part.retry_after());
                    waiting.push((place, ask, trouble, part.answer(status)));
                } else if let Some(answer) = answers.get_mut(place) {
                    *answer = Some(part.answer(status));
                }
            }
            if expired {
                let refused = self.tokens.get()?;
                self.tokens.renew(&refused)?;
                renewed = true;
            }
            if waiting.is_empty() || patience.wait(pause) {
                continue;
            }
            for (place, ask, trouble, told) in waiting {
                if !ask.is_to_blame(trouble) || patience.was_asked_too_much(pause) {
                    return Err(self.busy(ask.name, told.status));
                }
                if let Some(answer) = answers.get_mut(place) {
                    *answer = Some(told);
                }
            }
        }
    }

    fn post(&self, open: &[(usize, &Ask)]) -> Result<HashMap<String, Part>, Error> {
        let requests: Vec<Value> = open
            .iter()
            .map(|(place, ask)| self.part(*place, ask))
            .collect();
        let ask = Ask {
            method: Method::POST,
            body: Some(json!({ "requests": requests })),
            ..Ask::get(NAME, "$batch".to_owned())
        };
        let answer = self.ask_beside(&ask)?;
        let told: Responses = self.read(&ask, answer)?;
        let parts = told.responses.into_iter();
        Ok(parts.map(|part| (part.id.clone(), part)).collect())
    }

    /// A request as a part of a batch. Headers of the batch do not go for its parts.
    fn part(&self, place: usize, ask: &Ask) -> Value {
        let mut headers = json!({ "Prefer": ask.prefer.header() });
        let mut part = json!({
            "id": place.to_string(),
            "method": ask.method.as_str(),
            "url": format!("{}{}", self.mailbox(), ask.path),
        });
        if let (Some(body), Some(headers)) = (&ask.body, headers.as_object_mut()) {
            headers.insert("Content-Type".into(), "application/json".into());
            if let Some(part) = part.as_object_mut() {
                part.insert("body".into(), body.clone());
            }
        }
        if let Some(part) = part.as_object_mut() {
            part.insert("headers".into(), headers);
        }
        part
    }
}
