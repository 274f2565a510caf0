//! The first set-up, from the code on the sticker to the first recording at the CRM (A1–A3).

use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callspool_sim::broker::{self, Broker, BrokerConfig};
use callspool_sim::crm::{self, Crm, CrmConfig};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};
use serde_json::json;

use crate::browser::Walk;
use crate::rig::look::wait_for;
use crate::rig::{Folder, binary};

/// A box in factory state beside a PBX, a CRM and a broker.
struct Factory {
    folder: Folder,
    pbx: pbx::Handle,
    crm: crm::Handle,
    broker: Option<Broker>,
    agent: Child,
    port: u16,
}

impl Factory {
    fn start(name: &str) -> Factory {
        let pbx = Pbx::start(PbxConfig {
            tls: true,
            history_days: 0,
            ..PbxConfig::default()
        })
        .unwrap();
        let (kind, recorded, row_delay_ms) = (Some(CallKind::Inbound), Some(true), Some(0));
        pbx.place_call(CallPlan {
            kind,
            ended: true,
            recorded,
            row_delay_ms,
            ..CallPlan::default()
        });
        let folder = Folder::new(name);
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let file = folder.0.join("callspool.toml");
        let text = format!(
            "state_dir = {:?}\n[web]\nlisten = [\"127.0.0.1:{port}\"]\n",
            folder.0.join("state")
        );
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(folder.0.join("agent.log")).unwrap();
        let agent = Command::new(binary())
            .args(["run", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Factory {
            crm: Crm::start(CrmConfig::default()).unwrap(),
            broker: broker::available().then(|| Broker::start(BrokerConfig::default()).unwrap()),
            folder,
            pbx,
            agent,
            port,
        }
    }

    fn verb(&self, arguments: &[&str]) -> String {
        let file = self.folder.0.join("callspool.toml");
        let ran = Command::new(binary())
            .args(arguments)
            .arg("--config")
            .arg(file)
            .output()
            .unwrap();
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    fn walk(&self, walk: &Walk, pictures: &str, script: bool) {
        let mut code = String::new();
        wait_for("the code of the box", Duration::from_secs(60), || {
            code = self.verb(&["setup-code"]);
            !code.is_empty()
        });
        let (client_id, secret) = self.pbx.credentials();
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let report = walk.walk(
            "set_up",
            pictures,
            json!({
                "url": format!("https://127.0.0.1:{}", self.port),
                "code": code,
                "password": "four words apart really",
                "pbx": { "url": self.pbx.url(), "client_id": client_id, "secret": secret },
                "crm": { "url": self.crm.hook_url(), "secret": self.crm.secret() },
                "mqtt": self.broker.as_ref().map(|broker| json!({ "url": format!("mqtt://{}", broker.addr()) })),
                "log": self.folder.0.join("agent.log"),
                "script": script,
                "dark": !script,
                "began_ms": began as u64,
            }),
        );
        let took = report["first_recording_ms"].as_u64().unwrap();
        eprintln!(
            "{pictures}: from the code to the first recording in {} s, all of it in {} s",
            took / 1000,
            report["took_ms"].as_u64().unwrap() / 1000
        );
        assert!(took < 180_000, "it took {took} ms");
        assert!(!self.crm.recordings().is_empty());
        assert_eq!(self.crm.violations(), []);
        assert_eq!(self.verb(&["setup-code"]), "", "the code is gone");
        let shown = self.verb(&["config", "show", "--origin"]);
        assert!(
            shown
                .lines()
                .any(|line| line.starts_with("pbx.url = ") && line.ends_with("page")),
            "{shown}"
        );
        // No secret lies in the store.
        let store =
            ["callspool.db", "callspool.db-wal"].map(|name| std::fs::read(self.folder.0.join("state").join(name)));
        for bytes in store.into_iter().flatten() {
            for hidden in [secret.as_str(), self.crm.secret(), code.as_str()] {
                assert!(
                    !bytes.windows(hidden.len()).any(|part| part == hidden.as_bytes()),
                    "a secret lies in the store"
                );
            }
        }
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

#[test]
fn a_box_is_set_up_on_a_phone_from_its_code_to_the_first_recording() {
    let Some(walk) = Walk::ready() else { return };
    Factory::start("set-up").walk(&walk, "set-up", true);
}

#[test]
fn a_box_is_set_up_without_javascript() {
    let Some(walk) = Walk::ready() else { return };
    Factory::start("set-up-plain").walk(&walk, "set-up-plain", false);
}
