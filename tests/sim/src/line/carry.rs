//! One connection: bytes up, bytes down, and what befalls them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::chaos::Luck;
use super::{Mode, Shared, Weather};

const CHUNK: usize = 16 * 1024;

/// The connection is to be dropped, both ways.
struct Drop;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Where a conversation stands. Connections are kept alive, so one may hold many requests.
#[derive(Default)]
struct Talk {
    last: Option<Way>,
    /// The client has asked and the target has not begun its (final) answer.
    asked: bool,
    /// Bytes of the request so far.
    request_bytes: u64,
    luck: Luck,
}

struct Carrier {
    shared: Arc<Shared>,
    talk: Mutex<Talk>,
}

/// Counts a connection as open as long as it is.
struct Open(Arc<Shared>);

impl std::ops::Drop for Open {
    fn drop(&mut self) {
        self.0.count(|c| c.open -= 1);
    }
}

pub(super) async fn carry(
    mut client: TcpStream,
    target: SocketAddr,
    shared: Arc<Shared>,
    mut weather: watch::Receiver<Weather>,
) {
    shared.count(|c| {
        c.connections += 1;
        c.open += 1;
    });
    let _open = Open(Arc::clone(&shared));
    if let Some((dice, chances)) = &mut shared.armed().chaos
        && dice.refuses(chances)
    {
        shared.count(|c| c.refused += 1);
        return;
    }
    until_it_passes(&mut weather).await;
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    // Each side decides for itself how to group its bytes; the line must not add a pause of its own.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let carrier = Carrier {
        shared,
        talk: Mutex::default(),
    };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let _ = tokio::try_join!(
        carrier.pump(Way::Up, from_client, to_server, weather.clone()),
        carrier.pump(Way::Down, from_server, to_client, weather),
    );
}

async fn until_it_passes(weather: &mut watch::Receiver<Weather>) {
    // An error means that the line is being closed, and this task with it.
    let _ = weather.wait_for(|w| w.mode != Mode::Blackhole).await;
}

impl Carrier {
    async fn pump(
        &self,
        way: Way,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        mut weather: watch::Receiver<Weather>,
    ) -> Result<(), Drop> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let limit = weather.borrow().limit;
            // Small pieces under a limit, or a slow line would show as one long pause and a burst.
            let piece = limit.map_or(CHUNK, |l| (l as usize / 20).clamp(64, CHUNK));
            let mut n = from.read(&mut buffer[..piece]).await.map_err(|_| Drop)?;
            until_it_passes(&mut weather).await;
            if n == 0 {
                let _ = to.shutdown().await;
                return Ok(());
            }
            let delay = weather.borrow().delay;
            self.turn(way, delay).await;
            let go_on = match way {
                Way::Up => self.cut_within(n),
                Way::Down => {
                    while self.wants_answers() && head_is_split(&buffer[..n]) {
                        match from.read(&mut buffer[n..piece]).await {
                            Ok(more) if more > 0 => n += more,
                            _ => break,
                        }
                    }
                    self.let_answer_through(&buffer[..n])?;
                    n
                }
            };
            if let Some(limit) = limit {
                self.wait_for_band(way, go_on as u64, limit).await;
                until_it_passes(&mut weather).await;
            }
            to.write_all(&buffer[..go_on]).await.map_err(|_| Drop)?;
            self.shared.count(|c| match way {
                Way::Up => c.bytes_up += go_on as u64,
                Way::Down => c.bytes_down += go_on as u64,
            });
            if go_on < n {
                let _ = to.flush().await;
                self.shared.count(|c| c.requests_cut += 1);
                return Err(Drop);
            }
        }
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes who speaks; if the other one spoke before, the way there costs time.
    async fn turn(&self, way: Way, delay: Duration) {
        let mut pause = Duration::ZERO;
        {
            let mut talk = self.talk();
            if talk.last != Some(way) {
                talk.last = Some(way);
                pause = delay;
                if way == Way::Up {
                    talk.asked = true;
                    talk.request_bytes = 0;
                    talk.luck = match &mut self.shared.armed().chaos {
                        Some((dice, chances)) => dice.request(chances),
                        None => Luck::default(),
                    };
                    pause += talk.luck.stall;
                    let stalled = u64::from(!talk.luck.stall.is_zero());
                    self.shared.count(|c| {
                        c.requests += 1;
                        c.stalled += stalled;
                    });
                }
            }
        }
        if !pause.is_zero() {
            sleep(pause).await;
        }
    }

    /// How many of the next `n` bytes of a request may go on; fewer than `n` means: then cut.
    fn cut_within(&self, n: usize) -> usize {
        let mut talk = self.talk();
        let before = talk.request_bytes;
        talk.request_bytes += n as u64;
        let reaches = |after: u64| (talk.request_bytes > after).then(|| after.saturating_sub(before) as usize);
        if let Some(go_on) = talk.luck.cut_after.and_then(reaches) {
            return go_on;
        }
        let mut armed = self.shared.armed();
        if let Some((after, times)) = armed.cut_requests
            && let Some(go_on) = reaches(after)
        {
            armed.cut_requests = (times > 1).then_some((after, times - 1));
            return go_on;
        }
        n
    }

    fn wants_answers(&self) -> bool {
        let talk = self.talk();
        talk.asked && (talk.luck.lose_answer || self.shared.armed().drop_answers > 0)
    }

    /// Drops the connection if what comes from the target begins an answer that is to be lost.
    fn let_answer_through(&self, bytes: &[u8]) -> Result<(), Drop> {
        let mut talk = self.talk();
        if !talk.asked {
            return Ok(());
        }
        let answer = after_interim_heads(bytes);
        if answer.is_empty() {
            return Ok(());
        }
        talk.asked = false;
        let mut armed = self.shared.armed();
        let counted = armed.drop_answers > 0 && answer.starts_with(b"HTTP/1.");
        if counted {
            armed.drop_answers -= 1;
        }
        if counted || talk.luck.lose_answer {
            self.shared.count(|c| c.answers_dropped += 1);
            return Err(Drop);
        }
        Ok(())
    }

    /// Waits for this piece's turn on a band that all connections share.
    async fn wait_for_band(&self, way: Way, bytes: u64, limit: u64) {
        let until = {
            let mut free = self.shared.free.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = &mut free[way as usize];
            let begin = slot.map_or_else(Instant::now, |at| at.max(Instant::now()));
            let end = begin + Duration::from_secs_f64(bytes as f64 / limit as f64);
            *slot = Some(end);
            end
        };
        sleep_until(until).await;
    }
}

/// True if these may be the first bytes of an HTTP answer whose status is not there yet.
fn head_is_split(bytes: &[u8]) -> bool {
    let magic = b"HTTP/1.";
    bytes.len() < 12 && magic.starts_with(&bytes[..bytes.len().min(magic.len())])
}

/// What is left after 1xx heads (100 Continue): those are not the answer yet.
fn after_interim_heads(mut bytes: &[u8]) -> &[u8] {
    while bytes.starts_with(b"HTTP/1.") && bytes.get(9) == Some(&b'1') {
        match bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            Some(end) => bytes = &bytes[end + 4..],
            None => return &[],
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interim_answer_is_not_taken_for_the_answer() {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        assert!(after_interim_heads(interim).is_empty());
        let both = [&interim[..], b"HTTP/1.1 200 OK\r\n"].concat();
        assert_eq!(after_interim_heads(&both), b"HTTP/1.1 200 OK\r\n");
    }

    #[test]
    fn a_head_that_comes_in_pieces_is_noticed() {
        assert!(head_is_split(b"HT"));
        assert!(head_is_split(b"HTTP/1.1 20"));
        assert!(!head_is_split(b"HTTP/1.1 200 OK"));
        assert!(!head_is_split(b"\x16\x03\x03"));
    }
}
