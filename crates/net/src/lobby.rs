//! The lobby: one topic that every peer is subscribed to, where open rooms are advertised (design N5). It is how people
//! see rooms that they do not know the name of, and it keeps peers connected that share no room yet.
//!
//! Whoever has a member in a room advertises it every ten seconds, give or take half, unless somebody else just did; so
//! a room costs one small message in about ten seconds however many are in it. A change of the title or of who is there
//! is told within a second or two. An entry lives for thirty seconds after the last advert.

use std::collections::BTreeMap;

use parlor_core::{Face, RoomId, Summary, Tick};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The first byte of an advert; another one is another protocol.
const VERSION: u8 = 1;
/// One advert on the wire.
const ADVERT_MAX: usize = 4 * 1024;
/// Rooms near that are remembered; the stalest makes room.
const NEAR_MAX: usize = 256;
const FACES_MAX: usize = 5;
const TEXT_MAX: usize = 256;
const EVERY_MS: std::ops::RangeInclusive<u64> = 5_000..=15_000;
const EXPIRE_MS: u64 = 30_000;
/// Between two adverts of one room, when something changed.
const CHANGED_MS: std::ops::RangeInclusive<u64> = 300..=1_500;

const _: () = assert!(EXPIRE_MS >= 2 * *EVERY_MS.end(), "one lost advert hides no room");
const _: () = assert!(ADVERT_MAX > TEXT_MAX * (2 * FACES_MAX + 1) + 4 * 128 + 64, "every advert of ours fits");

/// Append only (design N9).
#[derive(Serialize, Deserialize)]
enum Message {
    Advert(Advert),
}

/// What is said about one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Advert {
    pub room: RoomId,
    pub title: Option<String>,
    /// None left means that the room is to be taken from the list.
    pub members: u32,
    pub faces: Vec<Face>,
}

impl Advert {
    pub(crate) fn of(room: RoomId, summary: Summary) -> Self {
        let mut advert = Advert { room, title: summary.title, members: summary.members, faces: summary.faces };
        advert.trim();
        advert
    }

    /// Reads one from the wire. Nothing of a length is trusted: the whole was capped before.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (version, body) = bytes.split_first()?;
        if *version != VERSION || bytes.len() > ADVERT_MAX {
            return None;
        }
        let Message::Advert(mut advert) = postcard::from_bytes(body).ok()?;
        advert.trim();
        Some(advert)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let body = postcard::to_stdvec(&Message::Advert(self.clone())).unwrap_or_default();
        [&[VERSION], body.as_slice()].concat()
    }

    fn trim(&mut self) {
        self.faces.truncate(FACES_MAX);
        self.title.as_mut().map(cut);
        for face in &mut self.faces {
            cut(&mut face.name);
            face.color.as_mut().map(cut);
        }
    }
}

fn cut(text: &mut String) {
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
}

struct Near {
    advert: Advert,
    heard: Tick,
}

struct Own {
    due: Tick,
    said: Option<Advert>,
}

/// Rooms near, and when to advertise our own.
pub(crate) struct Lobby {
    rng: ChaCha8Rng,
    near: BTreeMap<RoomId, Near>,
    own: BTreeMap<RoomId, Own>,
}

impl Lobby {
    pub(crate) fn new(seed: u64) -> Self {
        Lobby { rng: ChaCha8Rng::seed_from_u64(seed), near: BTreeMap::new(), own: BTreeMap::new() }
    }

    /// An advert of somebody. Only rooms that we are in are kept from repeating it.
    pub(crate) fn heard(&mut self, advert: Advert, now: Tick) {
        if let Some(own) = self.own.get_mut(&advert.room) {
            own.due = now.plus(self.rng.random_range(EVERY_MS));
            own.said = Some(advert.clone());
        }
        if advert.members == 0 {
            self.near.remove(&advert.room);
            return;
        }
        if self.near.len() >= NEAR_MAX && !self.near.contains_key(&advert.room) {
            let stalest = self.near.iter().min_by_key(|(_, near)| near.heard).map(|(room, _)| room.clone());
            stalest.and_then(|room| self.near.remove(&room));
        }
        self.near.insert(advert.room.clone(), Near { advert, heard: now });
    }

    /// The open rooms as they are now, and whether we have a member there. Returns what to publish: adverts that are
    /// due, and a last one for a room that we were the last to leave.
    pub(crate) fn adverts(&mut self, rooms: Vec<(Advert, bool)>, now: Tick) -> Vec<Advert> {
        let mut publish = Vec::new();
        self.own.retain(|room, _| rooms.iter().any(|(open, _)| open.room == *room));
        for (advert, joined) in rooms {
            if !joined {
                let left = self.own.remove(&advert.room).is_some();
                publish.extend((left && advert.members == 0).then_some(advert));
                continue;
            }
            let rng = &mut self.rng;
            let own = self.own.entry(advert.room.clone()).or_insert(Own { due: now, said: None });
            if own.said.as_ref().is_some_and(|said| *said != advert) {
                let soon = now.plus(rng.random_range(CHANGED_MS));
                own.due = own.due.min(soon);
            }
            if own.due <= now {
                own.due = now.plus(rng.random_range(EVERY_MS));
                own.said = Some(advert.clone());
                publish.push(advert);
            }
        }
        publish
    }

    /// What a peer that just came is told: the rooms that we are in. Whatever was told to one is taken back when it ends.
    pub(crate) fn greeting(&mut self, rooms: Vec<(Advert, bool)>, now: Tick) -> Vec<Advert> {
        let joined: Vec<Advert> = rooms.into_iter().filter(|(_, joined)| *joined).map(|(advert, _)| advert).collect();
        for advert in &joined {
            self.own.entry(advert.room.clone()).or_insert(Own { due: now, said: None });
        }
        joined
    }

    /// Forgets rooms that nobody advertises any more.
    pub(crate) fn expire(&mut self, now: Tick) {
        self.near.retain(|_, near| now.since(near.heard) < EXPIRE_MS);
    }

    /// The rooms near.
    pub(crate) fn near(&self) -> impl Iterator<Item = &Advert> {
        self.near.values().map(|near| &near.advert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advert(room: &str, members: u32) -> Advert {
        let face = Face { name: "Quiet Otter".into(), color: Some("#112233".into()) };
        Advert { room: RoomId::new(room).unwrap(), title: Some("Plans".into()), members, faces: vec![face] }
    }

    #[test]
    fn an_advert_comes_back_as_it_was_and_a_huge_one_is_cut() {
        let mut advert = advert("plans", 3);
        assert_eq!(Advert::read(&advert.write()), Some(advert.clone()));
        advert.title = Some("é".repeat(3000));
        assert_eq!(Advert::read(&advert.write()), None, "over the cap");
        advert.trim();
        assert_eq!(Advert::read(&advert.write()).unwrap().title.unwrap().len(), TEXT_MAX);
    }

    #[test]
    fn the_longest_advert_of_ours_fits() {
        let face = Face { name: "n".repeat(1000), color: Some("c".repeat(1000)) };
        let summary = Summary { members: u32::MAX, title: Some("t".repeat(5000)), faces: vec![face; 9] };
        let advert = Advert::of(RoomId::new(&"🦦".repeat(128)).unwrap(), summary);
        assert!(advert.write().len() <= ADVERT_MAX);
        assert!(Advert::read(&advert.write()).is_some());
    }

    #[test]
    fn nonsense_is_refused() {
        for bytes in [&[][..], &[VERSION], &[9, 0, 0], &[VERSION, 0, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 64]] {
            assert_eq!(Advert::read(bytes), None);
        }
    }

    #[test]
    fn a_room_is_advertised_at_once_and_then_by_whoever_is_first() {
        let mut lobby = Lobby::new(1);
        let room = || vec![(advert("plans", 2), true)];
        assert_eq!(lobby.adverts(room(), Tick(0)).len(), 1);
        let mut published = 0;
        for second in 1..=60 {
            // Somebody else advertises every four seconds: nobody repeats it.
            if second % 4 == 0 {
                lobby.heard(advert("plans", 2), Tick(second * 1_000));
            }
            published += lobby.adverts(room(), Tick(second * 1_000)).len();
        }
        assert_eq!(published, 0);
        for second in 61..=120 {
            published += lobby.adverts(room(), Tick(second * 1_000)).len();
        }
        assert!((4..=12).contains(&published), "{published}");
    }

    #[test]
    fn the_last_to_leave_takes_the_room_from_the_list() {
        let mut lobby = Lobby::new(1);
        lobby.adverts(vec![(advert("plans", 2), true)], Tick(0));
        assert_eq!(lobby.adverts(vec![(advert("plans", 1), false)], Tick(1_000)), [], "somebody is still there");
        lobby.adverts(vec![(advert("plans", 1), true)], Tick(2_000));
        assert_eq!(lobby.adverts(vec![(advert("plans", 0), false)], Tick(3_000)), [advert("plans", 0)]);
        assert_eq!(lobby.adverts(vec![(advert("plans", 0), false)], Tick(4_000)), []);
        assert_eq!(lobby.greeting(vec![(advert("plans", 1), true)], Tick(5_000)), [advert("plans", 1)]);
        assert_eq!(lobby.adverts(vec![(advert("plans", 0), false)], Tick(5_010)), [advert("plans", 0)], "told to one");
    }

    #[test]
    fn a_change_is_told_soon() {
        let mut lobby = Lobby::new(1);
        lobby.adverts(vec![(advert("plans", 1), true)], Tick(0));
        let told =
            (1..=4).any(|second| !lobby.adverts(vec![(advert("plans", 2), true)], Tick(second * 1_000)).is_empty());
        assert!(told);
    }

    #[test]
    fn rooms_expire_and_are_bounded_and_an_empty_one_goes_at_once() {
        let mut lobby = Lobby::new(1);
        for at in 0..(NEAR_MAX as u64 + 10) {
            lobby.heard(advert(&format!("room {at}"), 1), Tick(at));
        }
        assert_eq!(lobby.near().count(), NEAR_MAX);
        lobby.heard(advert("room 200", 0), Tick(300));
        assert!(lobby.near().all(|near| near.room.as_str() != "room 200"));
        lobby.expire(Tick(EXPIRE_MS + 300));
        assert_eq!(lobby.near().count(), 0);
    }
}
