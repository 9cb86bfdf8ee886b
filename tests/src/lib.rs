//! Tests across crates. They stand in the folders beside this one, a test target each; here is what several of them need.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod on_hosts;

#[cfg(target_os = "linux")]
pub use on_hosts::run_on_hosts;
