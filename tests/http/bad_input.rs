//! Bad input (design A8, A9): a table that is made of what every call takes. Each field is given everything that it is not;
//! the answer has the one code and the whole place that belong to it, names the limit, and nothing is changed by any of it.
//! Every field, query and header of the OpenAPI document has a row, and the presence calls are made over a WebSocket too.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::events::Events;
use crate::fixture::{Answer, JSON, Peer, answer};
use crate::socket::Socket;

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
    /// Text of which only the type is checked before something is looked for.
    Any,
    /// One of some words, such as this.
    Word(&'static str),
    /// An address of this computer.
    Address,
    Bool,
    /// A whole number from here to there, and how that is said of one below and of one above.
    Whole(i64, i64, [&'static str; 2]),
    /// A finite number, and what is said of one that is not; whether 0 is one.
    Number(&'static str, bool),
    /// Per cent, which may be broken.
    Percent,
    /// A list of keys; whether they are checked as such.
    Keys(bool),
    /// Milliseconds for each of some keys.
    Times,
    /// True or false for each of some people.
    Marks,
    /// Objects with fields.
    Objects,
    /// Objects for each of some peers, or an object, whose fields have rows of their own.
    Nested,
}

struct Field {
    call: &'static Call,
    /// As the problem names it.
    name: &'static str,
    /// The body with the field in it; `@` stands for its value.
    body: &'static str,
    takes: Takes,
    /// A value of the right type.
    good: &'static str,
    /// Whether that is taken.
    taken: bool,
    code: &'static str,
}

struct Call {
    path: &'static str,
    /// The code with which a field that it does not have is refused.
    rest: &'static str,
    fields: &'static [Row],
}

type Row = (&'static str, &'static str, Takes, &'static str, bool, &'static str);

const KIB: usize = 1024;
const WHOLE: &str = "whole number";
/// Of a number that is no wider than what a language may lose nothing of.
const SEEDS: Takes = Takes::Whole(0, (1 << 53) - 1, [WHOLE, "0 to 9007199254740991"]);
const DELAY: Takes = Takes::Whole(0, 10_000, [WHOLE, "0 to 10000"]);
const ROOM: &str = "INVALID_ROOM_ID";
const MEMBER: &str = "INVALID_MEMBER_ID";
const PRESENCE: &str = "INVALID_PRESENCE";
const METADATA: &str = "INVALID_METADATA";
const BOARD: &str = "INVALID_BOARD";
const MESSAGE: &str = "INVALID_MESSAGE";
const TICKET: &str = "INVALID_TICKET";
const LIMIT: &str = "INVALID_LIMIT";
const NO_JSON: &str = "INVALID_JSON";
const TOO_LARGE: &str = "PAYLOAD_TOO_LARGE";

/// Every call that has a body, and every field of it.
const CALLS: &[Call] = &[
    Call {
        path: "/rooms/r/join",
        rest: PRESENCE,
        fields: &[
            ("presence", r#"{"presence":@}"#, Takes::Bag(4 * KIB), r#"{"a":1}"#, true, PRESENCE),
            ("metadata", r#"{"metadata":@}"#, Takes::Bag(4 * KIB), r#"{"a":1}"#, true, METADATA),
            ("memberId", r#"{"memberId":@}"#, Takes::Id, r#""device""#, true, MEMBER),
            (
                "presenceTtlSeconds",
                r#"{"presenceTtlSeconds":@}"#,
                Takes::Whole(5, 3600, ["5 to 3600", "5 to 3600"]),
                "600",
                true,
                PRESENCE,
            ),
            ("ticket", r#"{"ticket":@}"#, Takes::Word("parlor:"), r#""parlor:x""#, false, TICKET),
        ],
    },
    Call {
        path: "/rooms/r/presence",
        rest: PRESENCE,
        fields: &[
            ("presence", r#"{"presence":@,"memberId":"device"}"#, Takes::Bag(4 * KIB), r#"{"a":2}"#, true, PRESENCE),
            ("memberId", r#"{"presence":{},"memberId":@}"#, Takes::Id, r#""device""#, true, MEMBER),
            (
                "mode",
                r#"{"presence":{"a":3},"mode":@,"memberId":"device"}"#,
                Takes::Word("merge"),
                r#""replace""#,
                true,
                PRESENCE,
            ),
            ("unset", r#"{"unset":@,"memberId":"device"}"#, Takes::Keys(false), r#"["b"]"#, true, PRESENCE),
            (
                "expire",
                r#"{"presence":{"a":4},"expire":@,"memberId":"device"}"#,
                Takes::Times,
                r#"{"a":3600000}"#,
                true,
                PRESENCE,
            ),
        ],
    },
    Call {
        path: "/rooms/r/leave",
        rest: MEMBER,
        fields: &[("memberId", r#"{"memberId":@}"#, Takes::Id, r#""nobody""#, true, MEMBER)],
    },
    Call {
        path: "/rooms/r/metadata",
        rest: METADATA,
        fields: &[
            ("metadata", r#"{"metadata":@}"#, Takes::Bag(32 * KIB), r#"{"a":1}"#, true, METADATA),
            ("metadata.locked", r#"{"metadata":{"locked":@}}"#, Takes::Bool, "false", true, METADATA),
            ("unset", r#"{"unset":@}"#, Takes::Keys(true), r#"["b"]"#, true, METADATA),
            ("ifVersion", r#"{"metadata":{},"ifVersion":@}"#, Takes::Any, r#""version""#, false, METADATA),
        ],
    },
    Call {
        path: "/rooms/r/board",
        rest: BOARD,
        fields: &[
            ("set", r#"{"set":@}"#, Takes::Objects, r#"[{"id":"a","x":1}]"#, true, BOARD),
            ("remove", r#"{"remove":@}"#, Takes::Keys(true), r#"["b"]"#, true, BOARD),
            ("set.0.id", r#"{"set":[{"id":@,"x":1}]}"#, Takes::Key, r#""a""#, true, BOARD),
            ("set.0.x", r#"{"set":[{"id":"a","x":@}]}"#, Takes::Number("", true), "-1.5", true, BOARD),
            ("set.0.y", r#"{"set":[{"id":"a","y":@}]}"#, Takes::Number("", true), "2e3", true, BOARD),
            ("set.0.w", r#"{"set":[{"id":"a","w":@}]}"#, Takes::Number("above 0", false), "200", true, BOARD),
            ("set.0.h", r#"{"set":[{"id":"a","h":@}]}"#, Takes::Number("above 0", false), "0.5", true, BOARD),
            ("set.0.z", r#"{"set":[{"id":"a","z":@}]}"#, Takes::Number("", true), "0", true, BOARD),
            ("set.0.color", r#"{"set":[{"id":"a","color":@}]}"#, Takes::Text(64), r#""pink""#, true, BOARD),
            ("set.0.text", r#"{"set":[{"id":"a","text":@}]}"#, Takes::Text(4 * KIB), r#""""#, true, BOARD),
        ],
    },
    Call {
        path: "/rooms/r/messages",
        rest: MESSAGE,
        fields: &[
            ("type", r#"{"type":@,"memberId":"device"}"#, Takes::Key, r#""chat""#, true, MESSAGE),
            ("data", r#"{"type":"chat","data":@,"memberId":"device"}"#, Takes::Said, r#"{"text":"x"}"#, true, MESSAGE),
            ("memberId", r#"{"type":"chat","memberId":@}"#, Takes::Id, r#""device""#, true, MEMBER),
            ("keep", r#"{"type":"chat","keep":@,"memberId":"device"}"#, Takes::Bool, "true", true, MESSAGE),
            (
                "idempotencyKey",
                r#"{"type":"chat","keep":true,"idempotencyKey":@,"memberId":"device"}"#,
                Takes::Key,
                r#""once""#,
                true,
                MESSAGE,
            ),
        ],
    },
    Call {
        path: "/rooms/secret/access",
        rest: MEMBER,
        fields: &[
            ("hosts", r#"{"hosts":@}"#, Takes::Marks, "{}", true, MEMBER),
            ("void", r#"{"void":@}"#, Takes::Marks, "{}", true, MEMBER),
            ("exclude", r#"{"exclude":@}"#, Takes::Keys(false), "[]", true, MEMBER),
            ("rekey", r#"{"rekey":@}"#, Takes::Bool, "false", true, MEMBER),
        ],
    },
    Call { path: "/rooms/r/ticket", rest: NO_JSON, fields: &[] },
    Call {
        path: "/rooms/r/share",
        rest: NO_JSON,
        fields: &[
            ("on", r#"{"on":@}"#, Takes::Bool, "false", true, NO_JSON),
            ("address", r#"{"on":true,"address":@}"#, Takes::Address, r#""127.0.0.1""#, false, TICKET),
            ("port", r#"{"on":true,"port":@}"#, Takes::Whole(0, 65_535, [WHOLE, WHOLE]), "0", false, TICKET),
            ("tls", r#"{"on":true,"tls":@}"#, Takes::Bool, "true", false, NO_JSON),
            (
                "minutes",
                r#"{"on":true,"minutes":@}"#,
                Takes::Whole(1, 1440, ["1 to 1440", "1 to 1440"]),
                "5",
                false,
                LIMIT,
            ),
            ("putOut", r#"{"on":true,"putOut":@}"#, Takes::Any, r#""u_nobody""#, false, MEMBER),
        ],
    },
    Call {
        path: "/rooms",
        rest: ROOM,
        fields: &[
            ("room", r#"{"room":@}"#, Takes::Id, r#""known""#, true, ROOM),
            ("private", r#"{"room":"known","private":@}"#, Takes::Bool, "false", true, ROOM),
        ],
    },
    Call {
        path: "/tickets",
        rest: TICKET,
        fields: &[("ticket", r#"{"ticket":@}"#, Takes::Word("parlor:"), r#""parlor:x""#, false, TICKET)],
    },
    Call {
        path: "/peers",
        rest: TICKET,
        fields: &[("addr", r#"{"addr":@}"#, Takes::Word("/ip4/127.0.0.1"), r#""/ip4/127.0.0.1""#, false, TICKET)],
    },
    Call {
        path: "/profile",
        rest: PRESENCE,
        fields: &[
            ("name", r#"{"name":@}"#, Takes::Text(256), r#""Quiet Otter""#, true, PRESENCE),
            ("color", r#"{"color":@}"#, Takes::Word("red"), r##""#286fe3""##, true, PRESENCE),
            ("theme", r#"{"theme":@}"#, Takes::Word("Dark"), r#""dark""#, true, PRESENCE),
        ],
    },
    Call { path: "/profile/identity", rest: NO_JSON, fields: &[] },
    Call { path: "/network/check", rest: NO_JSON, fields: &[] },
    Call {
        path: "/lab",
        rest: LIMIT,
        fields: &[
            ("clear", r#"{"clear":@}"#, Takes::Bool, "true", true, NO_JSON),
            ("seed", r#"{"seed":@}"#, SEEDS, "7", true, LIMIT),
            ("jumpMs", r#"{"jumpMs":@}"#, Takes::Whole(0, 86_400_000, [WHOLE, "0 to 86400000"]), "0", true, LIMIT),
            ("sleepMs", r#"{"sleepMs":@}"#, Takes::Whole(0, 600_000, [WHOLE, "0 to 600000"]), "0", true, LIMIT),
            (
                "wallAheadMs",
                r#"{"wallAheadMs":@}"#,
                Takes::Whole(-31_622_400_000, 31_622_400_000, ["31622400000", "31622400000"]),
                "0",
                true,
                LIMIT,
            ),
            ("peers", r#"{"peers":@}"#, Takes::Nested, "{}", true, LIMIT),
            ("all", r#"{"all":@}"#, Takes::Nested, "{}", true, LIMIT),
            ("all.apart", r#"{"all":{"apart":@}}"#, Takes::Bool, "false", true, LIMIT),
            ("all.in", r#"{"all":{"in":@}}"#, Takes::Nested, "{}", true, LIMIT),
            ("all.in.cut", r#"{"all":{"in":{"cut":@}}}"#, Takes::Bool, "false", true, LIMIT),
            ("all.in.delayMs", r#"{"all":{"in":{"delayMs":@}}}"#, DELAY, "0", true, LIMIT),
            ("all.in.jitterMs", r#"{"all":{"in":{"jitterMs":@}}}"#, DELAY, "0", true, LIMIT),
            ("all.in.lossPercent", r#"{"all":{"in":{"lossPercent":@}}}"#, Takes::Percent, "0", true, LIMIT),
            ("all.in.duplicatePercent", r#"{"all":{"in":{"duplicatePercent":@}}}"#, Takes::Percent, "0", true, LIMIT),
            ("all.out", r#"{"all":{"out":@}}"#, Takes::Nested, "{}", true, LIMIT),
            ("all.out.cut", r#"{"all":{"out":{"cut":@}}}"#, Takes::Bool, "false", true, LIMIT),
            ("all.out.delayMs", r#"{"all":{"out":{"delayMs":@}}}"#, DELAY, "0", true, LIMIT),
            ("all.out.jitterMs", r#"{"all":{"out":{"jitterMs":@}}}"#, DELAY, "0", true, LIMIT),
            ("all.out.lossPercent", r#"{"all":{"out":{"lossPercent":@}}}"#, Takes::Percent, "0", true, LIMIT),
            ("all.out.duplicatePercent", r#"{"all":{"out":{"duplicatePercent":@}}}"#, Takes::Percent, "0", true, LIMIT),
            ("people", r#"{"people":@}"#, Takes::Nested, "[]", true, LIMIT),
            ("people.0.room", r#"{"people":[{"room":@,"count":0}]}"#, Takes::Id, r#""crowded""#, true, LIMIT),
            (
                "people.0.count",
                r#"{"people":[{"room":"crowded","count":@}]}"#,
                Takes::Whole(0, 200, [WHOLE, "at most 200"]),
                "0",
                true,
                LIMIT,
            ),
            ("people.0.seed", r#"{"people":[{"room":"crowded","count":0,"seed":@}]}"#, SEEDS, "7", true, LIMIT),
        ],
    },
];

/// Where in the payload something is wrong.
#[derive(Clone)]
enum Place {
    /// The field itself, and so much behind it.
    Field(String),
    /// The first two steps of where a value that is too deep goes on.
    Short,
    /// Elsewhere.
    Is(&'static str),
}

/// Whose fault it is.
#[derive(Clone, Copy)]
enum Fault {
    /// It is no JSON.
    Text,
    /// It is not what the field takes.
    Field,
    /// It is over a limit.
    Size,
}

/// One value that a field does not take: how it is called, its text, and what the answer says of it.
struct Bad {
    what: &'static str,
    value: String,
    fault: Fault,
    place: Place,
    /// What the sentence has in it, such as the limit.
    says: &'static str,
}

/// A value that is wrong as it stands there.
fn bad(what: &'static str, value: impl Into<String>, says: &'static str) -> Bad {
    Bad { what, value: value.into(), fault: Fault::Field, place: Place::Field(String::new()), says }
}

impl Bad {
    fn no_json(self) -> Self {
        Bad { fault: Fault::Text, ..self }
    }

    fn too_large(self) -> Self {
        Bad { fault: Fault::Size, ..self }
    }

    fn within(self, more: &str) -> Self {
        Bad { place: Place::Field(more.to_owned()), ..self }
    }

    fn at(self, place: &'static str) -> Self {
        Bad { place: Place::Is(place), ..self }
    }
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
        bad("no number", "NaN", "JSON").no_json(),
        bad("no number either", "-Infinity", "JSON").no_json(),
        bad("a number beyond all", "1e999", "out of range").no_json(),
        bad("half a character", r#""\ud800""#, "surrogate").no_json(),
        bad("the other half", r#""a\udc00""#, "surrogate").no_json(),
        bad("nothing at all", "", "JSON").no_json(),
        Bad { place: Place::Short, ..bad("a very deep list", nested(400), "at most 8").too_large() },
    ]);
}

/// A key is checked like this wherever it stands. `named` says whether the place goes on with it.
fn keys(values: &mut Vec<Bad>, named: bool, with: impl Fn(&str) -> String) {
    let long = "k".repeat(65);
    let at = |key: &str| if named { format!(".{key}") } else { String::new() };
    values.extend([
        bad("an empty key", with(""), "empty").within(&at("")),
        bad("a long key", with(&long), "at most 64").too_large().within(&at(&long)),
        bad("a key that scripts trip over", with("__proto__"), "not allowed").within(&at("__proto__")),
    ]);
}

impl Takes {
    fn wrong_types(self) -> Vec<&'static str> {
        let all = ["true", "7", r#""x""#, "[]", "{}"];
        let taken: &[&str] = match self {
            Takes::Bag(_) | Takes::Times | Takes::Marks => &["{}"],
            Takes::Said => &all,
            Takes::Id | Takes::Key | Takes::Text(_) | Takes::Word(_) | Takes::Any | Takes::Address => &[r#""x""#],
            Takes::Bool => &["true"],
            Takes::Whole(..) | Takes::Number(..) | Takes::Percent => &["7"],
            Takes::Keys(_) | Takes::Objects => &["[]"],
            Takes::Nested => &["[]", "{}"],
        };
        all.into_iter().filter(|value| !taken.contains(value)).collect()
    }

    fn bad(self) -> Vec<Bad> {
        let mut values: Vec<Bad> = self.wrong_types().into_iter().map(|value| bad("a wrong type", value, "")).collect();
        never(&mut values);
        match self {
            Takes::Bag(max) => {
                made_up(&mut values, ".a", ".a", |inner| format!(r#"{{"a":{inner}}}"#), 2 * KIB);
                keys(&mut values, true, |key| format!(r#"{{"{key}":1}}"#));
                let pairs = many(65, |n| format!(r#""k{n}":1"#));
                values.push(bad("many keys", format!("{{{pairs}}}"), "at most 64").too_large());
                let long = many(max / 2000 + 1, |n| format!(r#""k{n}":{}"#, text(2000)));
                values.push(bad("many bytes", format!("{{{long}}}"), "at most").too_large());
            }
            Takes::Said => {
                made_up(&mut values, ".a", "", |inner| format!(r#"{{"a":{inner}}}"#), 4 * KIB);
                keys(&mut values, false, |key| format!(r#"{{"{key}":1}}"#));
                values.push(bad("many bytes", format!("[{}]", many(3, |_| text(4000))), "at most").too_large());
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
                keys(&mut values, false, |key| format!("\"{key}\""));
                values.push(bad("space", r#""  ""#, "empty"));
            }
            Takes::Text(max) => {
                let says = match max {
                    64 => "at most 64",
                    256 => "at most 256",
                    _ => "at most 4,096",
                };
                values.push(bad("too long", text(max + 1), says).too_large());
            }
            Takes::Any | Takes::Nested => {}
            Takes::Word(word) => values.extend([
                bad("nothing", r#""""#, ""),
                bad("space", r#""  ""#, ""),
                bad("half of it", format!("\"{}\"", &word[..word.len() - 1]), ""),
                bad("in another case", format!("\"{}\"", word.to_uppercase()), ""),
                bad("too long", text(2000), ""),
            ]),
            Takes::Address => values.extend([
                bad("nothing", r#""""#, "no address"),
                bad("a name", r#""localhost""#, "no address"),
                bad("with a port", r#""127.0.0.1:80""#, "no address"),
                bad("of no computer", r#""300.0.0.1""#, "no address"),
                bad("of another computer", r#""192.0.2.7""#, "no address of this computer"),
            ]),
            Takes::Bool => values.extend([bad("a word", r#""true""#, ""), bad("a digit", "1", "")]),
            Takes::Whole(min, max, [below, above]) => {
                values.extend([
                    bad("below", (min - 1).to_string(), below),
                    bad("above", (max + 1).to_string(), above),
                    bad("far above", "1e300", WHOLE),
                    bad("broken", "60.5", WHOLE),
                    bad("digits in quotes", r#""60""#, ""),
                ]);
            }
            Takes::Number(says, zero) => {
                values.push(bad("digits in quotes", r#""60""#, ""));
                if !zero {
                    values.extend([bad("none", "0", says), bad("negative", "-0.5", says)]);
                }
            }
            Takes::Percent => values.extend([
                bad("digits in quotes", r#""60""#, ""),
                bad("below", "-0.5", "0 to 100"),
                bad("above", "100.5", "0 to 100"),
            ]),
            Takes::Keys(checked) => {
                values.extend([
                    bad("a number among them", "[1]", "").within(".0"),
                    bad("null among them", "[null]", "").within(".0"),
                    bad("a list among them", r#"[["a"]]"#, "").within(".0"),
                    bad("half a character among them", r#"["\ud800"]"#, "surrogate").no_json().within(".0"),
                ]);
                if checked {
                    let long = "k".repeat(65);
                    values.extend([
                        bad("an empty key", r#"["a",""]"#, "empty").within(".1"),
                        bad("a long key", format!(r#"["{long}"]"#), "at most 64").too_large().within(".0"),
                        bad("a key that scripts trip over", r#"["__proto__"]"#, "not allowed").within(".0"),
                    ]);
                }
            }
            Takes::Times => values.extend([
                bad("no number", r#"{"a":"5000"}"#, "").within(".a"),
                bad("null inside", r#"{"a":null}"#, "").within(".a"),
                bad("broken", r#"{"a":5000.5}"#, WHOLE).within(".a"),
                bad("negative", r#"{"a":-5000}"#, WHOLE).within(".a"),
                bad("too short", r#"{"a":99}"#, "100 to 3600000").within(".a"),
                bad("too long", r#"{"a":3600001}"#, "100 to 3600000").within(".a"),
                bad("of what is not set", r#"{"other":5000}"#, "does not set").within(".other"),
                bad("twice inside", r#"{"a":5000,"a":6000}"#, "twice").no_json().within(".a"),
            ]),
            Takes::Marks => values.extend([
                bad("a word", r#"{"u_aaaaaaaaaaaaaaaa":"yes"}"#, "").within(".u_aaaaaaaaaaaaaaaa"),
                bad("null inside", r#"{"u_aaaaaaaaaaaaaaaa":null}"#, "").within(".u_aaaaaaaaaaaaaaaa"),
                bad("twice inside", r#"{"u_aaaaaaaaaaaaaaaa":true,"u_aaaaaaaaaaaaaaaa":false}"#, "twice")
                    .no_json()
                    .within(".u_aaaaaaaaaaaaaaaa"),
            ]),
            Takes::Objects => values.extend([
                bad("a word among them", r#"["a"]"#, "").within(".0"),
                bad("one without its name", r#"[{"x":1}]"#, "id").within(".0"),
                bad("one without a field", r#"[{"id":"a"}]"#, "no field").within(".0"),
                bad("one with a field of none", r#"[{"id":"a","x":1,"radius":2}]"#, "radius").within(".0.radius"),
                bad("one with a field twice", r#"[{"id":"a","x":1,"x":2}]"#, "twice").no_json().within(".0.x"),
                bad("too many", format!("[{}]", many(501, |n| format!(r#"{{"id":"n{n}","x":1}}"#))), "at most 500")
                    .too_large(),
            ]),
        }
        values
    }
}

/// What is wrong inside of JSON that a caller makes up, in `at`; limits are told of `limited`.
fn made_up(values: &mut Vec<Bad>, at: &str, limited: &str, with: impl Fn(&str) -> String, string_max: usize) {
    let name = format!("{at}.b");
    values.extend([
        bad("no number inside", with("NaN"), "JSON").no_json().within(at),
        bad("a number beyond all inside", with("-1e999"), "out of range").no_json().within(at),
        bad("half a character inside", with(r#""\udfff""#), "surrogate").no_json().within(at),
        bad("half a character in a name", with(r#"{"\ud800":1}"#), "surrogate").no_json().within(at),
        bad("a name twice inside", with(r#"{"b":1,"b":1}"#), "twice").no_json().within(&name),
        bad("a name twice, written otherwise", with(r#"{"b":1,"\u0062":1}"#), "twice").no_json().within(&name),
        bad("a key that scripts trip over inside", with(r#"{"__proto__":{}}"#), "not allowed").within(limited),
        bad("an empty key inside", with(r#"{"":1}"#), "empty").within(limited),
        bad("a long string inside", with(&text(string_max + 1)), "at most").too_large().within(limited),
        bad("nine levels", with(&nested(9)), "at most 8").too_large().within(limited),
        bad("many objects", with(&format!("[{}]", many(257, |_| "{}".into()))), "at most 256").too_large(),
    ]);
}

/// A request that is refused.
struct Case {
    name: String,
    /// What of the API it is about, as the document names it: `POST /rooms/{room}/join memberId`.
    of: String,
    method: Method,
    path: String,
    body: Option<String>,
    headers: Vec<(&'static str, String)>,
    code: &'static str,
    /// The problem's `path`; nothing when there is no place to name.
    place: Option<String>,
    says: &'static str,
}

impl Case {
    fn post(call: &Call, (name, of): (String, &str), body: String, code: &'static str, place: &str) -> Self {
        let of = format!("POST {} {of}", template(call.path));
        let (path, place) = (call.path.to_owned(), Some(place.to_owned()));
        Case { name, of, method: Method::POST, path, body: Some(body), headers: Vec::new(), code, place, says: "" }
    }

    fn get(path: String, place: &str, code: &'static str, says: &'static str) -> Self {
        let of = format!("GET {} ?{place}", template(path.split('?').next().unwrap_or_default()));
        let (name, place) = (format!("GET {path}"), Some(place.to_owned()));
        Case { name, of, method: Method::GET, path, body: None, headers: Vec::new(), code, place, says }
    }

    fn saying(self, says: &'static str) -> Self {
        Case { says, ..self }
    }
}

/// A path as the document has it.
fn template(path: &str) -> String {
    let mut steps: Vec<&str> = path.split('/').collect();
    if steps.len() > 2 && steps[1] == "rooms" {
        steps[2] = "{room}";
    }
    steps.join("/")
}

fn fields() -> impl Iterator<Item = Field> {
    CALLS.iter().flat_map(|call| {
        call.fields.iter().map(move |&(name, body, takes, good, taken, code)| Field {
            call,
            name,
            body,
            takes,
            good,
            taken,
            code,
        })
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
            cases.push(Case::post(call, (name, ""), body.to_owned(), NO_JSON, "body").saying(says));
        }
        let long = format!("{{\"x\":{}}}", text(256 * KIB));
        let name = format!("POST {}: a long body", call.path);
        cases.push(Case::post(call, (name, ""), long, TOO_LARGE, "body").saying("262,144"));
        let name = format!("POST {}: a field of none", call.path);
        let unknown = r#"{"someFieldOfNone":1}"#.to_owned();
        cases.push(Case::post(call, (name, ""), unknown, call.rest, "someFieldOfNone").saying("unknown field"));
    }
}

/// Fields that are wrong by themselves.
fn by_field(cases: &mut Vec<Case>) {
    for field in fields() {
        let Field { call, name, body, takes, good, code, .. } = field;
        for value in takes.bad() {
            let value = exception(name, value);
            let case = format!("POST {} {name}: {}", call.path, value.what);
            let code = match value.fault {
                Fault::Text => NO_JSON,
                Fault::Field => code,
                Fault::Size => TOO_LARGE,
            };
            let place = match value.place {
                Place::Field(more) => format!("{name}{more}"),
                Place::Short => format!("{name}.0").split('.').take(2).collect::<Vec<_>>().join("."),
                Place::Is(place) => place.to_owned(),
            };
            let body = body.replace('@', &value.value);
            cases.push(Case::post(call, (case, name), body, code, &place).saying(value.says));
        }
        let last = name.rsplit('.').next().expect("a step");
        let (here, once) = (format!("\"{last}\":@"), format!("\"{last}\":{good}"));
        assert!(body.contains(&here), "{body}");
        let twice = body.replace(&here, &format!("{once},{once}"));
        let case = format!("POST {} {name}: twice", call.path);
        cases.push(Case::post(call, (case, name), twice, NO_JSON, name).saying("twice"));
        // In an object that the caller makes up it is another key.
        if name == "metadata.locked" {
            continue;
        }
        let capital = format!("{}{}", last[..1].to_uppercase(), &last[1..]);
        let place = format!("{}{capital}", &name[..name.len() - last.len()]);
        let code = if name.contains('.') { code } else { call.rest };
        let other = body.replace(&here, &format!("\"{capital}\":{good}"));
        let case = format!("POST {} {place}", call.path);
        cases.push(Case::post(call, (case, name), other, code, &place).saying("unknown field"));
    }
    // What a call cannot do without.
    for (path, body, code, place) in [
        ("/rooms", "{}", ROOM, "room"),
        ("/peers", "{}", TICKET, "addr"),
        ("/tickets", "{}", TICKET, "ticket"),
        ("/rooms/r/messages", r#"{"data":1}"#, MESSAGE, "type"),
        ("/rooms/r/board", r#"{"set":[{"x":1}]}"#, BOARD, "set.0"),
        ("/lab", r#"{"people":[{"count":1}]}"#, LIMIT, "people.0"),
        ("/lab", r#"{"people":[{"room":"r"}]}"#, LIMIT, "people.0"),
    ] {
        let call = CALLS.iter().find(|call| call.path == path).expect("a call");
        cases.push(Case::post(call, (format!("POST {path}: no {place}"), place), body.to_owned(), code, place));
    }
}

/// What is told of another place than where it stands.
fn exception(name: &str, value: Bad) -> Bad {
    let note = name.starts_with("set.0.") && name != "set.0.id";
    match value.what {
        // A field of a note that is null is as if it were not there, and then there is none.
        "null" if note => value.at("set.0"),
        // It is of all rooms together.
        "above" if name == "people.0.count" => value.at("people"),
        _ => value,
    }
}

/// What stands in the address and in headers.
fn around(cases: &mut Vec<Case>) {
    for call in ["members", "messages"] {
        for limit in ["0", "1001", "-1", "+5", "1.5", "1e2", "NaN", "ten", "", "%20", "4294967296", "0x10"] {
            let path = format!("/rooms/r/{call}?limit={limit}");
            cases.push(Case::get(path, "limit", LIMIT, "1 to 1000"));
        }
        for cursor in ["", "%20", "abc", "%00", "%FF", "%ED%A0%80", &"x".repeat(2000)] {
            let path = format!("/rooms/r/{call}?cursor={cursor}");
            cases.push(Case::get(path, "cursor", "INVALID_CURSOR", "cursor"));
        }
        cases.push(Case::get(format!("/rooms/r/{call}?cursor=a&cursor=a"), "cursor", "INVALID_CURSOR", "twice"));
    }
    for by in ["Member", "SESSION", "device", "", "%20"] {
        cases.push(Case::get(format!("/rooms/r/members?by={by}"), "by", LIMIT, "member or session"));
    }
    for (path, query) in [
        ("/rooms/r/members", "evidence"),
        ("/rooms/r/recording", "values"),
        ("/rooms/r/replay", "values"),
        ("/inspect", "bytes"),
    ] {
        for value in ["", "1", "yes", "True", "%20true"] {
            cases.push(Case::get(format!("{path}?{query}={value}"), query, LIMIT, "true or false"));
        }
    }
    for query in ["at", "atMs", "from", "limit"] {
        for value in ["", "-1", "+5", "1.5", "ten", "%205", "05", "99999999999999999999"] {
            cases.push(Case::get(format!("/rooms/r/replay?{query}={value}"), query, LIMIT, WHOLE));
        }
    }
    for room in ["", "%20", ".", "..", "a%0Ab", &"x".repeat(129)] {
        cases.push(Case::get(format!("/inspect?room={room}"), "room", ROOM, "roomId"));
    }
    for (path, known) in [
        ("/rooms/r/members", "limit"),
        ("/rooms/r/messages", "limit"),
        ("/rooms/r/recording", "values"),
        ("/rooms/r/replay", "at"),
        ("/inspect", "room"),
    ] {
        let capital = format!("{}{}", known[..1].to_uppercase(), &known[1..]);
        cases.push(Case::get(format!("{path}?{capital}=5"), &capital, LIMIT, "unknown"));
        cases.push(Case::get(format!("{path}?sort=asc"), "sort", LIMIT, "unknown"));
        let twice = format!("{path}?{known}=5&{known}=5");
        cases.push(Case::get(twice, known, LIMIT, "twice"));
    }
    rooms(cases);
    headers(cases);
    recordings(cases);
}

/// What stands beside a recording that is handed over.
fn recordings(cases: &mut Vec<Case>) {
    let mut post = |path: &str, query: String, place: &str, says: &'static str| {
        let mut case = Case::get(format!("{path}?{query}"), place, LIMIT, says);
        (case.name, case.of) = (format!("POST {}", case.path), format!("POST {path} ?{place}"));
        case.headers.push(("Content-Type", "application/octet-stream".to_owned()));
        case.method = Method::POST;
        cases.push(case);
    };
    let numbers: [(&str, &[&str]); 3] = [
        ("/replay", &["at", "atMs", "from", "limit"]),
        ("/replay/state", &["at", "atMs"]),
        ("/replay/lineup", &["first"]),
    ];
    for (path, queries) in numbers {
        for query in queries {
            for value in ["", "-1", "+5", "1.5", "ten", "%205", "05", "99999999999999999999"] {
                post(path, format!("{query}={value}"), query, WHOLE);
            }
            post(path, format!("{query}=5&{query}=5"), query, "twice");
        }
        post(path, "sort=asc".into(), "sort", "unknown");
    }
    post("/replay/lineup", String::new(), "first", "missing");
    post("/replay/test", "name=a&name=a".into(), "name", "twice");
    post("/replay/test", "Name=a".into(), "Name", "unknown");
}

/// Names of rooms in the path.
fn rooms(cases: &mut Vec<Case>) {
    let long = "x".repeat(129);
    let reads = ["members", "metadata", "board", "messages", "access", "share", "events", "recording", "replay", "ws"];
    for room in ["%20", "%20%E2%80%83", "%00", "a%0Ab", "a%7Fb", "%FF", "%ED%A0%80", &long] {
        let get = reads.iter().map(|call| (Method::GET, *call));
        let post =
            CALLS.iter().filter_map(|call| Some((Method::POST, call.path.strip_prefix("/rooms/")?.split_once('/')?.1)));
        for (method, call) in get.chain(post).chain([(Method::DELETE, "")]) {
            let path = format!("/rooms/{room}/{call}");
            let path = path.trim_end_matches('/').to_owned();
            let mut case = Case::get(path, "room", ROOM, "room");
            case.of = format!("{method} {} {{room}}", template(&case.path));
            case.name = format!("{method} {}", case.path);
            case.body = (method == Method::POST).then(|| "{}".to_owned());
            case.method = method;
            cases.push(case);
        }
    }
}

fn headers(cases: &mut Vec<Case>) {
    let long = "x".repeat(129);
    let mut with = |method: Method, path: &str, headers: &[(&'static str, &str)], code, place: Option<&str>, says| {
        let named: Vec<&str> = headers.iter().map(|(header, _)| *header).collect();
        let mut case = Case::get(path.to_owned(), "", code, says);
        case.body = (method == Method::POST).then(|| r#"{"metadata":{"a":5}}"#.to_owned());
        (case.name, case.of) = (format!("{method} {path} with {headers:?}"), named.last().expect("one").to_string());
        (case.method, case.place) = (method, place.map(str::to_owned));
        case.headers = headers.iter().map(|(header, value)| (*header, (*value).to_owned())).collect();
        cases.push(case);
    };
    for user in ["", "   ", &long] {
        with(Method::GET, "/rooms/r/members", &[("Parlor-User", user)], MEMBER, Some("guest"), "1 to 128");
    }
    let twice = [("Parlor-User", "a"), ("Parlor-User", "b")];
    with(Method::GET, "/rooms/r/members", &twice, MEMBER, None, "twice");
    with(Method::GET, "/rooms/r/members", &[("Parlor-User-Name", "Somebody")], MEMBER, None, "nobody");
    let name = "x".repeat(257);
    let named = [("Parlor-User", "visitor"), ("Parlor-User-Name", name.as_str())];
    with(Method::GET, "/rooms/r/members", &named, TOO_LARGE, Some("name"), "256");
    let named = [("Parlor-User", "visitor"), ("Parlor-User-Name", "  ")];
    with(Method::GET, "/rooms/r/members", &named, PRESENCE, Some("name"), "at least one");
    for tag in ["", "version", "\"half", "\"a\" \"b\"", "w/\"a\"", "\"a\", *"] {
        let code = "PRECONDITION_FAILED";
        with(Method::POST, "/rooms/r/metadata", &[("If-Match", tag)], code, Some("if-match"), "quotes");
        with(Method::GET, "/rooms/r/metadata", &[("If-None-Match", tag)], code, Some("if-none-match"), "quotes");
    }
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
    for path in [
        "/rooms",
        "/rooms/r/members",
        "/rooms/r/metadata",
        "/rooms/r/board",
        "/rooms/r/messages",
        "/rooms/r/share",
        "/rooms/secret/access",
        "/profile",
        "/peers",
        "/lab",
    ] {
        state[path] = peer.get(path).await.ok();
    }
    for member in state["/rooms/r/members"]["members"].as_array_mut().into_iter().flatten() {
        member["lastSeenAt"] = Value::Null;
    }
    state
}

/// A peer with everything that a case could change.
async fn furnished() -> Peer {
    let peer = Peer::start_with(|config| config.lab = true, None).await;
    peer.post("/rooms", json!({"room": "secret", "private": true})).await.ok();
    peer.post("/rooms/secret/join", json!({})).await.ok();
    let joined = json!({"memberId": "device", "presence": {"a": 0, "b": 1}, "presenceTtlSeconds": 3600});
    peer.post("/rooms/r/join", joined).await.ok();
    peer
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let peer = furnished().await;
    // What the table takes for good is taken, or it would prove nothing of what is not.
    for Field { call, name, body, good, .. } in fields().filter(|field| field.taken) {
        let answer = peer.post_text(call.path, body.replace('@', good)).await;
        assert_eq!(answer.status, 200, "{} {name} {good}: {}", call.path, answer.body);
    }

    let cases = table();
    assert!(cases.len() >= 1_000, "{}", cases.len());
    let before = state(&peer).await;
    let mut wrong = Vec::new();
    for case in &cases {
        let Answer { status, content_type, body } = ask(&peer, case).await;
        let limits = ["limit", "max", "actual", "path"].iter().all(|member| !body[*member].is_null());
        let expected = match case.code {
            TOO_LARGE => 413,
            "PRECONDITION_FAILED" => 412,
            _ => 400,
        };
        let right = content_type == "application/problem+json"
            && status == expected
            && body["code"] == case.code
            && (case.code != TOO_LARGE || limits)
            && body["path"].as_str() == case.place.as_deref()
            && body["detail"].as_str().is_some_and(|detail| detail.contains(case.says));
        if !right {
            let shown = case.body.as_deref().unwrap_or_default().chars().take(120).collect::<String>();
            let (code, place, says) = (case.code, &case.place, case.says);
            let body: String = body.to_string().chars().take(300).collect();
            wrong
                .push(format!("{}\n    {shown}\n    {status} {body}\n    not {code} at {place:?} {says:?}", case.name));
        }
        let after = state(&peer).await;
        assert_eq!(after, before, "{} changed something", case.name);
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The calls of presence, as messages of a socket.
#[tokio::test]
async fn what_is_wrong_in_a_message_is_named_as_in_a_request() {
    let peer = furnished().await;
    let mut socket = Socket::open(&peer, "r").await;
    let before = state(&peer).await;
    let mut wrong = Vec::new();
    let bodies = table()
        .into_iter()
        .filter(|case| case.of.starts_with("POST /rooms/{room}/presence ") && case.path == "/rooms/r/presence");
    // What is longer than any message ends the socket.
    for case in bodies.filter(|case| !case.name.ends_with("a long body")) {
        let body = case.body.unwrap_or_default();
        let message = match body.strip_prefix('{') {
            Some(rest) => format!(r#"{{"type":"presence","id":7,{rest}"#),
            None => body,
        };
        socket.say(message).await;
        let result = socket.any_result().await;
        let error = &result["error"];
        let right = result["ok"] == false
            && error["code"] == case.code
            && error["details"]["path"].as_str() == case.place.as_deref()
            && error["message"].as_str().is_some_and(|message| message.contains(case.says));
        if !right {
            wrong.push(format!("{}\n    {result}\n    not {} at {:?}", case.name, case.code, case.place));
        }
    }
    for (message, place) in [
        (r#"{"id":7}"#, "type"),
        (r#"{"type":"Presence","id":7}"#, "type"),
        (r#"{"type":7,"id":7}"#, "type"),
        (r#"{"type":"ack","id":7}"#, "seq"),
        (r#"{"type":"ack","id":7,"seq":"1"}"#, "seq"),
        (r#"{"type":"ack","id":7,"seq":-1}"#, "seq"),
    ] {
        socket.say(message).await;
        let result = socket.any_result().await;
        assert_eq!((&result["error"]["code"], &result["error"]["details"]["path"]), (&json!(NO_JSON), &json!(place)));
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(state(&peer).await, before);
}

/// A place that was never one is not refused: whoever comes back with it begins anew.
#[tokio::test]
async fn a_place_that_is_none_begins_anew() {
    let peer = furnished().await;
    for place in ["", "nonsense", "1", "-1", "a-b", "0-18446744073709551616", "\"1-2\""] {
        let mut events = Events::open(&peer, "r", Some(place)).await;
        let (event, data) = events.next().await.expect("an event");
        assert_eq!(event.event, "resync", "{place:?}: {data}");
        let (event, _) = events.next().await.expect("another");
        assert_eq!(event.event, "snapshot", "{place:?}");
    }
}

/// Whatever a caller can say has a row: each field of a body, each query, each header, each name in a path.
#[test]
fn every_field_of_the_document_has_a_row() {
    let document: Value = serde_json::from_str(parlor_http::document()).expect("JSON");
    let tried: BTreeSet<String> = table().into_iter().map(|case| case.of).chain(["Last-Event-ID".into()]).collect();
    let mut open = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let here = format!("{} {path}", method.to_uppercase());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                open.insert(match parameter["in"].as_str() {
                    Some("header") => name.to_owned(),
                    Some("query") => format!("{here} ?{name}"),
                    _ => format!("{here} {{{name}}}"),
                });
            }
            let body = &operation["requestBody"]["content"][JSON]["schema"];
            if !body.is_null() {
                open.insert(format!("{here} "));
                open.extend(named(&document, body, "", &[]).into_iter().map(|field| format!("{here} {field}")));
            }
        }
    }
    assert!(open.len() > 100, "{}", open.len());
    let open: Vec<_> = open.difference(&tried).collect();
    assert!(open.is_empty(), "without a row: {open:#?}");
}

/// The fields of a schema, with their places. `followed` are the schemas that it is in: JSON is made of JSON.
fn named(document: &Value, schema: &Value, within: &str, followed: &[&str]) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    if let Some(other) = schema["$ref"].as_str() {
        if followed.contains(&other) {
            return fields;
        }
        let schema = document.pointer(other.trim_start_matches('#')).expect("a schema");
        return named(document, schema, within, &[followed, &[other]].concat());
    }
    for list in ["allOf", "oneOf", "anyOf"] {
        for part in schema[list].as_array().into_iter().flatten() {
            fields.extend(named(document, part, within, followed));
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{within}{name}");
        fields.extend(named(document, inner, &format!("{place}."), followed));
        fields.insert(place);
    }
    if !schema["items"].is_null() {
        fields.extend(named(document, &schema["items"], &format!("{within}0."), followed));
    }
    fields
}
