//! `/metrics`: well-formed, behind its door, and without a number or a name.

use std::os::unix::fs::PermissionsExt;

use callspool::clock::Clock;
use callspool::health::Report;

use crate::exposition;
use crate::server::Page;

#[test]
fn metrics_are_well_formed_and_open_to_a_login_or_the_token_alone() {
    let token = std::env::temp_dir().join(format!("callspool-token-{}", callspool::random::token::<6>()));
    std::fs::write(&token, "a-token-of-many-characters\n").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let page = Page::with(Clock::system(), &format!("scrape_token_file = {token:?}\n"));
    page.handle.health().raise(Report {
        code: "target-down:crm".to_owned(),
        title: "x".to_owned(),
        text: "+49 30 123456 does not answer".to_owned(),
        ..Report::default()
    });
    let with = |header: &str| page.ask(&format!("GET /metrics{header}"), "");
    assert_eq!(with("").status, 401);
    assert_eq!(with("\r\nAuthorization: Bearer a-token-of-many-characterz").status, 401);
    assert_eq!(with("\r\nAuthorization: Basic a-token-of-many-characters").status, 401);
    let bearer = "\r\nAuthorization: Bearer a-token-of-many-characters";
    let other = page.ask(&format!("GET /api/v1/status{bearer}"), "");
    assert_eq!(other.status, 401, "the token opens nothing else");
    let scraped = with(bearer);
    assert_eq!(scraped.status, 200);
    assert_eq!(
        scraped.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let samples = exposition::check(&scraped.body);
    assert!(
        samples
            .iter()
            .any(|sample| sample == "callspool_finding{code=\"target-down:crm\"} 2"),
        "{samples:?}"
    );
    assert!(
        samples
            .iter()
            .any(|sample| sample.starts_with("callspool_target_waiting{target=\"crm\"}"))
    );
    assert!(!scraped.body.contains("123456"));
    std::fs::remove_file(token).unwrap();
    assert_eq!(with(bearer).status, 401, "a token that was taken away");
    assert_eq!(page.get("/metrics", &page.log_in()).status, 200);
}
