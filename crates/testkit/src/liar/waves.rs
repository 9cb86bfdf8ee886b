//! Lies about who speaks, and more of everything than there is room for.

use std::net::TcpStream;

use libp2p::PeerId;
use parlor_core::{CellKey, CellKind, Signer, Stamp};
use serde_json::json;

use super::bare::{lobby, streamed, topic};
use super::{Identity, Liar, Mark, Signed, grafts, rpc, subscription};
use crate::forge::{self, Ask, Bytes, Claim, GuestClaim, SyncRequest, SyncStamps, SyncWant, frame};

/// Frames of one author in one wave: with ten waves a second, a little less than it may say.
const AUTHOR: u32 = 45;
/// Frames in one wave of a flood.
const FLOOD: u32 = 200;
/// Connections in one wave.
const SOCKETS: usize = 100;
/// Sessions that it remembers to have made up, of one wave after the other.
const INVENTIONS: usize = 6_000;
/// Records that it says are over.
const INCARNATIONS: u32 = 6;

/// To everybody and to its peer alone.
pub(super) fn tell(liar: &mut Liar, frame: &[u8]) {
    liar.publish(frame.to_vec());
    liar.send(frame);
}

fn peer(mark: &Mark) -> PeerId {
    mark.peer_id.parse().unwrap_or_else(|_| PeerId::random())
}

pub(super) fn forged_authors(liar: &mut Liar, mark: &Mark, _: u32) {
    let from = peer(mark);
    for data in [liar.me.beat(), liar.me.leave(1), liar.me.full(1, |_| {}), vec![1], Vec::new()] {
        let message = liar.forge(&from, data);
        liar.pass_on(&[message]);
    }
}

pub(super) fn anothers_record(liar: &mut Liar, mark: &Mark, round: u32) {
    let own = liar.me.full(1, |_| {});
    tell(liar, &own);
    // The certificate of its peer, as it is and with another session in it.
    if let Some(stolen) = liar.stolen() {
        let mut renamed = stolen.clone();
        renamed.session = liar.me.certificate.session;
        for certificate in [stolen, renamed] {
            let name = certificate.name.clone();
            let forged = liar.me.full(2, |full| {
                full.certificate = certificate;
                full.actor.name = name;
            });
            tell(liar, &forged);
        }
    }
    // Its own certificate, with the key of somebody else in it.
    let victim = Identity::of("somebody else").public_key();
    let forged = liar.me.full(3, |full| full.certificate.identity = victim);
    tell(liar, &forged);
    // A guest who never agreed.
    let message = forge::guest_message(liar.me.certificate.session);
    let signature = Bytes(liar.me.signer.sign(&message).to_vec());
    let guest = liar.me.full(4, |full| {
        full.actor = Claim { name: "a guest".into(), guest: Some(GuestClaim { key: victim, signature }) };
    });
    tell(liar, &guest);
    // Its own record, which becomes somebody else's.
    let moved = liar.me.full(1, |full| full.member = format!("{} {round}", mark.peer_id));
    tell(liar, &moved);
}

pub(super) fn anothers_leave(liar: &mut Liar, mark: &Mark, _: u32) {
    let from = peer(mark);
    for incarnation in 1..=INCARNATIONS {
        let leave = liar.me.leave(incarnation);
        tell(liar, &leave);
        let forged = liar.forge(&from, leave);
        liar.pass_on(&[forged]);
    }
}

pub(super) fn anothers_id(liar: &mut Liar, mark: &Mark, round: u32) {
    let theirs = mark.user_id.clone();
    let taken = liar.me.full(100 + round % 50, |full| full.member = theirs);
    tell(liar, &taken);
}

pub(super) fn members(liar: &mut Liar, _: &Mark, round: u32) {
    for number in 0..AUTHOR {
        let incarnation = 1 + round * AUTHOR + number;
        let roster: Vec<u32> = (1..=incarnation).rev().take(300).collect();
        let full = liar.me.full(incarnation, |full| full.roster = roster);
        liar.send(&full);
    }
}

/// Sessions with a key each, that are passed on as if they were behind this peer, and that answer when they are asked.
pub(super) fn people(liar: &mut Liar, _: &Mark, round: u32) {
    for number in 0..AUTHOR {
        let id = liar.invent(round * AUTHOR + number);
        liar.speak_for(id, Vec::new());
    }
    // Those of long ago are forgotten by whoever made them up.
    while liar.inventions.len() > INVENTIONS {
        liar.inventions.pop_first();
    }
}

pub(super) fn keys(liar: &mut Liar, _: &Mark, round: u32) {
    let key = |number: u32| CellKey::metadata(&format!("key {}", round * 80 + number));
    let cells: Vec<_> = (0..80).map(|number| liar.me.cell(key(number), Some(&json!(number)))).collect();
    liar.publish(frame(forge::CELLS, &cells));
    // And as many of one member.
    let fields = (0..40).map(|number| forge::field(&format!("{round} {number}"), &json!("x".repeat(60)))).collect();
    let own = liar.me.full(1, |_| {});
    liar.send(&own);
    let delta = liar.me.delta(1, fields);
    tell(liar, &delta);
}

pub(super) fn tombstones(liar: &mut Liar, _: &Mark, round: u32) {
    let cells: Vec<_> = (0..80)
        .map(|number| {
            let number = round * 80 + number;
            match number % 2 {
                0 => liar.me.cell(CellKey::metadata(&format!("gone {number}")), None),
                _ => liar.me.cell(CellKey::board(&format!("note {number}"), "text"), None),
            }
        })
        .collect();
    liar.publish(frame(forge::CELLS, &cells));
}

pub(super) fn questions(liar: &mut Liar, _: &Mark, round: u32) {
    let me = liar.me.certificate.session;
    let key = CellKey::metadata("title");
    let stamp = Stamp { hlc: u64::MAX, writer: liar.me.signer.public_key(), hash: [7; 16] };
    let want = SyncWant { keys: vec![key.clone(); 200] };
    let stamps = SyncStamps { buckets: Bytes((0..=255).collect()), stamps: vec![(key, stamp)] };
    let of = liar.remote_session();
    for number in 0..12_u64 {
        let ask = frame(forge::ASK, &Ask { of, nonce: u64::from(round) * 100 + number });
        tell(liar, &ask);
        let nobody = frame(forge::ASK, &Ask { of: me, nonce: number });
        liar.send(&nobody);
        liar.send(&frame(forge::SYNC_REQUEST, &SyncRequest { buckets: vec![number as u32; 256] }));
    }
    liar.send(&frame(forge::SYNC_REQUEST, &SyncRequest { buckets: vec![1; 300] }));
    tell(liar, &frame(forge::SYNC_STAMPS, &stamps));
    tell(liar, &frame(forge::SYNC_WANT, &want));
}

pub(super) fn adverts(liar: &mut Liar, _: &Mark, round: u32) {
    let topic = lobby().hash();
    for number in 0..AUTHOR - 1 {
        let room = format!("nowhere {}", round * AUTHOR + number);
        let face = ("\u{202e}nobody", Option::<&str>::None);
        let advert = (0_u8, room, Some("a title"), 7_u32, vec![face; 5]);
        let body = postcard::to_extend(&advert, vec![1_u8]).unwrap_or_default();
        liar.publish_to(topic.as_str(), body);
    }
    liar.publish_to(topic.as_str(), vec![1; 5_000]);
}

/// What it heard of others, as it heard it, over and over: in their names, with their own good signatures, and in its own.
pub(super) fn replay(liar: &mut Liar, _: &Mark, round: u32) {
    let tape = liar.tape();
    if tape.is_empty() {
        return;
    }
    for number in 0..AUTHOR {
        let raw = &tape[(round * AUTHOR + number) as usize % tape.len()];
        liar.pass_on(&[Signed::heard(raw)]);
        if number % 8 == 0 {
            tell(liar, &raw.data);
        }
    }
}

fn many_leaves(liar: &mut Liar, round: u32) -> Vec<Signed> {
    let from = *liar.local();
    let said = |number| {
        let leave = liar.me.leave(round * FLOOD + number);
        liar.forge(&from, leave)
    };
    (0..FLOOD).map(said).collect()
}

pub(super) fn leaves(liar: &mut Liar, _: &Mark, round: u32) {
    let said = many_leaves(liar, round);
    liar.pass_on(&said);
}

/// All of them in one RPC, whose signatures would be looked at in one go.
pub(super) fn in_one_piece(liar: &mut Liar, _: &Mark, round: u32) {
    let said = many_leaves(liar, round);
    liar.pour(rpc(&said));
    // Nobody reads on after that, which one who writes is not told of.
    liar.end_stream();
}

/// Each of them costs a look at its signature.
pub(super) fn forged_flood(liar: &mut Liar, mark: &Mark, _: u32) {
    let (from, data) = (peer(mark), vec![1, 2, 3]);
    let one = liar.forge(&from, data);
    liar.pass_on(&vec![one; FLOOD as usize]);
}

/// A good message, again and again: gossip looks at its signature before it knows that it had it.
pub(super) fn repeated(liar: &mut Liar, _: &Mark, _: u32) {
    let beat = liar.me.beat();
    let from = *liar.local();
    let one = liar.forge(&from, beat);
    liar.pass_on(&vec![one; FLOOD as usize]);
}

/// Items with lengths that none has, each on a stream of its own, and one that is no frame.
pub(super) fn nonsense(liar: &mut Liar, _: &Mark, round: u32) {
    let room = liar.room().to_owned();
    for length in [0, 15, u16::MAX] {
        liar.stream(streamed(length, &room, &[0; 64]));
        liar.close_stream();
    }
    let frame = [parlor_core::VERSION, 5, round as u8];
    liar.stream(streamed(16 + 3, &room, &frame));
    liar.close_stream();
}

/// Good frames on a stream, far more of them than anybody may send.
pub(super) fn streamed_flood(liar: &mut Liar, _: &Mark, _: u32) {
    let room = liar.room().to_owned();
    let items: Vec<Vec<u8>> = (0..FLOOD)
        .map(|_| {
            let beat = liar.me.beat();
            streamed(16 + beat.len() as u16, &room, &beat)
        })
        .collect();
    liar.stream(items.concat());
}

pub(super) fn control(liar: &mut Liar, _: &Mark, round: u32) {
    let topic = topic(liar.room()).hash();
    liar.pour(grafts(topic.as_str(), FLOOD as usize / 2));
    for number in 0..FLOOD / 4 {
        liar.pour(subscription(&format!("parlor/1/{round} {number}"), true));
        liar.pour(rpc([]));
    }
}

pub(super) fn lengths(liar: &mut Liar, _: &Mark, _: u32) {
    // A connection has so many streams at once and no more.
    for _ in 0..FLOOD / 8 {
        liar.send_as_long_as(u32::MAX, &[1, 2]);
    }
}

pub(super) fn connections(liar: &mut Liar, _: &Mark, round: u32) {
    let port = liar.address().rsplit('/').next().and_then(|port| port.parse::<u16>().ok());
    let Some(port) = port.filter(|_| round < 10) else { return };
    let sockets = (0..SOCKETS).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok());
    liar.silent.extend(sockets);
}

/// A register of a kind that only private rooms have.
pub(super) fn of_private_rooms() -> CellKey {
    CellKey { kind: CellKind::Access, object: "host".into(), field: "00".repeat(32) }
}
