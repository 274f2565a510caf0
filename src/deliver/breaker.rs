//! The circuit of a target: it opens after a few failures in a row that are the target's, not one delivery's, and then
//! lets one delivery at a time try whether it is over. It is stored, so a restart does not begin to hammer.

use std::time::Duration;

use rusqlite::{Connection, Savepoint};

use super::status::TargetStatus;
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config;
use crate::model::Standing;
use crate::store::{self, Target};

/// Failures in a row from which on the circuit counts as open.
pub(super) const OPEN_AFTER: u32 = 3;

/// A try succeeded: the circuit closes. Unless another that was under way beside it has made the target wait meanwhile: what
/// was asked for then is the newer word.
pub(super) fn succeeded(target: &mut Target, clock: &Clock) {
    if target.disabled || target.retry_mono > clock.mono_ms() {
        target.last_ok_ms = Some(clock.wall_ms());
        return;
    }
    if target.failures > 0 || target.standing != Standing::Plain || target.last_ok_ms.is_none() {
        target.since_ms = clock.wall_ms();
    }
    target.failures = 0;
    target.retry_mono = 0;
    target.standing = Standing::Plain;
    target.code.clear();
    target.reason.clear();
    target.last_ok_ms = Some(clock.wall_ms());
}

/// A try failed for a reason of the target's own. `seen`: how many failures there were when it began; several that were
/// under way together when the target went down are one failure, and not a row of them.
pub(super) fn failed(
    target: &mut Target,
    seen: u32,
    (code, reason): (&str, &str),
    retry_after: Option<Duration>,
    clock: &Clock,
) {
    if target.failures == 0 {
        target.since_ms = clock.wall_ms();
    }
    if target.failures <= seen {
        target.failures = target.failures.saturating_add(1);
    } else if retry_after.is_none() {
        return;
    }
    let pause = Backoff::NETWORK.pause(target.failures, retry_after);
    target.retry_mono = target.retry_mono.max(clock.mono_ms() + pause.as_millis() as i64);
    target.code = code.to_owned();
    target.reason = reason.to_owned();
    target.standing = Standing::Plain;
}

/// The same where the failure may be the delivery's own: others may fare better, so only a row of them makes the target
/// wait.
pub(super) fn doubted(
    target: &mut Target,
    seen: u32,
    why: (&str, &str),
    retry_after: Option<Duration>,
    clock: &Clock,
) {
    let before = target.retry_mono;
    failed(target, seen, why, retry_after, clock);
    if target.failures < OPEN_AFTER {
        target.retry_mono = if before > clock.mono_ms() { before } else { 0 };
    }
}

/// A right is missing: that is for a person to mend, so it is asked seldom.
pub(super) fn refused(
    target: &mut Target,
    seen: u32,
    why: (&str, &str),
    retry_after: Option<Duration>,
    clock: &Clock,
) {
    failed(
        target,
        seen,
        why,
        Some(retry_after.unwrap_or_default().max(Backoff::NETWORK.cap)),
        clock,
    );
    target.standing = Standing::Permission;
}

/// It waits for something that is no failure. Without a code it is no more than a moment's pause.
pub(super) fn waits(target: &mut Target, (code, reason): (&str, &str), pause: Duration, clock: &Clock) {
    target.retry_mono = target.retry_mono.max(clock.mono_ms() + pause.as_millis() as i64);
    if code.is_empty() {
        return;
    }
    if target.code != code {
        target.since_ms = clock.wall_ms();
    }
    target.failures = 0;
    target.standing = Standing::Waiting;
    target.code = code.to_owned();
    target.reason = reason.to_owned();
}

/// A person says: go on now. `false` if the target was never used.
pub fn resume(within: &Savepoint, name: &str, clock: &Clock) -> store::Result<bool> {
    store::ask_again(within, name)?;
    let Some(mut target) = store::target(within, name)? else {
        return Ok(false);
    };
    target.disabled = false;
    target.retry_mono = 0;
    store::save_target(within, &target, clock)?;
    Ok(true)
}

/// How each configured target is.
pub fn statuses(
    connection: &Connection,
    targets: &[config::Target],
    clock: &Clock,
) -> store::Result<Vec<TargetStatus>> {
    targets
        .iter()
        .map(|target| status(connection, &target.name, clock))
        .collect()
}

fn status(connection: &Connection, name: &str, clock: &Clock) -> store::Result<TargetStatus> {
    let target = store::target(connection, name)?.unwrap_or_else(|| Target::fresh(name, clock));
    let progress = store::outbox_progress(connection, name)?;
    let per_minute = store::delivered_since(connection, name, clock.wall_ms() - 60_000)?;
    let retry_in_ms = (target.retry_mono - clock.mono_ms()).max(0);
    let left_ms = (per_minute > 0 && progress.waiting > 0).then(|| progress.waiting * 60_000 / per_minute);
    Ok(TargetStatus {
        name: target.name,
        state: match (target.disabled, target.failures, target.last_ok_ms) {
            (true, _, _) => "disabled",
            (false, 0, _) if target.standing == Standing::Waiting => "waiting",
            (false, _, _) if target.standing == Standing::Permission => "permission",
            (false, 0, None) => "unknown",
            (false, 0, Some(_)) => "up",
            _ => "down",
        },
        circuit: match target.failures {
            0..OPEN_AFTER => "closed",
            _ if retry_in_ms > 0 => "open",
            _ => "half-open",
        },
        since_ms: target.since_ms,
        last_ok_ms: target.last_ok_ms,
        retry_in_ms,
        waiting: progress.waiting,
        held: progress.held,
        oldest_ms: progress.oldest_ms,
        per_minute,
        left_ms,
        reason: target.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circuit_opens_with_failures_and_closes_with_one_success() {
        let clock = Clock::system();
        let mut target = Target::fresh("crm", &clock);
        for _ in 0..4 {
            let seen = target.failures;
            failed(
                &mut target,
                seen,
                ("http-500", "it answered 500"),
                Some(Duration::from_secs(60)),
                &clock,
            );
        }
        assert_eq!(target.failures, 4);
        assert!(target.retry_mono >= clock.mono_ms() + 59_000);
        // One that began before the pause and is answered in it does not end it.
        succeeded(&mut target, &clock);
        assert_eq!(target.failures, 4);
        target.retry_mono = 0;
        succeeded(&mut target, &clock);
        assert_eq!((target.failures, target.retry_mono, target.reason.as_str()), (0, 0, ""));
    }

    #[test]
    fn what_fails_together_is_one_failure_and_the_longest_pause_counts() {
        let clock = Clock::system();
        let mut target = Target::fresh("archive", &clock);
        for _ in 0..4 {
            failed(&mut target, 0, ("timed-out", "no answer"), None, &clock);
        }
        assert_eq!(target.failures, 1);
        let asked = Some(Duration::from_secs(900));
        failed(&mut target, 0, ("SlowDown", "it asks for a pause"), asked, &clock);
        doubted(&mut target, 0, ("cut", "the line was cut"), None, &clock);
        assert_eq!((target.failures, target.code.as_str()), (1, "SlowDown"));
        assert!(target.retry_mono >= clock.mono_ms() + 890_000);
    }
}
