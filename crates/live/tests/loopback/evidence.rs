//! Why somebody is not heard, by those who are (design R6): one's own network, or their end.

use parlor::{
    Config, Event, Evidence, EvidenceVerdict, Join, LeftReason, Live, MembersQuery, Room, RoomEvent, WitnessSays,
};
use tempfile::TempDir;

use crate::peers::{config, event, poll, rows};

struct There {
    live: Live,
    room: Room,
    _dir: TempDir,
}

/// A peer with a lab that knows all of these, and its person in the room.
async fn there(name: &str, dial: &[&There]) -> There {
    let dir = tempfile::tempdir().unwrap();
    let mut addresses = Vec::new();
    for there in dial {
        addresses.extend(there.live.status().await.listen);
    }
    let config = Config { name: Some(name.into()), dial: addresses, lab: true, ..config(dir.path(), "default") };
    let live = Live::start(config).await.unwrap();
    let room = live.room("evidence");
    room.join(Join::new()).await.unwrap();
    There { live, room, _dir: dir }
}

/// What one knows of another, while it is listed.
async fn evidence(at: &There, of: &str) -> Option<Evidence> {
    let query = MembersQuery { evidence: true, ..MembersQuery::default() };
    let page = at.room.members(query).await.unwrap();
    let row = page.members.into_iter().find(|row| row.actor.name == of)?;
    Some(*row.evidence.clone().expect("it was asked for"))
}

/// Waits for a verdict.
async fn judged(at: &There, of: &str, verdict: EvidenceVerdict) -> Evidence {
    let what = format!("{verdict:?} of {of}");
    poll(&what, async || evidence(at, of).await.filter(|evidence| evidence.verdict == verdict)).await
}

fn heard_by(evidence: &Evidence) -> Vec<&str> {
    let hear = evidence.witnesses.iter().filter(|witness| witness.says == WitnessSays::Hears);
    let mut names: Vec<&str> = hear.filter_map(|witness| witness.name.as_deref()).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn others_say_whose_network_it_is() {
    let ann = there("Ann", &[]).await;
    let bob = there("Bob", &[&ann]).await;
    let cyd = there("Cyd", &[&ann, &bob]).await;
    let dan = there("Dan", &[&ann, &bob, &cyd]).await;
    for at in [&ann, &bob, &cyd, &dan] {
        rows(&at.room, 4).await;
    }
    let here = poll("a round trip", async || evidence(&ann, "Bob").await.filter(|known| known.rtt_ms.is_some())).await;
    assert!(here.linked && here.rtt_ms.is_some_and(|ms| ms < 1_000.0), "{here:?}");
    assert_eq!(evidence(&ann, "Ann").await.unwrap().verdict, EvidenceVerdict::Own);

    // What Bob says is lost on the way to Ann, and only there.
    let mut at_ann = ann.room.events().await.unwrap();
    let mut at_cyd = cyd.room.events().await.unwrap();
    let (lab, bob_id) = (ann.live.lab().unwrap(), bob.live.status().await.peer_id);
    lab.deafen(&bob_id).await.unwrap();
    let yours = judged(&ann, "Bob", EvidenceVerdict::YouLostThem).await;
    assert!(yours.sentence.contains("still hear") && yours.sentence.ends_with("it is your network."), "{yours:?}");
    let last = loop {
        if let RoomEvent::Change(Event::Left { member, reason }) = event(&mut at_ann, "left").await.event {
            assert_eq!((member.actor.name.as_str(), reason), ("Bob", LeftReason::Timeout), "no word keeps him");
            break member.evidence.clone().expect("what was known of it");
        }
    };
    assert_eq!((last.verdict, heard_by(&last)), (EvidenceVerdict::YouLostThem, vec!["Cyd", "Dan"]));
    assert!((9_900..15_000).contains(&last.heard_ms_ago) && last.missed_beats >= 4, "{last:?}");

    lab.mend(&bob_id).await.unwrap();
    judged(&ann, "Bob", EvidenceVerdict::Here).await;

    // And now his process dies.
    bob.live.lab().unwrap().crash().await;
    for at in [&ann, &cyd, &dan] {
        let theirs = judged(at, "Bob", EvidenceVerdict::AllLostThem).await;
        assert!(!theirs.linked && heard_by(&theirs).is_empty(), "{theirs:?}");
        assert!(theirs.sentence.contains("nobody who was asked hears them"), "{theirs:?}");
    }
    // Cyd heard all the while; that Bob went, Cyd is told once.
    let item = event(&mut at_cyd, "left").await;
    let RoomEvent::Change(Event::Left { member, reason }) = item.event else { panic!("{item:?}") };
    assert_eq!((member.actor.name.as_str(), reason), ("Bob", LeftReason::Disconnected));
    for there in [ann, cyd, dan] {
        there.live.close().await;
    }
}

/// Without a link of their own two are heard through a third, and each is told through whom.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_passed_on_is_heard_through_somebody() {
    let ann = there("Ann", &[]).await;
    let bob = there("Bob", &[&ann]).await;
    let cyd = there("Cyd", &[&ann, &bob]).await;
    for at in [&ann, &bob, &cyd] {
        rows(&at.room, 3).await;
    }
    for (one, other) in [(&ann, &bob), (&bob, &ann)] {
        one.live.lab().unwrap().cut(&other.live.status().await.peer_id).await.unwrap();
    }
    for (one, other) in [(&ann, "Bob"), (&bob, "Ann")] {
        let known = judged(one, other, EvidenceVerdict::Relayed).await;
        assert_eq!((known.through.as_deref(), known.linked, known.rtt_ms), (Some("Cyd"), false, None));
    }
    for there in [ann, bob, cyd] {
        there.live.close().await;
    }
}
