//! Sending a file: piece by piece, none of it in memory but the next one, and no thread kept by a slow reader.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::aside::{aside, task};

/// What is read and sent at a time.
const PIECE: u64 = 64 * 1024;
/// How long a reader may take for a piece. A player that has heard enough for now stops reading and keeps the
/// connection; it asks for the rest with a range when it wants it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What `source` gives, `length` bytes of it, as a body. Sending goes on as long as `may` says so, asked before each
/// piece; `done` is dropped when it is over.
pub(super) fn all_of(
    source: Box<dyn Read + Send>,
    length: u64,
    may: impl Fn() -> bool + Send + 'static,
    done: impl Send + 'static,
) -> Body {
    // Room for one piece beside the one that is being written to the wire.
    let (send, receive) = mpsc::channel(1);
    task(async move {
        feed(source, length, may, send).await;
        drop(done);
    });
    Body::new(Pieces { receive, left: length })
}

async fn feed(
    mut source: Box<dyn Read + Send>,
    length: u64,
    may: impl Fn() -> bool,
    send: mpsc::Sender<io::Result<Bytes>>,
) {
    let mut left = length;
    while left > 0 {
        if !may() {
            let _ = send.try_send(Err(io::Error::other("the session is over")));
            return;
        }
        let size = PIECE.min(left);
        let read = aside(move || {
            let mut piece = vec![0; usize::try_from(size).unwrap_or(0)];
            let read = source.read_exact(&mut piece);
            (source, read.map(|()| Bytes::from(piece)))
        });
        let Ok((back, piece)) = read.await else {
            let _ = send.try_send(Err(io::Error::other("not read")));
            return;
        };
        source = back;
        let failed = piece.is_err();
        if let Err(error) = &piece {
            log::warn!("a recording could not be read to its end: {error}");
        }
        match timeout(PATIENCE, send.send(piece)).await {
            Ok(Ok(())) if !failed => left -= size,
            _ => return,
        }
    }
}

struct Pieces {
    receive: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = std::task::ready!(self.receive.poll_recv(context));
        Poll::Ready(match next {
            Some(Ok(piece)) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => Some(Err(error)),
            // Whoever waits for the rest must not take what came for all of it.
            None if self.left > 0 => Some(Err(io::Error::other("it broke off"))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
