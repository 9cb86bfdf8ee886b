//! Tests across crates. They stand in the folders beside this one, a test target each, and this library is empty: a
//! package wants one.

#![forbid(unsafe_code)]
