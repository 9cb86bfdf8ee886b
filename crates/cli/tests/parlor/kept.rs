//! Notes and messages from the command line, and what of them survives the death of the process (design R15, A12).

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parlor_testkit::wait::until;
use serde_json::{Value, json};

use crate::home::{Home, PATIENCE, stderr, stdout};

/// How often the process is killed. The store itself is killed far more often in its own tests.
const DEATHS: u64 = 12;

#[test]
fn notes_and_messages_are_written_at_one_and_read_at_the_other() {
    let (here, there) = (Home::new(), Home::new());
    let (_one, line) = here.serve(&["--name", "Quiet Otter"]);
    let (_two, _) = there.serve(&["--dial", line["listen"][0].as_str().expect("an address")]);
    let refused = here.run(&["say", "blue", "hello"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("NOT_JOINED"), "{}", stderr(&refused));
    let _joined = here.start(&["join", "blue"]);
    _joined.line();
    let watch = there.start(&["watch", "blue"]);
    watch.event("snapshot");

    let said = stdout(&here.run(&["say", "blue", "The power is back"]));
    assert!(said.contains("Quiet Otter: The power is back"), "{said}");
    assert_eq!(watch.event("message")["message"]["data"], json!({"text": "The power is back"}));
    here.json(&["say", "blue", "--type", "reaction", "--data", r#"{"emoji":"🎉"}"#, "--pass", "--json"]);
    assert_eq!(watch.event("message")["message"]["kept"], false);
    for _ in 0..2 {
        here.json(&["say", "blue", "only once", "--key", "k", "--json"]);
    }
    assert_eq!(watch.event("message")["message"]["data"], json!({"text": "only once"}));
    let log = stdout(&there.run(&["messages", "blue"]));
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[0].ends_with("Quiet Otter: The power is back") && lines[1].ends_with("Quiet Otter: only once"),
        "{log}"
    );

    let made = here.json(&["board", "blue", "--add", "Ask the harbour", "--set", r#"{"id":"plan","x":40}"#, "--json"]);
    assert_eq!(made["notes"].as_array().map(Vec::len), Some(2));
    let (board, _) = until(PATIENCE, "the notes arrive", || {
        let board = there.json(&["board", "blue", "--json"]);
        (board["notes"].as_array()?.len() == 2).then_some(board)
    });
    assert!(board["notes"].as_array().expect("notes").iter().any(|note| note["text"] == "Ask the harbour"), "{board}");
    here.json(&["board", "blue", "--remove", "plan", "--json"]);
    let table = stdout(&here.run(&["board", "blue"]));
    assert!(table.starts_with("NOTE") && table.contains("Ask the harbour") && !table.contains("plan"), "{table}");
}

// R15: `kill -9` at any moment, and every message that was answered is there; what is there is whole.
#[test]
fn what_was_answered_survives_being_killed() {
    let home = Home::new();
    let mut kept = 0_u64;
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..DEATHS {
        let (serving, line) = home.serve(&["--token", "t"]);
        let api = Api(line["http"].as_str().expect("an address").to_owned());
        api.post("join", json!({})).expect("joined");
        let there = api.numbers();
        // One whose answer never came may be there as well.
        let after = there.last().map_or(0, |last| last + 1);
        assert!(after >= kept, "{kept} were answered, and the last that is there is before {after}");
        // The log keeps the newest 500.
        assert!(there.iter().copied().eq(after - there.len() as u64..after), "{there:?}");
        assert_eq!(there.len() as u64, after.min(500));
        kept = after;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let pause = Duration::from_micros(500 + random % 60_000);
        std::thread::scope(|scope| {
            let pid = Pid::from_raw(serving.pid().cast_signed());
            let killer = scope.spawn(move || {
                std::thread::sleep(pause);
                kill(pid, Signal::SIGKILL).expect("the process lives");
            });
            loop {
                let say =
                    json!({"type": "chat", "data": {"n": kept}, "keep": true, "idempotencyKey": kept.to_string()});
                if api.post("messages", say).is_none() {
                    break;
                }
                kept += 1;
            }
            killer.join().expect("it was killed, and did not end before");
        });
    }
    assert!(kept > DEATHS, "hardly anything was written");
}

/// A client of its own: it must know what was answered.
struct Api(String);

impl Api {
    fn post(&self, call: &str, body: Value) -> Option<Value> {
        let url = format!("{}/rooms/blue/{call}", self.0);
        let send = async {
            let request = client().post(url).bearer_auth("t").json(&body).send().await.ok()?;
            request.error_for_status().expect("a call that is right").json().await.ok()
        };
        blocking(send)
    }

    /// What was said, oldest first.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        let mut cursor = String::new();
        loop {
            let url = format!("{}/rooms/blue/messages?limit=1000{cursor}", self.0);
            let page: Value = blocking(async {
                client().get(url).bearer_auth("t").send().await.expect("an answer").json().await.expect("JSON")
            });
            let messages = page["messages"].as_array().expect("messages");
            numbers.extend(messages.iter().map(|one| one["data"]["n"].as_u64().expect("a number")));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        numbers.reverse();
        numbers
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn blocking<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}
