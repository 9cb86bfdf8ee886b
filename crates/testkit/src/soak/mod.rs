//! Hours of bad luck in short: real peers on the hosts of a hub, who move and write, while cables come out, networks fall
//! apart, computers sleep and programs die, one ill after the other from a seed. In the end the weather is fine, and
//! everybody must see everybody and have every message that any peer took.
//!
//! [`run`] takes as long as it is told to; `cargo xtask soak` calls it for long, a test for a moment. What is drawn comes
//! from the seed; when exactly a peer hears of it does not, so that a soak that failed may pass the next time.

mod ills;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::headless::{Error, Headless};
use crate::hub::{Hub, Weather};
use crate::netns::Lan;
use ills::{Ill, Ills};
pub use report::{Report, Row};

const ROOM: &str = "soak";
/// Hosts whose process is never ended: their memory is weighed.
const KEPT: usize = 2;
/// Between two looks at what is due.
const TURN: Duration = Duration::from_millis(50);
/// Between two moves of one member.
const MOVE_EVERY: Duration = Duration::from_millis(400);
/// Between two messages of all: so many that soon as many are there as are kept, and twelve minutes later each part of a
/// recording, which begins with all of them, is as long as it gets.
const SAY_EVERY: Duration = Duration::from_millis(200);
/// Between two looks at links and memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two readings of all messages: far less than it takes until the oldest is no longer kept.
const READ_EVERY: Duration = Duration::from_secs(20);
/// For everything to be everywhere in the end.
const SETTLE: Duration = Duration::from_secs(60);

/// What is soaked, how and for how long.
#[derive(Clone, Debug)]
pub struct Soak {
    /// Hosts, each with a peer; at least three.
    pub hosts: usize,
    /// What draws the ills and the weather.
    pub seed: u64,
    /// How long ills happen.
    pub time: Duration,
    /// The `parlor` to start.
    pub program: PathBuf,
    /// Where the peers' profiles go.
    pub data: PathBuf,
}

/// Soaks, and tells each ill as it begins.
///
/// # Errors
///
/// When there can be no network, or a peer does not start. What the peers do wrong is in the report.
pub fn run(soak: &Soak, tell: &mut dyn FnMut(&str)) -> Result<Report, Error> {
    let lan = Lan::over_hub(soak.hosts.max(KEPT + 1), soak.seed)?;
    let mut town = Town::new(soak, &lan)?;
    let mut ills = Ills::new(soak.seed, town.houses.len(), KEPT);
    let (began, mut last) = (Instant::now(), Instant::now());
    while began.elapsed() < soak.time {
        let (ill, lasts, calm) = ills.next();
        tell(&format!("{:>6.0} s  {ill}, for {} s", began.elapsed().as_secs_f64(), lasts.as_secs()));
        town.report.ills += 1;
        let left = |wish: Duration| wish.min(soak.time.saturating_sub(began.elapsed()));
        town.begin(&ill)?;
        town.live_for(left(lasts));
        town.end(&ill)?;
        last = Instant::now();
        town.live_for(left(calm));
    }
    town.report.time = began.elapsed();
    town.settle(last);
    Ok(town.report())
}

/// One host with its peer.
struct House<'a> {
    peer: Option<Headless<'a>>,
    asleep: bool,
    moved: u64,
    move_due: Instant,
    /// Sessions it was linked to at the last look.
    linked: BTreeSet<String>,
    /// Numbers of the messages that it had at some time.
    has: BTreeSet<u64>,
    memory: Vec<f64>,
    row: Row,
}

/// All of them.
struct Town<'a> {
    soak: &'a Soak,
    lan: &'a Lan,
    hub: &'a Hub,
    houses: Vec<House<'a>>,
    /// Messages that a peer took, and whose.
    said: BTreeMap<u64, usize>,
    next: u64,
    say_due: Instant,
    look_due: Instant,
    read_due: Instant,
    report: Report,
}

impl<'a> Town<'a> {
    fn new(soak: &'a Soak, lan: &'a Lan) -> Result<Self, Error> {
        let now = Instant::now();
        let house = |_| House {
            peer: None,
            asleep: false,
            moved: 0,
            move_due: now,
            linked: BTreeSet::new(),
            has: BTreeSet::new(),
            memory: Vec::new(),
            row: Row::default(),
        };
        let houses: Vec<House<'a>> = lan.hosts().iter().map(house).collect();
        let (said, report) = (BTreeMap::new(), Report::default());
        let read_due = now + READ_EVERY;
        let hub = lan.hub().expect("it was made with one");
        let mut town = Town { soak, lan, hub, houses, said, next: 1, say_due: now, look_due: now, read_due, report };
        (0..town.houses.len()).try_for_each(|host| town.start(host))?;
        Ok(town)
    }

    fn start(&mut self, host: usize) -> Result<(), Error> {
        let data = self.soak.data.join(host.to_string());
        let peer = Headless::start(self.lan.host(host)?, &self.soak.program, &data, &[])?;
        peer.join(ROOM, &json!({ "host": host }))?;
        let house = &mut self.houses[host];
        (house.peer, house.asleep) = (Some(peer), false);
        house.linked.clear();
        Ok(())
    }

    fn begin(&mut self, ill: &Ill) -> Result<(), Error> {
        let (lan, hub) = (self.lan, self.hub);
        match ill {
            Ill::Storm(weather) => hub.weather_everywhere(*weather),
            Ill::Cut(host) => lan.cut(*host)?,
            Ill::Silence(host) => hub.silence(*host),
            Ill::Deaf(from, to) => hub.weather(*from, *to, Weather::FINE.losing(1_000)),
            Ill::Apart(some) => {
                let rest: Vec<usize> = (0..self.houses.len()).filter(|host| !some.contains(host)).collect();
                hub.partition(&[some, &rest]);
            }
            Ill::Crash(host) => self.houses[*host].peer = None,
            Ill::Restart(host) => {
                if let Some(mut peer) = self.houses[*host].peer.take() {
                    peer.quit()?;
                }
                self.houses[*host].row.restarts += 1;
                self.start(*host)?;
            }
            Ill::Sleep(host) => {
                let house = &mut self.houses[*host];
                house.asleep = true;
                house.peer.as_ref().map_or(Ok(()), Headless::freeze)?;
            }
            Ill::Rejoin(host) => {
                if let Some(peer) = &self.houses[*host].peer {
                    peer.post(&format!("/rooms/{ROOM}/leave"), &json!({}))?;
                    peer.join(ROOM, &json!({ "host": host }))?;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, ill: &Ill) -> Result<(), Error> {
        let (lan, hub) = (self.lan, self.hub);
        match ill {
            Ill::Storm(_) | Ill::Deaf(..) => hub.weather_everywhere(Weather::FINE),
            Ill::Cut(host) => lan.heal(*host)?,
            Ill::Silence(host) => hub.restore(*host),
            Ill::Apart(_) => hub.mend(),
            Ill::Crash(host) => {
                self.houses[*host].row.restarts += 1;
                self.start(*host)?;
            }
            Ill::Sleep(host) => {
                let house = &mut self.houses[*host];
                house.asleep = false;
                house.peer.as_ref().map_or(Ok(()), Headless::thaw)?;
            }
            Ill::Restart(_) | Ill::Rejoin(_) => {}
        }
        Ok(())
    }

    /// Everybody who can moves and writes.
    fn live_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let now = Instant::now();
            for house in &mut self.houses {
                if house.move_due <= now {
                    house.move_due = now + MOVE_EVERY;
                    house.step();
                }
            }
            if self.say_due <= now {
                self.say_due = now + SAY_EVERY;
                self.say();
            }
            if self.look_due <= now {
                self.look_due = now + LOOK_EVERY;
                self.houses.iter_mut().for_each(House::look);
            }
            if self.read_due <= now {
                self.read_due = now + READ_EVERY;
                self.houses.iter_mut().for_each(House::read);
            }
            std::thread::sleep(TURN.saturating_sub(now.elapsed()));
        }
    }

    /// The next message, at one after the other. It counts when the peer took it.
    fn say(&mut self) {
        let number = self.next;
        self.next += 1;
        let host = (number % self.houses.len() as u64) as usize;
        let message = json!({ "type": "note", "data": { "number": number }, "keep": true });
        let taken = |peer: &Headless<'_>| peer.post(&format!("/rooms/{ROOM}/messages"), &message).is_ok();
        if self.houses[host].awake().is_some_and(taken) {
            self.said.insert(number, host);
        }
    }

    /// Waits until everybody sees everybody's last step and has all messages.
    fn settle(&mut self, last: Instant) {
        let began = Instant::now();
        let all: BTreeSet<u64> = self.said.keys().copied().collect();
        self.houses.iter_mut().for_each(House::step);
        let steps: BTreeMap<u64, u64> = (0..).zip(self.houses.iter().map(|house| house.moved)).collect();
        while began.elapsed() < SETTLE {
            self.houses.iter_mut().for_each(House::read);
            let has_all = |house: &House<'_>| all.is_subset(&house.has);
            if self.houses.iter().all(|house| has_all(house) && house.sees() == steps) {
                self.report.settled = Some(last.elapsed());
                return;
            }
            std::thread::sleep(TURN);
        }
    }

    fn report(self) -> Report {
        let mut report = self.report;
        for (number, of) in &self.said {
            let without = self.houses.iter().enumerate().filter(|(_, house)| !house.has.contains(number));
            report.lost.extend(without.map(|(host, _)| format!("message {number} of host {of} at host {host}")));
        }
        report.messages = self.said.len() as u64;
        let weighed = |house: House<'_>| {
            let memory = (house.row.restarts == 0).then(|| half_way_and_end(&house.memory)).flatten();
            Row { memory, ..house.row }
        };
        report.rows = self.houses.into_iter().map(weighed).collect();
        report
    }
}

impl<'a> House<'a> {
    /// Its peer, when it can answer.
    fn awake(&self) -> Option<&Headless<'a>> {
        self.peer.as_ref().filter(|_| !self.asleep)
    }

    fn step(&mut self) {
        self.moved += 1;
        let change = json!({ "presence": { "step": self.moved } });
        // Somebody who cannot answer now is looked at in the end.
        let _ = self.awake().map(|peer| peer.post(&format!("/rooms/{ROOM}/presence"), &change));
    }

    /// Counts new links, and weighs.
    fn look(&mut self) {
        if self.peer.as_mut().is_some_and(|peer| peer.ended().is_ok_and(|ended| ended.is_some())) {
            self.row.died = true;
            self.peer = None;
        }
        let Some(peer) = self.awake() else { return };
        let Ok(told) = peer.get("/peers") else { return };
        let ids = told["peers"].as_array().into_iter().flatten().filter_map(|peer| peer["peerId"].as_str());
        let linked: BTreeSet<String> = ids.map(str::to_owned).collect();
        let memory = resident(peer.pid());
        self.row.links += linked.difference(&self.linked).count() as u32;
        self.linked = linked;
        self.memory.extend(memory);
    }

    /// Notes all messages that it has.
    fn read(&mut self) {
        let mut has = BTreeSet::new();
        let mut cursor = String::new();
        while let Some(peer) = self.awake() {
            let Ok(page) = peer.get(&format!("/rooms/{ROOM}/messages?limit=100{cursor}")) else { break };
            let said = page["messages"].as_array().into_iter().flatten();
            has.extend(said.filter_map(|message| message["data"]["number"].as_u64()));
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        self.has.append(&mut has);
    }

    /// The last step of each host as it sees them.
    fn sees(&self) -> BTreeMap<u64, u64> {
        let members = self.awake().and_then(|peer| peer.members(ROOM).ok()).unwrap_or_default();
        let active = members.iter().filter(|member| member["state"] == "active");
        let number = |member: &Value, key: &str| member["presence"][key].as_u64();
        active.filter_map(|member| Some((number(member, "host")?, number(member, "step")?))).collect()
    }
}

/// Memory of a process that is backed by no file, in MiB.
fn resident(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// The medians of the sixth tenth and of the last: by half way what is kept is full, and grows no more by itself.
fn half_way_and_end(samples: &[f64]) -> Option<(f64, f64)> {
    let tenth = samples.len() / 10;
    let median = |from: usize| {
        let mut part = samples.get(from..from + tenth)?.to_vec();
        part.sort_unstable_by(f64::total_cmp);
        part.get(part.len() / 2).copied()
    };
    median(5 * tenth).zip(median(samples.len() - tenth))
}
