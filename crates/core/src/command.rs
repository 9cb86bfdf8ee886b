//! The arguments of the calls that people make (design A2, A3, A6). The same shapes are the bodies of HTTP requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::MemberId;
use crate::view::Bag;
use crate::{check, finite};

/// Arguments of `join`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Join {
    /// The live state to begin with; one that was joined before keeps its own when this is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::GivenBag>))]
    pub presence: Option<Bag>,
    /// What does not change while joined: role, device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::GivenBag>))]
    pub metadata: Option<Bag>,
    /// A stable key of a client or device; the actor's user id when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    pub member_id: Option<MemberId>,
    /// The client lease in seconds, 5 to 3600, for members that a client joined over HTTP; 60 when missing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::whole::option")]
    #[cfg_attr(feature = "openapi", schema(minimum = 5, maximum = 3600))]
    pub presence_ttl_seconds: Option<u32>,
    /// A ticket of this room, needed once for a private one. Whoever opens the room for the caller uses it up: a replica
    /// does not look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = r"^\s*[Pp][Aa][Rr][Ll][Oo][Rr]:"))]
    pub ticket: Option<String>,
}

impl Join {
    /// A join with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this presence: `json!({…})`, or a type of your own. Anything but an object is refused by the call, and so is a
    /// number that is NaN or infinite, by its place; `json!` has made `null` of one before this sees it.
    #[must_use]
    pub fn presence(mut self, presence: impl Serialize) -> Self {
        self.presence = Some(bag(presence));
        self
    }

    /// With this metadata: `json!({…})`, or a type of your own. Anything but an object is refused by the call, and so is a
    /// number that is NaN or infinite, by its place; `json!` has made `null` of one before this sees it.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.metadata = Some(bag(metadata));
        self
    }

    /// As this member: a stable key of a device or tab, where one person has several.
    ///
    /// ```
    /// # use parlor_core::{Error, Join, MemberId};
    /// # fn main() -> Result<(), Error> {
    /// let device = Join::new().member_id(MemberId::new("device_7")?);
    /// assert_eq!(device.member_id, Some(MemberId::new("device_7")?));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn member_id(mut self, member_id: MemberId) -> Self {
        self.member_id = Some(member_id);
        self
    }

    /// With this ticket.
    #[must_use]
    pub fn ticket(mut self, ticket: &str) -> Self {
        self.ticket = Some(ticket.to_owned());
        self
    }

    /// With this client lease.
    #[must_use]
    pub fn ttl_seconds(mut self, seconds: u32) -> Self {
        self.presence_ttl_seconds = Some(seconds);
        self
    }
}

/// How `presence` treats keys that are not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum PresenceMode {
    /// They stay.
    #[default]
    Merge,
    /// They go.
    Replace,
}

/// Arguments of `presence`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PresenceChange {
    /// Keys to set; nested values are replaced whole, `null` is a value.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>", optional = false))]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::GivenBag))]
    pub presence: Bag,
    /// Which member; the one joined with when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    pub member_id: Option<MemberId>,
    /// Whether keys that are not named stay.
    #[cfg_attr(feature = "ts", ts(as = "Option<PresenceMode>"))]
    pub mode: PresenceMode,
    /// Keys to remove.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<String>>"))]
    pub unset: Vec<String>,
    /// Milliseconds after which a key of this call vanishes at every observer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::whole::map")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, number>"))]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::lives))]
    pub expire: BTreeMap<String, u64>,
}

impl PresenceChange {
    /// A merge of `presence`: `json!({…})`, or a type of your own, whose fields that are `None` want
    /// `#[serde(skip_serializing_if = "Option::is_none")]` to stay as they are. A number that is NaN or infinite is refused
    /// by the call, by its place; `json!` has made `null` of one before this sees it.
    #[must_use]
    pub fn new(presence: impl Serialize) -> Self {
        Self { presence: bag(presence), ..Self::default() }
    }
}

/// Arguments of `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MetadataChange {
    /// Keys to set.
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, unknown>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::GivenMetadata))]
    pub metadata: Bag,
    /// Keys to delete.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<String>>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Key>))]
    pub unset: Vec<String>,
    /// Only if the settings are still these: the `version` of what was read before. Whatever they are, when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_version: Option<String>,
}

impl MetadataChange {
    /// A merge of `metadata`: `json!({…})`, or a type of your own. A number that is NaN or infinite is refused by the call,
    /// by its place; `json!` has made `null` of one before this sees it.
    #[must_use]
    pub fn new(metadata: impl Serialize) -> Self {
        Self { metadata: bag(metadata), ..Self::default() }
    }

    /// Only if the settings are still those that [`RoomMetadata::version`](crate::RoomMetadata::version) was read of.
    #[must_use]
    pub fn if_version(mut self, version: impl Into<String>) -> Self {
        self.if_version = Some(version.into());
        self
    }
}

/// Arguments of `leave`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Leave {
    /// Which member; the one joined with when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    pub member_id: Option<MemberId>,
}

/// An object as a bag; anything else, also what is no JSON, becomes a bag that every check refuses.
fn bag(value: impl Serialize) -> Bag {
    match finite::json(&value) {
        Value::Object(bag) => bag,
        other => Bag::from_iter([(check::NOT_AN_OBJECT.to_owned(), other)]),
    }
}
