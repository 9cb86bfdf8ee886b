//! The hub without its devices: frames go in with the time, and come out at the ports that they are for, when it is their
//! time. It does no I/O and reads no clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::ethernet::{self, Mac, To};
use super::weather::{Counts, Path, Weather};

/// Frames that may be on their way at one time; a hub that held more would be a way to fill the memory.
const WAITING_MAX: usize = 65_536;

/// Which frames for many pass. Those by which hardware addresses are found always do, or nobody would reach anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Groups {
    /// All.
    #[default]
    All,
    /// Broadcast, and no multicast: a switch or an access point that filters it.
    Broadcast,
    /// None: a guest network that lets through what is for one host alone.
    None,
}

#[derive(Debug)]
struct Port {
    plugged: bool,
    /// Ports of another island are not reached.
    island: usize,
    /// When the first frame for one alone passed since its cable was put back.
    first: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Duration,
    /// In the order they came in, among those of one time.
    number: u64,
    from: usize,
    to: usize,
    frame: Arc<[u8]>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Switch {
    seed: u64,
    ports: Vec<Port>,
    paths: BTreeMap<(usize, usize), Path>,
    everywhere: Weather,
    groups: Groups,
    /// Where who is.
    learned: HashMap<Mac, usize>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    number: u64,
}

impl Switch {
    pub fn new(seed: u64) -> Self {
        Switch {
            seed,
            ports: Vec::new(),
            paths: BTreeMap::new(),
            everywhere: Weather::FINE,
            groups: Groups::All,
            learned: HashMap::new(),
            waiting: BinaryHeap::new(),
            number: 0,
        }
    }

    /// One more port, with the weather that is everywhere.
    pub fn add_port(&mut self) {
        self.ports.push(Port { plugged: true, island: 0, first: None });
    }

    pub fn ports(&self) -> usize {
        self.ports.len()
    }

    pub fn turn(&mut self, from: usize, to: usize, weather: Weather, now: Duration) {
        self.path(from, to, now).turn(weather, now);
    }

    /// The weather between all, those included that come later.
    pub fn turn_everywhere(&mut self, weather: Weather, now: Duration) {
        self.everywhere = weather;
        self.paths.values_mut().for_each(|path| path.turn(weather, now));
    }

    /// A port whose cable is out passes nothing, what is on its way included.
    pub fn plug(&mut self, port: usize, plugged: bool) {
        if let Some(port) = self.ports.get_mut(port) {
            (port.plugged, port.first) = (plugged, None);
        }
    }

    /// Every port on the island that names it; a port that none names is alone.
    pub fn partition(&mut self, islands: &[&[usize]]) {
        let named = |port: usize| islands.iter().position(|island| island.contains(&port));
        for (number, port) in self.ports.iter_mut().enumerate() {
            port.island = named(number).unwrap_or(islands.len() + number);
        }
    }

    pub fn filter(&mut self, groups: Groups) {
        self.groups = groups;
    }

    pub fn counts(&self, from: usize, to: usize) -> Counts {
        self.paths.get(&(from, to)).map(|path| path.counts).unwrap_or_default()
    }

    /// When the first frame for one alone passed to or from a port since its cable was put back.
    pub fn first(&self, port: usize) -> Option<Duration> {
        self.ports.get(port)?.first
    }

    /// A frame that came in at a port.
    pub fn take(&mut self, from: usize, frame: &[u8], now: Duration) {
        let Some((to, sender)) = ethernet::read(frame) else { return };
        if from >= self.ports.len() {
            return;
        }
        self.learned.insert(sender, from);
        let one = match to {
            To::One(mac) => self.learned.get(&mac).copied(),
            _ => None,
        };
        let passes = match to {
            To::One(_) | To::Needed => true,
            To::All => self.groups <= Groups::Broadcast,
            To::Group => self.groups == Groups::All,
        };
        let frame: Arc<[u8]> = frame.into();
        for to in (0..self.ports.len()).filter(|to| *to != from && one.is_none_or(|one| one == *to)) {
            let reached = passes && self.reaches(from, to);
            let path = self.path(from, to, now);
            if !reached {
                path.counts.held_back += 1;
                continue;
            }
            let fate = path.fate(now);
            for due in [fate.first, fate.again].into_iter().flatten() {
                self.number += 1;
                if self.waiting.len() < WAITING_MAX {
                    self.waiting.push(Reverse(Waiting { due, number: self.number, from, to, frame: frame.clone() }));
                }
            }
        }
    }

    /// The next frame that arrives by now, and the port where.
    pub fn arrived(&mut self, now: Duration) -> Option<(usize, Arc<[u8]>)> {
        while self.next().is_some_and(|due| due <= now) {
            let Some(Reverse(Waiting { from, to, frame, .. })) = self.waiting.pop() else { break };
            if self.reaches(from, to) {
                if ethernet::is_for_one(&frame) {
                    for port in [from, to] {
                        self.ports[port].first.get_or_insert(now);
                    }
                }
                return Some((to, frame));
            }
            self.path(from, to, now).counts.held_back += 1;
        }
        None
    }

    /// When the next frame arrives.
    pub fn next(&self) -> Option<Duration> {
        self.waiting.peek().map(|Reverse(waiting)| waiting.due)
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let (from, to) = (&self.ports[from], &self.ports[to]);
        from.plugged && to.plugged && from.island == to.island
    }

    fn path(&mut self, from: usize, to: usize, now: Duration) -> &mut Path {
        let (seed, weather) = (self.seed, self.everywhere);
        self.paths.entry((from, to)).or_insert_with(|| {
            let own = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((from as u64) << 32 | to as u64);
            Path::new(own, weather, now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ethernet::tests::frame;
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const IPV4: [u8; 2] = [8, 0];
    const ARP: [u8; 2] = [8, 6];
    const ALL: Mac = [0xff; 6];
    const GROUP: Mac = [1, 0, 0x5e, 0, 0, 0xfb];

    fn mac(port: usize) -> Mac {
        [2, 0, 0, 0, 0, port as u8]
    }

    /// A switch of this many ports, which knows where everybody is.
    fn switch(ports: usize) -> Switch {
        let mut switch = Switch::new(1);
        (0..ports).for_each(|_| switch.add_port());
        for port in 0..ports {
            switch.take(port, &frame(ALL, mac(port), ARP), Duration::ZERO);
        }
        while switch.arrived(Duration::ZERO).is_some() {}
        switch
    }

    /// Where the frames arrive that are due.
    fn arrive(switch: &mut Switch, now: Duration) -> Vec<usize> {
        std::iter::from_fn(|| switch.arrived(now).map(|(port, _)| port)).collect()
    }

    #[test]
    fn what_is_for_one_goes_to_one_and_what_is_for_all_to_all_others() {
        let mut switch = switch(4);
        switch.take(0, &frame(mac(2), mac(0), IPV4), MS);
        assert_eq!(arrive(&mut switch, MS), [2]);
        switch.take(1, &frame(ALL, mac(1), IPV4), MS);
        assert_eq!(arrive(&mut switch, MS), [0, 2, 3]);
        // Nobody said yet where that is.
        switch.take(1, &frame(mac(77), mac(1), IPV4), MS);
        assert_eq!(arrive(&mut switch, MS), [0, 2, 3]);
    }

    #[test]
    fn frames_come_out_when_it_is_their_time_and_no_earlier() {
        let mut switch = switch(2);
        switch.turn(0, 1, Weather::FINE.delaying(MS * 40, Duration::ZERO), MS);
        switch.take(0, &frame(mac(1), mac(0), IPV4), MS);
        switch.take(1, &frame(mac(0), mac(1), IPV4), MS);
        assert_eq!(arrive(&mut switch, MS), [0], "the other direction has its own weather");
        assert_eq!(switch.next(), Some(MS * 41));
        assert_eq!(arrive(&mut switch, MS * 40), [0; 0]);
        assert_eq!(arrive(&mut switch, MS * 41), [1]);
        assert_eq!(switch.next(), None);
    }

    #[test]
    fn a_cable_that_is_out_passes_nothing_not_even_what_is_on_its_way() {
        let mut switch = switch(2);
        switch.turn_everywhere(Weather::FINE.delaying(MS * 5, Duration::ZERO), Duration::ZERO);
        switch.take(0, &frame(mac(1), mac(0), IPV4), MS);
        switch.plug(1, false);
        assert_eq!(arrive(&mut switch, MS * 10), [0; 0]);
        switch.take(1, &frame(mac(0), mac(1), IPV4), MS * 10);
        assert_eq!((switch.counts(0, 1).held_back, switch.counts(1, 0).held_back), (1, 1));
        switch.plug(1, true);
        switch.take(1, &frame(ALL, mac(1), IPV4), MS * 10);
        assert_eq!((arrive(&mut switch, MS * 15), switch.first(1)), (vec![0], None), "that was for all");
        switch.take(1, &frame(mac(0), mac(1), IPV4), MS * 20);
        assert_eq!(arrive(&mut switch, MS * 30), [0]);
        assert_eq!(switch.first(1), Some(MS * 30));
    }

    #[test]
    fn islands_do_not_reach_each_other_until_they_are_one() {
        let mut switch = switch(5);
        let reached = |switch: &mut Switch| -> Vec<Vec<usize>> {
            let all = |from: usize| {
                switch.take(from, &frame(ALL, mac(from), IPV4), MS);
                arrive(switch, MS)
            };
            (0..5).map(all).collect()
        };
        switch.partition(&[&[0, 1], &[2, 3]]);
        assert_eq!(reached(&mut switch), [vec![1], vec![0], vec![3], vec![2], vec![]]);
        switch.partition(&[&[0, 1, 2, 3, 4]]);
        assert_eq!(reached(&mut switch)[4], [0, 1, 2, 3]);
    }

    #[test]
    fn a_filter_keeps_groups_back_and_lets_addresses_be_found() {
        let mut switch = switch(2);
        for (groups, passes) in [
            (Groups::All, [true; 4]),
            (Groups::Broadcast, [true, true, true, false]),
            (Groups::None, [true, true, false, false]),
        ] {
            switch.filter(groups);
            let kinds = [(mac(1), IPV4), (ALL, ARP), (ALL, IPV4), (GROUP, IPV4)];
            for ((to, kind), passes) in kinds.into_iter().zip(passes) {
                switch.take(0, &frame(to, mac(0), kind), MS);
                assert_eq!(arrive(&mut switch, MS).len(), usize::from(passes), "{groups:?} {to:?} {kind:?}");
            }
        }
    }

    #[test]
    fn what_is_no_frame_and_what_comes_from_no_port_is_dropped() {
        let mut switch = switch(2);
        switch.take(0, &[1, 2, 3], MS);
        switch.take(9, &frame(ALL, mac(1), IPV4), MS);
        assert_eq!(arrive(&mut switch, MS), [0; 0]);
    }
}
