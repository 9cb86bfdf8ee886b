//! What takes more than one liar beside two honest peers.

use std::time::{Duration, Instant};

use libp2p::gossipsub::RawMessage;
use libtest_mimic::Trial;
use parlor::{PresenceChange, Speaks};
use parlor_testkit::liar::{Attack, Deaf, Liar, Signed};
use serde_json::json;

use crate::honest::{Honest, ROOM, eventually, still_well, two};
use crate::{Assault, trial};

pub fn all() -> Vec<Trial> {
    vec![
        trial("a flood is passed on to nobody", a_flood_is_passed_on_to_nobody),
        trial("people who are made up are not all carried on", people_are_not_all_carried_on),
        trial("hundreds in one piece are not looked at", hundreds_in_one_piece),
        trial("one thing again and again is soon cut off", one_thing_again_and_again),
        trial("who is cut off stays out", who_is_cut_off_stays_out),
        trial("the dead do not come back by their own frames", the_dead_do_not_come_back),
        trial("nothing goes back by frames of before", nothing_goes_back),
        trial("questions without end are answered seldom", questions_are_answered_seldom),
        trial("a reader that reads nothing holds up nobody", a_reader_that_reads_nothing),
        trial("who speaks a newer version is shown", a_newer_version),
        trial("a thousand silent connections keep out nobody for long", silent_connections),
    ]
}

fn attack(name: &str) -> &'static Attack {
    Attack::named(name).expect("an attack of this name")
}

/// A flood of what would be passed on to all of the room ends at the first who hears it: who listens behind the other
/// hears as much as is passed on of one author, and nothing of what it could not pay for.
async fn a_flood_is_passed_on_to_nobody() {
    for name in ["a flood of leaves", "a flood of forged authors", "a flood of one message"] {
        let (here, there) = two().await;
        let mut ear = there.liar().await;
        let mut assault = Assault::begin(attack(name), &here, &there).await;
        let began = Instant::now();
        while here.count("flooder_cut_off").await == 0 {
            ear.during(assault.wave()).await;
        }
        let may_say = 16 + 100 * (1 + began.elapsed().as_secs());
        ear.during(still_well(&[&here, &there])).await;
        let flooder = *assault.liar.local();
        let heard = ear.tape().iter().filter(|raw| raw.source == Some(flooder)).count() as u64;
        let said = assault.liar.said();
        let (least, most) = match name {
            "a flood of leaves" => (16, may_say),
            // One in each wave, which is said two hundred times.
            "a flood of one message" => (1, said / 200),
            _ => (0, 0),
        };
        assert!((least..=most).contains(&heard), "{name}: {heard} of {said} were passed on");
        assert_eq!(there.count("flooder_cut_off").await, 0, "{name}: and nobody honest pays for it");
    }
}

/// Each of those who are made up is an author of its own, and together they say as much as a big room: who is behind the first
/// honest peer hears of some of them, and no more than a little room says of the others.
async fn people_are_not_all_carried_on() {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack("10,000 people"), &here, &there).await;
    let (began, before) = (Instant::now(), there.count("gossip_heard").await);
    // Of each that is let through comes a question, and an answer in two frames, after which it is known; and the honest say
    // something too.
    let most = || 4 * (64 + 16 * (1 + began.elapsed().as_secs())) + 50;
    while assault.liar.said() < most() + 1_000 || began.elapsed() < Duration::from_secs(5) {
        assault.wave().await;
    }
    let heard = there.count("gossip_heard").await - before;
    let (said, most) = (assault.liar.said(), most());
    assert!((64..=most).contains(&heard), "{heard} of {said} were passed on, of at most {most}");
    assault.during(still_well(&[&here, &there])).await;
}

/// What honest peers say one by one is not verified by the hundred in one go, while everybody else waits: the stream that it
/// came by is ended, and none of it is heard, however often it is opened once more.
async fn hundreds_in_one_piece() {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack("hundreds in one piece"), &here, &there).await;
    let mut waves = 0;
    let (streams, heard) = (here.count("gossip_stream_again").await, here.count("gossip_heard").await);
    while waves < 50 && here.count("gossip_stream_again").await < streams + 3 {
        assault.wave().await;
        waves += 1;
    }
    let heard = here.count("gossip_heard").await - heard;
    assert!(waves < 50 && heard < 100, "{heard} messages were heard in {waves} waves of 200");
    assault.during(still_well(&[&here, &there])).await;
}

/// A signature is verified before gossip knows that it had the message, so this must not go on for ten thousand of them.
async fn one_thing_again_and_again() {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack("a flood of one message"), &here, &there).await;
    while here.count("flooder_cut_off").await == 0 {
        assault.wave().await;
    }
    assault.liar.until_cut_off().await;
    let again = here.count("gossip_again").await;
    assert!((50..2_500).contains(&again), "{again} of {} were taken", assault.liar.said());
    still_well(&[&here, &there]).await;
}

async fn who_is_cut_off_stays_out() {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack("a flood of leaves"), &here, &there).await;
    while here.count("flooder_cut_off").await == 0 {
        assault.wave().await;
    }
    assault.liar.until_cut_off().await;
    for _ in 0..3 {
        assault.liar.dial();
        assault.liar.until_cut_off().await;
    }
    still_well(&[&here, &there]).await;
}

/// All that is on a tape, said again as it was heard, by one who has said none of it: who says a thing twice is cut off.
async fn say_again(peer: &Honest, tape: &[RawMessage], mut look: impl AsyncFnMut()) -> Liar {
    let mut liar = peer.liar().await;
    for part in tape.chunks(45) {
        for raw in part {
            liar.pass_on(&[Signed::heard(raw)]);
        }
        liar.during(look()).await;
        liar.pass(Duration::from_millis(90)).await;
    }
    liar
}

/// What was heard of somebody who is gone, said again in their name and with their signature, by twenty: to one who knew
/// them, who started anew, and to one who never met them.
async fn the_dead_do_not_come_back() {
    let (here, there) = two().await;
    let mut liar = there.liar().await;
    let heron = there.live.user_id().to_string();
    for step in 0..20 {
        let change = PresenceChange::new(json!({"cursor": {"x": step, "y": 7}}));
        there.live.room(ROOM).presence(change).await.expect("a change");
        liar.pass(Duration::from_millis(50)).await;
    }
    liar.during(still_well(&[&here, &there])).await;
    let gone = there.go().await;
    liar.during(eventually("the other is gone", async || here.members().await.len() == 1)).await;
    let tape = liar.tape();
    assert!(tape.len() > 20, "only {} frames were heard", tape.len());
    drop(gone);
    // Everybody who is here now has an empty memory: one who was here, and one who is new.
    let here = here.again(&[]).await;
    let new = Honest::start("Merry Wren", Some(&here)).await;
    still_well(&[&here, &new]).await;
    for peer in [&here, &new] {
        for _ in 0..20 {
            let none_is_back = async || {
                let rows = peer.members().await;
                let back = rows.iter().find(|row| row.actor.user_id.as_str() == heron);
                assert!(back.is_none(), "{back:?}");
            };
            say_again(peer, &tape, none_is_back).await;
        }
        let repeated = peer.count("gossip_repeated").await;
        assert!(repeated > 15 * tape.len() as u64, "{repeated} of {}: the test lost its point", tape.len());
        still_well(&[&here, &new]).await;
    }
}

/// What somebody said before, said again while they are here: to one who started anew, and so has heard none of it.
async fn nothing_goes_back() {
    let (here, there) = two().await;
    let mut liar = there.liar().await;
    for _ in 0..15 {
        liar.during(still_well(&[&here, &there])).await;
    }
    let tape = liar.tape();
    let here = here.again(&[&there]).await;
    still_well(&[&here, &there]).await;
    for _ in 0..6 {
        let mut liar = say_again(&here, &tape, async || ()).await;
        liar.during(still_well(&[&here, &there])).await;
    }
}

/// A question is a few bytes, and an answer may be a hundred times that.
async fn questions_are_answered_seldom() {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack("a storm of questions"), &here, &there).await;
    let before = here.count("sent").await;
    for _ in 0..30 {
        assault.wave().await;
    }
    let answered = here.count("sent").await - before;
    assert!(answered < 60, "{answered} answers in three seconds");
    still_well(&[&here, &there]).await;
}

async fn a_reader_that_reads_nothing() {
    let (here, there) = two().await;
    // It is linked and subscribed, answers pings, and takes nothing else from its streams.
    let mut deaf = Deaf::beside(&here.address().await, &here.mark().await.peer_id, ROOM).await;
    let deaf = tokio::spawn(async move { deaf.stay().await });
    eventually("the queue of the silent reader is full", async || {
        let pad = fastrand::alphanumeric().to_string().repeat(1_900);
        let change = PresenceChange::new(json!({"pad": pad, "more": pad}));
        here.live.room(ROOM).presence(change).await.expect("a change");
        here.count("slow_peer").await > 0
    })
    .await;
    still_well(&[&here, &there]).await;
    deaf.abort();
    still_well(&[&here, &there]).await;
}

/// Nobody can read what a later version says, so the person is told to update, and by whom they are missed.
async fn a_newer_version() {
    let (here, there) = two().await;
    assert_eq!(here.live.status().await.newer, 0);
    let mut assault = Assault::begin(attack("a version of the future"), &here, &there).await;
    let liar = assault.liar.local().to_base58();
    let told = async || {
        let peers = here.live.peers().await;
        let speaks = peers.iter().find(|peer| peer.peer_id == liar).map(|peer| peer.speaks);
        speaks == Some(Speaks::Newer) && here.live.status().await.newer == 1
    };
    assault.during(eventually("a newer version is told", told)).await;
    let other = there.live.status().await.peer_id;
    let peers = here.live.peers().await;
    assert_eq!(peers.iter().find(|peer| peer.peer_id == other).map(|peer| peer.speaks), Some(Speaks::Same));
    drop(assault);
    eventually("it is over when they go", async || here.live.status().await.newer == 0).await;
}

async fn silent_connections() {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack("a thousand connections"), &here, &there).await;
    for _ in 0..10 {
        assault.wave().await;
    }
    assert!(assault.liar.sockets() > 500, "{}", assault.liar.sockets());
    still_well(&[&here, &there]).await;
    // While they all hold on, somebody new comes in.
    let third = Honest::start("Merry Wren", Some(&here)).await;
    still_well(&[&here, &there, &third]).await;
}
