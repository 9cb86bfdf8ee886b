//! The OpenAPI 3.1 document of the API, made from the code: the operations from what stands at their handlers, the
//! schemas from the types that serde reads and writes.
//!
//! `refuses` says with which codes each operation can refuse, `parameters` what many of them take. `exact` puts right
//! what the derives cannot say, and `examples` adds requests and answers of a real peer. `docs/openapi.json` is a copy for
//! readers and for generators of clients; a test holds it against this.

mod exact;
mod examples;
mod parameters;
pub(crate) mod refuses;

use std::sync::LazyLock;

use serde_json::{Map, Value};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::{events, handlers, inspect, lab, metrics, recordings, shares, socket};

pub(crate) use parameters::{ActingFor, IfMatchHeader, IfNoneMatchHeader, InRoom, LastEventId};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parlor",
        description = "Live rooms on a local network, with no server: who is here, where they are, what the room is about.\n\n\
            A peer answers on loopback only. Every call but `/healthz` needs the token of `api.json`. A body is one JSON \
            object, at most 256 KiB, or a recording; a field that it does not know is refused, and so is one that is `null`. An answer may \
            have more fields than stand here. A refusal is `application/problem+json` with a `code`. What is no HTTP at all, \
            or has a head beyond 64 KiB, is answered without a body.",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "/", description = "The peer that this document is from.")),
    tags(
        (name = "members", description = "Who is here, and what they do."),
        (name = "shared", description = "What the room has together: settings, notes, messages."),
        (name = "events", description = "The room as it changes."),
        (name = "rooms", description = "Rooms, tickets, and who may do what."),
        (name = "peer", description = "This peer: its person, its links, itself."),
    ),
    paths(
        handlers::healthz,
        handlers::openapi,
        handlers::rooms,
        handlers::create_room,
        handlers::forget_room,
        handlers::join,
        handlers::presence,
        handlers::leave,
        handlers::members,
        handlers::metadata,
        handlers::set_metadata,
        handlers::board,
        handlers::set_board,
        handlers::history,
        handlers::publish,
        events::events,
        socket::socket,
        handlers::access,
        handlers::change_access,
        handlers::ticket,
        handlers::read_ticket,
        shares::share,
        shares::change_share,
        handlers::peers,
        handlers::dial,
        handlers::check_network,
        handlers::diagnostics,
        lab::lab,
        lab::change_lab,
        handlers::status,
        handlers::set_profile,
        handlers::new_identity,
        metrics::metrics,
        inspect::inspect,
        recordings::recording,
        recordings::replay,
        recordings::replay_file,
        recordings::replay_state,
        recordings::replay_test,
        recordings::replay_lineup,
    ),
    components(schemas(refuses::Problem, parlor::Item, parlor::Batch, parlor::Inspect, parlor::By, parlor::RoomId)),
    modifiers(&Token),
    security(("token" = [])),
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The token that stands in `api.json` of the profile, and that `parlor serve --token` sets.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    exact::refine(&mut document);
    examples::insert(&mut document);
    format!("{:#}\n", sorted(document))
});

/// The document as JSON, always the same text for the same code.
#[must_use]
pub fn document() -> &'static str {
    &TEXT
}

/// With the keys of all objects in order, whichever order the map of this build has.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(object) => {
            let mut members: Vec<(String, Value)> = object.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
