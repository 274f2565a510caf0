//! What listening to the PBX brings: from hang-up to the CRM with and without the Call Control WebSocket, both at once,
//! at real time and with default settings, while calls of all lengths go on side by side.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use callspool_sim::crm::{Answer, Crm, CrmConfig, Door, Handle as CrmHandle};
use callspool_sim::pbx::{CallKind, CallPlan, Handle as PbxHandle, Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port};
use crate::figures::Figures;

const CALLS: i64 = 20;
const PATIENCE: Duration = Duration::from_secs(180);

struct Side {
    listens: bool,
    pbx: PbxHandle,
    crm: CrmHandle,
    agent: Agent,
    placed: Vec<(String, i64)>,
}

/// Measures both ways side by side.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let mut sides = Vec::new();
    for listens in [false, true] {
        let pbx = Pbx::start(PbxConfig {
            tls: true,
            history_days: 0,
            future_hours: 0,
            calls_per_day: 0,
            ..PbxConfig::default()
        })?;
        let crm = Crm::start(CrmConfig::default())?;
        let room = bench.room(if listens { "live-on" } else { "live-off" })?;
        let setup = Setup::new(room, &pbx, free_port()?, &format!("live = {listens}"))?.target(&crm)?;
        let mut agent = Agent::start(bench, &setup)?;
        let wanted = if listens { "connected" } else { "off" };
        agent.wait("a start", Duration::from_millis(100), PATIENCE, |status| {
            status["live"]["state"] == wanted && status["pbx"]["reachable"] == true
        })?;
        sides.push(Side {
            listens,
            pbx,
            crm,
            agent,
            placed: Vec::new(),
        });
    }
    for side in &mut sides {
        let now_ms = side.pbx.time().now_ms();
        for n in 0..CALLS {
            let call = side.pbx.place_call(CallPlan {
                kind: Some(CallKind::Inbound),
                start_ms: Some(now_ms + n * 1_300),
                ring_ms: Some(2_000),
                // One that began earlier often ends later, as on a real PBX.
                talk_ms: Some(5_000 + n * 7_919 % 40_000),
                recorded: Some(false),
                row_delay_ms: Some(300),
                ..CallPlan::default()
            });
            side.placed.push((call.main_call_history_id, call.end_ms));
        }
    }
    for side in &sides {
        let all = |state: &callspool_sim::crm::State| {
            side.placed
                .iter()
                .all(|(call, _)| state.calls.iter().any(|event| event.call == *call))
        };
        if !side.crm.wait_until(PATIENCE, all) {
            return Err(io::Error::other("not all calls that were placed arrived in the CRM"));
        }
        let name = if side.listens { "with" } else { "without" };
        let mut took: Vec<f64> = side
            .placed
            .iter()
            .filter_map(|(call, end)| arrival(side, call, *end))
            .collect();
        took.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (took.first(), took.last()) else {
            continue;
        };
        let told = format!("{CALLS} calls that overlap, poll 5 s, sweep 30 s, settle 15 s, rows 0.3 s late");
        let figure = [("min", *least), ("median", took[took.len() / 2]), ("worst", *most)];
        for (word, value) in figure {
            figures.add(&format!("hang-up to CRM {name} the socket, {word}"), value, "s", &told);
        }
    }
    // Measured to its end: an agent that died meanwhile would have failed the wait before.
    sides.drain(..).for_each(|side| drop(side.agent));
    Ok(())
}

/// Seconds from the call's end until the CRM had taken its event.
fn arrival(side: &Side, call: &str, end_ms: i64) -> Option<f64> {
    let attempts = side.crm.attempts();
    let taken = attempts.iter().find(|attempt| {
        attempt.door == Door::Hook && attempt.call == call && matches!(attempt.answer, Answer::Status(200..300))
    })?;
    let at = taken.at.duration_since(UNIX_EPOCH).ok()?;
    Some((at.as_millis() as i64 - end_ms) as f64 / 1_000.0)
}
