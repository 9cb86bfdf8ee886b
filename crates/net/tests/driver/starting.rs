//! Starting, and addresses that people get wrong.

use std::time::{Duration, Instant};

use parlor_core::{ErrorCode, RoomId};
use parlor_net::{NetError, NetworkState};

use crate::support::{Person, SOON, room, until};

#[tokio::test]
async fn addresses_that_cannot_be_used_are_named() {
    let person = Person::new("Quiet Otter");
    let bad = person.start_with(|config| config.listen = vec!["127.0.0.1:4747".into()]).await.err().unwrap();
    assert!(matches!(&bad, NetError::BadAddress { address, .. } if address == "127.0.0.1:4747"), "{bad}");
    let bad = person.start_with(|config| config.dial = vec!["nowhere".into()]).await.err().unwrap();
    assert!(bad.to_string().contains("nowhere") && bad.to_string().contains("/tcp/PORT"), "{bad}");
    // An address from the range kept for documentation is never ours.
    let foreign = vec!["/ip4/192.0.2.1/tcp/0".to_owned()];
    let foreign = person.start_with(|config| config.listen = foreign).await.err().unwrap();
    assert!(foreign.to_string().contains("192.0.2.1"), "{foreign}");
}

#[tokio::test]
async fn a_port_in_use_is_an_error_and_not_a_shared_socket() {
    let a = Person::new("Quiet Otter").start().await;
    for address in [a.tcp(), a.quic()] {
        let listen = vec![address.clone()];
        let error = Person::new("Brave Heron").start_with(|config| config.listen = listen).await.err();
        assert_eq!(error, Some(NetError::PortInUse { address }));
    }
}

#[tokio::test]
async fn a_peer_on_loopback_says_so() {
    let a = Person::new("Quiet Otter").start().await;
    assert_eq!(a.net.listen_addrs().len(), 2);
    assert_eq!(*a.net.network().borrow(), NetworkState::Loopback);
}

#[tokio::test]
async fn a_typed_address_connects_or_says_why_not() {
    let a = Person::new("Quiet Otter").start().await;
    let b = Person::new("Brave Heron").start().await;
    let port = a.tcp().rsplit('/').next().unwrap().to_owned();
    let peer = b.net.dial(&format!("127.0.0.1:{port}")).await.unwrap();
    assert_eq!((peer.peer_id, peer.source.as_str()), (a.net.peer_id(), "dialled"));
    let again = b.net.dial(&format!("{}/p2p/{}", a.tcp(), a.net.peer_id())).await.unwrap();
    assert_eq!(again.peer_id, a.net.peer_id());

    let nonsense = b.net.dial("the other computer").await.unwrap_err();
    assert_eq!(nonsense.code, ErrorCode::InvalidTicket);
    assert!(nonsense.message.contains("the other computer"), "{nonsense}");

    let begin = Instant::now();
    let nobody = b.net.dial("/ip4/127.0.0.1/tcp/1").await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::NetworkUnavailable);
    assert!(nobody.message.contains("/ip4/127.0.0.1/tcp/1") && nobody.message.contains("refused"), "{nobody}");
    assert!(begin.elapsed() < Duration::from_secs(10));

    let ourselves = b.net.dial(&b.tcp()).await.unwrap_err();
    assert!(ourselves.message.contains("this peer itself"), "{ourselves}");

    let other = Person::new("Calm Badger").config().session.peer_id();
    let wrong = b.net.dial(&format!("{}/p2p/{other}", a.tcp())).await.unwrap_err();
    assert!(wrong.message.contains("another peer answered"), "{wrong}");
}

#[tokio::test]
async fn an_address_of_the_list_is_dialled_until_somebody_is_there() {
    let first = Person::new("Quiet Otter").start().await;
    let address = first.tcp();
    first.net.shutdown().await;
    let dial = vec![address.clone()];
    let b = Person::new("Brave Heron").start_with(|config| config.dial = dial).await.unwrap();
    until(SOON, "a try has failed", async || b.count("dial_failed").await > 0).await;
    let _a = Person::new("Quiet Otter").start_with(|config| config.listen = vec![address]).await.unwrap();
    until(SOON, "connected", async || b.net.peers().await.len() == 1).await;
}

#[tokio::test]
async fn thirty_two_rooms_are_the_most() {
    let a = Person::new("Quiet Otter").start().await;
    for n in 0..32 {
        a.net.open(RoomId::new(&format!("room {n}")).unwrap()).await.unwrap();
    }
    let error = a.net.open(room()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TooManyRooms);
    a.net.open(RoomId::new("room 3").unwrap()).await.expect("an open room is no new one");
    assert_eq!(a.net.with(&room(), |_, _| ()).await.unwrap_err().code, ErrorCode::NotFound);
    a.net.close_room(&RoomId::new("room 3").unwrap()).await;
    a.net.open(room()).await.unwrap();
}
