//! The first set-up, request by request (A1, A2): what is served, who gets in, and where secrets go.

use std::os::unix::fs::PermissionsExt;

use callspool::setup;
use callspool::store;
use callspool::web::{ROUTES, SETUP_ROUTES};

use crate::server::{Answer, Page};

/// The token that the forms of an answer carry.
fn token(answer: &Answer) -> String {
    let (_, rest) = answer
        .body
        .split_once("name=\"token\" value=\"")
        .expect("a form with a token");
    rest.split('"').next().unwrap().to_owned()
}

fn begin(page: &Page, code: &str, password: &str) -> Answer {
    let password = password.replace(' ', "+");
    page.post(
        "/setup/password",
        "",
        &format!("code={code}&new={password}&again={password}"),
    )
}

const PASSWORD: &str = "four words apart really";

#[test]
fn a_box_in_factory_state_serves_its_set_up_and_nothing_else() {
    let page = Page::factory();
    for route in ROUTES {
        let path = route
            .path
            .replace("{id}", "1")
            .replace("{name}", "crm")
            .replace("{step}", "pbx");
        let own = ["/ping", "/language"].contains(&path.as_str()) || path.starts_with("/assets/");
        let origin = "\r\nSec-Fetch-Site: same-origin";
        let answer = page.ask(
            &format!(
                "{} {path}{}",
                route.method,
                if route.method == "POST" { origin } else { "" }
            ),
            "",
        );
        if own {
            continue;
        }
        if path.starts_with("/api/") || path == "/metrics" {
            assert_eq!(answer.status, 503, "{path}");
            assert!(answer.body.contains("being set up"), "{path}: {}", answer.body);
        } else {
            assert_eq!(
                (answer.status, answer.header("location")),
                (302, Some("/setup")),
                "{path}"
            );
        }
    }
    assert_eq!(page.get("/no/such/page", "").header("location"), Some("/setup"));
    // Without a session each step leads to the beginning, and says nothing about the box.
    for route in SETUP_ROUTES.iter().filter(|route| route.path.contains("{step}")) {
        for step in ["network", "clock", "pbx", "target", "mqtt", "test", "done", "restart"] {
            let path = route.path.replace("{step}", step);
            let answer = match route.method {
                "GET" => page.get(&path, ""),
                _ => page.post(&path, "", "url=x"),
            };
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some("/setup")),
                "{path}"
            );
        }
    }
    for path in ["/setup", "/setup/password"] {
        let answer = page.get(path, "");
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains(crate::server::NAME), "{path} names the box");
    }
}

#[test]
fn the_code_lets_one_person_in_once_whoever_guesses_has_to_wait() {
    let page = Page::factory();
    let code = page.setup_code.clone().unwrap();
    let file = setup::code_file(&page.folder);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), code);
    assert_eq!(
        begin(&page, &code, "short").status,
        422,
        "the code is still good after an unfit password"
    );
    assert_eq!(begin(&page, "aaaaa-aaaaa-aaaaa-aaaaa", PASSWORD).status, 403);
    let right = begin(&page, &code.to_uppercase().replace('-', "+"), PASSWORD);
    assert_eq!((right.status, right.header("location")), (303, Some("/setup/network")));
    let cookie = right.cookie().unwrap();
    assert!(!file.exists(), "the code is gone");
    assert_eq!(page.get("/setup/clock", &cookie).status, 200);
    // It is no password, and nobody chooses another one with it.
    let again = begin(&page, &code, "other words than those before");
    assert_eq!((again.status, again.cookie()), (303, None));
    assert_eq!(page.try_password(&code).status, 403);
    assert_eq!(page.try_password(&PASSWORD.replace(' ', "+")).status, 303);

    let page = Page::factory();
    let code = page.setup_code.clone().unwrap();
    for _ in 0..5 {
        assert_eq!(begin(&page, "bbbbb-bbbbb-bbbbb-bbbbb", PASSWORD).status, 403);
    }
    let waits = begin(&page, &code, PASSWORD);
    assert_eq!(waits.status, 429, "even the right one waits");
    assert!(waits.header("retry-after").is_some());
}

#[test]
fn what_was_typed_is_kept_when_a_check_fails_and_a_secret_only_in_its_file() {
    let page = Page::factory();
    let cookie = begin(&page, &page.setup_code.clone().unwrap(), PASSWORD)
        .cookie()
        .unwrap();
    let secret = "the-key-that-nobody-may-see";
    let form = page.get("/setup/pbx", &cookie);
    assert_eq!(form.status, 200);
    // Nothing that can't be used is tried.
    let body = format!("token={}&url=nonsense&client_id=&secret_file={secret}", token(&form));
    let wrong = page.post("/setup/pbx", &cookie, &body);
    assert_eq!(wrong.status, 422);
    for said in [
        "is no address",
        "must be given",
        "value=\"nonsense\"",
        "aria-invalid=\"true\"",
    ] {
        assert!(wrong.body.contains(said), "{said}: {}", wrong.body);
    }
    assert!(!wrong.body.contains(secret), "the secret is shown again");
    let (_, rest) = wrong.body.split_once("name=\"kept_secret_file\" value=\"").unwrap();
    let kept = rest.split('"').next().unwrap();
    let file = page.folder.join("secrets").join(kept);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), secret);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Nobody answers there: said, with the values, and it can be kept all the same.
    let body = format!(
        "token={}&url=https://127.0.0.1:1&client_id=me&secret_file=&kept_secret_file={kept}",
        token(&form)
    );
    let silent = page.post("/setup/pbx", &cookie, &body);
    assert_eq!(silent.status, 422);
    assert!(
        silent.body.contains("pbx-port-refused") && silent.body.contains("https://127.0.0.1:1"),
        "{}",
        silent.body
    );
    let stored = || page.handle.store().read(store::page_text).unwrap();
    assert_eq!(stored(), "", "nothing counts before the check");
    let (_, rest) = silent.body.split_once("name=\"yes\" value=\"").unwrap();
    let yes = format!("token={}&yes={}", token(&form), rest.split('"').next().unwrap());
    let put = page.post("/setup/pbx", &cookie, &yes);
    assert_eq!((put.status, put.header("location")), (303, Some("/setup/target")));
    assert_eq!(
        page.post("/setup/pbx", &cookie, &yes).header("location"),
        Some("/setup/pbx"),
        "it is meant once"
    );
    assert!(
        stored().contains(&format!("pbx.secret_file = {:?}", file)),
        "{}",
        stored()
    );
    assert!(!stored().contains(secret));
    // A file elsewhere is nobody's secret.
    let body = format!(
        "token={}&url=https://127.0.0.1:1&client_id=me&kept_secret_file=../callspool.db",
        token(&form)
    );
    page.post("/setup/pbx", &cookie, &body);
    assert!(!stored().contains("callspool.db"));
    for path in ["callspool.db", "callspool.db-wal"] {
        let bytes = std::fs::read(page.folder.join(path)).unwrap_or_default();
        assert!(
            !bytes.windows(secret.len()).any(|part| part == secret.as_bytes()),
            "the secret lies in {path}"
        );
    }
    // The next start, which no version of the settings names other files to, sweeps what was only tried.
    let loose = setup::keep_secret(&page.folder, "pbx", "tried").unwrap();
    setup::sweep_secrets(&page.folder, page.handle.store()).unwrap();
    assert!(!loose.exists() && file.exists());
}

#[test]
fn a_set_up_that_is_over_is_not_served_again() {
    let page = Page::start();
    for path in ["/setup", "/setup/password", "/setup/pbx"] {
        assert_eq!(page.get(path, "").header("location"), Some("/"), "{path}");
    }
    assert_eq!(page.setup_code, None);
    let cookie = page.log_in();
    let form = page.get("/settings/clock", &cookie);
    assert!(form.status == 200 && form.body.contains("Time zone of the office"));
    assert_eq!(page.get("/settings/restart", &cookie).status, 200);
    assert_eq!(page.get("/settings/no-such-page", &cookie).status, 404);
}
