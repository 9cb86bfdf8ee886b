//! What a room shows to those who are in it.

use std::time::Duration;

use parlor_testkit::wait::{throughout, until};
use serde_json::json;

use crate::party::{MEETING, Party, ROOM, find, meet, members, metadata, name, set_metadata, state};

/// A change reaches a linked peer in milliseconds; this is for a busy machine.
const CROSSING: Duration = Duration::from_secs(2);

pub fn everyone_sees_everyone() {
    let party = Party::new(3);
    let peers = party.all_met();
    let ids = |members: &[serde_json::Value]| -> Vec<String> {
        members.iter().map(|member| member["memberId"].to_string()).collect()
    };
    let first = ids(&members(&peers[0]));
    for (own, peer) in peers.iter().enumerate() {
        let seen = members(peer);
        assert_eq!(ids(&seen), first, "the order is the same everywhere");
        for (index, _) in peers.iter().enumerate() {
            let member = find(peer, index).expect("a member that was there before");
            assert_eq!(member["self"], json!(own == index));
            assert_eq!(member["verified"], json!(true));
            assert_eq!(member["conflict"], json!(false));
            assert_eq!(member["actor"]["userId"], member["memberId"]);
        }
        let page = peer.get(&format!("/rooms/{ROOM}/members")).expect("the members");
        assert_eq!(page["complete"], json!(true));
        assert_eq!(page["total"], json!(3));
    }
}

pub fn a_cursor_crosses() {
    let party = Party::new(3);
    let peers = party.all_met();
    for step in 1..=20 {
        let change = json!({ "presence": { "cursor": { "x": 10.5 * f64::from(step), "y": 300 } } });
        peers[0].post(&format!("/rooms/{ROOM}/presence"), &change).expect("moving the cursor");
    }
    for peer in &peers[1..] {
        until(CROSSING, "the last place of the cursor", || {
            find(peer, 0).filter(|member| member["presence"]["cursor"] == json!({ "x": 210.0, "y": 300 }))
        });
        let member = find(peer, 0).expect("a member that was there before");
        assert_eq!(member["presence"]["name"], name(0), "what was not named stays");
    }
}

pub fn metadata_reaches_everyone() {
    let party = Party::new(3);
    let peers = party.all_met();
    let settings = json!({ "title": "Incident response", "mode": "war_room", "locked": false });
    set_metadata(&peers[1], &json!({ "metadata": settings }));
    for peer in &peers {
        until(CROSSING, "the title everywhere", || (metadata(peer) == settings).then_some(()));
    }
    // Another writer, and a key that goes.
    set_metadata(&peers[2], &json!({ "metadata": { "title": "All clear" }, "unset": ["mode"] }));
    for peer in &peers {
        let settings = json!({ "title": "All clear", "locked": false });
        until(CROSSING, "the second title everywhere", || (metadata(peer) == settings).then_some(()));
    }
}

/// A public report of a gossip system (report N33): whoever came more than 30 seconds after the first two was not let in
/// before one of them left.
pub fn a_late_third_joins() {
    let party = Party::new(3);
    let mut peers = vec![party.member(0), party.member(1)];
    meet(&peers);
    set_metadata(&peers[0], &json!({ "metadata": { "title": "Since long ago" } }));
    let change = json!({ "presence": { "cursor": { "x": 1, "y": 2 } } });
    peers[1].post(&format!("/rooms/{ROOM}/presence"), &change).expect("moving the cursor");
    throughout(Duration::from_secs(31), || {
        let states = [state(&peers[0], 1), state(&peers[1], 0)];
        if states.iter().all(|state| state.as_deref() == Some("active")) {
            Ok(())
        } else {
            Err(format!("two quiet peers lost sight of each other: {states:?}"))
        }
    });
    peers.push(party.member(2));
    meet(&peers);
    let late = &peers[2];
    until(MEETING, "the room as it is", || (metadata(late)["title"] == "Since long ago").then_some(()));
    let old = find(late, 1).expect("a member that was there before");
    assert_eq!(old["presence"]["cursor"], json!({ "x": 1, "y": 2 }), "what was set before it came");
}
