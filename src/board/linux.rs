//! What a Linux box says about itself, by sysinfo and the file system.

use std::path::{Path, PathBuf};

use sysinfo::{Components, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::model::Machine;
use crate::spool::room_of;

/// Takes samples of the machine; keeps what is needed between two of them.
pub struct Sampler {
    system: Option<System>,
    components: Option<Components>,
    own: Option<Pid>,
    folder: PathBuf,
}

impl Sampler {
    /// A sampler; room is measured on the volume of `folder`.
    pub fn new(folder: &Path) -> Sampler {
        let own = sysinfo::get_current_pid().ok();
        let components = Components::new_with_refreshed_list().ok();
        Sampler {
            system: System::new().ok(),
            components,
            own,
            folder: folder.to_owned(),
        }
    }

    /// One sample. What can't be had is left at its default.
    pub fn sample(&mut self) -> Machine {
        let room = room_of(&self.folder).unwrap_or_default();
        let mut machine = Machine {
            disk_free: room.free,
            disk_total: room.total,
            inodes_free: room.inodes,
            disk_read_only: room.read_only,
            uptime_ms: System::uptime().map_or(0, |seconds| seconds as i64 * 1000),
            ..Machine::default()
        };
        if let (Some(own), Some(system)) = (self.own, &mut self.system) {
            let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, what);
            if let Some(process) = system.process(own) {
                machine.rss = process.memory();
                machine.cpu_percent = process.cpu_usage();
            }
        }

        if let Some(components) = &mut self.components {
            components.refresh(false);
            machine.celsius = components
                .iter()
                .filter_map(sysinfo::Component::temperature)
                .reduce(f32::max);
        }
        machine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_knows_the_disk_and_our_own_memory() {
        let machine = Sampler::new(Path::new("/")).sample();
        assert!(machine.disk_total > machine.disk_free && machine.rss > 1 << 20 && machine.uptime_ms > 0);
    }
}
