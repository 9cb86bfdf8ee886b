//! No field of a record ever goes back at any observer, and no value is seen that nobody wrote (design R4): every value
//! that is written is a number greater than all before it.

use parlor_core::Event;

use super::name;
use crate::sim::oracle::{Happening, Oracle, Told};
use crate::sim::sessions::Session;
use crate::sim::world::World;

/// The newest value of one field that an observer saw of one writer.
#[derive(Clone, Debug)]
struct Newest {
    field: String,
    writer: Session,
    value: u64,
}

/// See the module. By observer, then by row.
#[derive(Debug, Default)]
pub struct Forward {
    seen: Vec<Vec<Vec<Newest>>>,
}

impl Oracle for Forward {
    fn rule(&self) -> &str {
        "no field goes back"
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
        match told.event {
            Event::Joined { member } | Event::Updated { member, .. } => {
                let Some(row) = told.row.filter(|row| world.is_honest(world.views.key(*row))) else { return Ok(()) };
                let newest = place(&mut self.seen, told.observer.0 as usize, row.0 as usize);
                for (field, value) in &member.record.presence {
                    if told.before.is_some_and(|held| held.record.presence.get(field) == Some(value)) {
                        continue;
                    }
                    let value = value.as_u64().unwrap_or(u64::MAX);
                    let whose = || name(world, world.views.key(row));
                    let Some(writer) = world.truth.writer(value) else {
                        return Err(format!("{} shows {field} {value}, which nobody wrote", whose()));
                    };
                    match newest.iter_mut().find(|newest| newest.writer == writer && newest.field == *field) {
                        Some(newest) if value < newest.value => {
                            return Err(format!("{field} of {} went back from {} to {value}", whose(), newest.value));
                        }
                        Some(newest) => newest.value = value,
                        None => newest.push(Newest { field: field.clone(), writer, value }),
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
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
