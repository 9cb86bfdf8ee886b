//! The binary `parlor`, as a person or a script uses it: real processes over loopback.
#![cfg(unix)]

mod faults;
mod home;
mod kept;
mod lone;
mod recorded;
mod shared;
mod terminal;
mod two_peers;
mod wrong_use;
