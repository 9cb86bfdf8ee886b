//! The HTTP contract (design A1 to A11), against real peers over loopback: what each route answers when all is well, and
//! with which code it refuses when not.

mod attempts;
mod bad_input;
mod board;
mod conditions;
mod connections;
mod events;
mod examples;
mod fixture;
mod guests;
mod identity;
mod inspect;
mod lab;
mod messages;
mod metrics;
mod presence_page;
mod private;
mod reach;
mod recorder;
mod recording;
mod rooms;
mod security;
mod sharing;
mod sharing_attempts;
mod sharing_burdens;
mod sharing_encrypted;
mod sharing_full;
mod socket;
mod wrong_input;
