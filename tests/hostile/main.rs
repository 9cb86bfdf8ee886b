//! One peer that lies among peers that do not (design N10, R3): whatever it sends, the honest ones see each other, their
//! records are their own, what was refused is counted by name, and a flood ends at the first of them that it reaches.
//!
//! What a lie inside a well-made frame can do is the core's to prove, and is played there against a bare replica. Here it
//! is what only a network has: lengths, streams, connections, floods, and the way from the wire to the replica.

#[path = "../../crates/net/tests/driver/bare.rs"]
mod bare;
mod liar;

use std::net::TcpStream;
use std::time::Duration;

use liar::{Liar, eventually, patched};
use parlor::{Config, Join, Live, MembersQuery, PresenceChange};
use serde_json::json;
use tempfile::TempDir;

const ROOM: &str = "hall";

struct Honest {
    live: Live,
    _data: TempDir,
}

impl Honest {
    async fn start(name: &str, beside: Option<&Honest>) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut config = Config {
            data_dir: data.path().into(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            multicast: false,
            name: Some(name.to_owned()),
            ..Config::default()
        };
        if let Some(other) = beside {
            config.dial.push(other.address().await);
        }
        let live = Live::start(config).await.expect("a peer");
        live.room(ROOM).join(Join::new().presence(json!({"step": 0, "mark": name}))).await.expect("joining");
        Self { live, _data: data }
    }

    async fn address(&self) -> String {
        self.live.status().await.listen.first().expect("an address").clone()
    }

    async fn count(&self, name: &str) -> u64 {
        self.live.counters().await.get(name).copied().unwrap_or_default()
    }

    async fn counted(&self, name: &str) {
        eventually(name, async || self.count(name).await > 0).await;
    }

    /// What each member's presence says about a key.
    async fn shows(&self, key: &str) -> Vec<serde_json::Value> {
        let page = self.live.room(ROOM).members(MembersQuery::default()).await.expect("the members");
        let mut shown: Vec<_> = page.members.iter().map(|member| member.record.presence[key].clone()).collect();
        shown.sort_by_key(ToString::to_string);
        shown
    }
}

/// Two honest peers that see each other, and a liar that is linked to the first.
async fn party() -> (Honest, Honest, Liar) {
    let here = Honest::start("Quiet Otter", None).await;
    let there = Honest::start("Brave Heron", Some(&here)).await;
    still_well(&here, &there).await;
    let liar = liar_beside(&here).await;
    (here, there, liar)
}

async fn liar_beside(peer: &Honest) -> Liar {
    Liar::beside(&peer.address().await, &peer.live.status().await.peer_id, ROOM).await
}

/// Each sees what the other does now, and both see two people as they are.
async fn still_well(here: &Honest, there: &Honest) {
    let step = fastrand::u32(1..);
    for peer in [here, there] {
        let change = PresenceChange::new(json!({ "step": step }));
        peer.live.room(ROOM).presence(change).await.expect("a change");
    }
    for peer in [here, there] {
        let all = [json!(step), json!(step)];
        eventually("an honest change arrives", async || peer.shows("step").await == all).await;
        assert_eq!(peer.shows("mark").await, [json!("Brave Heron"), json!("Quiet Otter")]);
    }
}

#[tokio::test]
async fn bytes_that_are_no_frame_are_counted_and_harm_nobody() {
    let (here, there, mut liar) = party().await;
    let honest = liar.frames("Liar", "Liar", None, json!({"x": 1}));
    let mut random = fastrand::Rng::with_seed(7);
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new(), vec![1], vec![1; 12 * 1024], vec![1; 60 * 1024]];
    for kind in 1..=9 {
        bodies.push([&[1, kind], vec![0xff; 40].as_slice()].concat());
        bodies.push(std::iter::repeat_with(|| random.u8(..)).take(200).collect());
        bodies.push([1, kind].into_iter().chain(std::iter::repeat_with(|| random.u8(..)).take(90)).collect());
    }
    for frame in honest.sent.iter().chain(&honest.published) {
        bodies.extend((0..frame.len()).step_by(7).map(|cut| frame[..cut].to_vec()));
    }
    for body in &bodies {
        liar.send(body);
        liar.publish(body.clone());
    }
    liar.publish([1, 200, 3].to_vec());
    liar.publish([9, 1, 3].to_vec());
    liar.send_as_long_as(u32::MAX, &[1, 2]);
    for name in ["frame_unreadable", "frame_kind", "frame_version", "frame_too_big", "direct_frame_too_big"] {
        liar.during(here.counted(name)).await;
    }
    liar.during(still_well(&here, &there)).await;
}

#[tokio::test]
async fn a_name_that_its_key_did_not_sign_is_nobody() {
    let (here, there, mut liar) = party().await;
    // It says that it is the other's identity, and signs that with its own.
    for frame in liar.frames("Brave Heron", "Liar", None, json!({"mark": "forged"})).sent {
        liar.send(&frame);
    }
    liar.during(here.counted("certificate")).await;
    liar.during(still_well(&here, &there)).await;
}

#[tokio::test]
async fn an_id_of_somebody_else_is_refused() {
    let (here, there, mut liar) = party().await;
    let theirs = there.live.user_id().to_string();
    let mine = format!("x{}", &theirs[1..]);
    for frame in liar.frames("Liar", "Liar", Some(&mine), json!({"mark": "forged"})).sent {
        if frame.windows(mine.len()).any(|window| window == mine.as_bytes()) {
            liar.send(&patched(&frame, &mine, &theirs));
        }
    }
    liar.during(here.counted("member_id_of_another")).await;
    liar.during(still_well(&here, &there)).await;
}

/// Leaves are always passed on, so a flood of them is what would reach everybody.
#[tokio::test]
async fn a_flood_ends_where_it_comes_in() {
    let (here, there, mut liar) = party().await;
    let frames = liar.frames("Liar", "Liar", None, json!({}));
    let leave = frames.published.iter().find(|frame| frame[1] == 3).expect("a leave").clone();
    let flood = async {
        let mut said = 0;
        while said < 40_000 && here.count("flooder_cut_off").await == 0 {
            for _ in 0..500 {
                said += u32::from(liar.publish(leave.clone()));
            }
            liar.during(tokio::task::yield_now()).await;
            let _ = tokio::time::timeout(Duration::from_millis(5), liar.during(std::future::pending::<()>())).await;
        }
        said
    };
    let said = tokio::time::timeout(Duration::from_secs(30), flood).await.expect("the flood is not cut off");
    here.counted("flooder_cut_off").await;
    assert!(here.count("over_budget").await + here.count("author_over_budget").await > 0, "after {said}");
    still_well(&here, &there).await;
    // The other was told of a busy author at most.
    let passed = there.count("frame_of_departed").await;
    assert!(passed < 3_000, "{passed} of {said} were passed on");
    // It stays out: a new connection is refused.
    let address = here.address().await;
    liar.dial(&address);
    liar.until_cut_off().await;
    still_well(&here, &there).await;
}

#[tokio::test]
async fn questions_without_end_are_answered_seldom() {
    let (here, there, mut liar) = party().await;
    let buckets = [&[1, 7, 0x80, 0x02], [0; 256].as_slice()].concat();
    for number in 0..1_500_u32 {
        liar.send(&buckets);
        let mut ask = vec![1, 5];
        ask.extend_from_slice(&[number as u8; 32]);
        ask.push(1);
        liar.send(&ask);
        if number % 100 == 0 {
            liar.during(tokio::task::yield_now()).await;
        }
    }
    liar.during(here.counted("sync_too_often")).await;
    liar.during(still_well(&here, &there)).await;
}

#[tokio::test]
async fn a_reader_that_reads_nothing_holds_up_nobody() {
    let (here, there, liar) = party().await;
    // It is linked and subscribed, and from now on takes nothing from its socket.
    for step in 0..400 {
        let change = PresenceChange::new(json!({"step": step, "pad": "x".repeat(2_000)}));
        here.live.room(ROOM).presence(change).await.expect("a change");
        there.live.room(ROOM).presence(PresenceChange::new(json!({ "step": step }))).await.expect("a change");
    }
    still_well(&here, &there).await;
    drop(liar);
    still_well(&here, &there).await;
}

#[tokio::test]
async fn connections_that_say_nothing_keep_out_nobody_for_long() {
    let (here, there, _liar) = party().await;
    let address = here.address().await;
    let port: u16 = address.rsplit('/').next().and_then(|port| port.parse().ok()).expect("a port");
    let silent: Vec<TcpStream> = (0..1_000).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
    assert!(silent.len() > 500, "{}", silent.len());
    still_well(&here, &there).await;
    // While they all hold on, somebody new comes in.
    let third = Honest::start("Merry Wren", Some(&here)).await;
    eventually("the third is seen", async || here.shows("mark").await.len() == 3).await;
    eventually("it sees all", async || third.shows("mark").await.len() == 3).await;
}
