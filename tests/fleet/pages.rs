//! What the page shows and sends, and whom it lets in.

use std::time::Duration;

use callspool::fleet::{Needs, ROUTES};
use serde_json::{Value, json};

use crate::boxes::FakeBox;
use crate::broker::{Broker, free_port};
use crate::rig::{Desk, Folder, NOBODY, PATIENCE, until};

#[test]
fn every_route_but_the_public_ones_needs_a_login_or_where_it_is_scraped_a_token() {
    let (broker, folder) = (Broker::start(""), Folder::new());
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token-of-many-characters\n").unwrap();
    std::process::Command::new("chmod")
        .arg("600")
        .arg(&token)
        .status()
        .unwrap();
    let desk = Desk::start(&folder, broker.port(), "[web]\nscrape_token_file = \"token\"\n");
    let one = FakeBox::connect(broker.port(), "b1", "Lyon");
    one.tell("ok", &[]);
    until(PATIENCE, "the box is on the page", || desk.get("/").contains("Lyon"));
    for route in ROUTES {
        let path = route.path.replace("{id}", "b1");
        let mut arguments = vec!["-X", route.method, "-H", "Sec-Fetch-Site: same-origin"];
        let allowed = desk.ask(&path, &[&arguments[..], &["--max-time", "1"]].concat()).0;
        arguments.push(NOBODY);
        let (status, body) = desk.ask(&path, &arguments);
        let expected: &[u16] = match (route.needs, route.method) {
            (Needs::Public, "GET") => &[200],
            (Needs::Public, _) => &[403, 415],
            (Needs::Page, "GET") => &[302],
            (Needs::Page, _) => &[303],
            (Needs::Live | Needs::Scrape, _) => &[401],
        };
        assert!(expected.contains(&status), "{} {path}: {status}", route.method);
        assert!(!body.contains("Lyon"), "{path} tells of a box");
        let session_opens = route.needs == Needs::Public || route.method == "POST" || allowed == 200;
        assert!(session_opens, "{path} with a session: {allowed}");
        let bearer = |token: &str| {
            let header = format!("Authorization: Bearer {token}");
            desk.ask(&path, &[&arguments[..], &["-H", &header]].concat()).0
        };
        if route.needs != Needs::Public {
            let opens = bearer("a-token-of-many-characters") == 200;
            assert_eq!(opens, route.needs == Needs::Scrape, "{path}");
            assert_ne!(bearer("a-token-of-many-characterz"), 200, "{path}");
        }
    }
    let (status, _) = desk.ask(
        "/boxes/b1/command",
        &["-d", "name=sync&token=0", "-H", "Sec-Fetch-Site: same-origin"],
    );
    assert_eq!(status, 403, "a form without the session's token");
    let (status, _) = desk.ask("/boxes/b1/command", &["-d", "name=sync"]);
    assert_eq!(status, 403, "a form from nowhere");
    assert!(one.commands().is_empty());
    assert_eq!(desk.ask("/", &["-H", "Host: evil.example"]).0, 421);
}

#[test]
fn a_hostile_box_gets_a_name_for_what_it_does_and_harms_nobody() {
    let (broker, folder) = (Broker::start(""), Folder::new());
    let desk = Desk::start(&folder, broker.port(), "max_boxes = 8\n");
    let honest = FakeBox::connect(broker.port(), "b1", "Honest");
    honest.tell("warning", &["recording-off"]);
    let script = "<script>alert(1)</script>\u{202e}\"'&";
    let xss = FakeBox::connect(broker.port(), "b2", script);
    xss.tell("error", &[script, "target-down:<img src=x onerror=alert(1)>"]);
    let huge = FakeBox::connect(broker.port(), "b3", "Huge");
    huge.retain("state", vec![b'['; 3 << 20]);
    let wrong = FakeBox::connect(broker.port(), "b4", "Wrong");
    wrong.retain("state", json!({ "queue": "many", "health": 7 }).to_string());
    let odd = FakeBox::connect(broker.port(), "b5", "Odd");
    odd.retain("status", "perhaps");
    let far = FakeBox::connect(broker.port(), "b6", "Far");
    let figures = json!({ "overall": "ok", "ts": "9999-12-31T23:59:59Z", "queue": { "rows": i64::MAX, "oldest_s": i64::MAX },
        "disk": { "free_mb": u64::MAX, "total_mb": u64::MAX }, "mem_rss_kb": u64::MAX, "up_s": i64::MIN });
    far.retain("state", figures.to_string());
    let strange = FakeBox::connect(broker.port(), "b7", "Strange");
    for n in 0..40 {
        // Anybody whom the broker lets may speak for boxes that are none.
        let client = &strange;
        client.retain(&format!("../../x{n}/status"), "online");
    }
    let more = |n: usize| FakeBox::connect(broker.port(), &format!("more{n}"), "More");
    let _more: Vec<FakeBox> = (0..4).map(more).collect();
    until(PATIENCE, "all of them are judged", || {
        let list: Value = serde_json::from_str(&desk.get("/api/boxes")).unwrap();
        let count = |word: &str| {
            list["boxes"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["condition"] == word)
                .count()
        };
        (count("unreadable"), count("warning")) == (3, 1)
            && list["messages_beyond_max_boxes"].as_u64().unwrap() > 0
    });
    let list: Value = serde_json::from_str(&desk.get("/api/boxes")).unwrap();
    let of = |id: &str| {
        list["boxes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(of("b3")["fault"], "what it sends is too large");
    assert_eq!(of("b4")["fault"], "its state is no JSON that can be read");
    assert_eq!(of("b5")["fault"], "its status is neither online nor offline");
    assert_eq!(
        (&of("b1")["condition"], &of("b6")["condition"]),
        (&json!("warning"), &json!("ok"))
    );
    assert_eq!(list["boxes"].as_array().unwrap().len(), 8);
    for path in [
        "/",
        "/?sort=disk",
        "/?q=%3Cscript%3E",
        "/?page=99999&is=%22&has=%3C",
        "/boxes/b2",
        "/boxes/b6",
        "/boxes/b3",
    ] {
        let page = desk.get(path);
        assert!(
            !page.contains("<script>alert") && !page.contains("<img src=x"),
            "{path}"
        );
    }
    assert!(desk.get("/").contains("more boxes than max_boxes"));
    assert_eq!(desk.ask("/boxes/%3Cscript%3E", &[]).0, 404);
    crate::exposition::check(&desk.get("/metrics"));
    honest.tell("ok", &[]);
    until(PATIENCE, "the honest one is still followed", || {
        desk.get("/?is=ok").contains("Honest")
    });
}

#[test]
fn a_command_goes_out_once_and_what_came_of_it_is_shown() {
    let (broker, folder) = (Broker::start(""), Folder::new());
    let desk = Desk::start(&folder, broker.port(), "");
    let other_folder = Folder::new();
    let other = Desk::start(&other_folder, broker.port(), "commands = false\n");
    let one = FakeBox::connect(broker.port(), "b1", "Lyon");
    one.tell("ok", &[]);
    for desk in [&desk, &other] {
        until(PATIENCE, "several pages follow one broker", || {
            desk.get("/").contains("Lyon")
        });
    }
    assert_eq!(desk.post("/boxes/b1/command", "token={token}&name=sync").0, 303);
    until(PATIENCE, "its success is on the page", || {
        desk.get("/boxes/b1").contains("sync: <b>successful</b>")
    });
    let commands = one.commands();
    assert_eq!((commands.len(), commands[0].0.as_str()), (1, "sync"));
    let exp = callspool::when::parse_rfc3339(commands[0].1["exp"].as_str().unwrap()).unwrap();
    let ahead = exp - crate::boxes::now_ms();
    assert!((60_000..=120_000).contains(&ahead), "it is good for {ahead} ms");
    desk.post("/boxes/b1/command", "token={token}&name=retry");
    until(PATIENCE, "its failure and the reason", || {
        let page = desk.get("/boxes/b1");
        page.contains("retry: <b>failed</b>") && page.contains("&lt;b&gt;nothing&lt;/b&gt; is held")
    });
    for form in [
        "token={token}&name=resume",
        "token={token}&name=../../x/cmd/sync",
        "token={token}",
    ] {
        desk.post("/boxes/b1/command", form);
        assert!(
            desk.get("/boxes/b1").contains("This page sends no such command"),
            "{form}"
        );
    }
    other.post("/boxes/b1/command", "token={token}&name=sync");
    assert!(other.get("/boxes/b1").contains("Commands are switched off"));
    assert_eq!(desk.post("/boxes/nobody/command", "token={token}&name=sync").0, 404);
    assert_eq!(one.commands().len(), 2);
    assert!(
        !other.get("/boxes/b1").contains("successful"),
        "each page shows what was sent from it"
    );
}

#[test]
fn with_the_broker_away_the_page_says_since_when_and_knows_the_boxes_after_a_restart() {
    let (mut broker, folder) = (Broker::start(""), Folder::new());
    let desk = Desk::start(&folder, broker.port(), "silent = \"4s\"\n");
    let one = FakeBox::connect(broker.port(), "b1", "Lyon");
    one.tell("error", &["pbx-unreachable"]);
    let silent = FakeBox::connect(broker.port(), "b2", "Mute");
    silent.tell("ok", &[]);
    let unheard = FakeBox::connect(broker.port(), "b3", "Unheard");
    drop(unheard);
    until(PATIENCE, "each has the name for how it is", || {
        one.tell("error", &["pbx-unreachable"]);
        let is = |word: &str, name: &str| desk.get(&format!("/?is={word}")).contains(name);
        is("error", "Lyon") && is("silent", "Mute") && is("offline", "/boxes/b3")
    });
    desk.post("/boxes/b1/command", "token={token}&name=sync");
    until(PATIENCE, "its success", || {
        desk.get("/boxes/b1").contains("sync: <b>successful</b>")
    });
    one.cut();
    silent.cut();
    broker.kill();
    until(PATIENCE, "the page says that the broker is away", || {
        desk.get("/").contains("No link to the broker")
    });
    let page = desk.get("/");
    assert!(
        page.contains("Nobody listens there") || page.contains("Since <time"),
        "{page}"
    );
    assert!(page.contains("What you see is of <time"), "with its age");
    desk.post("/boxes/b1/command", "token={token}&name=sync");
    assert!(
        desk.get("/boxes/b1")
            .contains("was not sent: there is no link to the broker")
    );
    desk.stop();
    let desk = Desk::start(&folder, broker.port(), "silent = \"4s\"\n");
    let page = desk.get("/");
    assert!(
        page.contains("Lyon") && page.contains("No link to the broker"),
        "{page}"
    );
    let page = desk.get("/boxes/b1");
    assert!(
        page.contains("The PBX does not answer") && page.contains("sync: <b>successful</b>"),
        "{page}"
    );
}

#[test]
fn an_export_tells_what_the_broker_keeps_and_ends() {
    let broker = Broker::start("");
    let one = FakeBox::connect(broker.port(), "b1", "Lyon \"1\"\\");
    one.tell("warning", &["recording-off", "recording-off"]);
    let export = |format: &str, port: u16| {
        let url = format!("mqtt://127.0.0.1:{port}");
        let mut callspool = std::process::Command::new(env!("CARGO_BIN_EXE_callspool-fleet"));
        callspool.args(["--broker", &url, "--export", format]).output().unwrap()
    };
    let mut json = Value::Null;
    until(PATIENCE, "the box is in the export", || {
        json = serde_json::from_slice(&export("json", broker.port()).stdout).unwrap();
        json["boxes"][0]["condition"] == "warning"
    });
    assert_eq!(
        (&json["boxes"][0]["name"], &json["boxes"][0]["queue"]),
        (&json!("Lyon \"1\"\\"), &json!(3))
    );
    let told = export("prometheus", broker.port());
    let text = String::from_utf8(told.stdout).unwrap();
    let samples = crate::exposition::check(&text);
    assert!(
        samples
            .iter()
            .any(|s| s == "callspool_fleet_boxes{condition=\"warning\"} 1"),
        "{text}"
    );
    let nobody = free_port();
    let began = std::time::Instant::now();
    assert_eq!(
        export("json", nobody).status.code(),
        Some(3),
        "no broker is no empty fleet"
    );
    assert!(began.elapsed() < Duration::from_secs(50));
}
