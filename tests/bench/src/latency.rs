//! From hang-up to the CRM, at real time and with default settings.

use std::io;
use std::time::{Duration, SystemTime};

use callspool_sim::crm::{self, Answer, Door};
use callspool_sim::pbx::{self, CallKind, CallPlan};

use crate::figures::{Figures, quantile};

const CALLS: usize = 12;
/// Not in step with the agent's poll, so that the calls end anywhere between two of them.
const EVERY: Duration = Duration::from_millis(1300);
const PATIENCE: Duration = Duration::from_secs(60);

/// Places calls whose rows and recordings are there when they end: what is left is the agent's own.
pub fn measure(pbx: &pbx::Handle, crm: &crm::Handle, figures: &mut Figures) -> io::Result<()> {
    let mut placed = Vec::new();
    for _ in 0..CALLS {
        let call = pbx.place_call(CallPlan {
            kind: Some(CallKind::Inbound),
            ended: true,
            talk_ms: Some(3000),
            recorded: Some(true),
            row_delay_ms: Some(0),
            recording_delay_ms: Some(0),
            ..CallPlan::default()
        });
        placed.push((call.main_call_history_id, SystemTime::now()));
        std::thread::sleep(EVERY);
    }
    let arrived = crm.wait_until(PATIENCE, |state| {
        placed
            .iter()
            .all(|(call, _)| state.recordings.iter().any(|recording| recording.call == *call))
    });
    if !arrived {
        return Err(io::Error::other("not all calls that were placed arrived in the CRM"));
    }
    let attempts = crm.attempts();
    for (door, name, told) in [
        (Door::Hook, "call", "its event is in the CRM"),
        (Door::Upload, "recording", "its audio is in the CRM"),
    ] {
        let seconds: Vec<f64> = placed
            .iter()
            .filter_map(|(call, ended)| {
                let taken = attempts.iter().find(|attempt| {
                    attempt.door == door
                        && attempt.call == *call
                        && matches!(attempt.answer, Answer::Status(200..300))
                })?;
                Some(taken.at.duration_since(*ended).ok()?.as_secs_f64())
            })
            .collect();
        for (share, called) in [(0.5, "p50"), (0.99, "p99")] {
            figures.add(
                &format!("hang-up to CRM, {name}, {called}"),
                quantile(&seconds, share),
                "s",
                &format!("until {told}; {CALLS} calls, poll 5 s, settle 15 s, the PBX shows them at once"),
            );
        }
    }
    Ok(())
}
