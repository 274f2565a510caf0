//! Alone in its process, so that no other test's threads come and go while they are counted.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use callspool_sim::crm::{Crm, CrmConfig};
use callspool_sim::line::Line;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn lines_and_crms_leave_no_thread_behind() {
    let before = threads();
    for _ in 0..50 {
        let crm = Crm::start(CrmConfig::default()).unwrap();
        let line = Line::start(crm.addr()).unwrap();
        let _held = TcpStream::connect(line.addr()).unwrap();
        line.blackhole();
        assert!(threads() >= before + 2);
    }
    // A thread that has been joined may be listed for a moment longer.
    let end = Instant::now() + Duration::from_secs(5);
    while threads() > before && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(threads(), before);
}
