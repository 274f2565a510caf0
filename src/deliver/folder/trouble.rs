//! What a medium's errors mean, and what a technician does about them.

use std::io::{Error, ErrorKind};

use super::LOOK_EVERY;
use crate::deliver::verdict::{Blame, Verdict};

/// Input/output error, no such device, no such device or address, not connected: what a medium that was pulled out says.
const PULLED_OUT: [i32; 4] = [5, 19, 6, 107];

/// What an error while `doing` something with the medium means for a delivery.
pub(super) fn verdict(doing: &str, error: &Error) -> Verdict {
    use ErrorKind as K;
    let reason = format!("can't {doing} the medium: {error}");
    match error.kind() {
        K::StorageFull | K::QuotaExceeded => Verdict::failed(Blame::Target, "medium-full", reason),
        K::ReadOnlyFilesystem => Verdict::failed(Blame::Target, "medium-read-only", reason),
        K::PermissionDenied => Verdict::failed(Blame::Permission, "medium-permission", reason),
        K::InvalidFilename => Verdict::failed(Blame::Hopeless, "name-too-long", reason),
        K::AlreadyExists | K::NotADirectory | K::IsADirectory => {
            Verdict::failed(Blame::Hopeless, "exists-differs", reason)
        }
        K::NotFound | K::StaleNetworkFileHandle | K::HostUnreachable | K::NetworkDown | K::NotConnected => {
            away(reason)
        }
        _ if error.raw_os_error().is_some_and(|code| PULLED_OUT.contains(&code)) => away(reason),
        _ => Verdict::failed(Blame::Target, "medium-io", reason),
    }
}

fn away(reason: String) -> Verdict {
    Verdict::Waiting {
        code: "medium-away".to_owned(),
        reason,
        pause: LOOK_EVERY,
    }
}

/// What a technician does about it.
pub(super) fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "medium-away" => {
            "Plug the disk in or mount the NAS: callspool goes on by itself within seconds. If it is meant to be a plain \
             folder, set `mount = false`."
        }
        "medium-other" => {
            "Put the right medium back. To use this one, empty its file .callspool; what is on it stays as it is."
        }
        "medium-full" => "Make room on the medium, or put in an empty one.",
        "medium-read-only" => {
            "Mount the medium so that it can be written to; a disk that turned read-only by itself is failing."
        }
        "medium-permission" => {
            "Give the user that callspool runs as the right to write to the folder, then press Resume."
        }
        "medium-io" => "Check the medium and its cable; look into the kernel's messages (dmesg).",
        "exists-differs" => {
            "Look at the file of that name: move it away if it is not callspool's, then press Retry. Nothing is written \
             over."
        }
        _ => return None,
    })
}
