//! The hours' samples for the graphs of the state page: what was worst in an hour is kept in memory and written once, when the
//! hour is over, so that an idle box's disk has peace.

use super::handle::Handle;
use crate::model::Machine;
use crate::store::{self, Counts, HOUR_MS, Sample};

/// The hour that is under way.
#[derive(Default)]
pub(super) struct Hour(Option<Sample>);

impl Hour {
    /// Adds what was just seen. At the first sight of a new hour the one before is written.
    pub fn note(&mut self, handle: &Handle, counts: &Counts, machine: &Machine) {
        let now = handle.clock().wall_ms();
        let seen = sample(now, counts, machine);
        match &mut self.0 {
            Some(under_way) if under_way.hour == seen.hour => {
                under_way.queue = under_way.queue.max(seen.queue);
                under_way.oldest_ms = under_way.oldest_ms.max(seen.oldest_ms);
                (under_way.disk_used, under_way.disk_total) = (seen.disk_used, seen.disk_total);
            }
            known => {
                if let Some(over) = known.replace(seen)
                    && let Err(error) = handle.store().write(move |within| store::keep_sample(within, &over))
                {
                    // The graph has a hole there; whoever looks after the disk says more.
                    log::debug!("the sample of an hour was not kept: {error}");
                }
            }
        }
    }
}

fn sample(now_ms: i64, counts: &Counts, machine: &Machine) -> Sample {
    let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let measured = machine.disk_total > 0;
    Sample {
        hour: now_ms.div_euclid(HOUR_MS),
        queue: counts.deliveries_waiting,
        oldest_ms: counts.deliveries_oldest_ms.map_or(0, |at| (now_ms - at).max(0)),
        disk_used: measured.then(|| whole(machine.disk_total - machine.disk_free.min(machine.disk_total))),
        disk_total: measured.then(|| whole(machine.disk_total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_of_its_hour_and_a_disk_that_was_not_measured_is_not_known() {
        let counts = Counts {
            deliveries_waiting: 3,
            deliveries_oldest_ms: Some(10_000),
            ..Counts::default()
        };
        let made = sample(2 * HOUR_MS + 5, &counts, &Machine::default());
        assert_eq!((made.hour, made.queue, made.disk_used), (2, 3, None));
        assert_eq!(made.oldest_ms, 2 * HOUR_MS + 5 - 10_000);
        let machine = Machine {
            disk_free: 30,
            disk_total: 100,
            ..Machine::default()
        };
        assert_eq!(sample(0, &counts, &machine).disk_used, Some(70));
    }
}
