//! The HTTP surface of a peer: JSON calls, server-sent events and a WebSocket, on loopback only (design A10); and, when
//! somebody shares a room to browsers, a listener for that room alone.
//!
//! A request passes five doors in this order, and each has its own file:
//!
//! 1. `visitors`: the connection. How many are open, how long may a head take?
//! 2. `guard`: is it from this computer and from nobody's web page but our own, and does it hold the token?
//! 3. `routes`: which operation is it? [`ROUTES`] is the list the router is built from, so it cannot drift.
//! 4. `request` and `arguments`: who acts, in which room, with which arguments? Anything wrong becomes a [`Problem`]
//!    that names it.
//! 5. `handlers`, `events`, `socket`: the call itself, which lives in the crate `parlor`; nothing here knows a rule of
//!    a room.
//!
//! Beside them stand `condition`, versions that a call names in headers; `metrics`, what a monitor reads; `openapi`, the document of all this, made from what stands at the handlers; `answers`, what they
//! answer beyond results of the crate `parlor`; `ui`, the pages of the user interface; `server`, the life of the whole; and
//! `api_file`, by which other programs of the same user find it.
//!
//! `guests` is that other listener, with a guard and routes of its own for the same handlers; `shares` begins and ends it.
//!
//! What this crate must never do: let anything but a room that is shared be reached beyond loopback, answer with CORS headers,
//! or put the token anywhere but into `api.json`, which only the owner of the profile can read.

#![forbid(unsafe_code)]

mod answers;
mod api_file;
mod arguments;
mod condition;
mod events;
mod guard;
mod guests;
mod handlers;
mod inspect;
mod json;
mod lab;
mod metrics;
mod openapi;
mod problem;
mod recordings;
mod request;
mod routes;
mod server;
mod shares;
mod socket;
mod ui;
mod visitors;

pub use api_file::ApiFile;
pub use guests::GUEST_ROUTES;
pub use openapi::document;
pub use problem::Problem;
pub use routes::{ROUTES, Route};
pub use server::{HttpConfig, ServeError, Server, check_token, generate_token, serve};
pub use shares::Shares;
pub use ui::UiFiles;
pub use visitors::ConnectionLimits;
