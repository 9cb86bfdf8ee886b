//! No field of a record ever goes back at any observer, and no value is seen that nobody wrote (design R4): every value
//! that is written is a number greater than all before it.
//!
//! A field that went does not come back with the value that it had, as long as the row is one and the same record: of a
//! member on two devices, the one that spoke last is shown, and when that one leaves, the older value of the other is.
//! The turn that a join writes into the member's metadata is judged like a field.

use parlor_core::{Event, Member};

use super::name;
use crate::sim::oracle::{Happening, Oracle, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;

/// What a join counts up in the metadata of its member, and what that is called among the fields.
const TURN: (&str, &str) = ("turn", "the turn of its metadata");

/// The newest value of one field that an observer saw of one writer.
#[derive(Clone, Debug)]
struct Newest {
    field: String,
    writer: Session,
    value: u64,
    /// It went, while the row was a record of this writer and of nobody else.
    gone: bool,
}

/// See the module. By observer, then by row.
#[derive(Debug, Default)]
pub struct Forward {
    seen: Vec<Vec<Vec<Newest>>>,
    judged: u64,
}

impl Oracle for Forward {
    fn rule(&self) -> &str {
        super::FORWARD
    }

    fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
        if let Happening::Ended(session) = what
            && let Some(seen) = self.seen.get_mut(session.0 as usize)
        {
            *seen = Vec::new();
        }
        Ok(())
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let (Event::Joined { member } | Event::Updated { member, .. }, Some(row)) = (told.event, told.row) else {
            return Ok(());
        };
        if !world.is_honest(world.views.key(row)) {
            return Ok(());
        }
        let newest = place(&mut self.seen, told.observer.0 as usize, row.0 as usize);
        let whose = || name(world, world.views.key(row));
        // Nearly always the fields are those that were there before, and none is gone: then none comes or goes now.
        if newest.iter().any(|newest| newest.gone) || !told.before.is_some_and(|held| has_the_fields_of(member, held)) {
            let of_row = world.truth.of_row(world.views.key(row));
            let alone = of_row.is_some_and(|of_row| of_row.of_one_session().is_some());
            match told.before {
                Some(held) if alone && held.record.joined_at == member.record.joined_at => {
                    for newest in newest.iter_mut().filter(|newest| !newest.gone) {
                        let is_there = |member: &Member| value_of(member, &newest.field) == Some(newest.value);
                        newest.gone = is_there(held) && value_of(member, &newest.field).is_none();
                    }
                }
                _ => newest.iter_mut().for_each(|newest| newest.gone = false),
            }
        }
        for (field, value) in values(member) {
            if told.before.is_some_and(|held| value_of(held, field) == Some(value)) {
                continue;
            }
            self.judged += 1;
            let Some(writer) = world.truth.writer(value) else {
                return Err(format!("{} shows {field} {value}, which nobody wrote", whose()));
            };
            let known = newest.iter_mut().find(|newest| newest.writer == writer && newest.field == field);
            let Some(known) = known else {
                newest.push(Newest { field: field.to_owned(), writer, value, gone: false });
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

fn has_the_fields_of(member: &Member, held: &Member) -> bool {
    let (now, before) = (&member.record, &held.record);
    now.metadata.contains_key(TURN.0) == before.metadata.contains_key(TURN.0)
        && now.presence.keys().eq(before.presence.keys())
}

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}

fn place<T: Default>(table: &mut Vec<Vec<T>>, observer: usize, row: usize) -> &mut T {
    if table.len() <= observer {
        table.resize_with(observer + 1, Vec::new);
    }
    let rows = &mut table[observer];
    if rows.len() <= row {
        rows.resize_with(row + 1, T::default);
    }
    &mut rows[row]
}
