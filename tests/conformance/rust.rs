//! The crate itself.

use std::collections::BTreeMap;

use parlor::Live;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::conformance::world::follow;
use crate::conformance::{Surface, World, perform};

/// Handles, which remember what they joined with.
pub struct Rust {
    me: Live,
    guests: BTreeMap<String, Live>,
}

impl Rust {
    pub fn of(world: &World) -> Self {
        let guests = ["ada", "bob"].map(|guest| (guest.to_owned(), world.guest(guest)));
        Self { me: world.peer("me").clone(), guests: guests.into() }
    }
}

impl Surface for Rust {
    const NAME: &'static str = "rust";

    async fn call(&self, guest: Option<&str>, operation: &str, room: &str, args: Value) -> Result<Value, Value> {
        let live = guest.map_or(&self.me, |guest| &self.guests[guest]);
        perform(live, operation, room, args).await.map_err(|error| serde_json::to_value(error).expect("JSON"))
    }

    async fn listen(&self, room: &str) -> UnboundedReceiver<Value> {
        follow(&self.me, room).await
    }
}
