//! The helper's socket: one JSON line each way. The helper side runs as root and serves [`Keeper`]; the other side asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use super::network::{Keeper, Order, Standing};

/// How often the helper looks whether a change must be taken back.
const LOOK: Duration = Duration::from_millis(500);
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);

/// Listens at `socket` for the users of its folder's group, and obeys until the process ends.
///
/// # Errors
/// If it can't listen.
pub fn serve(socket: &Path, mut keeper: Keeper) -> std::io::Result<()> {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    loop {
        keeper.look();
        match listener.accept() {
            Ok((stream, _)) => answer(stream, &mut keeper),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(LOOK),
            Err(error) => return Err(error),
        }
    }
}

fn answer(mut stream: UnixStream, keeper: &mut Keeper) {
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut line = String::new();
    if BufReader::new((&stream).take(4096)).read_line(&mut line).is_err() {
        return;
    }
    let standing = match serde_json::from_str::<Order>(&line) {
        Ok(order) => keeper.obey(&order),
        Err(error) => Standing {
            error: format!("not understood: {error}"),
            ..Standing::default()
        },
    };
    let told = serde_json::to_string(&standing).unwrap_or_default();
    let _ = stream.write_all(format!("{told}\n").as_bytes());
}

/// Asks the helper. Blocking.
///
/// # Errors
/// If there is none, or it does not answer.
pub fn ask(socket: &Path, order: &Order) -> Result<Standing, String> {
    let failed = |error: std::io::Error| format!("the network's helper does not answer: {error}");
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let line = serde_json::to_string(order).map_err(|error| error.to_string())?;
    stream.write_all(format!("{line}\n").as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    BufReader::new(stream.take(64 << 10))
        .read_line(&mut answer)
        .map_err(failed)?;
    serde_json::from_str(&answer).map_err(|error| format!("the network's helper answers oddly: {error}"))
}
