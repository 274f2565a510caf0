//! Settings over the file, the restart that they cause, and root's helper for the network.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use callspool::board::helper;
use callspool::board::network::{Addressing, Order, Standing};

use crate::rig::look::assert_once;
use crate::world::*;

/// How often the agent has started.
fn starts(setup: &Setup) -> u64 {
    status(setup).map_or(0, |status| status["box"]["starts"].as_u64().unwrap_or(0))
}

fn entry(setup: &Setup, key: &str) -> (String, String) {
    let shown = json(&callspool(setup, &["config", "show", "--json"]));
    let entry = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["key"] == key)
        .unwrap()
        .clone();
    let text = |part: &str| entry[part].as_str().unwrap().to_owned();
    (text("value"), text("origin"))
}

#[test]
fn a_setting_is_put_over_the_file_judged_as_a_whole_and_taken_back_and_nothing_in_flight_is_lost() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("settings", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let mut agent = running(&setup);
    let pid = agent.pid();
    for _ in 0..12 {
        pbx.place_call(over(true));
    }
    until("something is on its way", || !crm.calls().is_empty());
    // In the middle of it the agent begins anew: by itself, in the same process.
    let set = callspool(&setup, &["config", "set", "pbx.sweep", "1s"]);
    assert_eq!(code(&set), 0, "{}", err(&set));
    until("the agent has begun anew", || starts(&setup) == 2);
    assert_eq!((agent.pid(), agent.ended()), (pid, false));
    assert_eq!(entry(&setup, "pbx.sweep"), ("\"1s\"".to_owned(), "page".to_owned()));
    assert!(entry(&setup, "pbx.poll").1.contains("callspool.toml:"));
    until("everything is delivered", || delivered(&pbx, &crm).is_ok());
    assert_once(&pbx, &crm);

    // With nothing on its way a restart changes no count.
    let counts = |status: Value| {
        let of = |name: &str| status["counts"][name].clone();
        [
            "calls",
            "recordings_held",
            "recordings_waiting",
            "deliveries_waiting",
            "deliveries_held",
        ]
        .map(of)
    };
    until("nothing is on its way", || {
        status(&setup).is_some_and(|s| s["counts"]["deliveries_waiting"] == 0)
    });
    let before = counts(status(&setup).unwrap());
    for (key, value) in [
        ("mqtt.url", "mqtt://127.0.0.1:1"),
        ("target.crm.history", "false"),
        ("web.names", "[\"box.example\"]"),
    ] {
        let was = starts(&setup);
        let set = callspool(&setup, &["config", "set", key, value]);
        assert_eq!(code(&set), 0, "{key}: {}", err(&set));
        until("the agent has begun anew", || starts(&setup) == was + 1);
    }
    assert_eq!(
        entry(&setup, "target.0.history"),
        ("false".to_owned(), "page".to_owned())
    );
    assert_eq!(counts(status(&setup).unwrap()), before);
    assert_once(&pbx, &crm);

    // What would be wrong is refused with its reason, and nothing begins anew.
    let was = starts(&setup);
    for (key, value, why) in [
        ("pbx.poll", "soon", "is no span of time"),
        ("pbx.pol", "1s", "unknown"),
        ("state_dir", "/elsewhere", "stands in the file alone"),
        ("target.crm.url", "ftp://x", "is no address"),
        ("pbx.url\n[x]", "1", "is no name of a setting"),
    ] {
        let set = callspool(&setup, &["config", "set", key, value]);
        assert_eq!(code(&set), 1, "{key}");
        assert!(err(&set).contains(why), "{key}: {}", err(&set));
    }
    assert_eq!(starts(&setup), was);
    // Back, one by one.
    let undone = callspool(&setup, &["config", "undo"]);
    assert_eq!(code(&undone), 0, "{}", err(&undone));
    until("the agent has begun anew", || starts(&setup) == was + 1);
    assert_eq!(entry(&setup, "web.names"), ("[]".to_owned(), "default".to_owned()));
    assert!(agent.stop());
    // Without an agent the store is changed here.
    let unset = callspool(&setup, &["config", "unset", "pbx.sweep"]);
    assert_eq!(code(&unset), 0, "{}", err(&unset));
    assert!(entry(&setup, "pbx.sweep").1.contains("callspool.toml:"));
    let audit = out(&callspool(&setup, &["audit", "--json"]));
    assert!(
        audit.contains("settings: changed pbx.sweep") && audit.contains("settings: took back"),
        "{audit}"
    );
}

/// The helper, with a networkctl that notes each call.
struct Helper {
    child: Child,
    setup: Setup,
}

impl Helper {
    fn start(setup: Setup, patience: &str) -> Helper {
        let folder = &setup.folder.0;
        let tool = folder.join("networkctl");
        let noted = folder.join("noted");
        fs::write(
            &tool,
            format!(
                "#!/bin/sh\necho \"$@\" >> {noted:?}\n[ ! -e {:?} ]\n",
                folder.join("broken")
            ),
        )
        .unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let child = Command::new(crate::rig::binary())
            .arg("network-helper")
            .arg("--socket")
            .arg(folder.join("socket"))
            .arg("--file")
            .arg(folder.join("10-callspool.network"))
            .args(["--patience", patience])
            .env("PATH", path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let helper = Helper { child, setup };
        until("the helper answers", || helper.ask(Order::Show).is_some());
        helper
    }

    fn ask(&self, order: Order) -> Option<Standing> {
        helper::ask(&self.at("socket"), &order).ok()
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.setup.folder.0.join(name)
    }

    fn file(&self) -> String {
        fs::read_to_string(self.at("10-callspool.network")).unwrap_or_default()
    }

    fn reloads(&self) -> usize {
        fs::read_to_string(self.at("noted"))
            .unwrap_or_default()
            .matches("reload")
            .count()
    }

    fn stop(mut self) -> Setup {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let unused = Setup::new("unused", &pbx(quiet()), "https://pbx.example");
        std::mem::replace(&mut self.setup, unused)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fixed(last: u8) -> Order {
    let addressing = Addressing::Fixed {
        address: Ipv4Addr::new(192, 0, 2, last),
        prefix: 24,
        gateway: Ipv4Addr::new(192, 0, 2, 1),
        dns: vec!["9.9.9.9".parse().unwrap()],
    };
    Order::Apply { addressing }
}

#[test]
fn a_networks_change_is_taken_back_unless_it_is_confirmed_also_after_a_power_cut() {
    let setup = Setup::new("network", &pbx(quiet()), "https://pbx.example");
    let before = "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n";
    fs::write(setup.folder.0.join("10-callspool.network"), before).unwrap();
    let helper = Helper::start(setup, "2");
    // Not confirmed: the file is, byte for byte, as it was.
    let standing = helper.ask(fixed(7)).unwrap();
    assert_eq!((standing.error.as_str(), standing.waits_ms.is_some()), ("", true));
    assert!(
        helper
            .file()
            .contains("Address=192.0.2.7/24\nGateway=192.0.2.1\nDNS=9.9.9.9\n"),
        "{}",
        helper.file()
    );
    until("it is taken back", || helper.file() == before);
    until("networkd was told both times", || helper.reloads() == 2);
    assert!(helper.ask(Order::Confirm).unwrap().error.contains("taken back already"));
    // Two in a row go back to the one before both.
    helper.ask(fixed(8));
    helper.ask(fixed(9));
    assert_eq!(helper.ask(Order::TakeBack).unwrap().error, "");
    assert_eq!(helper.file(), before);
    // Confirmed: it stays.
    helper.ask(fixed(10));
    assert_eq!(helper.ask(Order::Confirm).unwrap().waits_ms, None);
    std::thread::sleep(Duration::from_millis(2600));
    assert!(helper.file().contains("192.0.2.10/24"));
    // networkd refuses it: told, and nothing stays.
    fs::write(helper.at("broken"), "").unwrap();
    let refused = helper
        .ask(Order::Apply {
            addressing: Addressing::Dhcp,
        })
        .unwrap();
    assert!(refused.error.contains("networkctl reload"), "{refused:?}");
    assert!(helper.file().contains("192.0.2.10/24"));
    fs::remove_file(helper.at("broken")).unwrap();
    // The power is cut while it waits: the next start takes it back.
    helper.ask(fixed(11));
    let setup = helper.stop();
    assert!(Path::new(&setup.folder.0.join("10-callspool.before")).exists());
    let helper = Helper::start(setup, "60");
    assert!(helper.file().contains("192.0.2.10/24"));
    assert_eq!(helper.ask(Order::Show).unwrap().waits_ms, None);
    // And what is no order is none.
    assert_eq!(helper.reloads(), 10);
}
