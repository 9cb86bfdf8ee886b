//! Stories that are about size: many hosts, a room in two halves, a month of coming and going.

use crate::story::{Edit, Expect, Story, guest, set};

/// Milliseconds in a day.
pub const DAY_MS: u64 = 24 * 3_600_000;
/// The longest time between two heartbeats (design R6).
pub const BEAT_MAX_MS: u64 = 2_400;

/// Hosts of whom a third move a cursor, all the time but for the first ten seconds, in which they meet.
#[must_use]
pub fn moving(seed: u64, hosts: usize, ms: u64) -> Story {
    let mut story = Story::new("a third of many hosts moves a cursor")
        .seed(seed)
        .hosts(hosts)
        .latency(2..=2)
        .all_start()
        .at(hosts as u64 * 50 + 1_000)
        .all_join()
        .at(10_000)
        .expect_agreement();
    for host in (0..hosts).step_by(3) {
        story = story.moving(host, "cursor", 33, ms.saturating_sub(12_000));
    }
    story.at(ms - 1_000).expect_agreement().until(ms)
}

/// The time within which a room is whole again after a partition: two heartbeats and two round trips.
#[must_use]
pub fn healed_within(latency_ms: u64) -> u64 {
    2 * BEAT_MAX_MS + 2 * 2 * latency_ms
}

/// A room falls into two parts, of which the first has so many hosts. Both write all that can be written, some of it the
/// same registers; members leave, and one comes. Then the network is whole again.
#[must_use]
pub fn healing(seed: u64, hosts: usize, first: usize, latency_ms: u64, apart_ms: u64) -> Story {
    let (left, right): (Vec<usize>, Vec<usize>) = (0..hosts).partition(|host| *host < first);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut story = Story::new("a room is whole again within two beats")
        .seed(seed)
        .hosts(hosts)
        .latency(latency_ms..=latency_ms)
        .all_start()
        .at(3_000)
        .all_join()
        .at(10_000)
        .expect_agreement()
        .partition(&[&left, &right]);
    let writers: Vec<usize> = [&left, &right]
        .iter()
        .flat_map(|part| (0..3).map(|_| part[random.usize(0..part.len())]).collect::<Vec<_>>())
        .collect();
    for (turn, host) in writers.iter().copied().enumerate() {
        story = story
            .then_after(random.u64(20..apart_ms / 8))
            .metadata(host, "title")
            .metadata(host, &format!("key {turn}"))
            .presence(host, set("cursor"))
            .note(host, "plan", Edit::Move)
            .note(host, &format!("note {turn}"), Edit::Write)
            .say(host);
    }
    let end = 10_000 + apart_ms;
    story = story.join(guest(right[0]).named("desk")).leave(writers[4]).remove_note(writers[1], "plan");
    story.at(end).presence(writers[2], set("cursor")).mend_all().expect_agreement_within(healed_within(latency_ms))
}

/// How much happens in a month.
#[derive(Clone, Copy, Debug)]
pub struct Month {
    /// Days that it has.
    pub days: u64,
    /// How many come and go, besides the two who stay.
    pub people: usize,
    /// How often in a day they meet, for a minute each time.
    pub visits: u64,
    /// Programs that start on the first day, so that more end than are remembered.
    pub starts: u64,
    /// Keys that are written and deleted on the second day.
    pub keys: u64,
    /// Messages of the second day.
    pub messages: u64,
    /// Notes that are made and removed on the second day.
    pub notes: u64,
    /// Whether the two who stay shut their computers between two visits; else they stay up all month.
    pub sleeps: bool,
}

/// The host of a [`Month`] that stays and takes part.
pub const STAYS: usize = 0;
/// The host that looks on all month, and makes no calls.
pub const LOOKS_ON: usize = 1;
/// The first of those who come and go.
const FIRST: usize = 2;
/// Those who come and go.
fn people(month: &Month) -> std::ops::Range<usize> {
    FIRST..FIRST + month.people
}

/// What one visit lasts.
const VISIT_MS: u64 = 60_000;
/// Between two starts of a program on the first day: time enough to be seen by all.
const START_MS: u64 = 2_000;
/// Between two writes on the second day.
const WRITE_MS: u64 = 40;

/// A month in one room. On its first two days so much happens that every list that forgets the oldest has to; on the
/// others people come and go, write and delete, as they do.
#[must_use]
pub fn month(seed: u64, month: &Month) -> Story {
    let hosts = FIRST + month.people;
    let mut plan =
        Plan { story: Story::new("a month in one room").hosts(hosts), random: fastrand::Rng::with_seed(seed) };
    plan.story = plan.story.seed(seed).latency(1..=5).at(0).start(STAYS).start(LOOKS_ON).at(500).join(STAYS);
    plan.first_day(month);
    plan.second_day(month);
    for day in 0..month.days {
        for visit in 0..month.visits {
            let at = (day * month.visits + visit + 1) * DAY_MS / month.visits - VISIT_MS - 60_000;
            plan.visit(at, day * month.visits + visit, month);
        }
    }
    plan.story.until(month.days * DAY_MS)
}

struct Plan {
    story: Story,
    random: fastrand::Rng,
}

impl Plan {
    fn tell(&mut self, tell: impl FnOnce(Story) -> Story) {
        let story = std::mem::replace(&mut self.story, Story::new(""));
        self.story = tell(story);
    }

    /// Programs start, join and are killed, over and over.
    fn first_day(&mut self, month: &Month) {
        for turn in 0..month.starts {
            let host = FIRST + turn as usize % month.people;
            let at = 5_000 + turn * START_MS / month.people as u64;
            self.tell(|story| story.at(at).start(host).at(at + 700).join(host).at(at + START_MS - 100).crash(host));
        }
        let end = 5_000 + month.starts * START_MS / month.people as u64 + 30_000;
        self.night(end, month);
    }

    /// What is shared is written and deleted, over and over, while everybody who comes is there.
    fn second_day(&mut self, month: &Month) {
        let begin = DAY_MS / month.visits.max(1) / 8 + DAY_MS;
        let mut at = begin + 10_000;
        self.tell(|story| people(month).fold(story.at(begin), |story, host| story.start(host)));
        self.tell(|story| people(month).fold(story.at(begin + 5_000), |story, host| story.join(host)));
        for turn in 0..month.keys.max(month.messages).max(month.notes) {
            at += WRITE_MS;
            let host = if turn % 2 == 0 { STAYS } else { FIRST };
            if turn < month.keys {
                let key = format!("key {turn}");
                self.tell(|story| story.at(at).metadata(host, &key).at(at + 20).delete_metadata(host, &key));
            }
            if turn < month.messages {
                self.tell(|story| story.at(at).say(host));
            }
            if turn < month.notes {
                let note = format!("note {turn}");
                self.tell(|story| story.at(at).note(host, &note, Edit::Move).at(at + 20).remove_note(host, &note));
            }
        }
        self.tell(|story| story.at(at + 20_000).expect_agreement());
        self.tell(|story| people(month).fold(story.at(at + 21_000), |story, host| story.quit(host)));
        self.night(at + 30_000, month);
    }

    /// A minute in which people come, write, and go in every way there is.
    fn visit(&mut self, at: u64, number: u64, month: &Month) {
        for host in people(month) {
            let come = at + self.random.u64(0..3_000);
            let lease = self.random.u32(5..20);
            let name = format!("desk {}", self.random.u8(0..4));
            self.tell(|story| {
                story.at(come).start(host).at(come + 1_500).join(host).join(guest(host).named(&name).leased(lease))
            });
            for turn in 0..4 {
                let then = come + 3_000 + turn * 8_000 + self.random.u64(0..6_000);
                self.one_thing(then, host, number);
            }
            let gone = at + self.random.u64(38_000..44_000);
            match self.random.u8(0..4) {
                0 => self.tell(|story| story.at(gone).leave(host).at(gone + 2_000).crash(host)),
                1 => self.tell(|story| story.at(gone).power_cut(host)),
                2 => self.tell(|story| story.at(gone).crash(host)),
                _ => self.tell(|story| story.at(gone).quit(host)),
            }
        }
        let mine = format!("visit {number}");
        self.tell(|story| {
            let story = story.at(at + 5_000).metadata(STAYS, &mine).say(STAYS).note(STAYS, &mine, Edit::Paint);
            let story = story.at(at + 30_000).delete_metadata(STAYS, &mine).remove_note(STAYS, &mine);
            story.at(at + 36_000).expect_within(1_500, Expect::Agreement)
        });
        self.night(at + VISIT_MS, month);
    }

    fn one_thing(&mut self, at: u64, host: usize, number: u64) {
        let thing = format!("{host} of visit {number}");
        match self.random.u8(0..6) {
            0 => self.tell(|story| story.at(at).metadata(host, &thing).at(at + 500).delete_metadata(host, &thing)),
            1 => self.tell(|story| story.at(at).note(host, &thing, Edit::Write).at(at + 500).remove_note(host, &thing)),
            2 => self.tell(|story| story.at(at).say_once(host, &thing)),
            3 => self.tell(|story| story.at(at).crash(host).at(at + 1_000).start(host).at(at + 2_500).join(host)),
            4 => self.tell(|story| story.at(at).leave(host).at(at + 200).join(host)),
            _ => self.tell(|story| story.at(at).moving(host, "cursor", 40, 2_000)),
        }
    }

    /// Those who stay shut their computers until a little before the next visit.
    fn night(&mut self, at: u64, month: &Month) {
        if !month.sleeps {
            return;
        }
        let every = DAY_MS / month.visits;
        let visits = (1..=2).map(|more| (at / every + more) * every - VISIT_MS - 70_000);
        let next = visits.chain([DAY_MS + every / 8 - 5_000]).filter(|next| *next > at + 10_000).min();
        let Some(next) = next else { return };
        self.tell(|story| story.at(at).sleep(STAYS, next - at).sleep(LOOKS_ON, next - at));
    }
}
