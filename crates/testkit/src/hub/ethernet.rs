//! As much of an Ethernet frame as a hub has to know: where it goes, and whether addresses are found with it.

/// A hardware address.
pub(super) type Mac = [u8; 6];

const BROADCAST: Mac = [0xff; 6];
const ARP: [u8; 2] = [0x08, 0x06];
const IPV6: [u8; 2] = [0x86, 0xdd];
const ICMPV6: u8 = 58;
/// Router and neighbour solicitations and advertisements, and redirects.
const NEIGHBOURS: std::ops::RangeInclusive<u8> = 133..=137;
/// Offsets in an untagged frame.
const TYPE: usize = 12;
const IPV6_NEXT: usize = 14 + 6;
const ICMPV6_TYPE: usize = 14 + 40;

/// Whom a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// One.
    One(Mac),
    /// All or many, and without it nobody finds the hardware address of anybody.
    Needed,
    /// All.
    All,
    /// Those who listen to a group.
    Group,
}

/// Whether it is for one host alone.
pub(super) fn is_for_one(frame: &[u8]) -> bool {
    frame.first().is_some_and(|byte| byte & 1 == 0)
}

/// Whom a frame is for and who sent it; nothing when it is none.
pub(super) fn read(frame: &[u8]) -> Option<(To, Mac)> {
    let to: Mac = frame.get(..6)?.try_into().ok()?;
    let from: Mac = frame.get(6..12)?.try_into().ok()?;
    let kind = frame.get(TYPE..TYPE + 2)?;
    let finds = kind == ARP
        || (kind == IPV6
            && frame.get(IPV6_NEXT) == Some(&ICMPV6)
            && frame.get(ICMPV6_TYPE).is_some_and(|kind| NEIGHBOURS.contains(kind)));
    let to = match to {
        _ if is_for_one(frame) => To::One(to),
        _ if finds => To::Needed,
        BROADCAST => To::All,
        _ => To::Group,
    };
    Some((to, from))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const OWN: Mac = [2, 0, 0, 0, 0, 9];

    /// A frame of this kind with as many bytes behind it as are looked at.
    pub fn frame(to: Mac, from: Mac, kind: [u8; 2]) -> Vec<u8> {
        [&to[..], &from, &kind, &[0; 60]].concat()
    }

    #[test]
    fn tells_one_from_many() {
        let to = |to: Mac, kind: [u8; 2]| read(&frame(to, OWN, kind)).expect("a frame");
        assert_eq!(to([2, 0, 0, 0, 0, 1], [8, 0]), (To::One([2, 0, 0, 0, 0, 1]), OWN));
        assert_eq!(to(BROADCAST, [8, 0]).0, To::All);
        assert_eq!(to([1, 0, 0x5e, 0, 0, 0xfb], [8, 0]).0, To::Group);
        assert_eq!(to(BROADCAST, ARP).0, To::Needed);
        assert_eq!(read(&[0; 13]), None);
    }

    #[test]
    fn finding_neighbours_by_ipv6_is_needed_and_other_multicast_is_not() {
        let mut solicitation = frame([0x33, 0x33, 0xff, 0, 0, 1], OWN, IPV6);
        solicitation[IPV6_NEXT] = ICMPV6;
        for (kind, to) in [(135, To::Needed), (143, To::Group)] {
            solicitation[ICMPV6_TYPE] = kind;
            assert_eq!(read(&solicitation).expect("a frame").0, to);
        }
    }
}
