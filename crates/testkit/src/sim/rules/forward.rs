//! No field of a record ever goes back at any observer, and no value is seen that nobody wrote (design R4): every value
//! that is written is a number greater than all before it.
//!
//! A field that went does not come back with the value that it had, as long as the row is one and the same record: of a
//! member on two devices, the one that spoke last is shown, and when that one leaves, the older value of the other is.
//! The turn that a join writes into the member's metadata is judged like a field.

use std::ops::Range;
use std::sync::Arc;

use parlor_core::{Event, Member};

use super::name;
use crate::sim::oracle::{Happening, Oracle, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;

/// What a join counts up in the metadata of its member, and what that is called among the fields.
const TURN: (&str, &str) = ("turn", "the turn of its metadata");

/// The newest value of one field of a row that an observer saw of one writer.
#[derive(Clone, Copy, Debug)]
struct Newest {
    observer: Session,
    writer: Session,
    /// The place of its name among those of all fields.
    field: usize,
    value: u64,
    /// It went, while the row was a record of this writer and of nobody else.
    gone: bool,
}

/// What was seen of one row.
#[derive(Debug, Default)]
struct Seen {
    /// Whether it belongs to somebody honest, once that was asked.
    honest: Option<bool>,
    /// By observer, so that what many are told one after the other lies side by side.
    newest: Vec<Newest>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Forward {
    /// The names of all fields.
    fields: Vec<String>,
    /// By row.
    seen: Vec<Seen>,
    judged: u64,
}

impl Oracle for Forward {
    fn rule(&self) -> &str {
        super::FORWARD
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        if let Happening::Ended(session) = what {
            for seen in &mut self.seen {
                let its = seen.of(*session);
                seen.newest.drain(its);
            }
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let (Event::Joined { member } | Event::Updated { member, .. }, Some(row)) = (told.event, told.row) else {
            return Ok(());
        };
        let place = row.0 as usize;
        if self.seen.len() <= place {
            self.seen.resize_with(place + 1, Seen::default);
        }
        let seen = &mut self.seen[place];
        if !*seen.honest.get_or_insert_with(|| world.is_honest(world.views.key(row))) {
            return Ok(());
        }
        let mut its = seen.of(told.observer);
        let whose = || name(world, world.views.key(row));
        // Nearly always the fields are those that were there before, and none is gone: then none comes or goes now.
        let others = told.before.and_then(|held| others_in_step(member, held));
        let newest = &mut seen.newest[its.clone()];
        if newest.iter().any(|newest| newest.gone) || others.is_none() {
            let of_row = world.truth.of_row(world.views.key(row));
            let alone = of_row.is_some_and(|of_row| of_row.of_one_session().is_some());
            match told.before {
                Some(held) if alone && held.record.joined_at == member.record.joined_at => {
                    for newest in newest.iter_mut().filter(|newest| !newest.gone) {
                        let field = &self.fields[newest.field];
                        newest.gone = value_of(held, field) == Some(newest.value) && value_of(member, field).is_none();
                    }
                }
                _ => newest.iter_mut().for_each(|newest| newest.gone = false),
            }
        }
        for (field, value) in others.unwrap_or_else(|| others_than(member, told.before)) {
            self.judged += 1;
            let Some(writer) = world.truth.writer(value) else {
                return Err(format!("{} shows {field} {value}, which nobody wrote", whose()));
            };
            let name = self.fields.iter().position(|name| name == field).unwrap_or_else(|| {
                self.fields.push(field.to_owned());
                self.fields.len() - 1
            });
            let mut known = seen.newest[its.clone()].iter_mut();
            let Some(known) = known.find(|newest| newest.writer == writer && newest.field == name) else {
                let new = Newest { observer: told.observer, writer, field: name, value, gone: false };
                seen.newest.insert(its.end, new);
                its.end += 1;
                continue;
            };
            if value < known.value {
                return Err(format!("{field} of {} went back from {} to {value}", whose(), known.value));
            }
            if value == known.value && known.gone {
                return Err(format!("{field} of {} is {value} again, after it went", whose()));
            }
            (known.value, known.gone) = (value, false);
        }
        Ok(())
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Seen {
    /// Where that of one observer is, or would be.
    fn of(&self, observer: Session) -> Range<usize> {
        let start = self.newest.partition_point(|newest| newest.observer < observer);
        let count = self.newest[start..].iter().take_while(|newest| newest.observer == observer).count();
        start..start + count
    }
}

/// The fields of a row, and what a join counted up; what is no number was written by nobody: no number is that great.
fn values(member: &Member) -> impl Iterator<Item = (&str, u64)> {
    let turn = member.record.metadata.get(TURN.0).map(|value| (TURN.1, number(value)));
    member.record.presence.iter().map(move |(field, value)| (field.as_str(), number(value))).chain(turn)
}

fn value_of(member: &Member, field: &str) -> Option<u64> {
    let record = &member.record;
    let value = if field == TURN.1 { record.metadata.get(TURN.0) } else { record.presence.get(field) };
    value.map(number)
}

/// Those that were not there before with the same value.
fn others_than<'a>(member: &'a Member, held: Option<&Arc<Member>>) -> Vec<(&'a str, u64)> {
    let was_there = |(field, value): &(&str, u64)| held.is_some_and(|held| value_of(held, field) == Some(*value));
    values(member).filter(|field| !was_there(field)).collect()
}

/// The same in one pass over both, when there are fields of the same names as before; nothing when there are not.
fn others_in_step<'a>(member: &'a Member, held: &Member) -> Option<Vec<(&'a str, u64)>> {
    let (now, before) = (&member.record, &held.record);
    let (turn, turn_before) = (now.metadata.get(TURN.0), before.metadata.get(TURN.0));
    if now.presence.len() != before.presence.len() || turn.is_some() != turn_before.is_some() {
        return None;
    }
    let mut others = Vec::new();
    for ((field, value), (field_before, value_before)) in now.presence.iter().zip(&before.presence) {
        if field != field_before {
            return None;
        }
        if number(value) != number(value_before) {
            others.push((field.as_str(), number(value)));
        }
    }
    let turn = turn.map(number).filter(|turn| Some(*turn) != turn_before.map(number));
    others.extend(turn.map(|turn| (TURN.1, turn)));
    Some(others)
}

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}
