//! What a network lab does on a real network, where one's own network can be out.

use std::time::Duration;

use parlor_testkit::headless::Headless;
use parlor_testkit::wait::until;
use serde_json::json;

use crate::party::{MEETING, Party, ROOM, meet, members, metadata, set_metadata, state};

/// Six seconds without an answer to a ping (design N6), ten of silence (R6), and a little to notice.
const MISSED: Duration = Duration::from_secs(15);

/// Design R9: a cable that is pulled in the lab is found out as one that is pulled: the peer says that its view is old and
/// removes nobody, the others miss it, and afterwards both sides get what the other wrote meanwhile.
pub fn a_cable_that_is_pulled_there_is_an_outage_of_ones_own() {
    let party = Party::new(3);
    let peers: Vec<Headless<'_>> = vec![party.member(0), party.member(1), party.member_with(2, &["--lab"])];
    meet(&peers);
    let cut = json!({ "cut": true });
    peers[2].post("/lab", &json!({ "all": { "in": cut, "out": cut } })).expect("cutting");
    let complete = || peers[2].get(&format!("/rooms/{ROOM}/members")).expect("the members")["complete"] == true;
    until(MISSED, "it says that its view is old", || (!complete()).then_some(()));
    until(MISSED, "the others miss it", || state(&peers[0], 2).is_none().then_some(()));
    assert_eq!(members(&peers[2]).len(), 3, "its own outage removes nobody");
    assert_eq!(members(&peers[0]).len(), 2, "and the others have each other");

    set_metadata(&peers[0], &json!({ "metadata": { "title": "Written here" } }));
    set_metadata(&peers[2], &json!({ "metadata": { "note": "Written there" } }));
    peers[2].post("/lab", &json!({ "clear": true })).expect("clearing");
    meet(&peers);
    let both = json!({ "title": "Written here", "note": "Written there" });
    for peer in &peers {
        until(MEETING, "what was written on both sides", || (metadata(peer) == both).then_some(()));
    }
    until(MEETING, "a view that is current again", || complete().then_some(()));
}
