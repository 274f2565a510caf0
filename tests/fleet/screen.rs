//! In a real browser: nothing from elsewhere, changes without a reload, and pages that fit a phone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::boxes::FakeBox;
use crate::broker::Broker;
use crate::browser::Browser;
use crate::rig::{Desk, Folder, PATIENCE, until};

fn log_in(browser: &mut Browser, desk: &Desk) {
    browser.open(&format!("https://{}/login", desk.address));
    browser.run(&format!(
        "document.getElementById('password').value = {:?}; document.querySelector('form').submit()",
        desk.password
    ));
    browser.settled(&format!("{}/", desk.address));
    until(PATIENCE, "the list is there", || {
        browser.run("!!document.getElementById('sum')") == true
    });
}

#[test]
fn a_box_goes_offline_and_a_result_arrives_without_a_reload_and_nothing_comes_from_elsewhere() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("no Chromium here: not tested");
        return;
    };
    let (broker, folder) = (Broker::start(""), Folder::new());
    let desk = Desk::start(&folder, broker.port(), "");
    let boxes: Vec<FakeBox> = (0..12)
        .map(|n| FakeBox::connect(broker.port(), &format!("6c74b702e5{n:02}"), &format!("Branch {n}")))
        .collect();
    boxes.iter().for_each(|one| one.tell("ok", &[]));
    boxes[4].tell("error", &["pbx-unreachable", "target-down:crm"]);
    boxes[7].tell("warning", &["recording-off"]);
    until(PATIENCE, "they are on the page", || {
        desk.get("/").contains("9 ok") || desk.get("/").contains("10 ok")
    });
    log_in(&mut browser, &desk);
    browser.run("window.mark = 'not reloaded'");
    let began = Instant::now();
    boxes[9].cut();
    until(PATIENCE, "it is shown as offline", || {
        let row = browser
            .run("[...document.querySelectorAll('tr')].find(r => r.textContent.includes('Branch 9')).textContent");
        row.as_str().unwrap().contains("offline")
    });
    eprintln!("cut to screen: {:?}", began.elapsed());
    assert_eq!(browser.run("window.mark"), "not reloaded");
    shots(&mut browser, &desk, "/", "list");

    browser.scripts(true);
    browser.open(&format!("https://{}/boxes/{}", desk.address, boxes[4].id));
    browser.run("[...document.querySelectorAll('#orders button')].find(b => b.value == 'sync').click()");
    until(PATIENCE, "its success is on the screen", || {
        let orders = browser.run("(document.getElementById('orders') || {}).textContent || ''");
        orders.as_str().unwrap().contains("successful")
    });
    let foreign = browser.run("performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith('data:')).join()");
    assert_eq!(foreign, "", "requests to elsewhere");
    assert_eq!(boxes[4].commands().len(), 1);
    shots(&mut browser, &desk, &format!("/boxes/{}", boxes[4].id), "box");
}

fn shots(browser: &mut Browser, desk: &Desk, path: &str, name: &str) {
    let folder = std::env::var_os("CALLSPOOL_SHOTS").map(PathBuf::from);
    for (look, width, height, dark) in [
        ("desk-light", 1280, 800, false),
        ("desk-dark", 1280, 800, true),
        ("phone-light", 360, 640, false),
        ("phone-dark", 360, 640, true),
    ] {
        // Everything is there without a script too.
        browser.scripts(false);
        browser.look(width, height, dark);
        browser.open(&format!("https://{}{path}", desk.address));
        std::thread::sleep(Duration::from_millis(50));
        let wide = browser.run("document.documentElement.scrollWidth - innerWidth");
        assert!(
            wide.as_f64().unwrap() <= 0.0,
            "{name} {look} is wider than the window by {wide}"
        );
        assert_eq!(
            browser.run("document.querySelectorAll('h1').length"),
            1,
            "{name} {look}"
        );
        let small = browser.run(
            "[...document.querySelectorAll('a,button,input:not([type=hidden]),select,summary')].filter(e => {
                 const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 24 || r.width < 24);
             }).map(e => e.outerHTML.slice(0, 80)).join()",
        );
        assert_eq!(small, "", "{name} {look}: targets of less than 24 pixels");
        let unlabelled = browser.run("[...document.querySelectorAll('input:not([type=hidden]),select')].filter(e => !(e.labels && e.labels.length)).length");
        assert_eq!(unlabelled, 0, "{name} {look}: fields without a label");
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(format!("{name}-{look}.png")), browser.photograph()).unwrap();
        }
    }
}
