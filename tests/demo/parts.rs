//! The parts around the agent, in a folder that is removed at the end.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use callspool::agent::Handle;
use callspool_sim::broker::{self, Broker, BrokerConfig, Tls};
use callspool_sim::crm::{self, Crm, CrmConfig};
use callspool_sim::line::{self, Line};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};

/// When an outage begins, after start and after the end of the one before.
const UNTIL_OUTAGE: Duration = Duration::from_secs(20);

/// How long it lasts.
const OUTAGE: Duration = Duration::from_secs(30);

/// The simulated parts.
pub struct Parts {
    /// The broker, if this machine has mosquitto.
    pub broker: Option<Broker>,
    /// The agent's configuration file.
    pub configuration: PathBuf,
    folder: PathBuf,
    pbx: pbx::Handle,
    _crm: crm::Handle,
    /// The way to the PBX, which stands beside the box; it is never cut.
    _near: line::Handle,
    /// The ways out of the house, which are.
    far: Vec<line::Handle>,
    arrivals: Receiver<String>,
}

impl Parts {
    /// Starts PBX, CRM and broker, each behind a line that can be cut, and writes the agent's configuration.
    pub fn start(seed: u64, port: u16) -> std::io::Result<Parts> {
        let folder = std::env::temp_dir().join(format!("callspool-demo-{}", callspool::random::token::<6>()));
        fs::create_dir_all(&folder)?;
        let pbx = Pbx::start(PbxConfig {
            seed,
            tls: true,
            even_traffic: true,
            calls_per_day: 24 * 3600 / 6,
            talk_s: (2, 15),
            row_delay_max_s: 2,
            late_share: 0.1,
            late_delay_s: (10, 30),
            recording_delay_s: (1, 8),
            history_days: 0,
            future_hours: 24,
            ..PbxConfig::default()
        })?;
        // A few calls that have just ended, so that there is something to see at once.
        for kind in [
            CallKind::Inbound,
            CallKind::Queue,
            CallKind::InboundMissed,
            CallKind::BlindTransfer,
        ] {
            let (kind, row_delay_ms) = (Some(kind), Some(0));
            pbx.place_call(CallPlan {
                kind,
                ended: true,
                recorded: Some(true),
                row_delay_ms,
                ..CallPlan::default()
            });
        }
        let (tell, arrivals) = channel();
        let crm = Crm::start(CrmConfig {
            on_event: Some(tell),
            ..CrmConfig::default()
        })?;
        let broker = if broker::available() {
            Some(Broker::start(BrokerConfig {
                tls: Tls::Server,
                ..BrokerConfig::default()
            })?)
        } else {
            None
        };

        let pbx_line = Line::start(socket_of(&pbx.url())?)?;
        let crm_line = Line::start(crm.addr())?;
        let page = free_port(port)?;
        let (client_id, secret) = pbx.credentials();
        write_secret(&folder.join("pbx.secret"), &secret)?;
        write_secret(&folder.join("crm.secret"), crm.secret())?;
        let mut text = format!(
            "name = \"Demo box\"\nstate_dir = {:?}\nlog = \"warn\"\n\
             [web]\nlisten = [\"127.0.0.1:{page}\"]\n\
             [pbx]\nurl = \"https://{}\"\nclient_id = {client_id:?}\nsecret_file = \"pbx.secret\"\n\
             poll = \"1s\"\nsweep = \"5s\"\nsettle = \"3s\"\nbackfill = \"1d\"\n\
             [[target]]\nname = \"crm\"\nurl = {:?}\nsecret_file = \"crm.secret\"\n",
            folder.join("state"),
            pbx_line.addr(),
            crm.hook_url_by_way_of(crm_line.addr()),
        );
        let mut far = vec![crm_line];
        if let Some(broker) = &broker {
            let line = Line::start(broker.addr())?;
            let _ = write!(
                text,
                "[mqtt]\nurl = \"mqtts://{}\"\ntrust = {:?}\nkeep_alive = \"5s\"\n",
                line.addr(),
                broker.ca_file().unwrap_or_default()
            );
            far.push(line);
        }
        let configuration = folder.join("callspool.toml");
        fs::write(&configuration, text)?;
        println!("  PBX       {} (simulated 3CX, seed {seed})", pbx.url());
        println!("  CRM       {}", crm.hook_url());
        if let Some(broker) = &broker {
            let (port, ca) = (broker.addr().port(), broker.ca_file().unwrap_or_default());
            println!("  broker    {}, TLS; to listen:", broker.addr());
            println!(
                "            mosquitto_sub -p {port} --cafile {} -v -t 'callspool/#'",
                ca.display()
            );
        }
        Ok(Parts {
            broker,
            configuration,
            folder,
            pbx,
            _crm: crm,
            _near: pbx_line,
            far,
            arrivals,
        })
    }

    /// Prints what arrives and how the box is, and cuts the lines if `outage` is asked for. Never ends by itself.
    pub async fn tell(&self, agent: Handle, outage: bool) {
        let mut change = Instant::now() + UNTIL_OUTAGE;
        let mut cut = false;
        let mut next_line = Instant::now() + Duration::from_secs(5);
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.arrivals.try_iter().for_each(|line| println!("  CRM got  {line}"));
            if outage && Instant::now() >= change {
                cut = !cut;
                change = Instant::now() + if cut { OUTAGE } else { UNTIL_OUTAGE };
                println!(
                    "\n  ---- the network {} ----\n",
                    if cut {
                        "to CRM and broker is cut: watch the buffer fill"
                    } else {
                        "is back: watch it drain"
                    }
                );
                self.far
                    .iter()
                    .for_each(|line| if cut { line.cut() } else { line.pass() });
            }
            if Instant::now() >= next_line {
                next_line += Duration::from_secs(5);
                self.show(&agent);
            }
        }
    }

    fn show(&self, agent: &Handle) {
        let status = agent.status();
        let counts = status.counts.unwrap_or_default();
        let made = self.pbx.truth().len();
        println!(
            "  box: {}  {made} calls made, {} taken; {} deliveries waiting, {} recordings waited for, {} held here",
            status.overall.word(),
            counts.calls,
            counts.deliveries_waiting,
            counts.recordings_waiting,
            counts.recordings_held,
        );
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn socket_of(url: &str) -> std::io::Result<std::net::SocketAddr> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.parse().map_err(std::io::Error::other)
}

/// The wished port, or any free one if another program has it.
fn free_port(wished: u16) -> std::io::Result<u16> {
    let free = TcpListener::bind(("127.0.0.1", wished)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)))?;
    Ok(free.local_addr()?.port())
}

fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    fs::write(path, secret)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}
