//! What can be made to go wrong, and that it stops when it should.

mod common;

use callspool_sim::pbx::{Fault, FaultKind, PathKind, PbxConfig};
use callspool_sim::time::DAY_MS;
use common::{Client, NOON_MS, config, start};

#[test]
fn an_error_status_comes_as_often_as_ordered_and_only_where_aimed() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let busy = FaultKind::Status {
        code: 429,
        retry_after: Some(7),
    };
    pbx.faults().set(Fault::new(busy).on(PathKind::Recordings).times(2));
    assert_eq!(xapi.get("/Users?$select=Id").status, 200);
    for _ in 0..2 {
        let answer = xapi.get("/Recordings");
        assert_eq!((answer.status, answer.retry_after.as_deref()), (429, Some("7")));
    }
    assert_eq!(xapi.get("/Recordings").status, 200);
    assert_eq!((pbx.faults().hits(), pbx.faults().active().len()), (2, 0));
}

#[test]
fn wrong_answers_with_a_right_status() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let once = |kind: FaultKind| {
        pbx.faults().set(Fault::new(kind).times(1));
        xapi.get("/Recordings?$top=2")
    };
    let html = once(FaultKind::Html);
    assert_eq!((html.status, html.kind.as_deref()), (200, Some("text/html")));
    let moved = once(FaultKind::Redirect {
        to: "https://portal.example.invalid/".into(),
    });
    assert_eq!(
        (moved.status, moved.location.as_deref()),
        (302, Some("https://portal.example.invalid/"))
    );
    let inside = once(FaultKind::ErrorIn200);
    assert!(inside.status == 200 && inside.json()["error"].is_object());
    assert_eq!(once(FaultKind::Forbidden).status, 403);
    assert!(once(FaultKind::ExtraFields).rows()[0]["NewInNextBuild"].is_object());
    let fewer = once(FaultKind::MissingFields {
        names: vec!["EndTime".into()],
    })
    .rows();
    assert!(fewer[0]["EndTime"].is_null() && fewer[0]["StartTime"].is_string());
    assert!(once(FaultKind::WrongTypes).rows()[0]["Id"].is_string());
    assert!(once(FaultKind::RevokeToken { mid_page: false }).status == 401);
    assert_eq!(xapi.get("/Recordings").status, 401, "the token stays dead");
}

#[test]
fn a_slow_answer_is_slow_and_still_right() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    pbx.faults().set(Fault::new(FaultKind::Slow { ms: 300 }).times(1));
    let begin = std::time::Instant::now();
    assert_eq!(xapi.get("/Recordings?$top=2").rows().len(), 2);
    assert!(begin.elapsed().as_millis() >= 300);
}

#[test]
fn a_token_dies_in_the_middle_of_the_pages() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    pbx.faults()
        .set(Fault::new(FaultKind::RevokeToken { mid_page: true }).times(1));
    assert_eq!(xapi.get("/Recordings?$top=10&$skip=0").status, 200);
    assert_eq!(xapi.get("/Recordings?$top=10&$skip=10").status, 401);
    assert_eq!(Client::login(&pbx).get("/Recordings?$top=10&$skip=10").status, 200);
}

#[test]
fn audio_is_cut_promised_too_long_or_shorter_than_its_header() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let id = xapi.get("/Recordings?$top=1").rows()[0]["Id"].as_i64().unwrap();
    let path = format!("/Recordings/Pbx.DownloadRecording(recId={id})");
    let whole = pbx.audio(id as i32).unwrap();
    let once = |kind: FaultKind| {
        pbx.faults().set(Fault::new(kind).on(PathKind::Download).times(1));
        xapi.get(&path).body
    };
    assert!(once(FaultKind::CutBody { share: 0.5 }).is_err());
    assert!(once(FaultKind::LongerContentLength { extra: 100 }).is_err());
    let short = once(FaultKind::ShortAudio { share: 0.5 }).unwrap();
    assert_eq!(short[..], whole[..whole.len() / 2]);
    assert_eq!(xapi.get(&path).body.as_ref(), Ok(&whole));
}

#[test]
fn a_cut_line_comes_back_on_the_same_port_with_the_same_content() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let (url, truth) = (pbx.url(), pbx.truth());
    pbx.stop();
    let refused = ureq::get(format!("{url}/sim/state")).call();
    assert!(refused.is_err());
    pbx.start_again().unwrap();
    assert_eq!((pbx.url(), pbx.truth()), (url, truth));
    assert_eq!(xapi.report(NOON_MS - DAY_MS, NOON_MS, "").status, 200);
}

#[test]
fn a_new_certificate_has_another_pin_on_the_same_port() {
    let pbx = start(PbxConfig { tls: true, ..config() });
    let (url, pin) = (pbx.url(), pbx.spki_sha256());
    assert!(url.starts_with("https://127.0.0.1:") && pin.is_some());
    pbx.regenerate_certificate().unwrap();
    assert_eq!(pbx.url(), url);
    assert_ne!(pbx.spki_sha256(), pin);
    assert!(pbx.certificate_der().is_some_and(|der| der.len() > 200));
}

#[test]
fn a_person_with_curl_has_the_same_levers() {
    let pbx = start(config());
    let post = |path: &str, body: &str| {
        let request = ureq::post(format!("{}{path}", pbx.url())).header("content-type", "application/json");
        request
            .send(body)
            .map(|mut r| r.body_mut().read_to_string().unwrap())
            .unwrap()
    };
    let before = pbx.truth().len();
    let call = post(
        "/sim/call",
        r#"{"kind":"internal","ended":true,"agents":["100","101"],"recorded":true}"#,
    );
    let call: serde_json::Value = serde_json::from_str(&call).unwrap();
    assert_eq!(call["recordings"].as_array().map(Vec::len), Some(2));
    assert_eq!(pbx.truth().len(), before + 1);
    post(
        "/sim/fault",
        r#"{"what":"status","code":503,"retry_after":null,"on":"users","times":1}"#,
    );
    let xapi = Client::login(&pbx);
    assert_eq!(xapi.get("/Users?$select=Id").status, 503);
    assert_eq!(xapi.get("/Users?$select=Id").status, 200);
}
