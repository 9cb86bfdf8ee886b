//! One hash of what a replica holds, by which a replay is known to have come to the same.

use crate::fields::Fields;
use crate::ids::Rev;
use crate::replica::Replica;

impl Replica {
    /// A hash of the state: cells, records with the versions of their fields, who is heard, own counters.
    #[must_use]
    pub fn mark(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        let flags = u64::from(self.outage) | u64::from(self.is_outranked()) << 1 | u64::from(self.watching) << 2;
        for number in [self.cells.hash(), self.seq.0, self.rev.0, flags] {
            hasher.update(&number.to_le_bytes());
        }
        for (incarnation, record) in &self.own {
            record_mark(&mut hasher, *incarnation, record.rev, record.act, &record.fields);
        }
        for (session, peer) in self.peers.iter() {
            hasher.update(&session.0);
            hasher.update(&peer.seq.0.to_le_bytes());
            hasher.update(&[u8::from(peer.stale), u8::from(peer.linked)]);
            for (incarnation, record) in peer.records.iter() {
                record_mark(&mut hasher, incarnation, record.known, record.act, &record.fields);
            }
        }
        hasher.finalize().as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

fn record_mark(hasher: &mut blake3::Hasher, incarnation: u32, rev: Rev, act: u64, fields: &Fields) {
    for number in [u64::from(incarnation), rev.0, act] {
        hasher.update(&number.to_le_bytes());
    }
    for (key, field) in fields.all() {
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(key.as_bytes());
        hasher.update(&field.rev.0.to_le_bytes());
        hasher.update(field.value.as_ref().map_or(&[][..], |value| value.bytes()));
    }
}
