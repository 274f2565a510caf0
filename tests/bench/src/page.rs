//! The page: what its first view weighs, and how soon its first byte comes, with an empty store and with a million calls.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use callspool::clock::Clock;
use callspool::rights::{Action, Scope};
use callspool::store::{self, Grantee, NewGrant, Store};
use callspool_sim::pbx::{Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port};
use crate::figures::{Figures, quantile};
use crate::rights;

const PATIENCE: Duration = Duration::from_secs(120);

/// Requests of each kind.
const TIMES: usize = 200;

/// What is looked for among a million calls. Each finds something but the last.
const SEARCHES: [(&str, &str); 8] = [
    ("/calls", "the newest calls"),
    (
        "/calls?q=%2B44%2020%207946%200417",
        "a number, in another way of writing it",
    ),
    ("/calls?q=ashdown%20700", "a name"),
    ("/calls?extension=10005", "an extension"),
    ("/calls?department=7", "a department"),
    ("/calls?state=waiting", "what is waited for"),
    (
        "/calls?outcome=missed&from=1970-01-05&to=1970-01-06",
        "a day's missed calls",
    ),
    ("/calls?q=nobody%20of%20this%20name", "nothing"),
];

/// Both, one after the other.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let pbx = Pbx::start(PbxConfig {
        history_days: 0,
        calls_per_day: 0,
        ..PbxConfig::default()
    })?;
    for calls in [false, true] {
        let folder = bench.room(if calls { "page-full" } else { "page-empty" })?;
        fs::create_dir_all(folder.join("state"))?;
        if calls {
            let store = Store::open(&folder.join("state/callspool.db")).map_err(io::Error::other)?;
            fill(&store).map_err(io::Error::other)?;
        }
        let port = free_port()?;
        let setup = Setup::new(folder.clone(), &pbx, port, "backfill = \"1d\"")?;
        let mut agent = Agent::start(bench, &setup)?;
        agent.wait("an answer", Duration::from_millis(100), PATIENCE, |_| true)?;
        let page = Page::log_in(&folder, port)?;
        if calls {
            for (path, what) in SEARCHES {
                times(&page, path, &format!("with a million calls: {what}"), figures)?;
            }
        } else {
            weight(&page, figures)?;
            times(&page, "/calls", "an empty list", figures)?;
        }
        times(&page, "/", "the state page", figures)?;
    }
    Ok(())
}

/// What a browser fetches that was never here: the page, and what it names.
fn weight(page: &Page, figures: &mut Figures) -> io::Result<()> {
    let body = page.fetch("/")?;
    let mut paths = vec!["/".to_owned()];
    for before in ["href=\"/assets/", "src=\"/assets/"] {
        let named = body.split(before).skip(1).filter_map(|rest| rest.split('"').next());
        paths.extend(named.map(|name| format!("/assets/{name}")));
    }
    let mut bytes = 0;
    for path in &paths {
        bytes += page.size(path)?;
    }
    figures.add(
        "first view, requests",
        paths.len() as f64,
        "",
        "the state page and all that it fetches",
    );
    figures.add(
        "first view, bytes",
        bytes as f64 / 1024.0,
        "KiB",
        "bodies and heads on the wire, as a browser that takes gzip gets them",
    );
    Ok(())
}

fn times(page: &Page, path: &str, meaning: &str, figures: &mut Figures) -> io::Result<()> {
    let mut took = page.first_bytes(path, TIMES)?;
    took.sort_by(f64::total_cmp);
    figures.add(&format!("first byte of {path}"), quantile(&took, 0.5), "ms", meaning);
    figures.add(
        &format!("first byte of {path}, p99"),
        quantile(&took, 0.99),
        "ms",
        meaning,
    );
    Ok(())
}

/// A login, by curl: it keeps one connection for many requests, as a browser does.
struct Page {
    address: String,
    jar: std::path::PathBuf,
}

impl Page {
    fn log_in(folder: &Path, port: u16) -> io::Result<Page> {
        let password = fs::read_to_string(folder.join("state/first-password"))?;
        let page = Page {
            address: format!("https://127.0.0.1:{port}"),
            jar: folder.join("cookies"),
        };
        let form = format!("password={}", password.trim());
        let login = format!("{}/login", page.address);
        page.curl(&[
            "-o",
            "/dev/null",
            "-H",
            "Sec-Fetch-Site: same-origin",
            "-d",
            &form,
            &login,
        ])?;
        Ok(page)
    }

    fn curl(&self, arguments: &[&str]) -> io::Result<String> {
        let done = Command::new("curl")
            .args(["-sk", "--fail", "-b"])
            .arg(&self.jar)
            .arg("-c")
            .arg(&self.jar)
            .args(arguments)
            .output()?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(io::Error::other(format!("curl {arguments:?}: {}", done.status))),
        }
    }

    fn fetch(&self, path: &str) -> io::Result<String> {
        self.curl(&[&format!("{}{path}", self.address)])
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        let address = format!("{}{path}", self.address);
        let told = self.curl(&[
            "-H",
            "Accept-Encoding: gzip",
            "-o",
            "/dev/null",
            "-w",
            "%{size_header} %{size_download}",
            &address,
        ])?;
        Ok(told.split(' ').filter_map(|part| part.trim().parse::<u64>().ok()).sum())
    }

    /// Milliseconds from the request to the first byte of its answer, on a connection that stands.
    fn first_bytes(&self, path: &str, count: usize) -> io::Result<Vec<f64>> {
        let address = format!("{}{path}", self.address);
        let mut arguments = vec!["-w", "%{time_pretransfer} %{time_starttransfer}\n"];
        for _ in 0..=count {
            arguments.extend(["-o", "/dev/null", address.as_str()]);
        }
        let told = self.curl(&arguments)?;
        // The first one pays for the handshake, and for what the store's pages cost for the first time.
        let one = |line: &str| {
            let (before, first) = line.split_once(' ')?;
            Some((first.trim().parse::<f64>().ok()? - before.parse::<f64>().ok()?) * 1e3)
        };
        Ok(told.lines().skip(1).filter_map(one).collect())
    }
}

/// A million calls with legs, numbers and names, a third recorded, a few waited for; the technician may see them all.
fn fill(store: &Store) -> store::Result<()> {
    let clock = Clock::system();
    rights::fill(store, &clock)?;
    store.write(|within| {
        // Twenty thousand people outside, each with a number and a name, and for each call one of them.
        within.execute_batch(
            "UPDATE call SET from_number = '+44207946' || substr('0000' || (id * 7919 % 20000), -5),
                 from_name = CASE id % 3 WHEN 0 THEN NULL ELSE 'Anna Ashdown ' || (id * 7919 % 20000) END, from_kind = 1,
                 to_dn = (SELECT min(dn) FROM party WHERE party.call = call.id),
                 outcome = CASE id % 7 WHEN 0 THEN 'missed' ELSE 'answered' END;
             INSERT INTO leg (cdr_id, call, started_ms, ringing_ms, talking_ms, answered, from_number, from_name, from_kind,
                 to_dn, recordings)
             SELECT 'c' || id, id, started_ms, 5000, 55000, 1, from_number, from_name, 1, to_dn, '[]' FROM call;
             UPDATE recording SET state = 'waiting', next_mono = 9000000000000 WHERE id % 10000 = 0;",
        )?;
        Ok(())
    })?;
    let at = clock.clone();
    store.write(move |within| {
        let grant = NewGrant {
            to: Grantee::Role("technician".to_owned()),
            action: Action::CallView,
            scope: Scope::Any,
            department: None,
            until_ms: None,
            given_by: "bench".to_owned(),
            why: "figures".to_owned(),
        };
        store::give_grant(within, &grant, &at).map(drop)
    })
}
