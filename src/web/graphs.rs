//! The graphs of the state page: calls a day, the queue, how late recordings come, the disk. They are decoration: if the store
//! does not answer for them, the page does without.

use std::sync::Arc;
use std::time::{Duration, Instant};

use maud::{Markup, html};

use super::chart::{bars, figure, line};
use super::site::{Site, Unread, lock};
use super::words::size;
use crate::agent::Handle;
use crate::store::{self, HOUR_MS, Sample};
use crate::when::span;

/// Days of calls and of the disk.
const DAYS: i64 = 14;
const DAY_MS: i64 = 86_400_000;
/// Hours of queue and lateness.
const HOURS: i64 = 24;

/// What changes by the hour needs not be counted for every look.
const YOUNG: Duration = Duration::from_secs(60);
/// Counting must not keep the page: it has a second altogether.
const PATIENCE: Duration = Duration::from_millis(200);

/// What is drawn.
pub(super) struct Drawn {
    now_ms: i64,
    /// Calls of each day, oldest first; the last one is today so far.
    calls: Vec<i64>,
    samples: Vec<Sample>,
    /// By the hour.
    late: Vec<(i64, i64)>,
    /// What waits now, and the disk now.
    queue: i64,
    disk: Option<(i64, i64)>,
}

/// The newest of it, counted anew once a minute; `None` while the store has never answered.
pub(super) async fn drawn(site: &Site) -> Option<Arc<Drawn>> {
    let known = lock(site.drawn()).clone();
    if let Some((at, drawn)) = &known
        && at.elapsed() < YOUNG
    {
        return Some(Arc::clone(drawn));
    }
    let read: Result<Drawn, Unread> = site.read_within(PATIENCE, read).await;
    match read {
        Ok(drawn) => {
            let drawn = Arc::new(drawn);
            *lock(site.drawn()) = Some((Instant::now(), Arc::clone(&drawn)));
            Some(drawn)
        }
        Err(_) => known.map(|(_, drawn)| drawn),
    }
}

fn read(handle: &Handle) -> store::Result<Drawn> {
    let now = handle.clock().wall_ms();
    // Days of the place where the PBX stands, if that is known.
    let zone = handle.config().numbers.zone.as_ref();
    let local = zone.map_or(now, |zone| zone.local_ms(now));
    let today = local.div_euclid(DAY_MS);
    let bound = |day: i64| zone.map_or(day * DAY_MS, |zone| zone.moment_ms(day * DAY_MS));
    let bounds: Vec<i64> = (today - DAYS + 1..=today + 1).map(bound).collect();
    let machine = handle.status_without_store().machine;
    handle.store().read(|c| {
        Ok(Drawn {
            now_ms: now,
            calls: store::calls_between(c, &bounds)?,
            samples: store::samples(c, (now - DAYS * DAY_MS).div_euclid(HOUR_MS))?,
            late: store::latest_by_hour(c, now - HOURS * HOUR_MS)?,
            queue: store::queue_length(c)?,
            disk: (machine.disk_total > 0).then(|| {
                let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
                let used = machine.disk_total.saturating_sub(machine.disk_free);
                (whole(used), whole(machine.disk_total))
            }),
        })
    })
}

/// The section of the page.
pub(super) fn section(drawn: Option<&Drawn>) -> Markup {
    html! {
        section id="graphs" class="card" {
            h2 { (t!("How it was")) }
            @match drawn {
                None => p class="muted" { (t!("Not known: the store has not answered yet.")) },
                Some(drawn) => {
                    (calls(drawn))
                    (queue(drawn))
                    (late(drawn))
                    (disk(drawn))
                }
            }
        }
    }
}

fn calls(drawn: &Drawn) -> Markup {
    let (today, before) = drawn
        .calls
        .split_last()
        .map_or((0, &[][..]), |(today, before)| (*today, before));
    let usual = before.iter().sum::<i64>() / i64::try_from(before.len()).unwrap_or(1).max(1);
    let side = t!("{} today, {} a day before", today, usual);
    figure(&t!("Calls a day, {} days", DAYS), &side, bars(&drawn.calls))
}

/// What is drawn over the last day: hours, and the present moment at the end.
fn of_the_day(drawn: &Drawn, value: impl Fn(&Sample) -> i64, now: i64) -> Vec<(i64, i64)> {
    let from = drawn.now_ms - HOURS * HOUR_MS;
    let known = drawn
        .samples
        .iter()
        .map(|sample| ((sample.hour + 1) * HOUR_MS, value(sample)));
    known
        .filter(|(at, _)| *at >= from && *at < drawn.now_ms)
        .chain([(drawn.now_ms, now)])
        .collect()
}

fn queue(drawn: &Drawn) -> Markup {
    let known = of_the_day(drawn, |sample| sample.queue, drawn.queue);
    let most = known.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let side = t!("{} now, {} at most", drawn.queue, most);
    let whole = (drawn.now_ms - HOURS * HOUR_MS, drawn.now_ms);
    figure(t!("Queue, 24 hours"), &side, line(&known, whole, most, 2 * HOUR_MS))
}

fn late(drawn: &Drawn) -> Markup {
    let first = (drawn.now_ms - HOURS * HOUR_MS).div_euclid(HOUR_MS) + 1;
    let mut by_hour = vec![0; HOURS as usize];
    for (hour, ms) in &drawn.late {
        if let Some(place) = usize::try_from(hour - first).ok().and_then(|n| by_hour.get_mut(n)) {
            *place = *ms;
        }
    }
    let most = by_hour.iter().copied().max().unwrap_or(0);
    let side = match drawn.late.is_empty() {
        true => t!("none came").to_owned(),
        false => t!("{} at most", span(most)),
    };
    figure(t!("Recordings late by, 24 hours"), &side, bars(&by_hour))
}

fn disk(drawn: &Drawn) -> Markup {
    let known = drawn
        .samples
        .iter()
        .filter_map(|sample| Some(((sample.hour + 1) * HOUR_MS, sample.disk_used?)));
    let now = drawn.disk.map(|(used, _)| (drawn.now_ms, used));
    let known: Vec<(i64, i64)> = known.filter(|(at, _)| *at < drawn.now_ms).chain(now).collect();
    let whole = drawn
        .disk
        .map(|(_, total)| total)
        .or(drawn.samples.last().and_then(|sample| sample.disk_total));
    let bytes = |bytes: i64| size(u64::try_from(bytes).unwrap_or(0));
    html! {
        @if let (Some(total), Some((_, used))) = (whole, known.last()) {
            (figure(&t!("Disk, {} days", DAYS), &t!("{} of {} used", bytes(*used), bytes(total)),
                line(&known, (drawn.now_ms - DAYS * DAY_MS, drawn.now_ms), total, 6 * HOUR_MS)))
        }
    }
}
