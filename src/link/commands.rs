//! Commands that come over MQTT: which of them are executed, and what is said of each.
//!
//! Nothing is executed that the broker had kept (a retained command would be executed at each connect), that came
//! before, that has expired, or that is not on the whitelist. What is executed is written down first, so that a box
//! whose plug is pulled in the middle does not do it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::mpsc;

use super::client::Received;
use crate::aside::unawaited;
use crate::clock::Clock;
use crate::config::Commands as Taken;
use crate::contract::{self, Command, CommandResult, CommandStatus};
use crate::random;
use crate::store::{self, Store};
use crate::when;

/// Larger ones are not read.
const MOST_BYTES: usize = 16 * 1024;
/// So many at once; the others are told that the box is busy.
const AT_ONCE: usize = 2;
/// A command that claims to be good for longer is refused: it could be kept and sent again.
const LONGEST_MS: i64 = 86_400_000;

/// Who does what is asked.
pub trait Remote: Send + Sync {
    /// The commands that it can do.
    fn can(&self) -> &[&'static str];

    /// Does it, after having written down who asked. It may take a while: it is called on a thread that may block.
    ///
    /// # Errors
    /// Why not; begins with a stable word (`forbidden: …`, `failed: …`).
    fn run(&self, name: &str, req: &str, args: &Value) -> Result<Value, String>;

    /// Writes down that a command was refused before anybody did anything.
    fn refused(&self, name: &str, why: &str);
}

/// A result on its way to the broker.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Saying {
    /// The command's name.
    pub name: String,
    /// What is said.
    pub result: CommandResult,
    /// It stands in the store until the broker has taken it.
    pub kept: bool,
}

/// Takes commands for one connection.
pub(super) struct Desk {
    pub store: Store,
    pub clock: Clock,
    pub remote: Arc<dyn Remote>,
    pub taken: Taken,
    pub say: mpsc::UnboundedSender<Saying>,
    pub under_way: Arc<AtomicUsize>,
}

impl Desk {
    /// Takes what came on `cmd/<name>`.
    pub(super) fn take(&self, name: &str, received: &Received) {
        let parsed = if received.payload.is_empty() {
            Ok(Command::default())
        } else if received.payload.len() > MOST_BYTES {
            Err(())
        } else {
            serde_json::from_slice::<Command>(&received.payload).map_err(|_| ())
        };
        let known = parsed.as_ref().ok().and_then(|command| command.req.clone());
        let req = known.filter(|req| is_id(req)).unwrap_or_else(random::token::<8>);
        let refuse = |why: String| {
            self.remote.refused(name, &why);
            self.tell(name, &req, CommandStatus::Failed, why);
        };
        if received.retained {
            return refuse("retained: the broker had kept it; send commands without the retain flag".to_owned());
        }
        let kind = match contract::command_kind(name) {
            Some(kind) if self.remote.can().contains(&kind.name) => kind,
            _ => return refuse("unknown: there is no such command".to_owned()),
        };
        if self.taken == Taken::Off || (self.taken == Taken::Read && kind.changes) {
            return refuse("switched-off: mqtt.commands does not allow it".to_owned());
        }
        let Ok(command) = parsed else {
            return refuse("malformed: it is no command, see the contract".to_owned());
        };
        if command.req.as_deref().is_some_and(|req| !is_id(req)) {
            return refuse("malformed: req is 1 to 64 letters, digits, -, _ or .".to_owned());
        }
        if let Err(why) = good_until(command.exp.as_deref(), &self.clock) {
            return refuse(why);
        }
        if self.under_way.fetch_add(1, Ordering::SeqCst) >= AT_ONCE {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            return refuse("busy: other commands are under way; send it again later".to_owned());
        }
        self.execute(kind.name, req, command.args);
    }

    fn execute(&self, name: &'static str, req: String, args: Value) {
        let (store, clock, remote) = (self.store.clone(), self.clock.clone(), Arc::clone(&self.remote));
        let (say, under_way) = (self.say.clone(), Arc::clone(&self.under_way));
        unawaited(move || {
            let tell = |status, reason: String, data, kept| {
                let result = result(&clock, &req, status, reason, data);
                let text = serde_json::to_string(&result).unwrap_or_default();
                let name = name.to_owned();
                let _ = say.send(Saying { name, result, kept });
                text
            };
            let (id, now_ms) = (req.clone(), clock.wall_ms());
            match store.write(move |within| store::take_command(within, &id, name, now_ms)) {
                Ok(true) => {
                    tell(CommandStatus::Accepted, String::new(), Value::Null, false);
                    tell(CommandStatus::Executing, String::new(), Value::Null, false);
                    let done = remote.run(name, &req, &args);
                    // Whoever restarts tells that it was done when it is back.
                    if !(name == RESTART && done.is_ok()) {
                        let (status, reason, data) = match done {
                            Ok(data) => (CommandStatus::Successful, String::new(), data),
                            Err(why) => (CommandStatus::Failed, why, Value::Null),
                        };
                        let over = result(&clock, &req, status, reason, data);
                        end(&store, &req, &over);
                        let (name, kept) = (name.to_owned(), true);
                        let _ = say.send(Saying {
                            name,
                            result: over,
                            kept,
                        });
                    }
                }
                Ok(false) => {
                    let why = "repeated: this request came before".to_owned();
                    remote.refused(name, &why);
                    tell(CommandStatus::Failed, why, Value::Null, false);
                }
                Err(error) => {
                    tell(CommandStatus::Failed, format!("failed: {error}"), Value::Null, false);
                }
            }
            under_way.fetch_sub(1, Ordering::SeqCst);
        });
    }

    fn tell(&self, name: &str, req: &str, status: CommandStatus, reason: String) {
        let _ = self.say.send(Saying {
            name: name.to_owned(),
            result: result(&self.clock, req, status, reason, Value::Null),
            kept: false,
        });
    }
}

/// The one command that ends the agent that takes it.
const RESTART: &str = "restart";

/// Ends what an earlier run left open, and gives the results that the broker has not taken. Blocking.
pub(super) fn left_over(store: &Store, clock: &Clock, this_run: bool) -> store::Result<Vec<Saying>> {
    if this_run {
        for open in store.read(store::open_commands)? {
            let over = match open.name.as_str() {
                RESTART => result(clock, &open.req, CommandStatus::Successful, String::new(), Value::Null),
                _ => {
                    let why = "interrupted: the agent ended while it was under way".to_owned();
                    result(clock, &open.req, CommandStatus::Failed, why, Value::Null)
                }
            };
            end(store, &open.req, &over);
        }
    }
    let untold = store.read(|connection| store::untold_results(connection, 16))?;
    let saying = untold.into_iter().filter_map(|row| {
        let (name, kept) = (row.name, true);
        let result = serde_json::from_str(&row.result).ok()?;
        Some(Saying { name, result, kept })
    });
    Ok(saying.collect())
}

fn end(store: &Store, req: &str, over: &CommandResult) {
    let (req, text) = (req.to_owned(), serde_json::to_string(over).unwrap_or_default());
    if let Err(error) = store.write(move |within| store::end_command(within, &req, &text)) {
        log::warn!("the end of a command could not be written down: {error}");
    }
}

fn result(clock: &Clock, req: &str, status: CommandStatus, reason: String, data: Value) -> CommandResult {
    CommandResult {
        v: contract::VERSION,
        req: req.to_owned(),
        status,
        reason,
        ts: when::rfc3339(clock.wall_ms()),
        data,
    }
}

fn is_id(req: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&req.len()) && req.bytes().all(good)
}

/// Whether it may be executed now. A clock that is known to be wrong judges nothing: nobody keeps commands for a box, so
/// one that comes was sent while it is connected.
fn good_until(exp: Option<&str>, clock: &Clock) -> Result<(), String> {
    let Some(exp) = exp else { return Ok(()) };
    let until = when::parse_rfc3339(exp).ok_or("malformed: exp is no RFC 3339 moment")?;
    if clock.synced() == Some(false) {
        return Ok(());
    }
    let now = clock.wall_ms();
    if until < now {
        Err(format!("expired: it is {} here", when::rfc3339(now)))
    } else if until > now + LONGEST_MS {
        Err("malformed: exp is more than a day ahead".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_plain_characters() {
        for good in [
            "1",
            "ha-1763840000123",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            &"x".repeat(64),
        ] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_a_moment_within_the_next_day_is_good() {
        let clock = Clock::scaled(1_795_357_980_000, std::time::Instant::now(), 1.0);
        let at = |ms: i64| good_until(Some(&when::rfc3339(1_795_357_980_000 + ms)), &clock);
        assert_eq!(good_until(None, &clock), Ok(()));
        assert_eq!(at(60_000), Ok(()));
        assert!(at(-1_000).unwrap_err().starts_with("expired: it is 2026-11-22T14:33:0"));
        assert!(at(2 * LONGEST_MS).unwrap_err().starts_with("malformed"));
        assert!(
            good_until(Some("tomorrow"), &clock)
                .unwrap_err()
                .starts_with("malformed")
        );
    }
}
