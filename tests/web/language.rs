//! In which language the page answers.

use crate::server::Page;

fn login_in(page: &Page, accepted: &str, cookie: &str) -> String {
    page.ask(
        &format!("GET /login\r\nAccept-Language: {accepted}\r\nCookie: {cookie}"),
        "",
    )
    .body
}

#[test]
fn a_page_is_answered_in_the_browsers_language_until_another_is_chosen() {
    let page = Page::start();
    assert!(login_in(&page, "en", "").contains("<html lang=\"en\">"));
    let german = login_in(&page, "de-AT,de;q=0.9,en;q=0.5", "");
    assert!(
        german.contains("<html lang=\"de\">") && german.contains("Anmelden"),
        "{german}"
    );

    let chosen = page.post("/language", "", "language=en&back=/queue");
    assert_eq!((chosen.status, chosen.header("location")), (303, Some("/queue")));
    let cookie = chosen
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert!(login_in(&page, "de", &cookie).contains("<html lang=\"en\">"));

    let elsewhere = page.post("/language", "", "language=de&back=//evil.example");
    assert_eq!(elsewhere.header("location"), Some("/"));
    let none = page.post("/language", "", "language=klingon");
    assert_eq!((none.status, none.header("set-cookie")), (400, None));
}

#[test]
fn what_scripts_read_is_english_in_every_language() {
    let page = Page::start();
    let head = |path: &str, accepted: &str| format!("GET {path}\r\nAccept-Language: {accepted}");
    assert_eq!(
        page.ask(&head("/api/v1/status", "de"), "").body,
        page.ask(&head("/api/v1/status", "en"), "").body
    );
}

#[test]
fn layouts_can_be_tried_with_longer_words_and_from_right_to_left() {
    let page = Page::start();
    let longer = login_in(&page, "en-XA", "");
    assert!(longer.contains("lang=\"en-XA\"") && longer.contains("é~"), "{longer}");
    assert!(login_in(&page, "ar-XB", "").contains("dir=\"rtl\""));
}
