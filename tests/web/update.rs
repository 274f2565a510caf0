//! The page about newer releases: what it says, and a release that is sent with a form.

use callspool::clock::Clock;
use callspool::store::AuditFilter;

use crate::maker::{Signer, keys, manifest, release, script};
use crate::server::{Answer, Page};

fn start() -> Page {
    let keys_file = std::env::temp_dir().join(format!("callspool-keys-{}", callspool::random::token::<6>()));
    std::fs::write(&keys_file, keys()).unwrap();
    let page = Page::with(Clock::system(), &format!("[update]\nkeys_file = {keys_file:?}"));
    std::fs::remove_file(&keys_file).unwrap();
    page
}

fn send(page: &Page, cookie: &str, token: &str, file: &[u8]) -> Answer {
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n--edge\r\nContent-Disposition: form-data; \
         name=\"release\"; filename=\"callspool\"\r\nContent-Type: application/octet-stream\r\n\r\n{}\r\n--edge--\r\n",
        String::from_utf8(file.to_vec()).unwrap()
    );
    let head = format!(
        "POST /update/upload\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=edge"
    );
    page.ask(&head, &body)
}

#[test]
fn a_release_is_taken_from_a_form_as_it_comes_and_one_that_is_not_signed_is_refused_with_a_sentence() {
    let page = start();
    let cookie = page.log_in();
    let shown = page.get("/update", &cookie).body;
    for part in [
        "Version 0.1.0",
        "as it was installed",
        "Nothing is looked for",
        "enctype=\"multipart/form-data\"",
        "label for=\"release\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        page.get("/", &cookie).body.contains("href=\"/update\""),
        "the version leads there"
    );

    let program = [script("exit 0"), vec![b'#'; 400_000]].concat();
    let made = manifest("0.2.0", &program);
    let token = page.token(&cookie);
    let stranger = send(&page, &cookie, "0123", &release(&made, &program, Signer::Ours));
    assert_eq!(stranger.status, 403, "without the session's token");
    assert!(page.handle.parts().update.status().next.is_none());
    for (signer, sentence) in [
        (Signer::Nobody, "it is not signed"),
        (Signer::Stranger, "a key that this box does not believe"),
    ] {
        let answer = send(&page, &cookie, &token, &release(&made, &program, signer));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/update")));
        let shown = page.get("/update", &cookie).body;
        assert!(shown.contains(sentence), "{shown}");
    }
    let cut = release(&made, &program, Signer::Ours);
    send(&page, &cookie, &token, &cut[..cut.len() - 9000]);
    let shown = page.get("/update", &cookie).body;
    assert!(
        shown.contains("Not installed"),
        "what is cut off is filled up by the form's end and no release: {shown}"
    );

    let answer = send(&page, &cookie, &token, &release(&made, &program, Signer::Ours));
    assert_eq!(answer.status, 303, "{}", answer.body);
    let shown = page.get("/update", &cookie).body;
    assert!(shown.contains("Version 0.2.0 is installed and starts now"), "{shown}");
    assert_eq!(page.handle.parts().update.status().next.as_deref(), Some("0.2.0"));
    let audit = page
        .handle
        .store()
        .read(|c| {
            let most = AuditFilter {
                most: 50,
                ..AuditFilter::default()
            };
            callspool::store::audit_rows(c, &most)
        })
        .unwrap();
    let noted = audit
        .iter()
        .filter(|row| format!("{row:?}").contains("update file"))
        .count();
    assert_eq!(noted, 4, "each is written down before it is taken");
}

#[test]
fn what_is_no_form_with_a_file_is_refused_and_the_page_lives_on() {
    let page = start();
    let cookie = page.log_in();
    for body in ["x", &"y".repeat(100_000), "token=abc&what=fetch"] {
        let head = format!("POST /update/upload\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin");
        assert_eq!(
            page.ask(&head, body).status,
            403,
            "without its form there is no token either"
        );
    }
    let head = format!("POST /update/upload\r\nCookie: {cookie}\r\nSec-Fetch-Site: cross-site");
    assert_eq!(page.ask(&head, "x").status, 403);
    let said = page.post("/update", &cookie, "token={token}&what=rollback");
    assert_eq!(said.status, 303);
    assert!(
        page.get("/update", &cookie)
            .body
            .contains("no release before it to go back to")
    );
    assert!(page.post("/update", &cookie, "token={token}&what=nonsense").status == 303);
}
