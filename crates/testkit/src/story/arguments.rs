//! What a change of presence asks of the API, whoever plays the story.

use std::collections::BTreeMap;

use parlor_core::{Bag, PresenceChange, PresenceMode};
use serde_json::json;

use super::step::Change;

impl Change {
    /// The arguments of the call, with this number as the value, and the fields that it sets.
    pub(crate) fn arguments(&self, value: u64) -> (PresenceChange, &[String]) {
        let bag = |fields: &[String]| fields.iter().map(|field| (field.clone(), json!(value))).collect::<Bag>();
        match self {
            Change::Set(fields) => (PresenceChange { presence: bag(fields), ..PresenceChange::default() }, fields),
            Change::Replace(fields) => {
                let mode = PresenceMode::Replace;
                (PresenceChange { presence: bag(fields), mode, ..PresenceChange::default() }, fields)
            }
            Change::Unset(fields) => (PresenceChange { unset: fields.clone(), ..PresenceChange::default() }, &[]),
            Change::Expire { field, ms } => {
                let expire = BTreeMap::from([(field.clone(), *ms)]);
                let fields = std::slice::from_ref(field);
                (PresenceChange { presence: bag(fields), expire, ..PresenceChange::default() }, fields)
            }
        }
    }
}
