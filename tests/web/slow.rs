//! Slow connections keep nobody out: slowhttptest in its two modes, while somebody else asks (B8).

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::Page;

#[test]
fn a_hundred_connections_that_send_a_byte_now_and_then_keep_nobody_out() {
    let there = Command::new("slowhttptest").arg("-h").output().is_ok();
    if !there {
        assert!(
            std::env::var_os("CI").is_none(),
            "slowhttptest is missing; tests/run installs it"
        );
        return eprintln!("SKIPPED: slowhttptest is not installed; tests/run does it");
    }
    let page = Page::start();
    for (mode, path) in [("-H", "/login"), ("-B", "/login")] {
        let mut attack = Command::new("slowhttptest")
            .args([
                mode, "-c", "120", "-r", "60", "-i", "2", "-l", "8", "-p", "4", "-x", "8",
            ])
            .args(["-u", &format!("https://{}{path}", page.address)])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut longest, mut asked) = (Duration::ZERO, 0);
        while attack.try_wait().unwrap().is_none() {
            let began = Instant::now();
            assert_eq!(page.ask("GET /ping", "").status, 200, "{mode}");
            longest = longest.max(began.elapsed());
            asked += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        let said = attack.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout);
        println!("{mode}: {asked} answers, the longest took {longest:?}");
        assert!(asked > 5, "{said}");
        assert!(longest < Duration::from_secs(4), "{mode}: {longest:?}");
    }
}
