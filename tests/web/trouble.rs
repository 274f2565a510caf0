//! The page while the store is in trouble.

use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::server::{Answer, Page};

fn quickly(what: &str, ask: impl FnOnce() -> Answer) -> Answer {
    let begun = Instant::now();
    let answer = ask();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{what} took {took:?}");
    answer
}

#[test]
fn the_page_answers_while_somebody_else_holds_the_store() {
    let page = Page::start();
    let cookie = page.log_in();
    let other = Connection::open(page.folder.join("callspool.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(
        quickly("the state", || page.get("/", &cookie))
            .body
            .contains("All is well")
    );
    assert_eq!(quickly("the calls", || page.get("/calls", &cookie)).status, 200);
    assert_eq!(quickly("the JSON", || page.get("/api/v1/status", &cookie)).status, 200);
    // The tries can't be stored now; they count all the same, and the login goes on.
    assert_eq!(page.try_password("wrong").status, 403);
    assert_eq!(page.try_password(page.first_password.as_deref().unwrap()).status, 303);
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn the_page_says_what_it_knows_while_the_store_does_not_answer() {
    let page = Page::start();
    let cookie = page.log_in();
    assert!(page.get("/", &cookie).body.contains("All is well"));
    // Readers wait for whoever rebuilds the index of the write-ahead log; here somebody holds the lock for that and
    // rebuilds nothing. (SQLite, WAL format: the index begins with two copies of its header, which must agree.)
    let other = Connection::open(page.folder.join("callspool.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut index = std::fs::OpenOptions::new()
        .write(true)
        .open(page.folder.join("callspool.db-shm"))
        .unwrap();
    index.seek(SeekFrom::Start(0)).unwrap();
    index.write_all(&[0xff; 40]).unwrap();
    let body = {
        let mut shown = String::new();
        page.until("the page notices", |page| {
            shown = quickly("the state", || page.get("/", &cookie)).body;
            shown.contains("The store does not answer")
        });
        shown
    };
    assert!(body.contains("Figures of calls and deliveries are from"), "{body}");
    let calls = quickly("the calls", || page.get("/calls", &cookie));
    assert_eq!(calls.status, 503);
    assert!(calls.body.contains("Nothing is lost by it.") && calls.header("retry-after").is_some());
    let status = quickly("the JSON", || page.get("/api/v1/status", &cookie)).json();
    assert!(status["store_age_ms"].as_i64().unwrap() > 0);
    drop(other);
    page.until("the store answers again", |page| {
        page.get("/", &cookie).body.contains("All is well")
    });
}
