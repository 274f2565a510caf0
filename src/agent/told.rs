//! What dashboards are told over MQTT of this agent: figures and codes alone, no number, no name of a caller.

use super::handle::Handle;
use crate::contract::{
    self, Birth, Calls, Certificate, Disk, Examined, Link, PbxState, Queue, Recordings, State, TargetState, Update,
};
use crate::update;
use crate::when;

impl Handle {
    /// MQTT's `birth`: who this is and how this run began.
    pub fn birth(&self) -> Birth {
        let identity = self.identity();
        Birth {
            v: contract::VERSION,
            boot: identity.boot.clone(),
            boots: identity.starts,
            started: when::rfc3339(identity.started_ms),
            synced: self.clock().synced(),
            sw: identity.version.to_owned(),
            before: identity.before.clone(),
            arch: identity.arch.to_owned(),
            name: identity.name.clone(),
            reason: identity.reason.to_owned(),
        }
    }

    /// MQTT's `update`: which version runs, and which can be had.
    pub fn update(&self) -> Update {
        let (offer, progress) = self.parts().update.glance();
        let own = self.identity().version;
        let newest = offer
            .map(|offer| offer.manifest)
            .filter(|newest| update::newer(&newest.version, own));
        let newest = newest.unwrap_or_default();
        Update {
            v: contract::VERSION,
            installed_version: own.to_owned(),
            latest_version: if newest.version.is_empty() {
                own.to_owned()
            } else {
                newest.version
            },
            in_progress: progress.is_some(),
            release_summary: newest.notes.chars().take(255).collect(),
            support_until: newest.support_until,
        }
    }

    /// MQTT's `state`. It reads the store.
    pub fn state(&self) -> State {
        let status = self.status();
        let counts = status.counts.clone().unwrap_or_default();
        let since_s = |ms: i64| (status.now_ms - ms).max(0) / 1000;
        let oldest_s = |ms: Option<i64>| ms.map_or(0, since_s);
        let targets = status.targets.iter().map(|target| TargetState {
            name: target.name.clone(),
            state: target.state.to_owned(),
            waiting: target.waiting,
            held: target.held,
            oldest_s: oldest_s(target.oldest_ms),
        });
        State {
            v: contract::VERSION,
            ts: when::rfc3339(status.now_ms),
            synced: status.clock_synced,
            overall: status.overall.word().to_owned(),
            health: status.health.iter().map(|folded| folded.item.code.clone()).collect(),
            doctor: self.examined(),
            up_s: since_s(status.identity.started_ms),
            queue: Queue {
                rows: counts.deliveries_waiting,
                oldest_s: oldest_s(counts.deliveries_oldest_ms),
                held: counts.deliveries_held,
                events: counts.events,
                events_bytes: counts.events_bytes,
                events_dropped: counts.events_dropped,
            },
            rec: Recordings {
                files: counts.recordings_held,
                bytes: counts.recordings_bytes,
                undelivered: counts.recordings_undelivered,
                waiting: counts.recordings_waiting,
                oldest_s: oldest_s(counts.recordings_oldest_ms),
                gone: counts.recordings_gone,
            },
            calls: Calls {
                all: counts.calls,
                day: counts.calls_recent,
            },
            pbx: PbxState {
                reach: status.pbx.reachable,
                version: status.pbx.version.clone(),
                lat_ms: status.pbx.latency_ms,
                ahead_ms: status.pbx.clock_ahead_ms,
                backlog_s: status.sync.backlog_ms / 1000,
                live: status.live.state.to_owned(),
                cdr: status.cdr.as_ref().map_or("off", |cdr| cdr.state).to_owned(),
            },
            targets: targets.collect(),
            link: status.link.as_ref().map_or_else(Link::default, |link| Link {
                since_s: since_s(link.since_ms),
                connects: link.connects,
                tls: link.tls,
            }),
            disk: Disk {
                free_mb: status.machine.disk_free >> 20,
                total_mb: status.machine.disk_total >> 20,
            },
            mem_rss_kb: status.machine.rss >> 10,
            cpu_pct: f64::from(status.machine.cpu_percent.round()),
            temp_c: status.machine.celsius.map(f64::from),
            rights_age_s: status.rights.as_ref().map(|rights| since_s(rights.read_ms)),
            certificates: status
                .link
                .map_or_else(Vec::new, |link| certificates(&link.certificates)),
            sw: status.identity.version.to_owned(),
        }
    }

    /// What the doctor's last whole run came to: when, and codes.
    fn examined(&self) -> Option<Examined> {
        let run = self.doctor().last()?;
        let verdict = run.verdict()?;
        Some(Examined {
            ts: when::rfc3339(run.began_ms),
            failed: verdict.failed.clone(),
            warned: verdict.warned.clone(),
        })
    }
}

fn certificates(known: &[(&'static str, i64)]) -> Vec<Certificate> {
    let told = known.iter().map(|(of, until_ms)| Certificate {
        of: (*of).to_owned(),
        until: when::rfc3339(*until_ms),
    });
    told.collect()
}
