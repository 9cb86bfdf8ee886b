//! Takes down what a peer is asked and answers, with stand-ins for all that differs from run to run, and holds it against the
//! schemas of the OpenAPI document.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::fixture::{Peer, answer, is_time};

/// A time, in place of that of the test.
const TIME: &str = "2026-05-04T09:30:00.000Z";
/// A ticket that a peer of the first of [`PEOPLE`] made once for its private room. It can be read.
pub const TICKET: &str = "parlor:aaehoylsl5zg633nu5t6vgodgenkxjx632rruyyvutp7hfhrq4ijrzl5peakh3sdi7aadj3h5km4gmi2votp5xvddjrrljg76okpdbyqtds\
     x26iaupxegr6aaayf6gpkkau6ddzqvdnom23u3zlr4uw723bvewgzefcfryxtpuudmaabc4xws4buf4ytenzogaxdalrrf52gg4bpgq3tinypesseu";
/// A link for browsers.
const LINK: &str = "http://192.168.1.20:4767/#a3yx4dkq7mvn2ts6hrzbj5wc4e";
/// The corner of a QR code.
const CORNER: [&str; 7] = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"];
/// User ids, peer ids, session ids and ports in place of those of the test: this peer, the other, this one as somebody new.
const PEOPLE: [[&str; 4]; 3] = [
    [
        "u_rpwcl5pycwpr3lmi",
        "12D3KooWCxyKzsFQm9PkV4vJ3dZNVn1aZ8mYHqBz5w6rTtLpXeRu",
        "2f1c0a6be98d7345f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607",
        "4747",
    ],
    [
        "u_b7x3hd5pya2s6e4f",
        "12D3KooWLq8Jd2vYtRk7nCwXb5HsMfZpA9uEgTiNoV6rKxQyS3Bm",
        "7b9d3e5f1a2c4b6d8e0f1a3c5b7d9e1f2a4c6b8d0e2f3a5c7b9d1e3f5a6c8b0d",
        "4748",
    ],
    [
        "u_m5k2wq7zrt4nc6ja",
        "12D3KooWGs4VbYp9NcZt2XeKf7LmRwHq6DjUaTiMo8rBxEyQvS5u",
        "c3a5e7092b4d6f81a3c5e7092b4d6f81a3c5e7092b4d6f81a3c5e7092b4d6f81",
        "4747",
    ],
];
/// A version of the settings of a room.
const VERSION: &str = "q2v7hy3mzn5kra6d";
/// Ids of messages.
const MESSAGES: [&str; 2] = ["s_k3q7zt2mwn5ra6xd", "m_v4c7hy2pbn6se3ku"];

/// What is asked, and how it is called in the document.
pub struct Ask<'a> {
    pub operation: &'a str,
    pub name: &'a str,
    pub summary: &'a str,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
}

impl<'a> Ask<'a> {
    pub fn new(operation: &'a str, method: Method, path: &str, name: &'a str, summary: &'a str) -> Self {
        Self { operation, name, summary, method, path: path.to_owned(), body: None }
    }

    pub fn get(operation: &'a str, path: &str, name: &'a str, summary: &'a str) -> Self {
        Self::new(operation, Method::GET, path, name, summary)
    }

    pub fn post(operation: &'a str, path: &str, name: &'a str, summary: &'a str, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(operation, Method::POST, path, name, summary) }
    }
}

/// Takes down what is asked and answered.
pub struct Recorder<'a> {
    pub peer: &'a Peer,
    pub document: Value,
    /// What differs from run to run, and what stands for it.
    stand_ins: Vec<(String, String)>,
    pub taken: BTreeMap<String, Vec<Value>>,
}

impl<'a> Recorder<'a> {
    pub async fn new(peer: &'a Peer, other: &Peer) -> Self {
        let document = peer.get("/openapi.json").await.ok();
        let mut recorder = Self { peer, document, stand_ins: Vec::new(), taken: BTreeMap::new() };
        recorder.stand_ins.push((format!(":{}", peer.server.addr.port()), ":8765".to_owned()));
        recorder.meet(peer, 0).await;
        recorder.meet(other, 1).await;
        recorder
    }

    /// Knows the names of a peer from here on.
    pub async fn meet(&mut self, peer: &Peer, place: usize) {
        let status = peer.live.status().await;
        let port = status.listen[0].rsplit('/').next().expect("a port").to_owned();
        let names = [status.user_id.to_string(), status.peer_id, status.session_id, format!("/tcp/{port}")];
        let [user, id, session, port] = PEOPLE[place];
        let stand_ins = [user.to_owned(), id.to_owned(), session.to_owned(), format!("/tcp/{port}")];
        self.stand_ins.extend(names.into_iter().zip(stand_ins));
    }

    /// Asks, and takes the answer down.
    pub async fn take(&mut self, ask: Ask<'_>) -> Value {
        let request = self.peer.request(ask.method.clone(), &ask.path);
        self.take_by(ask, request).await
    }

    pub async fn take_by(&mut self, ask: Ask<'_>, request: RequestBuilder) -> Value {
        let request = match &ask.body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = answer(request).await;
        let (content_type, _) = answer.content_type.split_once(';').unwrap_or((&answer.content_type, ""));
        self.note(&ask, answer.status, content_type, &answer.body);
        answer.body
    }

    pub fn note(&mut self, ask: &Ask<'_>, status: u16, content_type: &str, body: &Value) {
        let Ask { operation, name, summary, .. } = *ask;
        let what = format!("{operation} {name}");
        assert_eq!(status >= 400, content_type == "application/problem+json", "{what}: {body}");
        let mut example =
            json!({"name": name, "summary": summary, "status": status, "answer": self.steady(body.clone())});
        let place = format!("responses/{status}/content/{}/schema", content_type.replace('/', "~1"));
        for answer in [body, &example["answer"]] {
            self.fits(operation, &place, answer, &what);
        }
        if let Some(request) = &ask.body {
            let request = self.steady(request.clone());
            if status == 200 {
                self.fits(operation, "requestBody/content/application~1json/schema", &request, &what);
            }
            example["request"] = request;
        }
        self.taken.entry(operation.to_owned()).or_default().push(example);
    }

    /// The document allows this here.
    fn fits(&self, operation: &str, place: &str, value: &Value, what: &str) {
        let paths = self.document["paths"].as_object().expect("paths");
        let mut operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
        let operation = operations.find(|known| known["operationId"] == operation).expect("an operation");
        let schema = operation.pointer(&format!("/{place}")).unwrap_or_else(|| panic!("{what}: there is no {place}"));
        let misfits = self.misfits(schema, value);
        assert!(misfits.is_empty(), "{what}: {misfits:#?} {value:#}");
    }

    /// In what a value is not as a schema says.
    pub fn misfits(&self, schema: &Value, value: &Value) -> Vec<String> {
        let schema = json!({"allOf": [schema], "components": self.document["components"]});
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// With stand-ins for all that differs from run to run.
    pub fn steady(&self, value: Value) -> Value {
        match value {
            Value::String(text) if text.starts_with("parlor:") && text.len() > 100 => {
                let code = TICKET.strip_prefix("parlor:").expect("a ticket");
                if text.starts_with("parlor://") { format!("parlor://join/{code}").into() } else { TICKET.into() }
            }
            Value::String(text) if text.starts_with("http://127.0.0.1:") && text.contains("/#") => LINK.into(),
            Value::String(text) => self.steady_text(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.steady(item)).collect(),
            Value::Object(members) => {
                let is_message = members.contains_key("publishedAt");
                let is_settings = members.contains_key("updatedBy") || members.get("status") == Some(&json!(412));
                let kept = members.get("kept") == Some(&json!(true));
                let steady = members.into_iter().map(|(key, value)| {
                    let value = match key.as_str() {
                        "qr" => json!(CORNER),
                        "afterMs" => json!(0),
                        "rttMs" if value.is_number() => json!(0.4),
                        "clockAheadMs" if value.is_number() => json!(2),
                        "version" if is_settings => VERSION.into(),
                        "id" if is_message => MESSAGES[usize::from(kept)].into(),
                        _ => self.steady(value),
                    };
                    (key, value)
                });
                steady.collect()
            }
            other => other,
        }
    }

    fn steady_text(&self, text: &str) -> String {
        let mut text =
            self.stand_ins.iter().fold(text.to_owned(), |text, (real, stand_in)| text.replace(real, stand_in));
        let times =
            (0..text.len()).filter(|at| text.get(*at..at + TIME.len()).is_some_and(|part| is_time(&part.into())));
        for at in times.collect::<Vec<_>>() {
            text.replace_range(at..at + TIME.len(), TIME);
        }
        text
    }
}
