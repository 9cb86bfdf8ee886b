//! Frames to one peer alone, where they are long or find no place on the stream to it: the protocol `/parlor/1/frame`. A
//! request is a length (u32, little endian), the tag of a room and one frame; the answer is one byte, which says that it was
//! read and no more than that.

use std::io;
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

/// What came: a frame, or why it is none, as it is counted. Of a request that its codec does not read request-response
/// tells nobody, and whoever sends such must pay for it like everybody.
pub(crate) type Request = Result<Direct, &'static str>;

#[derive(Clone, Debug, Default)]
pub(crate) struct FrameCodec;

impl Codec for FrameCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = ();

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut length = [0; 4];
        io.read_exact(&mut length).await?;
        let length = u32::from_le_bytes(length) as usize;
        if !(TAG_BYTES..=TAG_BYTES + DIRECT_MAX).contains(&length) {
            return Ok(Err("direct_frame_too_big"));
        }
        let mut tag = [0; TAG_BYTES];
        io.read_exact(&mut tag).await?;
        // Grows with what arrives, not with what the length promises.
        let mut bytes = Vec::new();
        io.take((length - TAG_BYTES) as u64).read_to_end(&mut bytes).await?;
        if bytes.len() != length - TAG_BYTES {
            return Ok(Err("direct_frame_cut"));
        }
        Ok(Ok(Direct { tag: Tag(tag), bytes }))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut answer = [0];
        io.read_exact(&mut answer).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, frame: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let frame = frame.map_err(|what| io::Error::new(io::ErrorKind::InvalidInput, what))?;
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

pub(crate) fn behaviour() -> request_response::Behaviour<FrameCodec> {
    // A new link begins with one frame a record: a host of many guests sends them all at once.
    let config = Config::default()
        .with_request_timeout(Duration::from_secs(5))
        .with_max_concurrent_streams(2 * parlor_core::limits::MEMBERS_MAX);
    request_response::Behaviour::with_codec(FrameCodec, [(PROTOCOL, ProtocolSupport::Full)], config)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<Request> {
        block_on(FrameCodec.read_request(&PROTOCOL, &mut Cursor::new(bytes)))
    }

    fn written(frame: Direct) -> Vec<u8> {
        let mut io = Cursor::new(Vec::new());
        block_on(FrameCodec.write_request(&PROTOCOL, &mut io, Ok(frame))).unwrap();
        io.into_inner()
    }

    #[test]
    fn a_frame_comes_back_as_it_was() {
        for bytes in [vec![], vec![7; 100], vec![7; DIRECT_MAX]] {
            let frame = Direct { tag: Tag([3; 16]), bytes };
            assert_eq!(read(written(frame.clone())).unwrap(), Ok(frame));
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_is_read() {
        let long = written(Direct { tag: Tag([3; 16]), bytes: vec![7; DIRECT_MAX + 1] });
        assert_eq!(read(long).unwrap(), Err("direct_frame_too_big"));
        assert_eq!(read(u32::MAX.to_le_bytes().to_vec()).unwrap(), Err("direct_frame_too_big"));
    }

    #[test]
    fn a_short_or_cut_frame_is_refused() {
        assert_eq!(read(vec![3, 0, 0, 0, 1, 2, 3]).unwrap(), Err("direct_frame_too_big"));
        let mut cut = written(Direct { tag: Tag([3; 16]), bytes: vec![7; 100] });
        cut.truncate(60);
        assert_eq!(read(cut).unwrap(), Err("direct_frame_cut"));
    }
}
