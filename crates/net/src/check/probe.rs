//! Whether somebody listens at an address, without becoming a connection of libp2p: that is for the dialler, which has its own
//! rules. TCP is connected and closed again. QUIC is asked in a version that there is none of, which every server answers
//! with the versions that it has (RFC 8999, RFC 9000 §6), and remembers nothing of.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use super::{AddressCheck, Reach};
use crate::address::{self, Transport};

/// Longer than it takes Linux to give up asking who has an address.
const WITHIN: Duration = Duration::from_secs(4);
/// A packet may be lost.
const ASK_AGAIN: Duration = Duration::from_millis(700);
/// What a server answers to must be as long as this.
const LENGTH: usize = 1_200;
/// Of the form that is reserved for being unknown.
const NO_VERSION: [u8; 4] = [0x1a, 0x2a, 0x3a, 0x4a];
const ID: usize = 8;

/// Tries an address; `None` for one that cannot be tried.
pub(super) async fn address(address: &Multiaddr) -> Option<AddressCheck> {
    let parts = address::endpoint(address)?;
    let to = SocketAddr::new(parts.ip, parts.port);
    let start = Instant::now();
    let tried = match parts.transport {
        Transport::Tcp => timeout(WITHIN, tcp(to)).await,
        Transport::Quic => timeout(WITHIN, quic(to)).await,
    };
    let after_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Some(AddressCheck { address: address.to_string(), reach: reach(tried.ok()), after_ms })
}

fn reach(tried: Option<io::Result<()>>) -> Reach {
    match tried {
        Some(Ok(())) => Reach::Open,
        Some(Err(error)) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Reach::Refused,
            ErrorKind::TimedOut => Reach::Silent,
            _ => Reach::Unreachable,
        },
        None => Reach::Silent,
    }
}

async fn tcp(to: SocketAddr) -> io::Result<()> {
    TcpStream::connect(to).await.map(drop)
}

async fn quic(to: SocketAddr) -> io::Result<()> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(to).await?;
    let (theirs, ours): ([u8; ID], [u8; ID]) = (rand::random(), rand::random());
    let question = question(theirs, ours);
    let mut answer = [0; LENGTH];
    loop {
        socket.send(&question).await?;
        let again = Instant::now() + ASK_AGAIN;
        while let Ok(got) = tokio::time::timeout_at(again, socket.recv(&mut answer)).await {
            if is_answer(answer.get(..got?).unwrap_or_default(), theirs, ours) {
                return Ok(());
            }
        }
    }
}

/// `long header | version | length and id of theirs | length and id of ours`, and nothing that means anything.
fn question(theirs: [u8; ID], ours: [u8; ID]) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    let length = [ID as u8];
    let parts: [&[u8]; 6] = [&[0xc0], &NO_VERSION, &length, &theirs, &length, &ours];
    for (byte, part) in packet.iter_mut().zip(parts.into_iter().flatten()) {
        *byte = *part;
    }
    packet
}

/// A negotiation of versions that repeats both ids, ours first.
fn is_answer(packet: &[u8], theirs: [u8; ID], ours: [u8; ID]) -> bool {
    let length = [ID as u8];
    let parts: [&[u8]; 5] = [&[0; 4], &length, &ours, &length, &theirs];
    packet.split_first().is_some_and(|(first, rest)| first & 0x80 != 0 && rest.starts_with(&parts.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tried(text: String) -> AddressCheck {
        address(&text.parse().expect("an address")).await.expect("one that can be tried")
    }

    #[tokio::test]
    async fn who_listens_is_told_from_who_does_not_and_from_what_is_something_else() {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        assert_eq!(tried(format!("/ip4/127.0.0.1/tcp/{port}")).await.reach, Reach::Open);
        drop(tcp);
        assert_eq!(tried(format!("/ip4/127.0.0.1/tcp/{port}")).await.reach, Reach::Refused);

        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = udp.local_addr().unwrap().port();
        let parrot = tokio::spawn(async move {
            let mut bytes = [0; LENGTH];
            loop {
                let (length, from) = udp.recv_from(&mut bytes).await.unwrap();
                udp.send_to(&bytes[..length], from).await.unwrap();
            }
        });
        let other = tried(format!("/ip4/127.0.0.1/udp/{port}/quic-v1")).await;
        assert_eq!(other.reach, Reach::Silent, "what comes back is no answer of QUIC");
        assert!(other.after_ms >= 4_000, "{other:?}");
        parrot.abort();
        assert!(parrot.await.is_err(), "and its socket is closed");
        assert_eq!(tried(format!("/ip4/127.0.0.1/udp/{port}/quic-v1")).await.reach, Reach::Refused);
    }

    #[test]
    fn what_the_system_says_is_put_in_four_words() {
        let of = |kind: ErrorKind| reach(Some(Err(kind.into())));
        assert_eq!((reach(Some(Ok(()))), reach(None)), (Reach::Open, Reach::Silent));
        assert_eq!((of(ErrorKind::ConnectionRefused), of(ErrorKind::TimedOut)), (Reach::Refused, Reach::Silent));
        assert_eq!(
            (of(ErrorKind::HostUnreachable), of(ErrorKind::PermissionDenied)),
            (Reach::Unreachable, Reach::Unreachable)
        );
    }
}
