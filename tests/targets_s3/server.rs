//! A real object store that others wrote: moto's S3 server, in a Python environment below the target folder.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The version that the tests were written against.
const MOTO: &str = "moto[server]==5.2.5";

/// A running store; it ends with this.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub addr: SocketAddr,
}

/// The Python of the environment that has the store, which is made when it is not there. `None` where it can't be: a
/// line says so, and where tests must run (`CI` is set) it is a failure.
pub fn python() -> Option<PathBuf> {
    // target/debug/callspool → target
    let target = Path::new(crate::rig::binary()).ancestors().nth(2).unwrap();
    let (home, python) = (target.join("s3"), target.join("s3/bin/python"));
    let has = || {
        let asked = Command::new(&python)
            .args(["-c", "import moto.server, flask, boto3"])
            .output();
        asked.is_ok_and(|output| output.status.success())
    };
    if has() {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output();
    let pip = || {
        Command::new(&python)
            .args(["-m", "pip", "install", "-q", MOTO])
            .output()
    };
    let said = match made {
        Ok(made) if made.status.success() => match pip() {
            Ok(_) if has() => return Some(python),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        },
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    assert!(
        std::env::var_os("CI").is_none(),
        "no object store to test against: {said}"
    );
    println!("SKIPPED: no object store to test against, because {MOTO} can't be installed: {said}");
    None
}

impl Server {
    /// Starts the store on a free port.
    pub fn start(python: &Path) -> Server {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let run = "from moto.server import main; import sys; main(sys.argv[1:])";
        let child = Command::new(python)
            .args(["-c", run, "-H", "127.0.0.1", "-p", &addr.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, addr };
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(addr).is_err() {
            assert!(Instant::now() < end, "the object store did not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
