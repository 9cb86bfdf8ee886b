//! The rooms that somebody opened before: `rooms.json`, newest first.

use parlor_core::{RoomId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Whether it was a private room: one whose key is lost must not be taken for the open room of its name.
    #[serde(default)]
    pub(crate) private: bool,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentRooms {
    #[serde(deserialize_with = "readable")]
    rooms: Vec<RecentRoom>,
}

/// Those of the rooms that can be read: one that a rule made since does not allow costs nobody the others.
fn readable<'de, D: Deserializer<'de>>(rooms: D) -> Result<Vec<RecentRoom>, D::Error> {
    let rooms = Vec::<serde_json::Value>::deserialize(rooms)?;
    Ok(rooms.into_iter().filter_map(|room| serde_json::from_value(room).ok()).collect())
}

impl RecentRooms {
    /// Newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RecentRoom> {
        self.rooms.iter()
    }

    /// The room was opened now; its title stays while it is the same room.
    pub(crate) fn opened(&mut self, room: &RoomId, private: bool, now: Timestamp) {
        let title = self.take(room).filter(|old| old.private == private).and_then(|old| old.title);
        self.rooms.insert(0, RecentRoom { room: room.clone(), last_opened_at: now, title, private });
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
            recent.opened(&room(n), false, Timestamp(n as u64));
        }
        assert_eq!(recent.iter().count(), MAX);
        recent.opened(&room(5), false, Timestamp(9_999));
        assert_eq!(recent.iter().next().unwrap().room, room(5));
        assert!(!recent.forget(&room(0)), "it made room");
        assert!(recent.forget(&room(5)) && !recent.forget(&room(5)));
    }

    #[test]
    fn a_room_that_is_not_allowed_any_more_costs_nobody_the_others() {
        let entry = |room: &str| serde_json::json!({"room": room, "lastOpenedAt": "2026-11-25T10:00:00.000Z"});
        let file = serde_json::json!({"rooms": [entry("plans"), entry(".."), {"room": 5}, entry("standup")]});
        let recent: RecentRooms = serde_json::from_value(file).unwrap();
        assert_eq!(recent.iter().map(|known| known.room.as_str()).collect::<Vec<_>>(), ["plans", "standup"]);
        assert!(serde_json::from_value::<RecentRooms>(serde_json::json!({"rooms": 5})).is_err());
    }

    #[test]
    fn a_title_outlives_reopening() {
        let mut recent = RecentRooms::default();
        assert!(!recent.titled(&room(1), Some("Plan")), "a room that was only looked at is not remembered");
        recent.opened(&room(1), false, Timestamp(1));
        assert!(recent.titled(&room(1), Some("Plan")));
        assert!(!recent.titled(&room(1), Some("Plan")));
        recent.opened(&room(1), false, Timestamp(2));
        assert_eq!(recent.iter().next().unwrap().title.as_deref(), Some("Plan"));
        recent.opened(&room(1), true, Timestamp(3));
        assert_eq!(recent.iter().next().unwrap().title, None, "it is another room's");
    }
}
