//! What a peer finds out about the network when it is asked to look.

use parlor_net::{DiscoveryState, NetworkState, Place, Reach};

use crate::support::{Person, SOON, until};

#[tokio::test]
async fn a_peer_that_is_there_is_told_from_one_that_is_not() {
    let gone = Person::new("Merry Wren").start().await;
    let nowhere = gone.tcp();
    gone.net.shutdown().await;
    let other = Person::new("Brave Heron").start().await;
    let dial = vec![other.tcp(), nowhere.clone()];
    let peer = Person::new("Quiet Otter").start_with(|config| config.dial = dial).await.unwrap();
    let offers_both = async || peer.net.peers().await.first().is_some_and(|one| one.addresses.len() >= 2);
    until(SOON, "the other said where it listens", offers_both).await;

    let seen = peer.net.check().await.unwrap();
    assert_eq!(seen.network, NetworkState::Loopback);
    assert_eq!([seen.mdns.state, seen.hello.state], [DiscoveryState::Off; 2]);
    assert_eq!(seen.listen, peer.net.listen_addrs());
    assert!(seen.interfaces.iter().any(|one| one.address == "127.0.0.1/8" && one.ignored.is_some()));
    assert!(seen.interfaces.iter().all(|one| one.multicast.is_none() && one.broadcast.is_none()), "nobody was asked");

    let [missing, linked] = seen.peers.as_slice() else { panic!("{:#?}", seen.peers) };
    assert_eq!((&missing.link, missing.place, missing.met), (&None, Place::Here, false), "the missing one first");
    assert_eq!((missing.addresses[0].address.as_str(), missing.addresses[0].reach), (&*nowhere, Reach::Refused));
    assert_eq!(linked.link.as_ref().map(|link| &link.peer_id), Some(&other.net.peer_id()));
    assert_eq!((linked.source.as_str(), linked.place, linked.met), ("dialled", Place::Here, true));
    let tried: Vec<_> = linked.addresses.iter().map(|one| (one.address.clone(), one.reach)).collect();
    assert_eq!(tried, [(other.tcp(), Reach::Open), (other.quic(), Reach::Open)]);
    assert_eq!(other.connections().await, 1, "and none of it became a connection");
}
