//! Whether the member that `parlor join` made is still there, told by the events of its room. Other programs of the same
//! profile may make it leave, and then there is nothing left to stay for.

use parlor::{LeftReason, MemberRecord};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::note;
use crate::stay::kind;

/// One member, followed from its join on.
pub(crate) struct Membership {
    member: String,
    /// The user whose member it is, once a snapshot has shown it: another one may claim the same id (design A5).
    user: Option<String>,
}

/// How it ended, without this command doing so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Another program of the profile took it out of the room, on purpose.
    Left,
    /// Something else did.
    Lost(Option<LeftReason>),
}

impl Membership {
    pub(crate) fn new(member: &str) -> Self {
        Self { member: member.to_owned(), user: None }
    }

    /// Takes in an event; answers how the membership ended if it did.
    pub(crate) fn follow(&mut self, event: &str) -> Option<End> {
        let event: Value = serde_json::from_str(event).ok()?;
        match kind(&event) {
            "snapshot" => {
                let rows = event["members"].as_array()?;
                // A row that is not our own any more is that of another device with the same member.
                let own = rows.iter().find(|row| row["memberId"] == *self.member && row["self"] == true);
                let Some(own) = own else { return Some(End::Lost(None)) };
                self.user = own["actor"]["userId"].as_str().map(str::to_owned);
                None
            }
            "left" if self.is_about(&event) => {
                let reason = serde_json::from_value(event["reason"].clone()).ok();
                Some(if reason == Some(LeftReason::Left) { End::Left } else { End::Lost(reason) })
            }
            "updated" | "stale" | "active" if self.is_about(&event) && event["member"]["self"] == false => {
                Some(End::Left)
            }
            _ => None,
        }
    }

    fn is_about(&self, event: &Value) -> bool {
        let row = &event["member"];
        row["memberId"] == *self.member && row["actor"]["userId"].as_str() == self.user.as_deref()
    }
}

impl End {
    /// Whether the room ends with it, rather than the peer.
    pub(crate) fn ends_the_room(self) -> bool {
        self == End::Lost(Some(LeftReason::Excluded))
    }

    /// Tells the person. What somebody did on purpose is no failure.
    pub(crate) fn told(self, record: &MemberRecord) -> Result<(), Failure> {
        let (room, member) = (record.room.to_string(), &record.member_id);
        let why = match self {
            End::Left => {
                note(&format!("parlor: another program made {member} leave {room:?}"));
                return Ok(());
            }
            End::Lost(Some(LeftReason::Expired)) => "its lease ran out while nothing was heard of this command",
            End::Lost(Some(LeftReason::Superseded)) => "its profile was started again elsewhere",
            End::Lost(Some(LeftReason::Excluded)) => "a host changed the room's key, and you did not get the new one",
            End::Lost(_) => "the peer does not know it any more",
        };
        Err(Failure::Failed(format!("{member} is not in {room:?} any more: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(member: &str, user: &str, own: bool) -> Value {
        json!({"memberId": member, "actor": {"userId": user}, "self": own})
    }

    fn followed(events: &[Value]) -> Option<End> {
        let mut membership = Membership::new("desk");
        let first = json!({"type": "snapshot", "members": [row("desk", "u_other", false), row("desk", "u_me", true)]});
        assert_eq!(membership.follow(&first.to_string()), None);
        events.iter().find_map(|event| membership.follow(&event.to_string()))
    }

    #[test]
    fn it_ends_with_its_own_leave_and_with_nobody_elses() {
        let left = |member, user, own, reason: &str| json!({"type": "left", "member": row(member, user, own), "reason": reason});
        for event in [
            left("desk", "u_other", false, "left"),
            left("u_me", "u_me", true, "left"),
            json!({"type": "updated", "member": row("desk", "u_other", false), "changed": []}),
            json!({"type": "updated", "member": row("desk", "u_me", true), "changed": ["x"]}),
            json!({"type": "joined", "member": row("desk 2", "u_me", true)}),
            json!({"type": "watching", "count": 3}),
        ] {
            assert_eq!(followed(std::slice::from_ref(&event)), None, "{event}");
        }
        assert_eq!(followed(&[left("desk", "u_me", true, "left")]), Some(End::Left));
        assert_eq!(followed(&[left("desk", "u_me", true, "expired")]), Some(End::Lost(Some(LeftReason::Expired))));
        let out = followed(&[left("desk", "u_me", true, "excluded")]).unwrap();
        assert!(out.ends_the_room() && !End::Left.ends_the_room());
        assert_eq!(
            followed(&[left("desk", "u_me", true, "superseded")]),
            Some(End::Lost(Some(LeftReason::Superseded)))
        );
    }

    #[test]
    fn another_device_of_the_same_member_is_not_this_one() {
        let theirs = json!({"type": "updated", "member": row("desk", "u_me", false), "changed": []});
        assert_eq!(followed(&[theirs]), Some(End::Left));
        let snapshot = json!({"type": "snapshot", "members": [row("desk", "u_me", false)]});
        assert_eq!(followed(&[snapshot]), Some(End::Lost(None)));
    }

    #[test]
    fn what_was_missed_is_in_the_snapshot_that_follows() {
        let snapshot = |members| json!({"type": "snapshot", "members": members});
        assert_eq!(followed(&[snapshot(json!([row("desk", "u_me", true)]))]), None);
        assert_eq!(followed(&[snapshot(json!([]))]), Some(End::Lost(None)));
    }
}
