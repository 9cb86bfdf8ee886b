//! The model of [`super::weather`]: what owners did, and what an observer may show of it. No frame is looked into here but
//! for its place among those of its session.

use std::collections::{BTreeMap, BTreeSet};

use crate::input::DownCause;
use crate::limits::{DISCONNECTED_MS, STALE_MS, TIMEOUT_MS};
use crate::view::LeftReason;

/// A field's name.
pub type Key = &'static str;

/// One step of a story. `owner` is a person, who has one session at a time.
#[derive(Clone, Debug)]
pub enum Step {
    /// Joins, or joins again, with fresh values for these keys.
    Join {
        owner: usize,
        keys: BTreeSet<Key>,
    },
    /// Writes fresh values.
    Write {
        owner: usize,
        keys: BTreeSet<Key>,
        unset: Option<Key>,
        replace: bool,
        expire: Option<u64>,
    },
    Leave {
        owner: usize,
    },
    /// The process dies, and another one starts.
    Restart {
        owner: usize,
    },
    /// Whether frames of the owner arrive at once, and whether the observer's arrive at the owner.
    Weather {
        owner: usize,
        there: bool,
        back: bool,
    },
    /// A frame that waits is lost.
    Lose {
        owner: usize,
        nth: usize,
    },
    /// A frame that waits arrives, whichever was sent before it.
    Take {
        owner: usize,
        nth: usize,
    },
    /// A frame that was sent some time ago arrives, perhaps again.
    Again {
        owner: usize,
        nth: usize,
    },
    Link {
        owner: usize,
        up: bool,
        timed_out: bool,
        /// Nor does anybody else pass its frames on any more, when it is down.
        alone: bool,
    },
    /// The observer's computer slept.
    Sleep,
    /// The observer's own network is out, or back.
    Outage {
        on: bool,
    },
    Pass {
        ms: u64,
    },
    /// Whatever waits is lost; from now on all is well, for three beats.
    Calm,
}

/// A value, or a removal, under a number that is greater than all before it.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    pub number: u64,
    pub set: bool,
    /// How long it lives.
    pub expire: Option<u64>,
}

/// From a join to a leave, or to the end of the session.
#[derive(Clone, Debug)]
pub struct Life {
    pub session: usize,
    pub incarnation: u32,
    pub joined: u64,
    pub left: bool,
    pub fields: BTreeMap<Key, Vec<Write>>,
}

/// One person.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    pub lives: Vec<Life>,
    /// Which of its sessions runs.
    pub session: usize,
    /// How often that session joined.
    pub incarnations: u32,
    /// When keys expire.
    pub expiries: BTreeMap<Key, u64>,
}

/// What the owners did, and the numbers that the last step wrote.
#[derive(Clone, Debug, Default)]
pub struct Sky {
    pub now: u64,
    pub owners: Vec<Owner>,
    pub wrote: BTreeMap<Key, u64>,
    number: u64,
}

impl Owner {
    /// The life it is in.
    pub fn now(&self) -> Option<&Life> {
        self.lives.last().filter(|life| !life.left && life.session == self.session)
    }

    fn life(&mut self) -> Option<&mut Life> {
        let session = self.session;
        self.lives.last_mut().filter(|life| !life.left && life.session == session)
    }

    /// What it shows now.
    pub fn shows(&self) -> BTreeMap<String, u64> {
        let fields = self.now().map(|life| &life.fields).into_iter().flatten();
        let newest = fields.filter_map(|(key, writes)| Some((key, writes.last()?)));
        newest.filter(|(_, write)| write.set).map(|(key, write)| ((*key).to_owned(), write.number)).collect()
    }
}

impl Sky {
    pub fn clear(now: u64, owners: usize) -> Sky {
        Sky { now, owners: vec![Owner::default(); owners], ..Sky::default() }
    }

    pub fn step(&mut self, step: &Step) {
        self.wrote.clear();
        match step {
            Step::Join { owner, keys } => {
                self.pass(1);
                let now = self.now;
                let person = &mut self.owners[*owner];
                if person.life().is_none() {
                    person.incarnations += 1;
                    person.expiries.clear();
                    let (session, incarnation) = (person.session, person.incarnations);
                    let fields = BTreeMap::new();
                    person.lives.push(Life { session, incarnation, joined: now, left: false, fields });
                }
                self.write(*owner, keys, None, true, None);
            }
            Step::Write { owner, keys, unset, replace, expire } => {
                self.write(*owner, keys, *unset, *replace, *expire);
            }
            Step::Leave { owner } => {
                if let Some(life) = self.owners[*owner].life() {
                    life.left = true;
                }
            }
            Step::Restart { owner } => {
                self.owners[*owner].session += 1;
                self.owners[*owner].incarnations = 0;
            }
            Step::Pass { ms } => self.pass(*ms),
            Step::Calm => self.pass(CALM_MS),
            _ => {}
        }
    }

    fn write(&mut self, owner: usize, keys: &BTreeSet<Key>, unset: Option<Key>, replace: bool, expire: Option<u64>) {
        let shown = self.owners[owner].shows();
        let gone = |key: &&Key| (replace || unset == Some(**key)) && !keys.contains(*key) && shown.contains_key(**key);
        let gone: Vec<Key> = KEYS.iter().filter(gone).copied().collect();
        let changes = gone.into_iter().map(|key| (key, false)).chain(keys.iter().map(|key| (*key, true)));
        for (key, set) in changes {
            self.number += 1;
            let (number, now) = (self.number, self.now);
            let person = &mut self.owners[owner];
            let Some(life) = person.life() else { continue };
            life.fields.entry(key).or_default().push(Write { number, set, expire });
            person.expiries.remove(key);
            if set {
                self.wrote.insert(key, number);
                if let Some(ms) = expire {
                    person.expiries.insert(key, now + ms);
                }
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        for person in &mut self.owners {
            let now = self.now;
            let over: Vec<Key> = person.expiries.iter().filter(|(_, at)| **at <= now).map(|(key, _)| *key).collect();
            for key in over {
                person.expiries.remove(key);
                self.number += 1;
                if let Some(life) = person.life() {
                    life.fields.entry(key).or_default().push(Write { number: self.number, set: false, expire: None });
                }
            }
        }
    }
}

/// Every field there is.
pub const KEYS: [Key; 3] = ["a", "b", "c"];
/// Three beats at their longest, and a round trip (design §6).
pub const CALM_MS: u64 = 3 * 2_400 + 100;

/// What the observer heard of one session.
#[derive(Clone, Debug)]
struct Hearing {
    /// The newest frame, by its place among all of the session.
    newest: Option<usize>,
    at: u64,
    lost: Option<(u64, DownCause)>,
}

/// What the observer shows of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub joined: u64,
    pub values: BTreeMap<String, u64>,
    pub stale: bool,
}

/// What is known of one field: the last number that was shown, and whether it went after that.
#[derive(Clone, Copy, Debug)]
struct Floor {
    number: u64,
    gone: bool,
    /// When it was first shown, since the member is there.
    since: u64,
}

/// The frame that is arriving.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub owner: usize,
    /// Its place among all that the owner sent.
    pub place: usize,
    /// It may make a member appear: whole, and from the owner's own link or as an answer to a question (design R5).
    pub may_introduce: bool,
}

/// Says what the observer may show, from what it heard and what the owners did.
#[derive(Debug, Default)]
pub struct Judge {
    heard: BTreeMap<(usize, usize), Hearing>,
    /// The newest life that was shown of each person, and its fields.
    lives: BTreeMap<usize, usize>,
    floors: BTreeMap<(usize, usize, String), Floor>,
    buried: BTreeSet<(usize, usize, u32)>,
    /// The newest frame that was heard of an owner before it was gone by silence.
    silenced: BTreeMap<usize, Option<usize>>,
    outage: bool,
    shown: BTreeMap<usize, Shown>,
}

impl Judge {
    /// A frame of a session arrives. Only one that is newer than all before it is a sign of life.
    pub fn hear(&mut self, owner: usize, session: usize, place: usize, now: u64) {
        let hearing = self.heard.entry((owner, session)).or_insert(Hearing { newest: None, at: now, lost: None });
        if hearing.newest < Some(place) {
            *hearing = Hearing { newest: Some(place), at: now, lost: None };
        }
    }

    /// A leave of a session arrives.
    pub fn bury(&mut self, owner: usize, session: usize, incarnation: u32) {
        self.buried.insert((owner, session, incarnation));
    }

    pub fn link_down(&mut self, owner: usize, session: usize, cause: DownCause, now: u64) {
        if let Some(hearing) = self.heard.get_mut(&(owner, session)) {
            hearing.lost = Some((now, cause));
        }
    }

    /// R9: leases begin anew after sleep, and after an outage of the own network.
    pub fn renew(&mut self, now: u64) {
        for hearing in self.heard.values_mut() {
            hearing.at = now;
            hearing.lost = hearing.lost.map(|(_, cause)| (now, cause));
        }
    }

    pub fn outage(&mut self, on: bool, now: u64) {
        if self.outage && !on {
            self.renew(now);
        }
        self.outage = on;
    }

    /// A member appeared or changed.
    pub fn shows(&mut self, owner: usize, shown: Shown, sky: &Sky, arrival: Option<Arrival>, now: u64) {
        let (number, life) = life_of(sky, owner, shown.joined);
        let newest = self.lives.insert(owner, number).unwrap_or(number);
        assert!(newest <= number, "R8: life {number} of owner {owner} is back after life {newest} was seen");
        assert!(!self.buried.contains(&(owner, life.session, life.incarnation)), "R8: owner {owner} left that life");
        let before = self.shown.insert(owner, shown.clone());
        if before.is_none() {
            let may = arrival.is_some_and(|frame| frame.owner == owner && frame.may_introduce);
            assert!(may, "R5: owner {owner} appeared by {arrival:?}");
            let older = arrival.map(|frame| frame.place) <= self.silenced.get(&owner).copied().flatten();
            assert!(!older, "R8: owner {owner} returned by {arrival:?}, older than {:?}", self.silenced[&owner]);
        }
        for key in KEYS {
            let floor = self.floors.get(&(owner, number, key.to_owned())).copied();
            let Some(value) = shown.values.get(key).copied() else {
                if let Some(floor) = floor {
                    self.floors.insert((owner, number, key.to_owned()), Floor { gone: true, ..floor });
                }
                continue;
            };
            let written = life.fields.get(key).is_some_and(|all| all.iter().any(|it| it.set && it.number == value));
            assert!(written, "owner {owner} never wrote {key}: {value} in that life");
            let mut since = now;
            if let Some(floor) = floor {
                if value == floor.number && before.is_some() {
                    since = floor.since;
                }
                let later = value > floor.number || (value == floor.number && !floor.gone);
                assert!(later, "R4: {key} of owner {owner} went back from {floor:?} to {value}");
            }
            self.floors.insert((owner, number, key.to_owned()), Floor { number: value, gone: false, since });
        }
    }

    /// A member is gone.
    pub fn left(&mut self, owner: usize, reason: LeftReason, sky: &Sky, now: u64) {
        let shown = self.shown.remove(&owner).unwrap_or_else(|| panic!("R14: owner {owner} left and was not there"));
        let (number, life) = life_of(sky, owner, shown.joined);
        let hearing = &self.heard[&(owner, life.session)];
        let kept = |cause| self.outage && cause == DownCause::TimedOut;
        let why = match reason {
            LeftReason::Left => life.left,
            LeftReason::Timeout => !self.outage && now >= hearing.at + TIMEOUT_MS,
            LeftReason::Disconnected => {
                hearing.lost.is_some_and(|(at, cause)| now >= at + DISCONNECTED_MS && !kept(cause))
            }
            LeftReason::Expired | LeftReason::Superseded | LeftReason::Evicted | LeftReason::Excluded => false,
        };
        assert!(why, "owner {owner} is gone, {reason:?}, at {now}: {hearing:?}");
        if reason == LeftReason::Left {
            self.buried.insert((owner, life.session, life.incarnation));
        } else {
            self.silenced.insert(owner, hearing.newest);
        }
        // A value that expired here may be told once more by a frame that was on its way all the time.
        for ((_, _, key), floor) in
            self.floors.range_mut((owner, number, String::new())..(owner, number + 1, String::new()))
        {
            let expiring = life.fields.get(key.as_str()).into_iter().flatten();
            let mut expiring = expiring.filter(|write| write.number == floor.number && write.expire.is_some());
            floor.gone &= expiring.next().is_none();
        }
    }

    /// Who is shown is alive, and who is silent is not shown (design R6, R9).
    pub fn look(&self, sky: &Sky, now: u64) {
        for (owner, shown) in &self.shown {
            let (number, life) = life_of(sky, *owner, shown.joined);
            assert!(!self.buried.contains(&(*owner, life.session, life.incarnation)), "R8: owner {owner} left");
            let hearing = &self.heard[&(*owner, life.session)];
            let silent = now - hearing.at;
            assert!(self.outage || silent < TIMEOUT_MS, "R6: owner {owner} is shown after {silent} ms of silence");
            if let Some((at, cause)) = hearing.lost {
                let kept = self.outage && cause == DownCause::TimedOut;
                assert!(kept || now < at + DISCONNECTED_MS, "R6: owner {owner} is shown, whose link closed at {at}");
            }
            let stale = hearing.lost.is_some() || silent >= STALE_MS;
            assert_eq!(shown.stale, stale, "R6: whether owner {owner} is stale at {now}: {hearing:?}");
            for (key, value) in &shown.values {
                let mut writes = life.fields[key.as_str()].iter();
                let Some(ms) = writes.find(|write| write.number == *value).and_then(|write| write.expire) else {
                    continue;
                };
                let since = self.floors[&(*owner, number, key.clone())].since;
                assert!(now < since + ms, "A3: {key} of owner {owner} is shown since {since} and did not expire");
            }
        }
    }

    pub fn shown(&self) -> &BTreeMap<usize, Shown> {
        &self.shown
    }
}

fn life_of(sky: &Sky, owner: usize, joined: u64) -> (usize, &Life) {
    let mut lives = sky.owners[owner].lives.iter().enumerate();
    lives.find(|(_, life)| life.joined == joined).unwrap_or_else(|| panic!("owner {owner} never joined at {joined}"))
}
