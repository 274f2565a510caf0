//! Schemathesis against the document that the box serves: no 500, and no answer that is not described. It lies in a Python
//! environment below the target folder, which `tests/run` makes; without one the test says so, and in CI it fails.

use std::path::PathBuf;
use std::process::Command;

use callspool::rights::{Action, Scope};
use callspool::store::Grantee;

use crate::company::start;
use crate::token::token;

fn schemathesis() -> Option<PathBuf> {
    let own = PathBuf::from(env!("CARGO_BIN_EXE_callspool"));
    let target = own.ancestors().nth(2)?.to_owned();
    Some(target.join("schemathesis/bin/schemathesis")).filter(|path| path.is_file())
}

#[test]
fn nothing_that_schemathesis_asks_breaks_the_api_or_gets_an_answer_that_is_not_described() {
    let Some(program) = schemathesis() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "schemathesis is missing; tests/run installs it"
        );
        return eprintln!("SKIPPED: schemathesis is not installed; tests/run does it");
    };
    let page = start();
    for action in [
        Action::CallView,
        Action::RecordingListen,
        Action::TranscriptRead,
        Action::HoldManage,
    ] {
        page.grant(Grantee::Role("technician".to_owned()), action, Scope::Any, None);
    }
    let may = [
        "box.view",
        "box.operate",
        "call.trace",
        "call.view",
        "recording.listen",
        "transcript.read",
        "rights.read",
        "audit.read",
        "hold.manage",
    ];
    let token = token(&page, "fuzz", &may).unwrap();
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/openapi.json");
    let asked = Command::new(program)
        .arg("run")
        .arg(document)
        .args(["--url", &format!("https://{}", page.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args([
            "--tls-verify",
            "false",
            "--seed",
            "7",
            "--max-examples",
            "12",
            "--max-failures",
            "20",
        ])
        .args(["--phases", "examples,coverage,fuzzing", "--workers", "2", "--no-color"])
        .args([
            "--exclude-checks",
            "ignored_auth,positive_data_acceptance,negative_data_rejection,unsupported_method",
        ])
        .current_dir(&page.folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&asked.stdout);
    assert!(
        asked.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&asked.stderr)
    );
    println!(
        "{}",
        said.lines()
            .rev()
            .take(25)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\n")
    );
    // It is all there yet.
    let status = page.ask(&format!("GET /api/v1/status\r\nAuthorization: Bearer {token}"), "");
    assert_eq!(status.status, 200);
}
