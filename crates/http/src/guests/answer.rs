//! An answer that whoever asked need not read. It is handed over in parts, the next when the connection has room, and while it
//! is under way it counts as one of the few that a guest has at a time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// What is handed over at once. A connection takes in a few of these before it wants the first to be read.
const PART: usize = 16 * 1024;
/// How long all of an answer may take, however slowly it is read.
const READ_WITHIN: Duration = Duration::from_secs(60);

struct Parts {
    body: Body,
    rest: Bytes,
    until: Instant,
    _turn: OwnedSemaphorePermit,
}

/// Lets an answer keep its turn until it is read.
pub(super) fn in_turn(response: Response, turn: OwnedSemaphorePermit) -> Response {
    let until = Instant::now() + READ_WITHIN;
    response.map(|body| Body::new(Parts { body, rest: Bytes::new(), until, _turn: turn }))
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        if Instant::now() > self.until {
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))));
        }
        let part = self.rest.len().min(PART);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(part)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, inner) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn an_answer_comes_in_parts_and_keeps_its_turn_until_the_last() {
        let turns = Arc::new(Semaphore::new(1));
        let turn = Arc::clone(&turns).try_acquire_owned().expect("a turn");
        let whole: Vec<u8> = (0..3 * PART + 5).map(|number| number as u8).collect();
        let answer = in_turn(Response::new(Body::from(whole.clone())), turn);
        assert_eq!(answer.body().size_hint().exact(), Some(whole.len() as u64), "so its length can be told");
        let mut parts = answer.into_body().into_data_stream();
        let mut read = Vec::new();
        while let Some(part) = parts.next().await {
            let part = part.expect("a part");
            assert!(part.len() <= PART);
            read.extend(part);
            assert_eq!(turns.available_permits(), 0);
        }
        drop(parts);
        assert_eq!((read == whole, turns.available_permits()), (true, 1));
    }
}
