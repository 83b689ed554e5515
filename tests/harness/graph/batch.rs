//! Several requests in one, each judged and answered by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::State;
use crate::harness::site::{self, Asked, Reply};

/// The service takes no more at once.
const MOST: usize = 20;

impl State {
    /// Answers in another order than that of the requests.
    pub(super) fn batch(&mut self, asked: &Asked) -> Reply {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let requests = body["requests"].as_array().unwrap();
        let ids: BTreeSet<_> = requests
            .iter()
            .map(|request| request["id"].as_str().unwrap())
            .collect();
        if requests.len() > MOST || ids.len() < requests.len() {
            self.violation(
                "$batch",
                &format!("{} requests by {} ids", requests.len(), ids.len()),
            );
        }
        let mut responses: Vec<Value> = requests
            .iter()
            .map(|request| self.part(request, asked))
            .collect();
        responses.reverse();
        Reply::json(200, &json!({ "responses": responses }))
    }

    fn part(&mut self, request: &Value, batch: &Asked) -> Value {
        let text = |name: &str| request[name].as_str().unwrap();
        let (path, query) = site::target(&format!("/v1.0{}", text("url")));
        let headers = request["headers"].as_object().into_iter().flatten();
        let mut headers: std::collections::BTreeMap<_, _> = headers
            .map(|(name, value)| {
                (
                    name.to_ascii_lowercase(),
                    value.as_str().unwrap().to_owned(),
                )
            })
            .collect();
        headers.insert(
            "authorization".into(),
            batch.headers["authorization"].clone(),
        );
        let body = request.get("body").map(Value::to_string);
        let part = Asked {
            method: text("method").into(),
            path,
            query,
            headers,
            body: body.unwrap_or_default().into_bytes(),
        };
        match self.answer_one(&part, "  ") {
            Reply::Answer {
                status,
                headers,
                body,
            } => {
                let headers: serde_json::Map<_, _> = headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), Value::from(value)))
                    .collect();
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                json!({ "id": text("id"), "status": status, "headers": headers, "body": body })
            }
            // Within a batch nothing can hang up.
            Reply::HangUp => json!({ "id": text("id"), "status": 502 }),
        }
    }
}
