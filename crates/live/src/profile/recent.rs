//! The rooms that somebody opened before: `rooms.json`, newest first.

use parlor_core::{RoomId, Timestamp};
use serde::{Deserialize, Serialize};

/// Rooms remembered; the oldest goes first.
const MAX: usize = 200;

/// One room that was opened before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecentRoom {
    pub(crate) room: RoomId,
    pub(crate) last_opened_at: Timestamp,
    #[serde(default)]
    pub(crate) title: Option<String>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentRooms {
    rooms: Vec<RecentRoom>,
}

impl RecentRooms {
    /// Newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RecentRoom> {
        self.rooms.iter()
    }

    /// The room was opened now; its title stays.
    pub(crate) fn opened(&mut self, room: &RoomId, now: Timestamp) {
        let title = self.take(room).and_then(|old| old.title);
        self.rooms.insert(0, RecentRoom { room: room.clone(), last_opened_at: now, title });
        self.rooms.truncate(MAX);
    }

    /// The room's title as it is now; answers whether that was news. A room that is not remembered stays so.
    pub(crate) fn titled(&mut self, room: &RoomId, title: Option<&str>) -> bool {
        match self.rooms.iter_mut().find(|known| known.room == *room) {
            Some(known) if known.title.as_deref() != title => {
                known.title = title.map(str::to_owned);
                true
            }
            _ => false,
        }
    }

    /// Forgets the room; answers whether it was known.
    pub(crate) fn forget(&mut self, room: &RoomId) -> bool {
        self.take(room).is_some()
    }

    fn take(&mut self, room: &RoomId) -> Option<RecentRoom> {
        let at = self.rooms.iter().position(|known| known.room == *room)?;
        Some(self.rooms.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(n: usize) -> RoomId {
        RoomId::new(&format!("room {n}")).unwrap()
    }

    #[test]
    fn the_newest_stand_first_and_the_oldest_go() {
        let mut recent = RecentRooms::default();
        for n in 0..MAX + 1 {
            recent.opened(&room(n), Timestamp(n as u64));
        }
        assert_eq!(recent.iter().count(), MAX);
        recent.opened(&room(5), Timestamp(9_999));
        assert_eq!(recent.iter().next().unwrap().room, room(5));
        assert!(!recent.forget(&room(0)), "it made room");
        assert!(recent.forget(&room(5)) && !recent.forget(&room(5)));
    }

    #[test]
    fn a_title_outlives_reopening() {
        let mut recent = RecentRooms::default();
        assert!(!recent.titled(&room(1), Some("Plan")), "a room that was only looked at is not remembered");
        recent.opened(&room(1), Timestamp(1));
        assert!(recent.titled(&room(1), Some("Plan")));
        assert!(!recent.titled(&room(1), Some("Plan")));
        recent.opened(&room(1), Timestamp(2));
        assert_eq!(recent.iter().next().unwrap().title.as_deref(), Some("Plan"));
    }
}
