//! All attacks, by name, with what an honest peer counts when it refuses them.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Liar, Mark, Script, limits, waves};

/// Something that a liar does again and again.
#[derive(Clone, Copy)]
pub struct Attack {
    /// What it is called.
    pub name: &'static str,
    /// How the peer that it comes to counts what it refuses of it: each of these goes up.
    pub counted: &'static [&'static str],
    /// How many waves it takes at least, to be what its name says.
    pub waves: u32,
    /// Between two waves.
    pub every: Duration,
    /// Whether the liar goes on reading what it is sent.
    pub reads: bool,
    /// Whether its waves may be made before they are said: nothing in them follows from what is heard meanwhile.
    ahead: bool,
    wave: fn(&mut Liar, &Mark, u32),
}

impl Attack {
    /// Does the next of its waves: puts it into the queues of the liar, whose network has to run for it to go out.
    pub fn wave(&self, liar: &mut Liar, mark: &Mark, round: u32) {
        (self.wave)(liar, mark, round);
    }

    /// Makes the first of its waves, as many as may be made before they are said.
    pub fn rehearse(&self, liar: &mut Liar, mark: &Mark, waves: u32) -> VecDeque<Script> {
        let waves = if self.ahead { waves } else { 0 };
        (0..waves).map(|round| liar.rehearse(|liar| self.wave(liar, mark, round))).collect()
    }

    /// The attack of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Attack> {
        ATTACKS.iter().find(|attack| attack.name == name)
    }
}

/// What is refused piece by piece, and so slowly that no budget has to be looked at.
const fn lie(name: &'static str, counted: &'static [&'static str], wave: fn(&mut Liar, &Mark, u32)) -> Attack {
    Attack { name, counted, waves: 3, every: Duration::from_millis(100), reads: true, ahead: true, wave }
}

/// As much as a peer may send for as long as it likes, so many waves of it.
const fn flow(
    name: &'static str,
    counted: &'static [&'static str],
    waves: u32,
    wave: fn(&mut Liar, &Mark, u32),
) -> Attack {
    Attack { name, counted, waves, every: Duration::from_millis(100), reads: true, ahead: true, wave }
}

/// Far more than a peer may send: it is cut off.
const fn flood(name: &'static str, counted: &'static [&'static str], wave: fn(&mut Liar, &Mark, u32)) -> Attack {
    Attack { name, counted, waves: 1, every: Duration::from_millis(10), reads: true, ahead: true, wave }
}

/// All that a liar knows to do.
pub const ATTACKS: [Attack; 28] = [
    lie("forged authors", &["gossip_signature"], waves::forged_authors),
    lie("another's record", &["certificate", "actor", "record_changed_hands"], waves::anothers_record),
    lie("another's leave", &["gossip_signature"], waves::anothers_leave),
    lie("another's id", &["member_id_of_another"], waves::anothers_id),
    lie(
        "cells above every limit",
        &["cell_key", "cell_value", "cell_size", "cell_objects", "cell_kind", "cell_signature", "frame_unreadable"],
        limits::cells,
    ),
    lie(
        "members above every limit",
        &["metadata_over_limit", "presence_over_limit", "frame_unreadable"],
        limits::members,
    ),
    lie("names of 4 KiB, unseen and from right to left", &["certificate", "actor", "frame_unreadable"], limits::names),
    lie("the ends of every range", &["cell_stamp_over_cap"], limits::ends),
    flow("10,000 members", &["member_evicted"], 250, waves::members),
    flow("10,000 people", &["full_at_second_hand", "asks_held_back", "stranger_not_passed_on"], 250, waves::people),
    flow("10,000 keys", &["presence_over_limit"], 130, waves::keys),
    flow("10,000 tombstones", &[], 130, waves::tombstones),
    lie(
        "frames of every size",
        &["frame_too_big", "frame_too_large", "direct_frame_too_big", "frame_unreadable"],
        limits::sizes,
    ),
    lie("truncated and random bodies", &["frame_unreadable"], limits::rubbish),
    lie("a version of the future", &["frame_version"], limits::newer),
    lie("unknown versions and kinds", &["frame_version", "frame_kind"], limits::unknown),
    flow(
        "a storm of questions",
        &["sync_too_often", "asked_too_often", "sync_unasked", "sync_unreadable", "sync_by_gossip"],
        10,
        waves::questions,
    ),
    flow("adverts of 10,000 rooms", &["advert_refused"], 250, waves::adverts),
    lie("nonsense on a stream", &["stream_unreadable", "stream_again", "frame_unreadable"], waves::nonsense),
    lie("hundreds in one piece", &["gossip_stream_again"], waves::in_one_piece),
    Attack { ahead: false, ..flow("frames of an hour, played back", &[], 225, waves::replay) },
    flood("a flood of leaves", &["author_over_budget", "flooder_cut_off"], waves::leaves),
    flood("a flood of forged authors", &["gossip_signature", "over_budget", "flooder_cut_off"], waves::forged_flood),
    flood("a flood of one message", &["gossip_again", "over_budget", "flooder_cut_off"], waves::repeated),
    flood("a flood of gossip's own words", &["over_budget", "flooder_cut_off"], waves::control),
    flood("a flood on a stream", &["author_over_budget", "flooder_cut_off"], waves::streamed_flood),
    flood("a flood of lengths", &["direct_frame_too_big", "over_budget", "flooder_cut_off"], waves::lengths),
    Attack {
        name: "a thousand connections",
        counted: &[],
        waves: 10,
        every: Duration::from_millis(100),
        reads: true,
        ahead: false,
        wave: waves::connections,
    },
];
