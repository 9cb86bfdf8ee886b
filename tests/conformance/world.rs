//! The peers of one case, over loopback, and what they do there.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use parlor::{Arguments, Config, Error, ErrorCode, Live, arguments};
use serde::Serialize;
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::case::Case;
use super::value::Names;

/// How long peers may take to be linked.
const MEET: Duration = Duration::from_secs(15);
/// The people of the first peer, beside its own.
pub const GUESTS: [(&str, &str); 2] = [("ada", "Ada"), ("bob", "Bob")];

/// The peers that a case has somebody on. `me` is always there.
pub struct World {
    peers: BTreeMap<&'static str, Live>,
    _dir: TempDir,
}

impl World {
    /// Starts the peers of a case, and links those who are to be.
    pub async fn of(case: &Case) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let me = start(dir.path(), "me", Vec::new()).await;
        let addr = me.status().await.listen;
        let mut peers = BTreeMap::new();
        if case.has("far") {
            peers.insert("far", start(dir.path(), "far", addr.clone()).await);
        }
        if case.has("twin") {
            let profile = dir.path().join("twin/profiles/default");
            std::fs::create_dir_all(&profile).expect("a profile");
            std::fs::copy(me.profile_dir().join("identity.key"), profile.join("identity.key")).expect("a key");
            peers.insert("twin", start(dir.path(), "twin", addr).await);
        }
        if case.has("stranger") {
            peers.insert("stranger", start(dir.path(), "stranger", Vec::new()).await);
        }
        let links = peers.len() - usize::from(case.has("stranger"));
        let deadline = Instant::now() + MEET;
        while me.peers().await.len() < links {
            assert!(Instant::now() < deadline, "{}: the peers did not meet", case.name);
            sleep(Duration::from_millis(10)).await;
        }
        peers.insert("me", me);
        Self { peers, _dir: dir }
    }

    /// The peer of somebody.
    pub fn peer(&self, who: &str) -> &Live {
        self.peers.get(who).unwrap_or_else(|| panic!("there is no {who}"))
    }

    /// Who is who.
    pub fn names(&self) -> Names {
        let mut names = Names::new();
        for (who, live) in &self.peers {
            names.insert((*who).to_owned(), live.user_id().as_str().into());
        }
        for (guest, _) in GUESTS {
            names.insert(guest.to_owned(), self.guest(guest).user_id().as_str().into());
        }
        names
    }

    /// The first peer, for one of its guests.
    pub fn guest(&self, who: &str) -> Live {
        let name = GUESTS.iter().find(|(id, _)| *id == who).map(|(_, name)| *name);
        self.peer("me").acting_as(who, name).unwrap_or_else(|error| panic!("{who}: {error}"))
    }

    /// Ends all of them.
    pub async fn end(self) {
        for live in self.peers.values() {
            live.close().await;
        }
    }
}

async fn start(dir: &Path, who: &str, dial: Vec<String>) -> Live {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
    let (data_dir, name) = (dir.join(who), Some(format!("Person {who}")));
    let config = Config { data_dir, listen, dial, multicast: false, name, lab: true, ..Config::default() };
    Live::start(config).await.expect("a peer")
}

/// One call of the crate, with arguments and an answer as JSON.
pub async fn perform(live: &Live, operation: &str, room: &str, args: Value) -> Result<Value, Error> {
    let here = live.room(room);
    match operation {
        "join" => json(here.join(given(args)?).await?),
        "presence" => json(here.presence(given(args)?).await?),
        "leave" => json(here.leave(given(args)?).await?),
        "members" => json(here.members(given(args)?).await?),
        "metadata" => json(here.metadata().await?),
        "set_metadata" => json(here.set_metadata(given(args)?).await?),
        "board" => json(here.board().await?),
        "set_board" => json(here.set_board(given(args)?).await?),
        "history" => json(here.history(given(args)?).await?),
        "publish" => json(here.publish(given(args)?).await?),
        "ticket" => json(here.ticket().await?),
        "create_room" if args["private"] == true => json(live.create_private_room(room).await?),
        "create_room" => json(live.create_room(room).await?),
        "dial" => json(live.dial(args["addr"].as_str().unwrap_or_default()).await?),
        "set_profile" => json(live.set_profile(given(args)?).await?),
        _ => panic!("no case has called {operation} before"),
    }
}

fn given<T: Arguments>(args: Value) -> Result<T, Error> {
    match args {
        Value::Object(args) => arguments(args),
        Value::Null => arguments(Map::new()),
        other => Err(Error::new(ErrorCode::InvalidJson, format!("{other} is no object"))),
    }
}

fn json<T: Serialize>(answer: T) -> Result<Value, Error> {
    Ok(serde_json::to_value(answer).expect("JSON"))
}

/// Everything that happens in a room, a snapshot first.
pub async fn follow(live: &Live, room: &str) -> mpsc::UnboundedReceiver<Value> {
    let mut events = live.room(room).events().await.expect("events");
    let (heard, ears) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(item) = events.next().await {
            if heard.send(serde_json::to_value(item).expect("JSON")).is_err() {
                return;
            }
        }
    });
    ears
}
