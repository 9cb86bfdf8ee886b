//! What is said: 50 bytes, and an answer is as long as a question, so that nobody can have more sent to somebody else than
//! they sent themselves.
//!
//! `"PRLR" | version | kind | nonce: 8 | session: 32 | TCP port: 2 | QUIC port: 2`, numbers with the large end first. A
//! port of 0 says that the peer does not listen that way.

use parlor_core::SessionId;

/// Of every word.
pub(super) const LENGTH: usize = 50;

const MAGIC: [u8; 4] = *b"PRLR";
const VERSION: u8 = 1;

/// Eight bytes that only who heard the question knows.
pub(super) type Nonce = [u8; 8];

/// By which of two ways a question went to everybody. The lowest bit of its nonce says so, and an answer repeats it: so who
/// asked learns which of the two comes through, and nobody else has to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Multicast,
    Broadcast,
}

impl Way {
    pub(super) fn mark(self, mut nonce: Nonce) -> Nonce {
        nonce[7] = nonce[7] & !1 | u8::from(self == Way::Broadcast);
        nonce
    }

    pub(super) fn of(nonce: Nonce) -> Self {
        if nonce[7] & 1 == 1 { Way::Broadcast } else { Way::Multicast }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Question = 1,
    Answer = 2,
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub kind: Kind,
    pub nonce: Nonce,
    pub session: SessionId,
    pub ports: Ports,
}

/// Where a peer listens in one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    pub tcp: u16,
    pub quic: u16,
}

impl Ports {
    pub(super) fn any(self) -> bool {
        self != Ports::default()
    }
}

impl Word {
    pub(super) fn write(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let parts: [&[u8]; 6] = [
            &MAGIC,
            &[VERSION, self.kind as u8],
            &self.nonce,
            &self.session.0,
            &self.ports.tcp.to_be_bytes(),
            &self.ports.quic.to_be_bytes(),
        ];
        for (byte, part) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *byte = *part;
        }
        bytes
    }

    /// # Errors
    /// The name under which it is counted.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        const MALFORMED: &str = "hello_malformed";
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(MALFORMED)?;
        if *magic != MAGIC {
            return Err(MALFORMED);
        }
        let ([version, kind], rest) = rest.split_first_chunk::<2>().ok_or(MALFORMED)?;
        if *version != VERSION {
            return Err("hello_version_unknown");
        }
        let kind = match kind {
            1 => Kind::Question,
            2 => Kind::Answer,
            _ => return Err("hello_kind_unknown"),
        };
        let (nonce, rest) = rest.split_first_chunk().ok_or(MALFORMED)?;
        let (session, rest) = rest.split_first_chunk().ok_or(MALFORMED)?;
        let (tcp, rest) = rest.split_first_chunk().ok_or(MALFORMED)?;
        let quic = rest.try_into().map_err(|_| MALFORMED)?;
        let ports = Ports { tcp: u16::from_be_bytes(*tcp), quic: u16::from_be_bytes(quic) };
        Ok(Word { kind, nonce: *nonce, session: SessionId(*session), ports })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: Word =
        Word { kind: Kind::Answer, nonce: [7; 8], session: SessionId([9; 32]), ports: Ports { tcp: 4747, quic: 4748 } };

    /// Frozen: peers of other versions read it.
    #[test]
    fn the_bytes_are_those_of_always() {
        let hex: String = WORD.write().iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = ["50524c52", "01", "02", "0707070707070707", &"09".repeat(32), "128b", "128c"].concat();
        assert_eq!(hex, expected);
        assert_eq!(Word::read(&WORD.write()), Ok(WORD));
    }

    #[test]
    fn nothing_shorter_or_longer_is_a_word() {
        let bytes = [WORD.write().as_slice(), &[0]].concat();
        for length in (0..LENGTH).chain([LENGTH + 1]) {
            assert_eq!(Word::read(&bytes[..length]), Err("hello_malformed"), "{length} bytes");
        }
    }

    #[test]
    fn other_versions_and_kinds_are_told_from_noise() {
        let with = |at: usize, byte: u8| {
            let mut bytes = WORD.write();
            bytes[at] = byte;
            Word::read(&bytes)
        };
        assert_eq!(with(0, b'X'), Err("hello_malformed"));
        assert_eq!(with(4, 2), Err("hello_version_unknown"));
        assert_eq!(with(5, 0), Err("hello_kind_unknown"));
        assert_eq!(with(5, 3), Err("hello_kind_unknown"));
    }
}
