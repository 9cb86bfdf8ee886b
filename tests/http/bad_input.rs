//! Bad input (design A8, A9): a table that is made of what every call takes. Each field is given everything that it is not;
//! the answer names the field and the limit, and nothing is changed by any of it.

use std::fmt::Write as _;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::fixture::{Answer, JSON, Peer, answer};

/// What a field takes.
#[derive(Clone, Copy)]
enum Takes {
    /// An object that the caller makes up, of so many bytes at most.
    Bag(usize),
    /// Any JSON that the caller makes up, but `null`.
    Said,
    /// The name of a room or a member.
    Id,
    /// A key: 1 to 64 bytes.
    Key,
    /// Text of so many bytes at most, which may be empty.
    Text(usize),
    /// One of some words, such as this.
    Word(&'static str),
    Bool,
    /// A whole number from here to there.
    Whole(i64, i64),
    /// Any finite number; whether it must be above 0.
    Number(bool),
    /// A list of keys; whether they are checked as such.
    Keys(bool),
    /// Milliseconds for each of some keys.
    Times,
    /// True or false for each of some people.
    Marks,
    /// Objects with fields.
    Objects,
}

struct Field {
    call: &'static Call,
    /// As the problem names it.
    name: &'static str,
    /// The body with the field in it; `@` stands for its value.
    body: &'static str,
    takes: Takes,
    /// A value that is taken.
    good: &'static str,
}

struct Call {
    path: &'static str,
    /// The codes with which its fields are refused.
    codes: &'static [&'static str],
    fields: &'static [(&'static str, &'static str, Takes, &'static str)],
}

const KIB: usize = 1024;

/// Every call that has a body, and every field of it.
const CALLS: &[Call] = &[
    Call {
        path: "/rooms/r/join",
        codes: &["INVALID_PRESENCE", "INVALID_METADATA", "INVALID_MEMBER_ID", "INVALID_TICKET"],
        fields: &[
            ("presence", r#"{"presence":@}"#, Takes::Bag(4 * KIB), r#"{"a":1}"#),
            ("metadata", r#"{"metadata":@}"#, Takes::Bag(4 * KIB), r#"{"a":1}"#),
            ("memberId", r#"{"memberId":@}"#, Takes::Id, r#""device""#),
            ("presenceTtlSeconds", r#"{"presenceTtlSeconds":@}"#, Takes::Whole(5, 3600), "600"),
            ("ticket", r#"{"ticket":@}"#, Takes::Word("parlor:"), ""),
        ],
    },
    Call {
        path: "/rooms/r/presence",
        codes: &["INVALID_PRESENCE", "INVALID_MEMBER_ID"],
        fields: &[
            ("presence", r#"{"presence":@,"memberId":"device"}"#, Takes::Bag(4 * KIB), r#"{"a":2}"#),
            ("memberId", r#"{"presence":{},"memberId":@}"#, Takes::Id, r#""device""#),
            ("mode", r#"{"presence":{"a":3},"mode":@,"memberId":"device"}"#, Takes::Word("merge"), r#""replace""#),
            ("unset", r#"{"unset":@,"memberId":"device"}"#, Takes::Keys(false), r#"["b"]"#),
            ("expire", r#"{"presence":{"a":4},"expire":@,"memberId":"device"}"#, Takes::Times, r#"{"a":3600000}"#),
        ],
    },
    Call {
        path: "/rooms/r/leave",
        codes: &["INVALID_MEMBER_ID"],
        fields: &[("memberId", r#"{"memberId":@}"#, Takes::Id, r#""nobody""#)],
    },
    Call {
        path: "/rooms/r/metadata",
        codes: &["INVALID_METADATA"],
        fields: &[
            ("metadata", r#"{"metadata":@}"#, Takes::Bag(32 * KIB), r#"{"a":1}"#),
            ("metadata.locked", r#"{"metadata":{"locked":@}}"#, Takes::Bool, "false"),
            ("unset", r#"{"unset":@}"#, Takes::Keys(true), r#"["b"]"#),
        ],
    },
    Call {
        path: "/rooms/r/board",
        codes: &["INVALID_BOARD"],
        fields: &[
            ("set", r#"{"set":@}"#, Takes::Objects, r#"[{"id":"a","x":1}]"#),
            ("remove", r#"{"remove":@}"#, Takes::Keys(true), r#"["b"]"#),
            ("set.0.id", r#"{"set":[{"id":@,"x":1}]}"#, Takes::Key, r#""a""#),
            ("set.0.x", r#"{"set":[{"id":"a","x":@}]}"#, Takes::Number(false), "-1.5"),
            ("set.0.y", r#"{"set":[{"id":"a","y":@}]}"#, Takes::Number(false), "2e3"),
            ("set.0.w", r#"{"set":[{"id":"a","w":@}]}"#, Takes::Number(true), "200"),
            ("set.0.h", r#"{"set":[{"id":"a","h":@}]}"#, Takes::Number(true), "0.5"),
            ("set.0.z", r#"{"set":[{"id":"a","z":@}]}"#, Takes::Number(false), "0"),
            ("set.0.color", r#"{"set":[{"id":"a","color":@}]}"#, Takes::Text(64), r#""pink""#),
            ("set.0.text", r#"{"set":[{"id":"a","text":@}]}"#, Takes::Text(4 * KIB), r#""""#),
        ],
    },
    Call {
        path: "/rooms/r/messages",
        codes: &["INVALID_MESSAGE", "INVALID_MEMBER_ID"],
        fields: &[
            ("type", r#"{"type":@,"memberId":"device"}"#, Takes::Key, r#""chat""#),
            ("data", r#"{"type":"chat","data":@,"memberId":"device"}"#, Takes::Said, r#"{"text":"x"}"#),
            ("memberId", r#"{"type":"chat","memberId":@}"#, Takes::Id, r#""device""#),
            ("keep", r#"{"type":"chat","keep":@,"memberId":"device"}"#, Takes::Bool, "true"),
            (
                "idempotencyKey",
                r#"{"type":"chat","keep":true,"idempotencyKey":@,"memberId":"device"}"#,
                Takes::Key,
                r#""once""#,
            ),
        ],
    },
    Call {
        path: "/rooms/secret/access",
        codes: &["INVALID_MEMBER_ID"],
        fields: &[
            ("hosts", r#"{"hosts":@}"#, Takes::Marks, "{}"),
            ("void", r#"{"void":@}"#, Takes::Marks, "{}"),
            ("exclude", r#"{"exclude":@}"#, Takes::Keys(false), "[]"),
            ("rekey", r#"{"rekey":@}"#, Takes::Bool, "false"),
        ],
    },
    Call { path: "/rooms/r/ticket", codes: &["INVALID_JSON"], fields: &[] },
    Call {
        path: "/rooms",
        codes: &["INVALID_ROOM_ID"],
        fields: &[
            ("room", r#"{"room":@}"#, Takes::Id, r#""known""#),
            ("private", r#"{"room":"known","private":@}"#, Takes::Bool, "false"),
        ],
    },
    Call {
        path: "/tickets",
        codes: &["INVALID_TICKET"],
        fields: &[("ticket", r#"{"ticket":@}"#, Takes::Word("parlor:"), "")],
    },
    Call {
        path: "/peers",
        codes: &["INVALID_TICKET"],
        fields: &[("addr", r#"{"addr":@}"#, Takes::Word("/ip4/127.0.0.1"), "")],
    },
    Call {
        path: "/profile",
        codes: &["INVALID_PRESENCE"],
        fields: &[
            ("name", r#"{"name":@}"#, Takes::Text(256), r#""Quiet Otter""#),
            ("color", r#"{"color":@}"#, Takes::Word("red"), r##""#286fe3""##),
            ("theme", r#"{"theme":@}"#, Takes::Word("Dark"), r#""dark""#),
        ],
    },
    Call { path: "/profile/identity", codes: &["INVALID_JSON"], fields: &[] },
];

/// One value that a field does not take: how it is called, its text, and what the answer says of it.
struct Bad {
    what: &'static str,
    value: String,
    /// What the sentence has in it, such as the limit.
    says: &'static str,
}

fn bad(what: &'static str, value: impl Into<String>, says: &'static str) -> Bad {
    Bad { what, value: value.into(), says }
}

fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}

fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

/// An object or list of so many.
fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(",")
}

/// What no field takes, whatever it is.
fn never(values: &mut Vec<Bad>) {
    values.extend([
        bad("null", "null", ""),
        bad("no number", "NaN", "JSON"),
        bad("no number either", "-Infinity", "JSON"),
        bad("a number beyond all", "1e999", "out of range"),
        bad("half a character", r#""\ud800""#, "surrogate"),
        bad("the other half", r#""a\udc00""#, "surrogate"),
        bad("nothing at all", "", "JSON"),
        bad("a very deep list", nested(400), "at most 8"),
    ]);
}

/// A key is checked like this wherever it stands.
fn keys(values: &mut Vec<Bad>, with: impl Fn(&str) -> String) {
    values.extend([
        bad("an empty key", with(""), "empty"),
        bad("a long key", with(&"k".repeat(65)), "at most 64"),
        bad("a key that scripts trip over", with("__proto__"), "not allowed"),
    ]);
}

impl Takes {
    fn wrong_types(self) -> Vec<&'static str> {
        let all = ["true", "7", r#""x""#, "[]", "{}"];
        let taken: &[&str] = match self {
            Takes::Bag(_) | Takes::Times | Takes::Marks => &["{}"],
            Takes::Said => &all,
            Takes::Id | Takes::Key | Takes::Text(_) | Takes::Word(_) => &[r#""x""#],
            Takes::Bool => &["true"],
            Takes::Whole(..) | Takes::Number(_) => &["7"],
            Takes::Keys(_) | Takes::Objects => &["[]"],
        };
        all.into_iter().filter(|value| !taken.contains(value)).collect()
    }

    fn bad(self) -> Vec<Bad> {
        let mut values: Vec<Bad> = self.wrong_types().into_iter().map(|value| bad("a wrong type", value, "")).collect();
        never(&mut values);
        match self {
            Takes::Bag(max) => {
                made_up(&mut values, |inner| format!(r#"{{"a":{inner}}}"#), 2 * KIB);
                keys(&mut values, |key| format!(r#"{{"{key}":1}}"#));
                let pairs = many(65, |n| format!(r#""k{n}":1"#));
                values.push(bad("many keys", format!("{{{pairs}}}"), "at most 64"));
                let long = many(max / 2000 + 1, |n| format!(r#""k{n}":{}"#, text(2000)));
                values.push(bad("many bytes", format!("{{{long}}}"), "at most"));
            }
            Takes::Said => {
                made_up(&mut values, |inner| format!(r#"{{"a":{inner}}}"#), 4 * KIB);
                keys(&mut values, |key| format!(r#"{{"{key}":1}}"#));
                values.push(bad("many bytes", format!("[{}]", many(3, |_| text(4000))), "at most"));
            }
            Takes::Id => values.extend([
                bad("nothing", r#""""#, "1 to 128"),
                bad("space", r#""   ""#, "1 to 128"),
                bad("space of another kind", r#""\u2003\u00a0""#, "1 to 128"),
                bad("a line break", r#""a\nb""#, "control"),
                bad("a NUL", r#""a\u0000b""#, "control"),
                bad("too long", text(129), "at most 128"),
            ]),
            Takes::Key => {
                keys(&mut values, |key| format!("\"{key}\""));
                values.push(bad("space", r#""  ""#, "empty"));
            }
            Takes::Text(max) if max <= 256 => {
                values.push(bad("too long", text(max + 1), if max == 64 { "64" } else { "256" }))
            }
            Takes::Text(max) => values.push(bad("too long", text(max + 1), "at most 4,096")),
            Takes::Word(word) => values.extend([
                bad("nothing", r#""""#, ""),
                bad("space", r#""  ""#, ""),
                bad("half of it", format!("\"{}\"", &word[..word.len() - 1]), ""),
                bad("in another case", format!("\"{}\"", word.to_uppercase()), ""),
                bad("too long", text(5000), ""),
            ]),
            Takes::Bool => values.extend([bad("a word", r#""true""#, ""), bad("a digit", "1", "")]),
            Takes::Whole(min, max) => {
                values.extend([
                    bad("below", (min - 1).to_string(), "5 to 3600"),
                    bad("above", (max + 1).to_string(), "5 to 3600"),
                    bad("far above", "4294967296", "whole number"),
                    bad("negative", "-5", "whole number"),
                    bad("broken", "60.5", "whole number"),
                    bad("digits in quotes", r#""60""#, "whole number"),
                ]);
            }
            Takes::Number(positive) => {
                values.push(bad("digits in quotes", r#""60""#, ""));
                if positive {
                    values.extend([bad("none", "0", "above 0"), bad("negative", "-0.5", "above 0")]);
                }
            }
            Takes::Keys(checked) => {
                values.extend([
                    bad("a number among them", "[1]", ""),
                    bad("null among them", "[null]", ""),
                    bad("a list among them", r#"[["a"]]"#, ""),
                    bad("half a character among them", r#"["\ud800"]"#, "surrogate"),
                ]);
                if checked {
                    keys(&mut values, |key| format!(r#"["{key}"]"#));
                }
            }
            Takes::Times => values.extend([
                bad("no number", r#"{"a":"5000"}"#, ""),
                bad("null", r#"{"a":null}"#, ""),
                bad("broken", r#"{"a":5000.5}"#, "whole number"),
                bad("negative", r#"{"a":-5000}"#, "whole number"),
                bad("too short", r#"{"a":99}"#, "100 to 3600000"),
                bad("too long", r#"{"a":3600001}"#, "100 to 3600000"),
                bad("of what is not set", r#"{"other":5000}"#, "does not set"),
                bad("twice", r#"{"a":5000,"a":6000}"#, "twice"),
            ]),
            Takes::Marks => values.extend([
                bad("a word", r#"{"u_aaaaaaaaaaaaaaaa":"yes"}"#, ""),
                bad("null", r#"{"u_aaaaaaaaaaaaaaaa":null}"#, ""),
                bad("twice", r#"{"u_aaaaaaaaaaaaaaaa":true,"u_aaaaaaaaaaaaaaaa":false}"#, "twice"),
            ]),
            Takes::Objects => values.extend([
                bad("a word among them", r#"["a"]"#, ""),
                bad("one without its name", r#"[{"x":1}]"#, "id"),
                bad("one without a field", r#"[{"id":"a"}]"#, "no field"),
                bad("one with a field of none", r#"[{"id":"a","x":1,"radius":2}]"#, "radius"),
                bad("one with a field in another case", r#"[{"id":"a","X":1}]"#, "X"),
                bad("one with a field twice", r#"[{"id":"a","x":1,"x":2}]"#, "twice"),
                bad("too many", format!("[{}]", many(501, |n| format!(r#"{{"id":"n{n}","x":1}}"#))), "at most 500"),
            ]),
        }
        values
    }
}

/// What is wrong inside of JSON that a caller makes up.
fn made_up(values: &mut Vec<Bad>, with: impl Fn(&str) -> String, string_max: usize) {
    values.extend([
        bad("no number inside", with("NaN"), "JSON"),
        bad("a number beyond all inside", with("-1e999"), "out of range"),
        bad("half a character inside", with(r#""\udfff""#), "surrogate"),
        bad("half a character in a name", with(r#"{"\ud800":1}"#), "surrogate"),
        bad("a name twice inside", with(r#"{"b":1,"b":1}"#), "twice"),
        bad("a name twice, written otherwise", with(r#"{"b":1,"\u0062":1}"#), "twice"),
        bad("a key that scripts trip over inside", with(r#"{"__proto__":{}}"#), "not allowed"),
        bad("an empty key inside", with(r#"{"":1}"#), "empty"),
        bad("a long string inside", with(&text(string_max + 1)), "at most"),
        bad("nine levels", with(&nested(9)), "at most 8"),
        bad("many objects", with(&format!("[{}]", many(257, |_| "{}".into()))), "at most 256"),
    ]);
}

/// A request that is refused.
struct Case {
    name: String,
    method: Method,
    path: String,
    body: Option<String>,
    headers: Vec<(&'static str, String)>,
    codes: Vec<&'static str>,
    /// What the problem's `path` begins with; empty when there is no place to name.
    place: String,
    says: &'static str,
}

impl Case {
    fn post(call: &Call, name: String, body: String, place: &str, says: &'static str) -> Self {
        let codes = call.codes.iter().copied().chain(["INVALID_JSON", "PAYLOAD_TOO_LARGE"]).collect();
        let (path, place) = (call.path.to_owned(), place.to_owned());
        Case { name, method: Method::POST, path, body: Some(body), headers: Vec::new(), codes, place, says }
    }

    fn get(path: String, place: &str, code: &'static str, says: &'static str) -> Self {
        let (name, place) = (format!("GET {path}"), place.to_owned());
        Case { name, method: Method::GET, path, body: None, headers: Vec::new(), codes: vec![code], place, says }
    }
}

fn fields() -> impl Iterator<Item = Field> {
    CALLS.iter().flat_map(|call| {
        call.fields.iter().map(move |(name, body, takes, good)| Field { call, name, body, takes: *takes, good })
    })
}

/// Bodies that are wrong as a whole.
fn bodies(cases: &mut Vec<Case>) {
    for call in CALLS {
        let whole = [
            ("a list", "[]", "object"),
            ("text", r#""x""#, "object"),
            ("a number", "5", "object"),
            ("null", "null", "object"),
            ("half a body", "{", "EOF"),
            ("two bodies", "{} {}", "trailing"),
            ("single quotes", "{'a':1}", "JSON"),
            ("a comment", "{} // x", "trailing"),
            ("a mark of the byte order", "\u{feff}{}", "JSON"),
        ];
        for (what, body, says) in whole {
            let name = format!("POST {}: {what}", call.path);
            cases.push(Case::post(call, name, body.to_owned(), "body", says));
        }
        let long = format!("{{\"x\":{}}}", text(256 * KIB));
        cases.push(Case::post(call, format!("POST {}: a long body", call.path), long, "body", "262,144"));
        let unknown = r#"{"someFieldOfNone":1}"#.to_owned();
        let name = format!("POST {}: a field of none", call.path);
        cases.push(Case::post(call, name, unknown, "someFieldOfNone", "unknown field"));
    }
}

/// Fields that are wrong by themselves.
fn by_field(cases: &mut Vec<Case>) {
    for field in fields() {
        let Field { call, name, body, takes, good } = field;
        for Bad { what, value, says } in takes.bad() {
            let case = format!("POST {} {name}: {what}", call.path);
            cases.push(Case::post(call, case, body.replace('@', &value), top(name), says));
        }
        if name.contains('.') || good.is_empty() {
            continue;
        }
        let with = body.replace('@', good);
        let twice = format!("{},\"{name}\":{good}}}", with.trim_end_matches('}').to_owned() + &closing(&with));
        cases.push(Case::post(call, format!("POST {} {name}: twice", call.path), twice, name, "twice"));
        let mut capital = name.to_owned();
        capital[..1].make_ascii_uppercase();
        let other = with.replacen(&format!("\"{name}\""), &format!("\"{capital}\""), 1);
        cases.push(Case::post(call, format!("POST {} {capital}", call.path), other, &capital, "unknown field"));
    }
    // What a call cannot do without.
    for (path, body, place) in [
        ("/rooms", "{}", "room"),
        ("/peers", "{}", "addr"),
        ("/tickets", "{}", "ticket"),
        ("/rooms/r/messages", r#"{"data":1}"#, "type"),
        ("/rooms/r/board", r#"{"set":[{"x":1}]}"#, "set"),
    ] {
        let call = CALLS.iter().find(|call| call.path == path).expect("a call");
        cases.push(Case::post(call, format!("POST {path}: no {place}"), body.to_owned(), place, ""));
    }
}

/// The braces that stood at the end but the last.
fn closing(body: &str) -> String {
    let braces = body.len() - body.trim_end_matches('}').len();
    "}".repeat(braces - 1)
}

/// The first step of a place, by which it is looked for where the rest may be told in words.
fn top(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// What stands in the address and in headers.
fn around(cases: &mut Vec<Case>) {
    for call in ["members", "messages"] {
        for limit in ["0", "1001", "-1", "+5", "1.5", "1e2", "NaN", "ten", "", "%20", "4294967296", "0x10"] {
            let path = format!("/rooms/r/{call}?limit={limit}");
            cases.push(Case::get(path, "limit", "INVALID_LIMIT", "1 to 1000"));
        }
        for cursor in ["", "%20", "abc", "%00", "%FF", "%ED%A0%80", &"x".repeat(2000)] {
            cases.push(Case::get(format!("/rooms/r/{call}?cursor={cursor}"), "cursor", "INVALID_CURSOR", "cursor"));
        }
        for query in ["limit=5&limit=5", "Limit=5", "LIMIT=5", "sort=asc"] {
            let place = query.split('=').next().expect("a name");
            cases.push(Case::get(format!("/rooms/r/{call}?{query}"), place, "INVALID_LIMIT", place));
        }
    }
    for by in ["Member", "SESSION", "device", "", "%20"] {
        cases.push(Case::get(format!("/rooms/r/members?by={by}"), "by", "INVALID_LIMIT", "member or session"));
    }
    let long = "x".repeat(129);
    for room in ["%20", "%20%E2%80%83", "%00", "a%0Ab", "a%7Fb", "%FF", "%ED%A0%80", &long] {
        for call in ["members", "metadata", "board", "messages", "access", "events"] {
            cases.push(Case::get(format!("/rooms/{room}/{call}"), "room", "INVALID_ROOM_ID", "room"));
        }
        for call in CALLS.iter().filter(|call| call.path.starts_with("/rooms/")) {
            let last = call.path.rsplit('/').next().expect("a step");
            let mut case = Case::get(format!("/rooms/{room}/{last}"), "room", "INVALID_ROOM_ID", "room");
            (case.method, case.body) = (Method::POST, Some("{}".to_owned()));
            case.name = format!("POST {}", case.path);
            cases.push(case);
        }
    }
    let users = [("Parlor-User", ""), ("Parlor-User", "   "), ("Parlor-User", long.as_str())];
    for (header, value) in users.into_iter().chain([("Parlor-User-Name", "Somebody")]) {
        let mut case = Case::get("/rooms/r/members".into(), "", "INVALID_MEMBER_ID", "");
        let _ = write!(case.name, " as {header}: {value:?}");
        case.headers.push((header, value.to_owned()));
        cases.push(case);
    }
    let mut case = Case::get("/rooms/r/members".into(), "name", "PAYLOAD_TOO_LARGE", "256");
    case.name += " as somebody with a long name";
    case.headers.extend([("Parlor-User", "visitor".to_owned()), ("Parlor-User-Name", "x".repeat(257))]);
    cases.push(case);
}

fn table() -> Vec<Case> {
    let mut cases = Vec::new();
    bodies(&mut cases);
    by_field(&mut cases);
    around(&mut cases);
    cases
}

async fn ask(peer: &Peer, case: &Case) -> Answer {
    let mut request = peer.request(case.method.clone(), &case.path);
    for (header, value) in &case.headers {
        request = request.header(*header, value);
    }
    if let Some(body) = &case.body {
        request = request.header(CONTENT_TYPE, JSON).body(body.clone());
    }
    answer(request).await
}

/// All that could have been changed.
async fn state(peer: &Peer) -> Value {
    let mut state = json!({});
    for path in ["/rooms", "/rooms/r/members", "/rooms/r/metadata", "/rooms/r/board", "/rooms/r/messages", "/profile"] {
        state[path] = peer.get(path).await.ok();
    }
    state["/rooms/secret/access"] = peer.get("/rooms/secret/access").await.ok();
    for member in state["/rooms/r/members"]["members"].as_array_mut().into_iter().flatten() {
        member["lastSeenAt"] = Value::Null;
    }
    state
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let peer = Peer::start().await;
    peer.post("/rooms", json!({"room": "secret", "private": true})).await.ok();
    peer.post("/rooms/secret/join", json!({})).await.ok();
    let joined = json!({"memberId": "device", "presence": {"a": 0, "b": 1}, "presenceTtlSeconds": 3600});
    peer.post("/rooms/r/join", joined).await.ok();

    // What the table takes for good is taken, or it would prove nothing of what is not.
    for Field { call, name, body, good, .. } in fields().filter(|field| !field.good.is_empty()) {
        let answer = peer.post_text(call.path, body.replace('@', good)).await;
        assert_eq!(answer.status, 200, "{} {name} {good}: {}", call.path, answer.body);
    }

    let cases = table();
    assert!(cases.len() >= 150, "{}", cases.len());
    let before = state(&peer).await;
    let mut wrong = Vec::new();
    for case in &cases {
        let Answer { status, content_type, body } = ask(&peer, case).await;
        let said = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        let too_large = body["code"] == "PAYLOAD_TOO_LARGE";
        let limits = ["limit", "max", "actual", "path"].iter().all(|member| !body[*member].is_null());
        let right = content_type == "application/problem+json"
            && status == if too_large { 413 } else { 400 }
            && case.codes.contains(&said("code").as_str())
            && (!too_large || limits)
            && (case.place.is_empty() || said("path").split('.').next() == Some(&case.place))
            && said("detail").contains(case.says);
        if !right {
            let shown = case.body.as_deref().unwrap_or_default().chars().take(120).collect::<String>();
            wrong.push(format!("{}\n    {shown}\n    {status} {body}", case.name));
        }
        let after = state(&peer).await;
        assert_eq!(after, before, "{} changed something", case.name);
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
