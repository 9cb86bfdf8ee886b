//! The hub itself, with sockets and no peers: what it is told, it does, to both ends' own experience.

use std::net::UdpSocket;
use std::time::Duration;

use parlor_testkit::hub::{Groups, Weather};
use parlor_testkit::netns::{Host, Lan};
use parlor_testkit::wait::until;

const PORT: u16 = 7_000;
/// For what is on its way to arrive, or not.
const PATIENCE: Duration = Duration::from_millis(400);

fn socket(host: &Host) -> UdpSocket {
    let socket = host.enter(|| UdpSocket::bind(("0.0.0.0", PORT))).expect("the host").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    socket.set_broadcast(true).expect("broadcast");
    socket
}

/// Sends so many datagrams, a number in each, and answers those that arrive, in their order, until none does for a while.
fn send(from: &UdpSocket, to: &UdpSocket, at: &Host, count: u32) -> Vec<u32> {
    for number in 0..count {
        from.send_to(&number.to_be_bytes(), (at.address(), PORT)).expect("sending");
    }
    heard(to)
}

fn heard(socket: &UdpSocket) -> Vec<u32> {
    let mut bytes = [0; 4];
    std::iter::from_fn(|| socket.recv_from(&mut bytes).ok().map(|_| u32::from_be_bytes(bytes))).collect()
}

pub fn does_to_frames_what_it_is_told() {
    let lan = Lan::over_hub(3, 1).expect("a LAN");
    let hub = lan.hub().expect("a hub");
    let [first, second, third] = lan.hosts() else { panic!("three hosts") };
    let sockets = [first, second, third].map(socket);
    let there = |count| send(&sockets[0], &sockets[1], second, count);
    let back = |count| send(&sockets[1], &sockets[0], first, count);
    let all: Vec<u32> = (0..200).collect();
    // The first waits in the kernel until its hardware address is known, and may be overtaken by then.
    until(Duration::from_secs(5), "both know each other", || ((there(1).len(), back(1).len()) == (1, 1)).then_some(()));
    assert_eq!(there(200), all, "a fine day");
    assert_eq!(back(200), all);

    hub.weather(0, 1, Weather::FINE.losing(300));
    let before = hub.counts(0, 1);
    let arrived = there(200);
    assert!((110..170).contains(&arrived.len()) && arrived.is_sorted(), "{arrived:?}");
    assert!(hub.counts(0, 1).lost - before.lost >= 30);
    assert_eq!(back(200), all, "the way back has its own weather");

    hub.weather(0, 1, Weather::FINE.doubling(300).reordering(200));
    let arrived = there(200);
    let distinct: std::collections::BTreeSet<u32> = arrived.iter().copied().collect();
    assert!(arrived.len() > 230 && !arrived.is_sorted() && distinct.len() == 200, "{arrived:?}");

    // One direction only: what is sent arrives, and nothing comes back.
    hub.weather(0, 1, Weather::FINE.losing(1_000));
    assert_eq!((there(20).len(), back(20).len()), (0, 20));
    hub.weather_everywhere(Weather::FINE);

    hub.partition(&[&[0, 1]]);
    let to_third = || send(&sockets[0], &sockets[2], third, 5).len();
    assert_eq!((there(5).len(), to_third()), (5, 0));
    hub.mend();
    // Its hardware address is asked for again in a second.
    until(Duration::from_secs(5), "what was apart is reached", || (to_third() >= 5).then_some(()));

    hub.silence(1);
    assert_eq!(there(5).len(), 0);
    hub.restore(1);
    assert_eq!(hub.first_passed(1), None);
    assert_eq!(there(5).len(), 5);
    assert!(hub.first_passed(1).is_some());

    let broadcast = || {
        sockets[0].send_to(&7_u32.to_be_bytes(), ("10.74.0.255", PORT)).expect("a broadcast");
        let heard = [1, 2].map(|host| heard(&sockets[host]));
        assert_eq!(heard[0], heard[1]);
        heard[0].clone()
    };
    assert_eq!(broadcast(), [7]);
    hub.filter(Groups::None);
    assert_eq!(broadcast(), [0; 0]);
    assert_eq!(there(5).len(), 5, "what is for one host passes, and its address is found");
}

pub fn takes_the_carrier_away_with_the_cable() {
    let lan = Lan::over_hub(2, 1).expect("a LAN");
    let running = || {
        let shown = lan.hosts()[1].command("ip").args(["link", "show", "eth0"]).output().expect("ip");
        String::from_utf8_lossy(&shown.stdout).contains("LOWER_UP")
    };
    assert!(running());
    lan.cut(1).expect("cutting");
    until(Duration::from_secs(2), "the carrier is gone", || (!running()).then_some(()));
    lan.heal(1).expect("healing");
    until(Duration::from_secs(2), "the carrier is back", || running().then_some(()));
    let sockets = [0, 1].map(|index| socket(&lan.hosts()[index]));
    assert_eq!(send(&sockets[0], &sockets[1], &lan.hosts()[1], 3).len(), 3);
}
