//! Where this machine gets its time from, told from the files of the usual time services.

use std::path::Path;
use std::time::UNIX_EPOCH;

/// Where the time comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeSource {
    /// The service: `systemd-timesyncd`, `chrony`, `ntpd`; empty if none is known.
    pub service: &'static str,
    /// The servers that it was told of by its own files; empty: its defaults, or those of DHCP.
    pub servers: Vec<String>,
    /// When it last synchronised the clock, Unix milliseconds.
    ///
    /// Source: systemd-timesyncd touches `/run/systemd/timesync/synchronized` on each successful synchronisation.
    pub last_ms: Option<i64>,
}

impl TimeSource {
    /// Looks at the machine below `root` (`/`).
    pub fn of(root: &Path) -> TimeSource {
        let there = |path: &str| root.join(path).exists();
        if there("run/systemd/timesync") {
            let sign = root.join("run/systemd/timesync/synchronized");
            let touched = std::fs::metadata(sign).and_then(|known| known.modified()).ok();
            let since = touched.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            return TimeSource {
                service: "systemd-timesyncd",
                servers: named(
                    root,
                    &["etc/systemd/timesyncd.conf"],
                    "etc/systemd/timesyncd.conf.d",
                    &["NTP="],
                ),
                last_ms: since.and_then(|since| i64::try_from(since.as_millis()).ok()),
            };
        }
        let words = ["server ", "pool "];
        if there("run/chrony") {
            let servers = named(
                root,
                &["etc/chrony/chrony.conf", "etc/chrony.conf"],
                "etc/chrony/conf.d",
                &words,
            );
            return TimeSource {
                service: "chrony",
                servers,
                last_ms: None,
            };
        }
        if there("run/ntpd.pid") || there("run/ntpsec") {
            return TimeSource {
                service: "ntpd",
                servers: named(
                    root,
                    &["etc/ntp.conf", "etc/ntpsec/ntp.conf"],
                    "etc/ntpsec/ntp.d",
                    &words,
                ),
                last_ms: None,
            };
        }
        TimeSource::default()
    }
}

/// What follows one of `words` at the beginning of a line, in these files and in those of a folder.
fn named(root: &Path, files: &[&str], folder: &str, words: &[&str]) -> Vec<String> {
    let more = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let all = files
        .iter()
        .map(|file| root.join(file))
        .chain(more.map(|entry| entry.path()));
    let mut found = Vec::new();
    for text in all.filter_map(|path| std::fs::read_to_string(path).ok()) {
        let values = text
            .lines()
            .filter_map(|line| words.iter().find_map(|word| line.trim().strip_prefix(word)));
        // `server NAME iburst`: options of a line are not servers. timesyncd's NTP= is a list.
        let most = if words.contains(&"NTP=") { usize::MAX } else { 1 };
        found.extend(
            values
                .flat_map(|value| value.split_whitespace().take(most))
                .map(str::to_owned),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_service_is_told_by_its_files() {
        let root = std::env::temp_dir().join(format!("callspool-time-{}", crate::random::token::<6>()));
        std::fs::create_dir_all(root.join("run")).unwrap();
        assert_eq!(TimeSource::of(&root), TimeSource::default());
        std::fs::create_dir_all(root.join("run/chrony")).unwrap();
        std::fs::create_dir_all(root.join("etc/chrony")).unwrap();
        std::fs::write(root.join("etc/chrony/chrony.conf"), "# x\npool time.example iburst\n").unwrap();
        let chrony = TimeSource::of(&root);
        assert_eq!(
            (chrony.service, chrony.servers),
            ("chrony", vec!["time.example".to_owned()])
        );
        std::fs::create_dir_all(root.join("run/systemd/timesync")).unwrap();
        std::fs::create_dir_all(root.join("etc/systemd")).unwrap();
        std::fs::write(
            root.join("etc/systemd/timesyncd.conf"),
            "[Time]\nNTP=a.example b.example\n",
        )
        .unwrap();
        let source = TimeSource::of(&root);
        assert_eq!(
            (source.service, source.servers.len(), source.last_ms),
            ("systemd-timesyncd", 2, None)
        );
        std::fs::write(root.join("run/systemd/timesync/synchronized"), "").unwrap();
        assert!(TimeSource::of(&root).last_ms.is_some());
        std::fs::remove_dir_all(root).unwrap();
    }
}
