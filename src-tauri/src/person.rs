//! Whether the person is at this computer, as far as the system says: the screen is locked, nobody has touched anything
//! for as long as the desktop waits, or the computer goes to sleep. It changes a status and never a membership (D6).
//!
//! What the system says comes in as [`Sign`]s, from the login manager of Linux, from macOS and Windows, which are asked, or,
//! in tests, from a list. What they mean is [`Person`], which is pure.

use std::future::Future;

use serde::Serialize;

#[cfg(any(target_os = "macos", target_os = "windows", test))]
pub mod asked;
#[cfg(target_os = "linux")]
pub mod linux;

/// One thing that the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The screen is locked, or not any more.
    Locked(bool),
    /// Nobody has touched anything for as long as the desktop waits.
    Idle(bool),
    /// The computer is about to sleep, or has woken.
    Sleeping(bool),
}

/// Where signs come from.
pub trait Signs: Send {
    /// The next one; nothing when there will be none.
    fn next(&mut self) -> impl Future<Output = Option<Sign>> + Send;
}

/// What is known of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    locked: bool,
    idle: bool,
    sleeping: bool,
}

impl Person {
    /// Whether they are away.
    pub fn is_away(self) -> bool {
        self.locked || self.idle || self.sleeping
    }

    /// Takes a sign; answers whether they are away when that is another answer than before.
    pub fn take(&mut self, sign: Sign) -> Option<bool> {
        let before = self.is_away();
        match sign {
            Sign::Locked(locked) => self.locked = locked,
            Sign::Idle(idle) => self.idle = idle,
            Sign::Sleeping(sleeping) => self.sleeping = sleeping,
        }
        Some(self.is_away()).filter(|away| *away != before)
    }
}

/// Tells of every change, until there are no signs any more.
pub async fn follow(mut signs: impl Signs, mut tell: impl FnMut(bool)) {
    let mut person = Person::default();
    while let Some(sign) = signs.next().await {
        person.take(sign).into_iter().for_each(&mut tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Listed<'a>(std::slice::Iter<'a, Sign>);

    impl Signs for Listed<'_> {
        async fn next(&mut self) -> Option<Sign> {
            self.0.next().copied()
        }
    }

    async fn told(signs: &[Sign]) -> Vec<bool> {
        let mut told = Vec::new();
        follow(Listed(signs.iter()), |away| told.push(away)).await;
        told
    }

    #[tokio::test]
    async fn away_is_told_once_however_many_reasons_there_are() {
        use Sign::{Idle, Locked, Sleeping};
        assert_eq!(told(&[Idle(true), Locked(true), Idle(false), Locked(false)]).await, [true, false]);
        assert_eq!(told(&[Sleeping(true), Locked(true), Sleeping(false)]).await, [true], "it wakes locked");
        assert_eq!(told(&[Locked(false), Idle(false), Sleeping(false)]).await, Vec::<bool>::new());
        assert_eq!(told(&[Locked(true), Locked(true), Locked(false), Locked(true)]).await, [true, false, true]);
    }
}
