//! The one way to lock in this crate.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. Every change under a lock of this crate is one assignment, or one step of a list, so a panic elsewhere left
/// nothing half done that a poisoned lock would have to guard.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
