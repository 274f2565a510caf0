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
    for path in ["/calls", "/calls?q=anna&state=held", "/queue", "/checks", "/metrics"] {
        assert_eq!(quickly(path, || page.get(path, &cookie)).status, 200);
    }
    assert_eq!(quickly("the JSON", || page.get("/api/v1/status", &cookie)).status, 200);
    // The tries can't be stored now; they count all the same, and the login goes on.
    assert_eq!(page.try_password("wrong").status, 403);
    assert_eq!(page.try_password(page.first_password.as_deref().unwrap()).status, 303);
    other.execute_batch("ROLLBACK").unwrap();
}

/// Stops reading: readers wait for whoever rebuilds the index of the write-ahead log; here somebody holds the lock for that
/// and rebuilds nothing, until the connection is dropped. (SQLite, WAL format: the index begins with two copies of its
/// header, which must agree.)
fn hang(page: &Page) -> Connection {
    let other = Connection::open(page.folder.join("callspool.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut index = std::fs::OpenOptions::new()
        .write(true)
        .open(page.folder.join("callspool.db-shm"))
        .unwrap();
    index.seek(SeekFrom::Start(0)).unwrap();
    index.write_all(&[0xff; 40]).unwrap();
    other
}

#[test]
fn the_state_page_does_without_graphs_that_the_store_does_not_give() {
    let page = Page::start();
    let cookie = page.log_in();
    let drawn = "<figure class=\"graph\">";
    // A page that never got them says so; one that did shows the last ones.
    let other = hang(&page);
    let mut body = String::new();
    page.until("the page notices", |page| {
        body = quickly("the state", || page.get("/", &cookie)).body;
        body.contains("The store does not answer")
    });
    assert!(!body.contains(drawn) && body.contains("How it was"), "{body}");
    assert!(body.contains("Not known: the store has not answered yet."), "{body}");
    drop(other);
    page.until("the graphs come", |page| page.get("/", &cookie).body.contains(drawn));
    let other = hang(&page);
    let body = quickly("the state", || page.get("/", &cookie)).body;
    assert!(body.contains(drawn), "{body}");
    drop(other);
}

#[test]
fn the_page_answers_while_nothing_can_be_written() {
    let page = Page::start();
    crate::pages::calls(&page, 3, "Anna");
    let cookie = page.log_in();
    // As on a full disk, or one that was mounted read-only after an error: every write fails, reading goes on.
    let closed = page.handle.store().write(|within| {
        for table in ["setting", "audit", "delivery", "call"] {
            for change in ["INSERT", "UPDATE"] {
                within.execute_batch(&format!(
                    "CREATE TRIGGER full_{table}_{change} BEFORE {change} ON {table}
                     BEGIN SELECT raise(ABORT, 'database or disk is full'); END"
                ))?;
            }
        }
        Ok(())
    });
    closed.unwrap();
    for path in [
        "/",
        "/calls",
        "/calls/1",
        "/queue",
        "/checks",
        "/targets/crm",
        "/api/v1/status",
    ] {
        assert_eq!(quickly(path, || page.get(path, &cookie)).status, 200, "{path}");
    }
    assert_eq!(
        page.try_password(page.first_password.as_deref().unwrap()).status,
        303,
        "a login goes on"
    );
}

#[test]
fn the_page_says_what_it_knows_while_the_store_does_not_answer() {
    let page = Page::start();
    let cookie = page.log_in();
    assert!(page.get("/", &cookie).body.contains("All is well"));
    let other = hang(&page);
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
