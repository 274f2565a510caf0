//! What the supervisor hears, and that a start knows why it was needed.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::supervised::*;

#[test]
fn the_supervisor_hears_that_the_agent_is_ready_lives_and_stops() {
    let mut site = Site::new("notify", "");
    assert!(site.agent.stop());
    let name = format!("callspool-supervisor-{}", site.agent.pid());
    let ear = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    ear.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut heard = [0; 256];
    let mut next = || {
        let length = ear.recv(&mut heard).unwrap();
        String::from_utf8(heard[..length].to_vec()).unwrap()
    };
    let mut command = Command::new(binary());
    command
        .env("NOTIFY_SOCKET", format!("@{name}"))
        .env("WATCHDOG_USEC", "300000");
    let mut agent = Process::start_with(&site.setup, command);
    let mut before_ready = 0;
    loop {
        match next().as_str() {
            "READY=1" => break,
            sign => assert_eq!(sign, "WATCHDOG=1"),
        }
        before_ready += 1;
        assert!(before_ready < 1000);
    }
    assert!(status(&site.setup).is_some());
    let began = Instant::now();
    for _ in 0..6 {
        assert_eq!(next(), "WATCHDOG=1");
    }
    assert!(began.elapsed() < Duration::from_secs(30));
    let asked = std::thread::spawn(move || agent.stop());
    while next() != "STOPPING=1" {}
    assert!(asked.join().unwrap());
}

#[test]
fn a_start_after_a_kill_says_crash_and_after_another_boot_power_loss() {
    let mut site = Site::new("why", "");
    let reason = |site: &Site| status(&site.setup).unwrap()["box"]["reason"].clone();
    assert_eq!(reason(&site), "first-start");
    site.agent.kill();
    site.agent = Process::start(&site.setup);
    site.agent.wait_until_up(&site.setup);
    assert_eq!(reason(&site), "crash");
    // Another boot is another boot id; only root can show one to a process.
    let boot = site.setup.folder.0.join("boot_id");
    std::fs::write(&boot, "11111111-2222-3333-4444-555555555555\n").unwrap();
    let shown = format!("mount --bind {} /proc/sys/kernel/random/boot_id", boot.display());
    let can = Command::new("unshare").args(["--mount", "sh", "-c", &shown]).status();
    if !can.is_ok_and(|status| status.success()) {
        eprintln!("skipped: another boot id can't be shown here (not root)");
        return;
    }
    site.agent.kill();
    let mut command = Command::new("unshare");
    let own = format!("{shown} && exec {} \"$@\"", binary());
    command.args(["--mount", "sh", "-c", &own, "sh"]);
    site.agent = Process::start_with(&site.setup, command);
    site.agent.wait_until_up(&site.setup);
    assert_eq!(reason(&site), "power-loss");
    assert!(site.agent.stop());
}
