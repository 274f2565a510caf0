//! Every page of a box that has something to show, as the technician and as somebody with an extension (A19, A22–A24).

use serde_json::json;

use crate::browser::Walk;
use crate::filled::filled;

/// What is looked at here; `CALLSPOOL_VIEWS=all` looks at every screen and language.
const VIEWS: [&str; 6] = ["desktop", "phone", "dark", "german", "longer", "mirrored"];

#[test]
fn every_page_holds_on_every_screen_in_every_language_and_by_keyboard() {
    let Some(walk) = Walk::ready() else { return };
    let page = filled();
    page.account("101", "four words apart really");
    let mut told = json!({
        "url": format!("https://{}", page.address),
        "outside": ["/login", "/welcome"],
        "people": [
            { "who": "technician", "name": "", "password": page.first_password,
              "more": ["/nowhere", "/drop?id=one", "/calls/999", "/rights?as=101&call=1"] },
            { "who": "person", "name": "101", "password": "four words apart really", "more": ["/queue", "/me?call=1"] },
        ],
    });
    if std::env::var_os("CALLSPOOL_VIEWS").is_none() {
        told["views"] = json!(VIEWS);
    }
    let report = walk.walk("pages", "pages", told);
    let looked = report["pages"].as_array().unwrap().len();
    assert!(looked > 60, "{looked} pages alone");
    println!("{looked} looks in {} ms", report["took_ms"]);
}
