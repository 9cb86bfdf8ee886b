//! Frames to one peer: the protocol `/parlor/1/frame`. A request is a length (u32, little endian), the tag of a room and
//! one frame; the answer is one byte, which says that it was read and no more than that.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{self, Codec, Config, ProtocolSupport};

use crate::topic::Tag;

/// The longest frame. Larger than a gossip frame, because answers of anti-entropy come in pages of 32 KiB (design R12).
pub(crate) const DIRECT_MAX: usize = 64 * 1024;
/// Frames under way to one peer; what comes on top is dropped and counted, and the replica repairs it.
pub(crate) const UNDER_WAY_MAX: usize = 512;
const TAG_BYTES: usize = 16;
const PROTOCOL: StreamProtocol = StreamProtocol::new("/parlor/1/frame");
const ANSWER: u8 = 1;

/// One frame for one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Direct {
    pub tag: Tag,
    pub bytes: Vec<u8>,
}

/// Frames that were refused for their length. The codec counts them itself: request-response tells of an unreadable
/// request to nobody.
pub(crate) type Refused = Arc<AtomicU64>;

#[derive(Clone, Debug, Default)]
pub(crate) struct FrameCodec(Refused);

impl Codec for FrameCodec {
    type Protocol = StreamProtocol;
    type Request = Direct;
    type Response = ();

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Direct>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut length = [0; 4];
        io.read_exact(&mut length).await?;
        let length = u32::from_le_bytes(length) as usize;
        if !(TAG_BYTES..=TAG_BYTES + DIRECT_MAX).contains(&length) {
            self.0.fetch_add(1, Ordering::Relaxed);
            return Err(io::Error::new(io::ErrorKind::InvalidData, "frame length out of bounds"));
        }
        let mut tag = [0; TAG_BYTES];
        io.read_exact(&mut tag).await?;
        // Grows with what arrives, not with what the length promises.
        let mut bytes = Vec::new();
        io.take((length - TAG_BYTES) as u64).read_to_end(&mut bytes).await?;
        if bytes.len() != length - TAG_BYTES {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Direct { tag: Tag(tag), bytes })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut answer = [0];
        io.read_exact(&mut answer).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, frame: Direct) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let length = u32::try_from(TAG_BYTES + frame.bytes.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "frame too long"))?;
        let mut message = Vec::with_capacity(4 + TAG_BYTES + frame.bytes.len());
        message.extend_from_slice(&length.to_le_bytes());
        message.extend_from_slice(&frame.tag.0);
        message.extend_from_slice(&frame.bytes);
        io.write_all(&message).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&[ANSWER]).await
    }
}

pub(crate) fn behaviour(refused: Refused) -> request_response::Behaviour<FrameCodec> {
    // A new link begins with one frame a record: a host of many guests sends them all at once.
    let config = Config::default()
        .with_request_timeout(Duration::from_secs(5))
        .with_max_concurrent_streams(2 * parlor_core::limits::MEMBERS_MAX);
    request_response::Behaviour::with_codec(FrameCodec(refused), [(PROTOCOL, ProtocolSupport::Full)], config)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<Direct> {
        block_on(FrameCodec::default().read_request(&PROTOCOL, &mut Cursor::new(bytes)))
    }

    fn written(frame: Direct) -> Vec<u8> {
        let mut io = Cursor::new(Vec::new());
        block_on(FrameCodec::default().write_request(&PROTOCOL, &mut io, frame)).unwrap();
        io.into_inner()
    }

    #[test]
    fn a_frame_comes_back_as_it_was() {
        for bytes in [vec![], vec![7; 100], vec![7; DIRECT_MAX]] {
            let frame = Direct { tag: Tag([3; 16]), bytes };
            assert_eq!(read(written(frame.clone())).unwrap(), frame);
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_is_read() {
        let long = written(Direct { tag: Tag([3; 16]), bytes: vec![7; DIRECT_MAX + 1] });
        assert_eq!(read(long).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read(u32::MAX.to_le_bytes().to_vec()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_short_or_cut_frame_is_refused() {
        assert_eq!(read(vec![3, 0, 0, 0, 1, 2, 3]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let mut cut = written(Direct { tag: Tag([3; 16]), bytes: vec![7; 100] });
        cut.truncate(60);
        assert_eq!(read(cut).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
