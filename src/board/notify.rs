//! Telling the supervisor how the agent is: systemd's protocol, which others speak too.
//!
//! Source: sd_notify(3) of systemd 252: datagrams of `NAME=value` lines to the socket in `NOTIFY_SOCKET`, which is a path, or
//! a name in the abstract namespace where it begins with `@`; `WATCHDOG_USEC` says within which time `WATCHDOG=1` must
//! come, and `WATCHDOG_PID`, where it is set, to whom that applies.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The supervisor's ear.
pub struct Notifier {
    socket: UnixDatagram,
    to: SocketAddr,
    within: Option<Duration>,
}

impl Notifier {
    /// That of this process; `None` if nobody wants to hear anything.
    pub fn of_process() -> Option<Notifier> {
        let var = |name| std::env::var(name).ok();
        let ours = var("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let within = var("WATCHDOG_USEC").filter(|_| ours).and_then(|text| text.parse().ok());
        Notifier::new(&var("NOTIFY_SOCKET")?, within.map(Duration::from_micros))
    }

    /// One that speaks to `socket` and must give a sign every `within`.
    pub fn new(socket: &str, within: Option<Duration>) -> Option<Notifier> {
        let to = match socket.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(socket),
        };
        let socket = UnixDatagram::unbound().ok()?;
        // One that has stopped listening must not stop the agent too.
        socket.set_nonblocking(true).ok()?;
        Some(Notifier {
            socket,
            to: to.ok()?,
            within,
        })
    }

    /// Says it; a supervisor that doesn't listen is no reason to do anything else.
    pub fn say(&self, text: &str) {
        if let Err(error) = self.socket.send_to_addr(text.as_bytes(), &self.to) {
            log::debug!("the supervisor does not hear: {error}");
        }
    }

    /// Within which time a sign of life must come.
    pub fn within(&self) -> Option<Duration> {
        self.within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_hears_by_path_and_by_abstract_name() {
        let name = format!("callspool-notify-{}", crate::random::token::<6>());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let path = std::env::temp_dir().join(&name);
        for (ear, said) in [
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}")),
            (UnixDatagram::bind(&path).unwrap(), path.to_string_lossy().into_owned()),
        ] {
            let notifier = Notifier::new(&said, Some(Duration::from_secs(2))).unwrap();
            assert_eq!(notifier.within(), Some(Duration::from_secs(2)));
            notifier.say("READY=1\nSTATUS=ok");
            let mut heard = [0; 64];
            let length = ear.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"READY=1\nSTATUS=ok");
        }
        std::fs::remove_file(&path).unwrap();
        Notifier::new(&path.to_string_lossy(), None)
            .unwrap()
            .say("nobody hears");
    }
}
