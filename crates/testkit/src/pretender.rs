//! Somebody on a [`Lan`](crate::netns::Lan) who makes hellos up (design N7): from a hundred addresses and one that belongs
//! elsewhere, of every version and kind, and answers that nobody asked for. It writes the bytes by itself, so that it says
//! what no peer would.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Instant;

use crate::netns::{Error, Lan};

/// An address that is in no network of a [`Lan`].
pub const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

const PORT: u16 = 4757;
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 47, 57);
/// Where the made-up peers are said to be.
const DOOR: u16 = 4747;
/// Of every question, in bytes.
pub const LENGTH: usize = 50;
const ANSWER: u8 = 2;
const NOISE_MAX: usize = 1_400;

/// See the module.
#[derive(Debug)]
pub struct Pretender {
    sockets: Vec<(Ipv4Addr, UdpSocket)>,
    door: TcpListener,
    victims: Vec<SocketAddr>,
    /// Whose turn it is.
    next: usize,
    asked: usize,
    answers: BTreeMap<Ipv4Addr, Vec<Instant>>,
    longest: usize,
}

impl Pretender {
    /// On a host, against these and against everybody.
    ///
    /// # Errors
    ///
    /// When the host does not take the addresses, or the system gives no socket.
    pub fn on(lan: &Lan, index: usize, victims: &[Ipv4Addr]) -> Result<Self, Error> {
        let host = lan.host(index)?;
        Self::addresses(host.address()).try_for_each(|address| host.add_address(address))?;
        Ok(host.enter(|| Self::at(host.address(), victims))??)
    }

    /// Those that it has beside a host's own.
    pub fn addresses(own: Ipv4Addr) -> impl Iterator<Item = Ipv4Addr> {
        let [a, b, c, _] = own.octets();
        (100..200).map(move |last| Ipv4Addr::new(a, b, c, last)).chain([ELSEWHERE])
    }

    /// In a process that is on a host already, which has all the [`addresses`](Self::addresses).
    ///
    /// # Errors
    ///
    /// When the system gives no socket.
    pub fn at(own: Ipv4Addr, victims: &[Ipv4Addr]) -> std::io::Result<Self> {
        let socket = |address: Ipv4Addr| {
            let socket = UdpSocket::bind((address, PORT))?;
            socket.set_broadcast(true)?;
            socket.set_nonblocking(true)?;
            Ok((address, socket))
        };
        let sockets = [own].into_iter().chain(Self::addresses(own)).map(socket).collect::<std::io::Result<_>>()?;
        let door = TcpListener::bind((Ipv4Addr::UNSPECIFIED, DOOR))?;
        door.set_nonblocking(true)?;
        let [a, b, c, _] = own.octets();
        let everybody = [GROUP, Ipv4Addr::new(a, b, c, 255)];
        let victims = victims.iter().chain(&everybody).map(|ip| SocketAddr::from((*ip, PORT))).collect();
        Ok(Self { sockets, door, victims, next: 0, asked: 0, answers: BTreeMap::new(), longest: 0 })
    }

    /// Says all it can think of, from everywhere, to everybody.
    pub fn wave(&mut self) {
        (0..self.sockets.len()).for_each(|_| self.turn());
        self.listen();
    }

    /// The same from one address, the next at each call.
    pub fn turn(&mut self) {
        let Some((_, socket)) = self.sockets.get(self.next) else { return };
        self.next = (self.next + 1) % self.sockets.len();
        let noise: Vec<u8> = random(fastrand::usize(0..NOISE_MAX));
        for said in [word(1, 1), word(1, ANSWER), word(1, 3), word(9, 1), noise] {
            for victim in &self.victims {
                // A queue that is full has had enough.
                let _ = socket.send_to(&said, victim);
                self.asked += 1;
            }
        }
    }

    fn listen(&mut self) {
        let mut bytes = [0; 2 * NOISE_MAX];
        for (address, socket) in &self.sockets {
            while let Ok((length, from)) = socket.recv_from(&mut bytes) {
                let own = self.sockets.iter().any(|(own, _)| from.ip() == *own);
                if !own && bytes.get(5) == Some(&ANSWER) {
                    self.longest = self.longest.max(length);
                    self.answers.entry(*address).or_default().push(Instant::now());
                }
            }
        }
    }

    /// How many packets it sent.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// When answers came, to each of its addresses.
    #[must_use]
    pub fn answers(&self) -> &BTreeMap<Ipv4Addr, Vec<Instant>> {
        &self.answers
    }

    /// The longest answer, in bytes; its questions have [`LENGTH`] of them.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Whether anybody came to one of the peers that it made up.
    #[must_use]
    pub fn was_dialled(&self) -> bool {
        self.door.accept().is_ok()
    }
}

/// A hello of this version and kind, of nobody and to no question.
fn word(version: u8, kind: u8) -> Vec<u8> {
    [b"PRLR".as_slice(), &[version, kind], &random(40), &DOOR.to_be_bytes(), &[0, 0]].concat()
}

fn random(length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(length).collect()
}
