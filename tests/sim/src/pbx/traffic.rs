//! The schedule: when somebody calls whom, from the seed alone.

use serde::{Deserialize, Serialize};

use super::company::Company;
use super::config::PbxConfig;
use crate::seed::Rng;
use crate::time::{DAY_MS, HOUR_MS};

/// What happens in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// From outside to an extension, answered.
    Inbound,
    /// From outside, nobody answered.
    InboundMissed,
    /// Through a queue: some agents let it ring, one answered.
    Queue,
    /// Through a queue, the caller gave up.
    QueueMissed,
    /// Through a ring group: every phone rang, one answered.
    RingAll,
    /// Answered, then sent on without asking.
    BlindTransfer,
    /// Answered, the second one asked first, then sent on.
    AttendedTransfer,
    /// To outside, answered.
    Outbound,
    /// To outside, not answered.
    OutboundUnanswered,
    /// From extension to extension: one recording for each side that records.
    Internal,
}

/// One call to be placed. What is left out is chosen from the seed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallPlan {
    /// What happens; `None`: an answered call from outside.
    pub kind: Option<CallKind>,
    /// Start in simulated ms since 1970; `None`: now (or so that it ends now, see `ended`).
    pub start_ms: Option<i64>,
    /// It is over already: its end is now.
    pub ended: bool,
    /// The other side's number.
    pub outside: Option<String>,
    /// Extensions in the order in which they come into it: who answers, then who it is transferred to; for queues
    /// and ring groups the one who answers; for internal calls caller, callee.
    pub agents: Vec<String>,
    /// Number of the queue or ring group.
    pub hunt: Option<String>,
    /// How long each phone rings.
    pub ring_ms: Option<i64>,
    /// How long each stretch of talk lasts.
    pub talk_ms: Option<i64>,
    /// Recorded or not, whatever the extensions' settings are.
    pub recorded: Option<bool>,
    /// Rows appear so long after the end; `None`: seeded.
    pub row_delay_ms: Option<i64>,
    /// Recordings appear so long after their end; `None`: seeded.
    pub recording_delay_ms: Option<i64>,
    /// Its recordings get a transcript so long after they appeared; `None`: seeded.
    pub transcript_delay_ms: Option<i64>,
}

/// Calls start with these weights by hour of the day (UTC): an office.
const BY_HOUR: [u64; 24] = [
    1, 1, 1, 1, 1, 2, 6, 18, 40, 55, 60, 55, 38, 45, 55, 50, 42, 25, 10, 6, 4, 3, 2, 1,
];

const KINDS: [(CallKind, u64); 10] = [
    (CallKind::Inbound, 30),
    (CallKind::InboundMissed, 8),
    (CallKind::Queue, 16),
    (CallKind::QueueMissed, 4),
    (CallKind::RingAll, 6),
    (CallKind::BlindTransfer, 5),
    (CallKind::AttendedTransfer, 4),
    (CallKind::Outbound, 15),
    (CallKind::OutboundUnanswered, 4),
    (CallKind::Internal, 8),
];

/// All calls from `history_days` before `start_ms` to `future_hours` after it, by start.
pub fn schedule(config: &PbxConfig, start_ms: i64) -> Vec<CallPlan> {
    let mut plans = Vec::new();
    let first = start_ms - i64::from(config.history_days) * DAY_MS;
    for day in 0..config.history_days {
        let from = first + i64::from(day) * DAY_MS;
        stretch(
            config,
            from,
            DAY_MS,
            u64::from(config.calls_per_day),
            u64::from(day),
            &mut plans,
        );
    }
    let future_ms = i64::from(config.future_hours) * HOUR_MS;
    let calls = u64::from(config.calls_per_day) * u64::from(config.future_hours) / 24;
    stretch(config, start_ms, future_ms, calls, u64::from(u32::MAX), &mut plans);
    plans.sort_by_key(|p| p.start_ms);
    plans
}

fn stretch(config: &PbxConfig, from: i64, length: i64, calls: u64, index: u64, plans: &mut Vec<CallPlan>) {
    let mut rng = Rng::of(config.seed, "traffic", index);
    for n in 0..calls {
        let offset = if config.even_traffic {
            length * n as i64 / calls as i64 + rng.range(0, length / calls as i64 - 1)
        } else {
            loop {
                let offset = rng.range(0, length - 1);
                let hour = ((from + offset).rem_euclid(DAY_MS) / HOUR_MS) as usize;
                if rng.below(60) < BY_HOUR[hour] {
                    break offset;
                }
            }
        };
        plans.push(CallPlan {
            kind: Some(any_kind(&mut rng)),
            start_ms: Some(from + offset),
            ..CallPlan::default()
        });
    }
}

fn any_kind(rng: &mut Rng) -> CallKind {
    let mut ticket = rng.below(KINDS.iter().map(|(_, weight)| weight).sum());
    for (kind, weight) in KINDS {
        if ticket < weight {
            return kind;
        }
        ticket -= weight;
    }
    CallKind::Inbound
}

/// A number somewhere outside; from ranges that no subscriber has.
pub fn outside_number(rng: &mut Rng) -> String {
    match rng.below(20) {
        0 => "anonymous".into(),
        1..=9 => format!("+441632960{:03}", rng.below(1_000)),
        10..=15 => format!("+1202555{:04}", 100 + rng.below(100)),
        _ => format!("0{:02}{:06}", 40 + rng.below(50), rng.below(1_000_000)),
    }
}

/// Two different extensions, the first of which is `first` if given.
pub fn two_people(company: &Company, rng: &mut Rng, wished: &[String]) -> (String, String) {
    let any = |rng: &mut Rng| {
        rng.pick(&company.people)
            .map_or_else(|| "100".into(), |p| p.number.clone())
    };
    let first = wished.first().cloned().unwrap_or_else(|| any(rng));
    let second = wished.get(1).cloned().unwrap_or_else(|| {
        loop {
            let other = any(rng);
            if other != first || company.people.len() < 2 {
                break other;
            }
        }
    });
    (first, second)
}
