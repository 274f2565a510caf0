//! In a real browser: seeking in the player works, without a script too, and the pages fit a phone.

use std::path::PathBuf;
use std::sync::Mutex;

use callspool::rights::{Action, Scope};
use callspool::store::Grantee;

use crate::browser::Browser;
use crate::company::{SUPPORT, audit, call, hold, start, wav};
use crate::server::Page;

/// One browser at a time: it is the heaviest thing in these tests.
static ALONE: Mutex<()> = Mutex::new(());

fn log_in(browser: &mut Browser, page: &Page, name: &str, password: &str) {
    browser.open(&format!("https://{}/login", page.address));
    browser.run(&format!(
        "document.getElementById('name').value = {name:?}; document.getElementById('password').value = {password:?};
         document.querySelector('form').submit()"
    ));
    browser.settled(if name.is_empty() { "/password" } else { "/calls" });
}

/// Plays from the middle: how long it is, where it got to, and what went wrong.
const SEEK: &str = "new Promise(done => {
    const a = document.querySelector('audio');
    const end = () => done([a.duration, a.currentTime, a.error && a.error.message]);
    a.onerror = end;
    a.onseeked = () => { a.onseeked = null; a.ontimeupdate = () => { if (a.currentTime > 61) end(); }; };
    a.onloadedmetadata = () => { a.currentTime = 60; a.play().catch(end); };
    a.playbackRate = 4;
    a.load();
    setTimeout(end, 20000);
})";

#[test]
fn seeking_works_in_the_player_for_pcm_both_kinds_of_g711_and_gsm() {
    let _alone = ALONE.lock();
    let Some(mut browser) = Browser::start() else {
        eprintln!("no Chromium here: not tested");
        return;
    };
    let page = start();
    // GSM has 65 bytes for 320 samples.
    for (n, tag, bits, second) in [
        (4, 1, 16, 16_000),
        (5, 7, 8, 8_000),
        (6, 6, 8, 8_000),
        (7, 0x31, 0, 25 * 65),
    ] {
        call(&page, n, "101");
        hold(&page, n, "101", &wav(tag, bits, 120 * second));
    }
    let cookie = page.log_in_as("101");
    drop(cookie);
    log_in(&mut browser, &page, "101", "four words apart really");
    for n in 4..=7 {
        browser.open(&format!("https://{}/calls/{n}", page.address));
        let before = audit(&page).len();
        let played = browser.run(SEEK);
        assert!(
            (played[0].as_f64().unwrap() - 120.0).abs() < 1.0,
            "recording {n}: {played}"
        );
        assert!(
            played[1].as_f64().unwrap() > 61.0 && played[2].is_null(),
            "recording {n}: {played}"
        );
        assert_eq!(audit(&page).len(), before + 1, "one listening, one row");
    }
}

/// The pages, each as who sees it.
const PAGES: [(&str, &str); 12] = [
    ("", "/login"),
    ("", "/welcome"),
    ("101", "/calls"),
    ("101", "/calls/1"),
    ("101", "/me"),
    ("101", "/me?call=1&action=recording.listen"),
    ("technician", "/"),
    ("technician", "/calls"),
    ("technician", "/calls/1"),
    ("technician", "/rights?as=101&action=recording.listen&call=2"),
    ("technician", "/audit"),
    ("technician", "/me"),
];

#[test]
fn the_pages_fit_a_phone_and_a_desk_without_a_script() {
    let _alone = ALONE.lock();
    let Some(mut browser) = Browser::start() else {
        eprintln!("no Chromium here: not tested");
        return;
    };
    let page = start();
    for n in 4..=30 {
        call(&page, n, "101");
    }
    page.grant(
        Grantee::Extension("105".to_owned()),
        Action::RecordingListen,
        Scope::OwnAndDepartment,
        Some(SUPPORT),
    );
    page.grant(Grantee::Role("technician".to_owned()), Action::Export, Scope::Any, None);
    let mia = page.log_in_as("101");
    page.get("/recordings/1", &mia);
    page.get("/recordings/2", &mia);
    page.get("/audit", &mia);
    let folder = std::env::var_os("CALLSPOOL_SHOTS").map(PathBuf::from);
    let first = page.first_password.clone().unwrap();
    let mut who = "";
    for (as_whom, path) in PAGES {
        if as_whom != who {
            browser.scripts(true);
            match as_whom {
                "technician" => log_in(&mut browser, &page, "", &first),
                name => log_in(&mut browser, &page, name, "four words apart really"),
            }
            who = as_whom;
        }
        for (look, width, height, dark) in [
            ("phone-light", 360, 640, false),
            ("phone-dark", 360, 640, true),
            ("desk-light", 1280, 800, false),
            ("desk-dark", 1280, 800, true),
        ] {
            browser.scripts(false);
            browser.look(width, height, dark);
            browser.open(&format!("https://{}{path}", page.address));
            let name = format!("{as_whom}{} {look}", path.split('?').next().unwrap());
            let wide = browser.run("document.documentElement.scrollWidth - innerWidth");
            assert!(
                wide.as_f64().unwrap() <= 0.0,
                "{name} is wider than the window by {wide}"
            );
            assert_eq!(browser.run("document.querySelectorAll('h1').length"), 1, "{name}");
            let small = browser.run(
                "[...document.querySelectorAll('a,button,input:not([type=hidden]):not(.away),select,summary')].filter(e => {
                     const r = e.getBoundingClientRect();
                     return r.width > 0 && (r.height < 24 || r.width < 24);
                 }).map(e => e.outerHTML.slice(0, 80)).join()",
            );
            assert_eq!(small, "", "{name}: targets of less than 24 pixels");
            let unlabelled = browser.run(
                "[...document.querySelectorAll('input:not([type=hidden]):not(.away),select,audio')].filter(e =>
                     !(e.labels && e.labels.length) && !e.getAttribute('aria-label')).length",
            );
            assert_eq!(unlabelled, 0, "{name}: fields without a label");
            if let Some(folder) = &folder {
                let question = if path.contains('?') { "-why" } else { "" };
                let file = name.replace('/', "_").replace(' ', "-") + question + ".png";
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(folder.join(file), browser.photograph()).unwrap();
            }
        }
    }
}
