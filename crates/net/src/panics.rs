//! Panics of other people's code that are caught where they happen, because what comes from outside can cause them. Each is
//! an error of what came, and no fault that anybody should be told of: a panic hook can ask whether one is of this kind.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does some work whose panic is expected, and returns what it panicked with. Whatever it was in the middle of stays as it
/// is, so it is for the caller to look at none of it again.
///
/// # Errors
///
/// What the panic said.
pub fn contain<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = CONTAINED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    done
}

/// Whether a panic of this thread, now, is one that [`contain`] catches. For panic hooks.
#[must_use]
pub fn contained() -> bool {
    CONTAINED.try_with(Cell::get).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_contained_until_it_is_done_and_nowhere_else() {
        let inside = contain(|| {
            assert!(contained() && std::thread::spawn(|| !contained()).join().unwrap());
            contain(contained).unwrap() && contained()
        });
        assert!(inside.unwrap() && !contained());
        // Not a panic that prints: a test that passes says nothing.
        let panicked = contain(|| std::panic::resume_unwind(Box::new("on purpose")));
        assert!(panicked.is_err() && !contained());
    }
}
