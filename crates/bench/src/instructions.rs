//! Work of the core whose instructions are counted, which do not depend on what else the machine does; the bench
//! `instructions` holds the counts against what is committed there.

use std::hint::black_box;

use crate::moves::parlor::Parlor;
use crate::moves::system::System;
use crate::trace::{BATCH, cursor};

/// A room whose members are about to move.
pub struct Room {
    room: Parlor,
    members: usize,
}

impl Room {
    /// One of so many. What is done the first time is done.
    ///
    /// # Panics
    /// When the room cannot be made, or does what it must not.
    pub fn of(members: usize) -> Room {
        let room = Parlor::new(members).expect("a room");
        let mut room = Room { room, members };
        let frames = room.move_all(0);
        room.see(frames.clone());
        // Who hears nobody takes them for silent, and is busy with that.
        room.room.pass_on(&frames).expect("everybody hears the others");
        room
    }

    /// Everybody moves in turns, so often that 256 moves are made; what is said of it.
    ///
    /// # Panics
    /// When a move is not told at once.
    pub fn move_all(&mut self, first: usize) -> Vec<(usize, Vec<u8>)> {
        let moves = first..first + BATCH;
        let changes: Vec<_> = moves.map(|turn| self.room.change(turn % self.members, cursor(turn))).collect();
        let told = (0..).zip(changes).map(|(turn, change)| {
            let member = turn % self.members;
            (member, self.room.encode(member, change).expect("a move is told"))
        });
        told.collect()
    }

    /// Who looks on sees these moves.
    ///
    /// # Panics
    /// When a move is answered.
    pub fn see(&mut self, frames: Vec<(usize, Vec<u8>)>) {
        for (member, frame) in frames {
            self.room.apply(member, frame).expect("a move is taken");
        }
    }
}

/// A room that has moved, and what is said of it.
pub struct Moved(Room, Vec<(usize, Vec<u8>)>);

impl Moved {
    /// In a room of so many.
    pub fn of(members: usize) -> Moved {
        let mut room = Room::of(members);
        let frames = room.move_all(BATCH);
        Moved(room, frames)
    }

    /// Who looks on sees all of it.
    pub fn see(mut self) -> Room {
        self.0.see(black_box(self.1));
        self.0
    }
}
