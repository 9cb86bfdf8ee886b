//! A relay that lies. Whoever was told of it goes on as if it were not there: nothing in them breaks, it is believed no
//! longer, and the connection to it ends.

use libtest_mimic::Trial;
use parlor_testkit::liar::{Lies, LyingRelay};

use crate::honest::{Honest, eventually, still_well};
use crate::trial;

pub fn all() -> Vec<Trial> {
    vec![
        trial("a place reserved until the end of time", a_place_until_the_end_of_time),
        trial("a place reserved for no time", a_place_for_no_time),
        trial("a place with hundreds of addresses", a_place_with_hundreds_of_addresses),
        trial("a relay that answers something else", a_relay_that_answers_something_else),
        trial("a relay that was told nonsense of somebody", a_relay_that_was_told_nonsense),
    ]
}

/// Two honest peers, and a relay that one of them dials.
async fn beside(lies: Lies) -> (Honest, Honest, LyingRelay) {
    let (here, there) = crate::honest::two().await;
    let (mut relay, address) = LyingRelay::start(lies).await;
    relay.during(here.live.dial(&address)).await.expect("the relay");
    (here, there, relay)
}

/// The relay is counted as what it is, is hung up on, and when it is met again nothing is asked of it.
async fn found_out(lies: Lies, counted: &str) -> LyingRelay {
    let (here, there, mut relay) = beside(lies).await;
    relay.during(eventually(counted, async || here.count(counted).await > 0)).await;
    relay.during(eventually("it is distrusted", async || here.count("relay_distrusted").await > 0)).await;
    let gone = relay.local().to_string();
    let away = async || here.live.peers().await.iter().all(|peer| peer.peer_id != gone);
    relay.during(eventually("the connection to it ends", away)).await;
    relay.during(still_well(&[&here, &there])).await;
    assert!(relay.seen.hung_up > 0, "{:?}", relay.seen);
    // Somebody gave its address, so it is dialled again.
    let told = relay.seen.told;
    let back = async || here.live.peers().await.iter().any(|peer| peer.peer_id == gone && peer.version.is_none());
    relay.during(eventually("it is met again", back)).await;
    for _ in 0..5 {
        relay.during(still_well(&[&here, &there])).await;
    }
    assert!(relay.seen.told >= told);
    assert_eq!(here.count(counted).await, 1, "it is asked once: {:?}", relay.seen);
    relay
}

/// The time until a place has to be reserved again is more than a clock can count.
async fn a_place_until_the_end_of_time() {
    let relay = found_out(Lies { reserved_for_s: None, ..Lies::default() }, "relay_broke").await;
    assert_eq!(relay.seen.reserved, 1);
}

/// Who has to reserve again at once would do nothing else.
async fn a_place_for_no_time() {
    let relay = found_out(Lies { reserved_for_s: Some(0), ..Lies::default() }, "relay_hasty").await;
    assert!(relay.seen.reserved <= 8, "{:?}", relay.seen);
}

/// Who says that they are in a room is told who asked for something.
async fn a_relay_that_answers_something_else() {
    let relay = found_out(Lies { confused: true, ..Lies::default() }, "rendezvous_no_answer").await;
    assert_eq!(relay.seen.reserved, 1);
}

/// Nobody else is told of the addresses that it invents, and each of them costs nobody a message.
async fn a_place_with_hundreds_of_addresses() {
    let (here, there, mut relay) = beside(Lies { addresses: 350, ..Lies::default() }).await;
    relay.during(eventually("they are in", async || here.count("relay_place_held").await > 0)).await;
    for _ in 0..5 {
        relay.during(still_well(&[&here, &there])).await;
    }
    assert!(relay.seen.told > 0 && relay.seen.told < 10 && relay.seen.circuits <= 1, "{:?}", relay.seen);
    assert_eq!(relay.seen.hung_up, 0);
}

/// What a relay hands on comes from whoever is in the room: a part of it that is absurd is no reason to lose the relay.
async fn a_relay_that_was_told_nonsense() {
    let (here, there, mut relay) = beside(Lies { told_for_s: u64::MAX, ..Lies::default() }).await;
    let dropped = async || here.count("rendezvous_no_answer").await > 0;
    relay.during(eventually("what it says of somebody is dropped", dropped)).await;
    relay.during(still_well(&[&here, &there])).await;
    assert_eq!((here.count("relay_distrusted").await, relay.seen.hung_up), (0, 0));
    assert!(here.count("rendezvous_failed").await > 0, "the question has ended");
}
