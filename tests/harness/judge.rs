//! Judges requests and answers by an OpenAPI 3.1 description: what it does not name is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::schemas;

/// A description and its schemas, each compiled once.
pub struct Judge {
    description: Value,
    compiled: Mutex<BTreeMap<String, &'static Validator>>,
}

/// A request or an answer, as far as it is judged.
#[derive(Clone, Debug, Default)]
pub struct Exchange<'a> {
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// The path below the server's address, decoded.
    pub path: Vec<&'a str>,
    /// The parameters behind the `?`.
    pub query: Vec<(&'a str, &'a str)>,
    /// Headers in small letters.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The media type of the body.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl Judge {
    /// The judge of Graph's mail.
    pub fn of_mail() -> &'static Self {
        static JUDGE: OnceLock<Judge> = OnceLock::new();
        JUDGE.get_or_init(|| {
            let path = schemas::folder().join("graph/mail-openapi.strict.json");
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            Self {
                description: serde_json::from_str(&text).unwrap(),
                compiled: Mutex::default(),
            }
        })
    }

    /// What is wrong with a request.
    pub fn request(&self, asked: &Exchange<'_>) -> Result<(), String> {
        let (item, operation) = self.operation(asked)?;
        let of = |value: &Value| value["parameters"].as_array().cloned().unwrap_or_default();
        let parameters = [of(item), of(operation)].concat();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|p| self.resolved(p).clone())
            .collect();
        for (name, value) in &asked.query {
            let parameter = parameters
                .iter()
                .find(|p| p["in"] == "query" && p["name"] == **name);
            let parameter = parameter.ok_or(format!("no parameter {name} is known"))?;
            self.value(parameter, value)?;
        }
        for parameter in parameters.iter().filter(|p| p["in"] == "header") {
            let name = parameter["name"].as_str().unwrap().to_ascii_lowercase();
            for (_, value) in asked.headers.iter().filter(|(known, _)| *known == name) {
                self.value(parameter, value)?;
            }
        }
        match operation.get("requestBody") {
            Some(body) => self.content(self.resolved(body), asked),
            None if asked.body.is_empty() => Ok(()),
            None => Err("a body where none belongs".into()),
        }
    }

    /// What is wrong with an answer to a request.
    pub fn answer(&self, answered: &Exchange<'_>, status: u16) -> Result<(), String> {
        let (_, operation) = self.operation(answered)?;
        let exact = status.to_string();
        let class = format!("{}XX", status / 100);
        let known = [exact.as_str(), class.as_str()]
            .into_iter()
            .find_map(|name| operation["responses"].get(name));
        let response = known.ok_or(format!("status {status} is none of this operation"))?;
        self.content(self.resolved(response), answered)
    }

    /// The operation and the path that it belongs to: of those that fit, the most literal one.
    fn operation(&self, asked: &Exchange<'_>) -> Result<(&Value, &Value), String> {
        let fits = |template: &str| {
            let parts: Vec<_> = template.split('/').skip(1).collect();
            let literal = parts
                .iter()
                .zip(&asked.path)
                .filter(|(part, is)| part == is);
            let all = parts
                .iter()
                .zip(&asked.path)
                .all(|(part, is)| part == is || (part.starts_with('{') && !is.is_empty()));
            (all && parts.len() == asked.path.len()).then(|| literal.count())
        };
        let paths = self.description["paths"].as_object().unwrap();
        let found = paths
            .iter()
            .filter_map(|(path, item)| Some((fits(path)?, item)));
        let method = asked.method.to_ascii_lowercase();
        let found = found.max_by_key(|(literal, _)| *literal);
        let known = found.and_then(|(_, item)| {
            let item = self.resolved(item);
            Some((item, item.get(&method)?))
        });
        known.ok_or(format!(
            "{} /{} is no operation",
            asked.method,
            asked.path.join("/")
        ))
    }

    fn content(&self, described: &Value, is: &Exchange<'_>) -> Result<(), String> {
        let Some(content) = described.get("content") else {
            return if is.body.is_empty() {
                Ok(())
            } else {
                Err("a body where none belongs".into())
            };
        };
        let kind = is.content_type.unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let schema = content
            .get(kind)
            .ok_or(format!("{kind:?} is no media type of it"))?;
        let body = if kind == "application/json" {
            serde_json::from_slice(is.body).map_err(|e| e.to_string())?
        } else {
            Value::from(str::from_utf8(is.body).map_err(|e| e.to_string())?)
        };
        self.check(&schema["schema"], &body)
    }

    /// A parameter's text as the type that it stands for.
    fn value(&self, parameter: &Value, text: &str) -> Result<(), String> {
        let schema = &parameter["schema"];
        let value = match schema["type"].as_str() {
            Some("integer") => text.parse::<i64>().map_or(text.into(), Value::from),
            Some("boolean") => text.parse::<bool>().map_or(text.into(), Value::from),
            Some("array") => text.split(',').collect(),
            _ => text.into(),
        };
        let named = |error| format!("{}: {error}", parameter["name"]);
        self.check(schema, &value).map_err(named)
    }

    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let key = schema.to_string();
        let mut compiled = self.compiled.lock().unwrap();
        let validator = *compiled.entry(key).or_insert_with(|| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": self.description["components"],
                "allOf": [schema],
            });
            let options = jsonschema::options().should_validate_formats(true);
            // For the life of the test program, as the description is.
            Box::leak(Box::new(options.build(&whole).unwrap()))
        });
        drop(compiled);
        let errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error:.300}", error.instance_path()))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.join("\n"))
        }
    }

    /// What a `$ref` stands for.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self
                .description
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or_else(|| panic!("{reference} is nowhere")),
            None => value,
        }
    }
}
