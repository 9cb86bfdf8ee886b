//! Tickets: what somebody needs to come into a room, as a text that can be sent, shown or scanned (design N8).
//!
//! `parlor:` and base32 of a version, the ticket and a checksum; the same behind `parlor://join/` is a link that opens the
//! app. A ticket has the room's name, a private room's secret, and addresses of peers that are in it, several, so that it
//! is good for as long as any of them is there. It has no peer ids, because these die with a restart.
//!
//! **A ticket of a private room is its key**: whoever sees it can come in and read everything.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use parlor_core::{Error, ErrorCode, PrivateRoom, PublicKey, RoomId, UserId};
use parlor_net::RoomSecret;
use qrcode::{EcLevel, QrCode};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "parlor:";
const LINK: &str = "parlor://join/";
const CONTEXT: &str = "parlor ticket checksum v1";
const CHECKSUM: usize = 4;
/// Characters of the longest ticket that is read.
const TEXT_MAX: usize = 4 * 1024;
/// Addresses in a ticket; each costs about twenty characters.
pub(crate) const ADDRESSES_MAX: usize = 8;
const ADDRESS_MAX: usize = 128;

/// What lets its holder into a room.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    room: RoomId,
    secret: Option<RoomSecret>,
    inviter: PublicKey,
    addresses: Vec<String>,
}

/// Append only (design N9): an old peer says that it cannot read a newer ticket, and a new one reads all.
#[derive(Serialize, Deserialize)]
enum Wire {
    V1(V1),
}

#[derive(Serialize, Deserialize)]
struct V1 {
    room: String,
    inviter: [u8; 32],
    private: Option<Private>,
    addresses: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Private {
    creator: [u8; 32],
    epoch: u32,
    secret: [u8; 32],
    /// Of a later epoch, whose secret is not what the root is made from.
    root: Option<[u8; 32]>,
}

/// A ticket to give away, as the surfaces answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// `parlor:…`, which `join` takes. For a private room it is the key: whoever has it comes in.
    pub ticket: String,
    /// The same as a link that opens the app.
    pub link: String,
    /// The link as a QR code: a text per row, `1` for a dark square and `0` for a light one. It needs a light margin of
    /// four squares when it is shown.
    pub qr: Vec<String>,
}

/// What a ticket says, for asking before it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TicketInfo {
    /// The room it is for.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// Whether that is a private room.
    pub private: bool,
    /// Who made a private room; `null` for an open one, which nobody made.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub created_by: Option<UserId>,
    /// Whose ticket it is. Nothing proves that: a ticket is what its holder says.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub invited_by: UserId,
    /// Where peers of the room were when it was made.
    pub addresses: Vec<String>,
}

impl Ticket {
    pub(crate) fn new(room: RoomId, secret: Option<RoomSecret>, inviter: PublicKey, addresses: Vec<String>) -> Self {
        let mut addresses = addresses;
        addresses.retain(|address| address.len() <= ADDRESS_MAX);
        addresses.truncate(ADDRESSES_MAX);
        Self { room, secret, inviter, addresses }
    }

    /// Reads a ticket or a link, in either case of letters, with space around it.
    ///
    /// # Errors
    /// `INVALID_TICKET`: it is none, a character of it is missing or wrong, or a newer version made it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > TEXT_MAX {
            return Err(Error::too_large("ticketBytes", TEXT_MAX, text.len(), "ticket"));
        }
        let lower = text.to_ascii_lowercase();
        let Some(code) = lower.strip_prefix(LINK).or_else(|| lower.strip_prefix(PREFIX)) else {
            return Err(refused("a ticket begins with `parlor:` or `parlor://join/`"));
        };
        let bytes = BASE32_NOPAD.decode(code.trim_end_matches('/').to_ascii_uppercase().as_bytes());
        let bytes = bytes.map_err(|_| refused("the ticket is damaged: a character of it is missing or wrong"))?;
        let (body, sum) = bytes
            .split_last_chunk::<CHECKSUM>()
            .filter(|(body, sum)| checksum(body) == **sum)
            .ok_or_else(|| refused("the ticket is damaged: a character of it is missing or wrong"))?;
        let _ = sum;
        match postcard::take_from_bytes(body) {
            Ok((Wire::V1(ticket), [])) => ticket.read(),
            // The checksum holds, so it was made like this.
            _ => Err(refused("the ticket was made by a newer version of Parlor")),
        }
    }

    /// The room it is for.
    #[must_use]
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    /// What it says.
    #[must_use]
    pub fn info(&self) -> TicketInfo {
        TicketInfo {
            room: self.room.clone(),
            private: self.secret.is_some(),
            created_by: self.secret.map(|secret| secret.room.creator.user_id()),
            invited_by: self.inviter.user_id(),
            addresses: self.addresses.clone(),
        }
    }

    pub(crate) fn secret(&self) -> Option<&RoomSecret> {
        self.secret.as_ref()
    }

    pub(crate) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    pub(crate) fn invitation(&self) -> Invitation {
        let code = self.code();
        let (ticket, link) = (format!("{PREFIX}{code}"), format!("{LINK}{code}"));
        // In capitals it takes the denser of its alphabets, and a ticket reads the same in either case.
        let qr = squares(&link.to_ascii_uppercase());
        Invitation { room: self.room.clone(), ticket, link, qr }
    }

    fn code(&self) -> String {
        let private = self.secret.as_ref().map(|RoomSecret { room, epoch, secret }| Private {
            creator: room.creator.0,
            epoch: *epoch,
            secret: *secret,
            root: (*epoch > 0).then_some(room.root),
        });
        let ticket = V1 {
            room: self.room.as_str().to_owned(),
            inviter: self.inviter.0,
            private,
            addresses: self.addresses.clone(),
        };
        // Writing into memory cannot fail for these types.
        let mut bytes = postcard::to_stdvec(&Wire::V1(ticket)).unwrap_or_default();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
    }
}

impl V1 {
    fn read(self) -> Result<Ticket, Error> {
        let room = RoomId::new(&self.room).map_err(|error| refused(&error.message))?;
        let secret = match self.private {
            None => None,
            Some(Private { creator, epoch: 0, secret, root: None }) => {
                Some(RoomSecret::first(PublicKey(creator), secret))
            }
            Some(Private { creator, epoch: epoch @ 1.., secret, root: Some(root) }) => {
                Some(RoomSecret { room: PrivateRoom { creator: PublicKey(creator), root }, epoch, secret })
            }
            Some(_) => return Err(refused("the ticket contradicts itself")),
        };
        Ok(Ticket::new(room, secret, PublicKey(self.inviter), self.addresses))
    }
}

/// The secret is not printed.
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("room", &self.room).field("secret", &self.secret).finish_non_exhaustive()
    }
}

/// A QR code. What is too long for one, such as a ticket at all its limits, has none.
pub(crate) fn squares(text: &str) -> Vec<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L);
    let Ok(code) = code else { return Vec::new() };
    let bits: String = code.to_colors().iter().map(|color| color.select('1', '0')).collect();
    bits.as_bytes().chunks(code.width()).map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let hash = blake3::derive_key(CONTEXT, body);
    let mut sum = [0; CHECKSUM];
    sum.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    sum
}

pub(crate) fn refused(why: &str) -> Error {
    Error::new(ErrorCode::InvalidTicket, why).at("ticket")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(epoch: u32) -> Ticket {
        let mut secret = RoomSecret::first(PublicKey([1; 32]), [7; 32]);
        if epoch > 0 {
            (secret.epoch, secret.secret) = (epoch, [8; 32]);
        }
        let addresses = vec!["/ip4/192.168.1.20/tcp/4747".to_owned()];
        Ticket::new(RoomId::new("Plan für Montag").unwrap(), Some(secret), PublicKey([2; 32]), addresses)
    }

    #[test]
    fn a_ticket_says_what_it_was_made_with() {
        let open = Ticket { secret: None, ..ticket(0) };
        for ticket in [ticket(0), ticket(3), open] {
            let Invitation { ticket: text, link, .. } = ticket.invitation();
            assert_eq!(Ticket::parse(&text).unwrap(), ticket);
            assert_eq!(Ticket::parse(&format!(" {}\n", text.to_uppercase())).unwrap(), ticket);
            assert_eq!(Ticket::parse(&format!("{link}/")).unwrap(), ticket, "as a browser passes it on");
        }
        let info = ticket(0).info();
        assert!(info.private && info.created_by == Some(PublicKey([1; 32]).user_id()));
    }

    #[test]
    fn a_code_is_square_and_begins_with_its_finder() {
        let qr = ticket(0).invitation().qr;
        assert!(qr.len() > 40 && qr.iter().all(|row| row.len() == qr.len()));
        assert!(qr[0].starts_with("11111110") && qr[3].starts_with("10111010"));
        let long = Ticket::new(
            RoomId::new(&"\u{10ffff}".repeat(128)).unwrap(),
            None,
            PublicKey([2; 32]),
            vec!["/".repeat(ADDRESS_MAX); 20],
        );
        let Invitation { ticket, .. } = long.invitation();
        assert_eq!(Ticket::parse(&ticket).unwrap().addresses().len(), ADDRESSES_MAX, "{}", ticket.len());
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let text = ticket(0).invitation().ticket;
        for at in PREFIX.len()..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            let error = Ticket::parse(std::str::from_utf8(&wrong).unwrap()).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidTicket, "character {at}");
            assert!(Ticket::parse(&text[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn what_is_no_ticket_is_named() {
        for (text, word) in [("", "begins"), ("plan", "begins"), ("parlor:", "damaged"), ("parlor:1", "damaged")] {
            let error = Ticket::parse(text).unwrap_err();
            assert!(error.code == ErrorCode::InvalidTicket && error.message.contains(word), "{text}: {error:?}");
        }
        let mut newer = vec![9];
        newer.extend_from_slice(&checksum(&[9]));
        let error = Ticket::parse(&format!("parlor:{}", BASE32_NOPAD.encode(&newer))).unwrap_err();
        assert!(error.message.contains("newer"));
        assert_eq!(Ticket::parse(&"a".repeat(5_000)).unwrap_err().code, ErrorCode::PayloadTooLarge);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", ticket(0)).contains("7, 7"));
    }
}
