//! A fault that tests put in and take out again: who left is not remembered.

use std::cell::Cell;

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Whether it is in, on this thread.
pub(crate) fn is_on() -> bool {
    ON.get()
}

/// Runs something with the fault.
pub(crate) fn with<R>(run: impl FnOnce() -> R) -> R {
    ON.set(true);
    let result = run();
    ON.set(false);
    result
}
