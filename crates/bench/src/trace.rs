//! Who is in a room and how they move: the work that every system is given.

use serde::Serialize;

/// Moves of a cursor, round by round.
pub const UPDATES: usize = 200_000;
/// Moves that are made, and then timed, at a time.
pub const BATCH: usize = 256;

/// Where somebody points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cursor {
    pub x: f64,
    pub y: f64,
}

/// What part of the board somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Viewport {
    pub x: u32,
    pub y: u32,
    pub zoom: f64,
}

/// A member's presence: 140 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Presence {
    pub name: &'static str,
    pub color: &'static str,
    pub cursor: Cursor,
    pub typing: bool,
    pub tool: &'static str,
    pub viewport: Viewport,
}

impl Presence {
    /// As everybody begins.
    pub fn at(cursor: Cursor) -> Self {
        Presence {
            name: "Quiet Otter",
            color: "#286fe3",
            cursor,
            typing: false,
            tool: "pen",
            viewport: Viewport { x: 120, y: 80, zoom: 1.25 },
        }
    }
}

/// Where a cursor is before it moves.
pub const START: Cursor = Cursor { x: 512.25, y: 300.5 };

/// Where the cursor of a turn is: always somewhere else than in the turn before, on a board of a thousand or so.
pub fn cursor(turn: usize) -> Cursor {
    Cursor { x: 12.25 + (turn % 1000) as f64, y: 40.5 + (turn / 3 % 700) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presence_has_as_many_bytes_as_the_trace_says() {
        assert_eq!(serde_json::to_string(&Presence::at(START)).unwrap().len(), 140);
    }
}
