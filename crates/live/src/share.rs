//! A room that is shared to browsers (design A10): what is asked for, and what is answered. The listener that browsers come
//! to is HTTP, and so is in the crate `parlor-http`; here is what every surface says of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use parlor_core::{RoomId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::Live;
use crate::ticket::squares;

/// How a room is shared to browsers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The room; browsers reach no other.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// What to open in a browser on this network. Whoever has it comes in, so it is a secret of the room.
    pub link: String,
    /// The link as a QR code: a text per row, `1` for a dark square and `0` for a light one. It needs a light margin of
    /// four squares when it is shown.
    pub qr: Vec<String>,
    /// The same link by every address of this computer, the one of `link` first.
    pub links: Vec<String>,
    /// Whether what goes to browsers is encrypted on its way.
    pub encrypted: bool,
    /// The SHA-256 of the certificate, as browsers show it; `null` without encryption. Browsers warn of a certificate that
    /// nobody vouches for: who compares this knows that it is the one.
    pub fingerprint: Option<String>,
    /// The browsers that are in the room now.
    pub guests: Vec<ShareGuest>,
    /// How many browsers may be let in.
    pub guests_max: u32,
    /// When sharing ends by itself.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub expires_at: Timestamp,
    /// How many requests were refused, by code.
    pub refused: BTreeMap<String, u32>,
}

/// Somebody who is there by a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ShareGuest {
    /// The id by which the others see them.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// What they are called.
    pub name: String,
}

/// Begins to share a room to browsers, or ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ShareChange {
    /// Whether browsers may come in. Ending it ends all of them at once, and no link of before lets anybody in again.
    pub on: bool,
    /// Listen at this address of this computer only. All that a ticket would name when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Listen at this port; 0 takes any free one. 4767 or the next free of nine when missing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "parlor_core::whole::option")]
    #[cfg_attr(feature = "openapi", schema(maximum = 65535))]
    pub port: Option<u16>,
    /// Whether to encrypt, by a certificate that is made for this and that nobody vouches for: browsers warn of it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,
    /// When to end by itself, in minutes from now: 1 to 1440. 480 when missing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "parlor_core::whole::option")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1440))]
    pub minutes: Option<u32>,
    /// Put this guest out of a room that is shared. The link is another from then on, so that they do not come in again by
    /// theirs; who is in stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub put_out: Option<UserId>,
}

impl Share {
    /// With these links, of which there is at least one, and its code.
    #[must_use]
    pub fn with_links(self, links: Vec<String>) -> Self {
        let link = links.first().cloned().unwrap_or_default();
        Self { qr: squares(&link), link, links, ..self }
    }
}

impl Live {
    /// The addresses of this computer where others reach this peer, as tickets name them; those of loopback only when it
    /// listens nowhere else.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for listened in self.net().reachable_addrs() {
            let address = listened.split('/').nth(2).and_then(|text| text.parse::<IpAddr>().ok());
            // One that is good on its own link only needs the link's name, which is not the same elsewhere.
            let address = address.filter(|address| match address {
                IpAddr::V4(_) => true,
                IpAddr::V6(six) => !six.is_unicast_link_local(),
            });
            addresses.extend(address.filter(|address| !address.is_unspecified() && !addresses.contains(address)));
        }
        // Short ones make smaller codes, and are what people read out.
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses
    }
}

/// What a browser is told that comes in as a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Whether only those come in otherwise who have a ticket.
    pub private: bool,
    /// The id by which the others see the guest.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub user_id: UserId,
    /// The name that the guest chose, else one that is proposed.
    pub name: String,
    /// The colour likewise, one of [`PALETTE`](crate::PALETTE).
    pub color: String,
    /// Whether the guest chose the name.
    pub named: bool,
    /// What the person is called whose computer the guest is on.
    pub host: String,
    /// Whether what goes to this browser is encrypted on its way.
    pub encrypted: bool,
    /// When sharing ends by itself.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub expires_at: Timestamp,
}
