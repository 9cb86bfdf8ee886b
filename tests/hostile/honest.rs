//! Peers that keep every rule, and what must be true of them while somebody lies.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use parlor::{Config, Event, Join, Live, Member, MembersQuery, PresenceChange, RoomEvent};
use parlor_testkit::liar::{Liar, Mark};
use serde_json::json;
use tempfile::TempDir;

pub const ROOM: &str = "hall";

/// The honest people of a test, by user id, with the name that each has.
type People = Arc<Mutex<BTreeMap<String, String>>>;

/// A peer, and somebody who looks over its shoulder.
pub struct Honest {
    pub live: Live,
    name: String,
    people: People,
    seen: Arc<Mutex<Vec<String>>>,
    _data: TempDir,
}

/// Steps are numbers that only ever go up, whoever takes them.
static STEP: AtomicU64 = AtomicU64::new(1);

impl Honest {
    /// Starts a peer that joins the room, connected to another.
    pub async fn start(name: &str, beside: Option<&Honest>) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let people = beside.map_or_else(People::default, |other| Arc::clone(&other.people));
        let dial = match beside {
            Some(other) => vec![other.address().await],
            None => Vec::new(),
        };
        Self::run(name, people, data, vec!["/ip4/127.0.0.1/tcp/0".into()], dial).await
    }

    async fn run(name: &str, people: People, data: TempDir, listen: Vec<String>, dial: Vec<String>) -> Self {
        let config = Config {
            data_dir: data.path().into(),
            listen,
            dial,
            multicast: false,
            name: Some(name.to_owned()),
            ..Config::default()
        };
        let live = Live::start(config).await.expect("a peer");
        people.lock().expect("the people").insert(live.user_id().to_string(), name.to_owned());
        let honest = Self { live, name: name.to_owned(), people, seen: Arc::default(), _data: data };
        honest.look_over_its_shoulder().await;
        let room = honest.live.room(ROOM);
        room.join(Join::new().presence(json!({"step": STEP.fetch_add(1, Ordering::Relaxed), "mark": name})))
            .await
            .expect("joining");
        honest
    }

    pub async fn address(&self) -> String {
        self.live.status().await.listen.first().expect("an address").clone()
    }

    /// As somebody that a liar has in view.
    pub async fn mark(&self) -> Mark {
        Mark { peer_id: self.live.status().await.peer_id, user_id: self.live.user_id().to_string() }
    }

    pub async fn liar(&self) -> Liar {
        Liar::beside(&self.address().await, &self.live.status().await.peer_id, ROOM).await
    }

    pub async fn count(&self, name: &str) -> u64 {
        self.live.counters().await.get(name).copied().unwrap_or_default()
    }

    pub async fn members(&self) -> Vec<Arc<Member>> {
        let query = MembersQuery { limit: Some(1_000), ..MembersQuery::default() };
        let page = self.live.room(ROOM).members(query).await.expect("the members");
        page.members
    }

    /// The rows of honest people, and only theirs.
    async fn honest(&self) -> Vec<Arc<Member>> {
        let people = self.people.lock().expect("the people").clone();
        self.members().await.into_iter().filter(|row| people.contains_key(row.actor.user_id.as_str())).collect()
    }

    /// The same person after their program ended and began anew, with nothing in its memory, at the same address. The
    /// others see that they went.
    pub async fn again(self, others: &[&Honest]) -> Self {
        let address = self.address().await;
        let gone = self.go().await;
        let id = gone.live.user_id().to_string();
        for other in others {
            let here = async || other.members().await.iter().all(|row| row.actor.user_id.as_str() != id);
            eventually("the others see that somebody went", here).await;
        }
        let Self { name, people, _data: data, .. } = gone;
        Self::run(&name, people, data, vec![address], Vec::new()).await
    }

    /// Goes, politely, and is nobody whose absence would be noticed.
    pub async fn go(self) -> Self {
        self.people.lock().expect("the people").remove(self.live.user_id().as_str());
        self.live.close().await;
        self
    }

    /// Writes down what must never be told of honest people: that they left, or took a step back. Whether they fall silent
    /// for a moment is a question of time, and the bench's to ask.
    async fn look_over_its_shoulder(&self) {
        let mut events = self.live.room(ROOM).events().await.expect("the events");
        let (seen, people, name) = (Arc::clone(&self.seen), Arc::clone(&self.people), self.name.clone());
        tokio::spawn(async move {
            let mut steps: BTreeMap<String, u64> = BTreeMap::new();
            while let Some(item) = events.next().await {
                let what = match &item.event {
                    RoomEvent::Change(Event::Left { member, reason }) => (member, Some(format!("left, {reason:?}"))),
                    RoomEvent::Change(Event::Updated { member, .. } | Event::Joined { member }) => (member, None),
                    _ => continue,
                };
                let (member, mut fault) = what;
                let of = member.actor.user_id.to_string();
                let Some(person) = people.lock().expect("the people").get(&of).cloned() else { continue };
                let step = member.record.presence.get("step").and_then(serde_json::Value::as_u64).unwrap_or_default();
                let before = steps.insert(of, step).unwrap_or_default();
                if step < before {
                    fault = Some(format!("went back from step {before} to {step}"));
                }
                if let Some(fault) = fault {
                    seen.lock().expect("what was seen").push(format!("{name} saw that {person} {fault}"));
                }
            }
        });
    }
}

/// Two honest peers that see each other.
pub async fn two() -> (Honest, Honest) {
    let here = Honest::start("Quiet Otter", None).await;
    let there = Honest::start("Brave Heron", Some(&here)).await;
    still_well(&[&here, &there]).await;
    (here, there)
}

/// Each sees what the others do now; each sees all of them once, under their own names and with what they said; and
/// nobody was ever told that one of them left or took a step back.
pub async fn still_well(peers: &[&Honest]) {
    let mut steps = BTreeMap::new();
    for peer in peers {
        let step = STEP.fetch_add(1, Ordering::Relaxed);
        let change = PresenceChange::new(json!({ "step": step }));
        peer.live.room(ROOM).presence(change).await.expect("a change");
        steps.insert(peer.live.user_id().to_string(), (peer.name.clone(), step));
    }
    for peer in peers {
        let right = async || {
            let rows = peer.honest().await;
            let of = |row: &Arc<Member>| {
                let said = json!({"step": row.record.presence["step"], "mark": row.record.presence["mark"]});
                (row.actor.user_id.to_string(), row.actor.name.clone(), said)
            };
            let mut seen: Vec<_> = rows.iter().map(of).collect();
            seen.sort_by(|one, other| one.0.cmp(&other.0));
            let wanted =
                steps.iter().map(|(id, (name, step))| (id.clone(), name.clone(), json!({"step": step, "mark": name})));
            seen == wanted.collect::<Vec<_>>()
        };
        eventually(&format!("{} sees all as they are", peer.name), right).await;
    }
    for peer in peers {
        let seen = peer.seen.lock().expect("what was seen");
        assert!(seen.is_empty(), "{seen:?}");
    }
}

/// Asks again and again until the answer is yes.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let look = async {
        while !ask().await {
            every.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.unwrap_or_else(|_| panic!("never: {what}"));
}
