//! One made-up person. What they do is a script of acts, each with the milliseconds that they rest after it. All choices
//! come from a seed and time comes from outside, so the same seed makes the same visit.
//!
//! They walk as the people of the sample room of the user interface do (`ui/src/sample`): the file `walk.json` holds one
//! way of theirs, and tests of both hold it.

use std::collections::VecDeque;
use std::f64::consts::PI;

use serde_json::{Value, json};

use super::seeded::Seeded;
use crate::names;
use crate::palette::PALETTE;
use parlor_core::Bag;

/// What they see of the board.
const VIEW: (f64, f64) = (1_100.0, 700.0);
/// How far from the middle of the board they go, with their cursor.
const REACH: (f64, f64) = (620.0, 380.0);
/// How long they stay at a time, and stay away.
const STAYS_MS: (f64, f64) = (20_000.0, 90_000.0);
const AWAY_MS: (f64, f64) = (4_000.0, 20_000.0);
/// They do not all come at once.
const COMES_WITHIN_MS: f64 = 3_000.0;

/// Something that they do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// They come, with this to begin with.
    Come(Bag),
    /// They change their presence.
    Tell(Bag),
    /// They go.
    Go,
}

/// See the module.
pub(super) struct Person {
    pub name: String,
    colour: &'static str,
    random: Seeded,
    home: (f64, f64),
    at: (f64, f64),
    view: (f64, f64, f64, f64),
    /// What is to be done next, each with the rest after it.
    script: VecDeque<(Act, u64)>,
    due: u64,
    leaves: u64,
    /// Between two steps of a walk.
    step_ms: u64,
}

impl Person {
    /// The person of this number among those of a seed.
    pub(super) fn new(seed: u64, number: u32, step_ms: u64) -> Self {
        let mut random = Seeded::new(mix(seed, number));
        let home = ((random.next() - 0.5) * 2.0 * (REACH.0 - 100.0), (random.next() - 0.5) * 2.0 * (REACH.1 - 80.0));
        let picked = (random.next() * 1_600.0) as u64;
        let palette = PALETTE.len() as f64;
        let colour = PALETTE.get((random.next() * palette) as usize).copied().unwrap_or(PALETTE[0]);
        let due = (random.next() * COMES_WITHIN_MS) as u64;
        Person {
            name: format!("Sim {} {}", number + 1, names::proposed(picked)),
            colour,
            random,
            home,
            at: home,
            view: (home.0 - VIEW.0 / 2.0, home.1 - VIEW.1 / 2.0, VIEW.0, VIEW.1),
            script: VecDeque::new(),
            due,
            leaves: 0,
            step_ms,
        }
    }

    /// What they do up to this moment, with notes that they may select. Changes of presence are one.
    pub(super) fn step(&mut self, now: u64, notes: &[String]) -> Vec<Act> {
        let mut acts: Vec<Act> = Vec::new();
        while self.due <= now {
            let Some((act, rest)) = self.script.pop_front() else {
                self.plan(notes);
                continue;
            };
            let at = self.due;
            self.due += rest.max(1);
            let act = timed(act, at);
            match (acts.last_mut(), act) {
                (Some(Act::Come(before) | Act::Tell(before)), Act::Tell(change)) => before.extend(change),
                (_, act) => acts.push(act),
            }
        }
        acts
    }

    /// Writes the next part of the script.
    fn plan(&mut self, notes: &[String]) {
        if self.leaves == 0 {
            self.leaves = self.due + self.between(STAYS_MS);
            let rest = self.between((300.0, 2_500.0));
            return self.script.push_back((Act::Come(self.beginning()), rest));
        }
        if self.due >= self.leaves {
            self.leaves = 0;
            let rest = self.between(AWAY_MS);
            return self.script.push_back((Act::Go, rest));
        }
        match (self.random.next() * 4.0) as u8 {
            0 => self.talk(),
            1 if !notes.is_empty() => self.select(notes),
            2 => self.say_how_they_are(),
            _ => {
                let to = self.somewhere();
                self.walk(to);
            }
        }
        let rest = self.between((500.0, 1_900.0));
        if let Some((_, last)) = self.script.back_mut() {
            *last += rest;
        }
    }

    fn beginning(&self) -> Bag {
        bag(json!({
            "name": self.name, "color": self.colour, "status": "online", "tool": "select", "typing": false,
            "selected": [], "viewport": self.viewport(), "cursor": self.cursor(),
        }))
    }

    fn talk(&mut self) {
        let long = self.between((900.0, 4_000.0));
        self.tell(json!({ "typing": true }), long);
        self.tell(json!({ "typing": false }), 0);
    }

    fn say_how_they_are(&mut self) {
        let busy = self.random.next() < 0.5;
        self.tell(json!({ "status": if busy { "busy" } else { "online" } }), 0);
    }

    fn select(&mut self, notes: &[String]) {
        let picked = (self.random.next() * notes.len() as f64) as usize;
        let to = self.somewhere();
        self.walk(to);
        let long = self.between((700.0, 3_000.0));
        self.tell(json!({ "selected": notes.get(picked).into_iter().collect::<Vec<_>>() }), long);
        self.tell(json!({ "selected": [] }), 0);
    }

    /// A hand's way to a spot: it sets off and arrives gently, and never quite straight.
    fn walk(&mut self, to: (f64, f64)) {
        let bow = (self.random.next() - 0.5) * 0.35;
        for at in way(self.at, to, bow, self.step_ms) {
            self.at = at;
            self.tell(json!({ "cursor": self.cursor() }), self.step_ms);
        }
        // Nobody points where they do not look.
        let ((x, y), (left, top, wide, high)) = (self.at, self.view);
        let inside = x > left + wide * 0.1 && x < left + wide * 0.9 && y > top + high * 0.1 && y < top + high * 0.9;
        if !inside {
            self.view = (x - wide / 2.0, y - high / 2.0, wide, high);
            self.tell(json!({ "viewport": self.viewport() }), 0);
        }
    }

    fn tell(&mut self, presence: Value, rest: u64) {
        self.script.push_back((Act::Tell(bag(presence)), rest));
    }

    fn cursor(&self) -> Value {
        json!({ "x": self.at.0, "y": self.at.1 })
    }

    fn viewport(&self) -> Value {
        let (x, y, w, h) = self.view;
        json!({ "x": x.round(), "y": y.round(), "w": w, "h": h, "zoom": 1 })
    }

    /// Near where they began, where everybody is.
    fn somewhere(&mut self) -> (f64, f64) {
        let x = self.home.0 + (self.random.next() - 0.5) * 560.0;
        let y = self.home.1 + (self.random.next() - 0.5) * 380.0;
        (x.clamp(-REACH.0, REACH.0), y.clamp(-REACH.1, REACH.1))
    }

    fn between(&mut self, (least, most): (f64, f64)) -> u64 {
        (least + self.random.next() * (most - least)) as u64
    }
}

/// The spots of a way, one for each step of so many milliseconds, to a tenth.
pub(super) fn way(from: (f64, f64), to: (f64, f64), bow: f64, step_ms: u64) -> Vec<(f64, f64)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let far = dx.hypot(dy);
    let steps = ((320.0 + far * 1.3).min(1_700.0) / step_ms as f64).round().max(4.0) as u32;
    let spots = (1..=steps).map(|step| {
        let u = f64::from(step) / f64::from(steps);
        let eased = u * u * (3.0 - 2.0 * u);
        let side = (PI * u).sin() * bow;
        (tenth(from.0 + dx * eased - dy * side), tenth(from.1 + dy * eased + dx * side))
    });
    spots.collect()
}

/// As the other end of `walk.json` rounds.
fn tenth(value: f64) -> f64 {
    (value * 10.0 + 0.5).floor() / 10.0
}

/// A cursor says when it was where it is, for those who draw its way.
fn timed(mut act: Act, at: u64) -> Act {
    let (Act::Come(presence) | Act::Tell(presence)) = &mut act else { return act };
    if let Some(Value::Object(cursor)) = presence.get_mut("cursor") {
        cursor.insert("t".to_owned(), at.into());
    }
    act
}

fn bag(value: Value) -> Bag {
    match value {
        Value::Object(bag) => bag,
        _ => Bag::new(),
    }
}

/// Another row of chances for each person.
fn mix(seed: u64, number: u32) -> u32 {
    let both =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(number).wrapping_mul(0xd1b5_4a32_d192_ed03));
    (both ^ (both >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What somebody does in so many seconds, by tenths of a second.
    fn visit(seed: u64, number: u32, seconds: u64, notes: &[String]) -> Vec<(u64, Act)> {
        let mut person = Person::new(seed, number, 33);
        let acts = (0..seconds * 10).flat_map(|tenth| {
            let now = tenth * 100;
            person.step(now, notes).into_iter().map(move |act| (now, act)).collect::<Vec<_>>()
        });
        acts.collect()
    }

    #[test]
    fn the_same_seed_is_the_same_visit_and_another_is_another() {
        let notes = ["n1".to_owned()];
        assert_eq!(visit(7, 3, 120, &notes), visit(7, 3, 120, &notes));
        assert_ne!(visit(7, 3, 120, &notes), visit(8, 3, 120, &notes));
        assert_ne!(visit(7, 3, 120, &notes), visit(7, 4, 120, &notes));
    }

    #[test]
    fn they_come_go_move_type_and_select() {
        let notes = ["n1".to_owned(), "n2".to_owned()];
        let acts = visit(7, 0, 600, &notes);
        let came = acts.iter().filter(|(_, act)| matches!(act, Act::Come(_))).count();
        let went = acts.iter().filter(|(_, act)| matches!(act, Act::Go)).count();
        assert!(came >= 3 && (came == went || came == went + 1), "{came} {went}");
        let told = |key: &str, value: Value| {
            acts.iter().any(|(_, act)| matches!(act, Act::Tell(bag) if bag.get(key) == Some(&value)))
        };
        assert!(told("typing", json!(true)) && told("typing", json!(false)));
        assert!(told("selected", json!(["n1"])) && told("selected", json!(["n2"])) && told("selected", json!([])));
        assert!(acts.iter().any(|(_, act)| matches!(act, Act::Tell(bag) if bag.contains_key("cursor"))));
        // The script of who is away says nothing.
        let mut here = false;
        for (at, act) in &acts {
            match act {
                Act::Come(_) => assert!(!std::mem::replace(&mut here, true), "{at}"),
                Act::Tell(_) => assert!(here, "{at}"),
                Act::Go => assert!(std::mem::replace(&mut here, false), "{at}"),
            }
        }
    }

    #[test]
    fn they_stay_on_the_board_and_their_presence_is_small() {
        for number in 0..20 {
            for (_, act) in visit(1, number, 120, &[]) {
                let (Act::Come(bag) | Act::Tell(bag)) = act else { continue };
                assert!(serde_json::to_string(&bag).unwrap().len() < 512);
                let Some(cursor) = bag.get("cursor") else { continue };
                let (x, y) = (cursor["x"].as_f64().unwrap(), cursor["y"].as_f64().unwrap());
                assert!(x.abs() < REACH.0 + 300.0 && y.abs() < REACH.1 + 300.0, "{x} {y}");
            }
        }
    }

    #[test]
    fn after_a_long_pause_the_last_of_each_is_told_once() {
        let mut person = Person::new(7, 0, 33);
        person.step(10_000, &[]);
        let late = person.step(16_000, &[]);
        assert!(late.len() < 4, "{late:?}");
    }

    #[test]
    fn they_walk_as_those_of_the_sample_room() {
        let file: Value = serde_json::from_str(include_str!("walk.json")).unwrap();
        let spot = |value: &Value| (value["x"].as_f64().unwrap(), value["y"].as_f64().unwrap());
        let steps = way(
            spot(&file["from"]),
            spot(&file["to"]),
            file["bow"].as_f64().unwrap(),
            file["stepMs"].as_u64().unwrap(),
        );
        let wanted: Vec<(f64, f64)> = file["spots"].as_array().unwrap().iter().map(spot).collect();
        assert_eq!(steps, wanted);
    }
}
