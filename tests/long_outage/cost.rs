//! What a call costs in processor time, by quarters of the outage: it tells work that grows with the backlog from a machine
//! that has other things to do, which wall time does not.

use super::own::Own;

/// Time by the scheduler's clock, and calls, at the beginning of a quarter.
struct Mark {
    quarter: i64,
    agent_ms: u64,
    simulators_ms: u64,
    calls: i64,
}

/// The marks so far.
pub struct Cost(Vec<Mark>);

impl Cost {
    /// At the beginning.
    pub fn begin(agent: &Own) -> Cost {
        let mut cost = Cost(Vec::new());
        cost.look(0, agent, || 0);
        cost
    }

    /// Notes the beginning of a quarter; `calls` says how many there are by then.
    pub fn look(&mut self, quarter: i64, agent: &Own, calls: impl FnOnce() -> i64) {
        if self.0.last().is_none_or(|last| last.quarter < quarter) {
            self.0.push(Mark {
                quarter,
                agent_ms: processor_ms(&agent.pid().to_string()),
                simulators_ms: processor_ms("self"),
                calls: calls(),
            });
        }
    }

    /// In words: the first quarter and the last.
    pub fn said(&self) -> String {
        let spans: Vec<String> = self
            .0
            .windows(2)
            .map(|pair| {
                let calls = (pair[1].calls - pair[0].calls).max(1) as f64;
                format!(
                    "{:.1} + {:.1}",
                    (pair[1].agent_ms - pair[0].agent_ms) as f64 / calls,
                    (pair[1].simulators_ms - pair[0].simulators_ms) as f64 / calls
                )
            })
            .collect();
        format!(
            "processor time a call by quarters, agent + simulators, ms: {}",
            spans.join(", ")
        )
    }
}

/// User and system time of a process, milliseconds; ticks are of 10 ms on every Linux that this runs on.
fn processor_ms(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name may hold spaces; it ends with the last bracket.
    let rest = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|at| fields[*at].parse::<u64>().unwrap()).sum();
    ticks * 10
}
