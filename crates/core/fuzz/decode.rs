//! Any bytes: what they say as a frame, if they say anything.

use super::bounds::within;
use crate::incoming::take;
use crate::limits::{FRAME_MAX, PAGE_MAX};
use crate::wire::{Frame, Unreadable};

/// Reads them, and writes and reads again what they said.
pub fn any_bytes(bytes: &[u8]) {
    let read = |bytes: &[u8], max: usize| within("reading", || Frame::decode(bytes, max));
    let frame = read(bytes, PAGE_MAX);
    assert_eq!(frame == Err(Unreadable::TooLarge), bytes.len() > PAGE_MAX);
    if bytes.len() <= FRAME_MAX {
        assert_eq!(read(bytes, FRAME_MAX), frame, "the limit decides nothing but the length");
    }
    // A replica reads what is frequent where it lies.
    assert_eq!(within("taking", || take(bytes, PAGE_MAX)), frame.as_ref().map(drop).map_err(|why| *why));
    let Ok(frame) = frame else { return };
    let written = within("writing", || frame.encode());
    // What is said in more words than needed gets shorter, and never longer.
    assert!(written.len() <= bytes.len(), "{} bytes became {}", bytes.len(), written.len());
    assert_eq!(read(&written, PAGE_MAX).as_ref(), Ok(&frame), "written {written:?}");
    assert_eq!(Frame::encode(&frame), written);
}
