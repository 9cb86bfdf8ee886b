//! How far apart the clocks of two computers are (design R10: shown, and never punished). The protocol `/parlor/1/clock` is
//! a question without words, and an answer of eight bytes: the milliseconds since 1970, with the large end first. As in
//! NTP the answer was true in the middle of the round trip, give or take half of it.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{self, Codec, Config, ProtocolSupport};

/// Between two questions to a peer: people set clocks, and computers do so while we look.
pub(crate) const ASK_EVERY_MS: u64 = 60_000;
/// An answer that took longer says too little.
const ROUND_TRIP_MAX_MS: u64 = 2_000;
const PROTOCOL: StreamProtocol = StreamProtocol::new("/parlor/1/clock");
/// Questions of one peer that are answered at the same time.
const AT_ONCE: usize = 4;

#[derive(Clone, Debug, Default)]
pub(crate) struct ClockCodec;

impl Codec for ClockCodec {
    type Protocol = StreamProtocol;
    type Request = ();
    type Response = u64;

    async fn read_request<T>(&mut self, _: &StreamProtocol, _: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        Ok(())
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<u64>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = [0; 8];
        io.read_exact(&mut bytes).await?;
        Ok(u64::from_be_bytes(bytes))
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, _: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Ok(())
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, unix_ms: u64) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&unix_ms.to_be_bytes()).await
    }
}

pub(crate) fn behaviour() -> request_response::Behaviour<ClockCodec> {
    let config = Config::default().with_request_timeout(Duration::from_secs(5)).with_max_concurrent_streams(AT_ONCE);
    request_response::Behaviour::with_codec(ClockCodec, [(PROTOCOL, ProtocolSupport::Full)], config)
}

/// How far the other clock is ahead of ours, in milliseconds: what it said, `round_trip` after it was asked, when ours says
/// `now`. Nothing when the answer was too long on its way.
pub(crate) fn ahead(said: u64, round_trip: u64, now: u64) -> Option<i64> {
    let then = i128::from(now) - i128::from(round_trip / 2);
    let ahead = (i128::from(said) - then).clamp(i64::MIN.into(), i64::MAX.into());
    i64::try_from(ahead).ok().filter(|_| round_trip <= ROUND_TRIP_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_was_true_in_the_middle_of_the_way() {
        assert_eq!(ahead(1_000_050, 100, 1_000_100), Some(0));
        assert_eq!(ahead(1_600_050, 100, 1_000_100), Some(600_000));
        assert_eq!(ahead(400_050, 100, 1_000_100), Some(-600_000));
        assert_eq!(ahead(1_000_000, 2_001, 1_000_000), None, "that long ago says nothing");
        assert_eq!(ahead(u64::MAX, 0, 0), Some(i64::MAX), "whatever it says");
        assert_eq!(ahead(0, 0, u64::MAX), Some(i64::MIN), "whatever we say");
    }
}
