//! The rows of the catalogue, in the order in which things are checked.

use super::Remedy::{self, Clicks, Words};
use super::{Finding, Severity};
use crate::pbx::advice::Problem;

const fn error(
    code: &'static str,
    check: &'static str,
    depends_on: &'static str,
    told: [&'static str; 2],
    remedy: Remedy,
) -> Finding {
    row(Severity::Error, code, check, depends_on, told, remedy)
}

const fn warning(
    code: &'static str,
    check: &'static str,
    depends_on: &'static str,
    told: [&'static str; 2],
    remedy: Remedy,
) -> Finding {
    row(Severity::Warning, code, check, depends_on, told, remedy)
}

const fn note(
    code: &'static str,
    check: &'static str,
    depends_on: &'static str,
    told: [&'static str; 2],
    remedy: Remedy,
) -> Finding {
    row(Severity::Ok, code, check, depends_on, told, remedy)
}

const fn row(
    severity: Severity,
    code: &'static str,
    check: &'static str,
    depends_on: &'static str,
    [title, means]: [&'static str; 2],
    remedy: Remedy,
) -> Finding {
    let depends_on = if depends_on.is_empty() { None } else { Some(depends_on) };
    Finding {
        code,
        check,
        severity,
        depends_on,
        title,
        means,
        remedy,
    }
}

const BY_ITSELF: Remedy =
    Words("callspool asks again by itself; if it lasts, look at the PBX's services and load.");
const LOOK_AT_DISK: Remedy =
    Words("Look at the disk: room, mount, health. callspool goes on by itself when it can write again.");

/// Every finding there is.
pub const FINDINGS: &[Finding] = &[
    // The box.
    error(
        "disk-unusable",
        "disk",
        "",
        [
            "The state folder can't be used",
            "Nothing can be kept, so nothing is taken.",
        ],
        Words("Make the folder that state_dir names, or name another."),
    ),
    error(
        "disk-read-only",
        "disk",
        "",
        [
            "The disk is read-only",
            "Nothing new can be kept; the PBX still has it.",
        ],
        Words(
            "Look at the kernel's log for disk errors, then mount the volume writable; a failing card or disk must be replaced.",
        ),
    ),
    warning(
        "disk-low",
        "disk",
        "",
        [
            "The disk is nearly full",
            "No more recordings are fetched until there is room; the PBX still has them.",
        ],
        Words("Make room on the volume, or mend the target so that recordings can be delivered and evicted."),
    ),
    error(
        "store-damaged",
        "store",
        "disk-unusable",
        [
            "The store is damaged",
            "What is known of calls and deliveries may be wrong.",
        ],
        Words("Stop callspool and restore a backup; what the PBX still has is read again."),
    ),
    error(
        "store-unreadable",
        "store",
        "disk-unusable",
        [
            "The store can't be read",
            "Nothing is taken or delivered meanwhile; nothing is lost by it.",
        ],
        LOOK_AT_DISK,
    ),
    error(
        "store-failing",
        "",
        "disk-read-only",
        [
            "The store can't be written",
            "Nothing new is taken meanwhile; the PBX still has it.",
        ],
        LOOK_AT_DISK,
    ),
    error(
        "spool-failing",
        "",
        "disk-read-only",
        [
            "Recordings can't be written",
            "Calls go on arriving in the CRM, recordings wait on the PBX.",
        ],
        Words("Make room on the volume or mount it writable; nothing is lost, the PBX still has it."),
    ),
    error(
        "spool-full",
        "",
        "",
        [
            "No room for recordings",
            "Calls go on arriving in the CRM, new recordings wait on the PBX.",
        ],
        Words(
            "Mend the target so that recordings can be delivered, make room on the volume, or raise spool.max_bytes.",
        ),
    ),
    warning(
        "holds-fill-spool",
        "",
        "spool-full",
        [
            "Holds take the room of new recordings",
            "What is on hold is never deleted, so there is no room left for what is new; it waits on the PBX.",
        ],
        Words(
            "Release holds that are no longer needed (callspool hold list), make room on the volume, or raise spool.max_bytes.",
        ),
    ),
    warning(
        "clock-not-synced",
        "clock",
        "",
        [
            "The clock is not synchronised",
            "Times in the CRM may be wrong, and certificates may seem expired.",
        ],
        Words("Let the box reach a time server (NTP, UDP port 123), for example the PBX or the router."),
    ),
    error(
        "secret-unreadable",
        "secrets",
        "",
        [
            "A secret file can't be used",
            "The login or the signature that needs it can't be made.",
        ],
        Words("Put the secret into the file and set its mode to 600."),
    ),
    // The network.
    error(
        "link-down",
        "link",
        "",
        ["No network cable or Wi-Fi", "Nothing outside can be reached."],
        Words(
            "Plug the network cable in at both ends; the lamps at the socket must be lit. Try another cable, then another port of the switch.",
        ),
    ),
    error(
        "address-missing",
        "address",
        "link-down",
        ["The box has no address", "Nothing outside can be reached."],
        Words(
            "The network gave this box no address (DHCP): look at the router's or switch's DHCP server and VLAN, or set a fixed address.",
        ),
    ),
    warning(
        "route-missing",
        "route",
        "address-missing",
        [
            "There is no way out of the local network",
            "Only what is in the same network can be reached.",
        ],
        Words(
            "If PBX, CRM or broker are elsewhere, set a gateway (DHCP option 3, or in the box's network settings).",
        ),
    ),
    error(
        "dns-silent",
        "dns",
        "address-missing",
        ["No name server answers", "Nothing can be found by its name."],
        Words(
            "Check that this box may ask its name servers (UDP and TCP port 53), or set others; /etc/resolv.conf lists them.",
        ),
    ),
    warning(
        "dns-partly",
        "dns",
        "address-missing",
        [
            "A name server does not answer",
            "Names are found, but slowly, and not at all if the other one fails.",
        ],
        Words("Take the silent name server out of the DHCP or network settings, or mend it."),
    ),
    // The PBX: the way to it.
    error(
        "pbx-unreachable",
        "",
        "link-down",
        [
            "The PBX does not answer",
            "No calls and no recordings come; what it has meanwhile is read later.",
        ],
        Words("Run the checks (`callspool doctor`): they say how far the way to the PBX goes."),
    ),
    error(
        "pbx-name-unknown",
        "pbx-dns",
        "dns-silent",
        ["The PBX's name is unknown", "No calls and no recordings come."],
        Words("Correct the name in pbx.url, or give the name server an entry for it."),
    ),
    error(
        "pbx-port-refused",
        "pbx-tcp",
        "link-down",
        [
            "The PBX's port is closed",
            "The machine is there and nothing listens at that port: no calls come.",
        ],
        Words(
            "Check the port in pbx.url (443 or 5001) and that the PBX's services run (on the PBX: Dashboard → Services).",
        ),
    ),
    error(
        "pbx-port-silent",
        "pbx-tcp",
        "link-down",
        [
            "The PBX's port does not answer",
            "Nothing comes back from that address: no calls come.",
        ],
        Words(
            "Check the PBX's power, its address and port in pbx.url, firewalls between, and on the PBX the IP Blacklist: an address that is on it gets no answer.",
        ),
    ),
    error(
        "pbx-trust-unusable",
        "pbx-tls",
        "",
        ["pbx.trust can't be used", "The PBX can't be asked at all."],
        Words("Correct pbx.trust in the configuration: \"pin\", \"public\", or a PEM file that can be read."),
    ),
    error(
        "pbx-pin-changed",
        "pbx-tls",
        "",
        [
            "The PBX shows another certificate",
            "Nothing is sent to it until a person has said that this is right.",
        ],
        Words(
            "If the PBX got a new certificate, compare the new pin with the one on the PBX and accept it on the page or with `callspool pin accept PIN`. If not, somebody may be between: don't accept it.",
        ),
    ),
    error(
        "pbx-certificate-untrusted",
        "pbx-tls",
        "",
        ["The PBX's certificate is not trusted", "Nothing is sent to it."],
        Words(
            "Check that pbx.url has the name that is in the PBX's certificate, and this box's clock; or set pbx.trust to \"pin\" or to the authority's file.",
        ),
    ),
    error(
        "pbx-tls-failed",
        "pbx-tls",
        "",
        [
            "TLS with the PBX fails",
            "The port is open, but what answers there speaks no TLS that fits: no calls come.",
        ],
        Words("Check the port in pbx.url: 443 or 5001 speak TLS, 5000 does not."),
    ),
    error(
        "pbx-no-answer",
        "pbx-tls",
        "link-down",
        [
            "The PBX takes the connection and says nothing",
            "The port is open, but no answer comes: no calls come.",
        ],
        Words(
            "Look at the PBX's load and services; if they are well, look for a firewall that lets connections through and not their content, and on the PBX at the IP Blacklist.",
        ),
    ),
    warning(
        "pbx-plain",
        "pbx-tls",
        "",
        [
            "The way to the PBX is not encrypted",
            "Key, calls and recordings cross the network in the clear.",
        ],
        Words("Use https in pbx.url."),
    ),
    // The PBX: the login.
    error(
        "pbx-login-refused",
        "pbx-token",
        "",
        ["The PBX refuses the login", "No calls and no recordings come."],
        Clicks(Problem::Login),
    ),
    error(
        "pbx-no-api",
        "pbx-token",
        "",
        ["There is no API at this address", "No calls and no recordings come."],
        Clicks(Problem::NoApi),
    ),
    error(
        "pbx-unlicensed",
        "pbx-token",
        "",
        [
            "The PBX's licence has no API",
            "The login works and nothing can be asked: no calls come.",
        ],
        Clicks(Problem::Unlicensed),
    ),
    error(
        "pbx-address-refused",
        "pbx-token",
        "",
        [
            "The PBX does not let this box's address in",
            "It refuses whatever is asked, whoever asks it: no calls come.",
        ],
        Clicks(Problem::AddressRefused),
    ),
    error(
        "pbx-throttled",
        "pbx-token",
        "",
        ["The PBX asks for a pause", "Calls come a little later."],
        BY_ITSELF,
    ),
    error(
        "pbx-fault",
        "pbx-token",
        "",
        [
            "The PBX fails",
            "It answers with an error of its own: calls come later.",
        ],
        BY_ITSELF,
    ),
    error(
        "pbx-nonsense",
        "pbx-token",
        "",
        [
            "Something else answers in the PBX's place",
            "What answers at pbx.url is not the PBX's API: no calls come.",
        ],
        Words(
            "Open pbx.url in a browser: a proxy, a captive portal or a login page may answer there. Give the PBX's own address.",
        ),
    ),
    warning(
        "pbx-clock-differs",
        "pbx-clock",
        "",
        ["The PBX's clock differs", "Times in the CRM are off by as much."],
        Clicks(Problem::Clock),
    ),
    warning(
        "pbx-zone-wrong",
        "pbx-clock",
        "",
        [
            "The PBX's clock is whole hours off",
            "As with a time zone that is set wrong: times in the CRM are off by as much.",
        ],
        Clicks(Problem::Clock),
    ),
    warning(
        "pbx-token-shared",
        "token-life",
        "",
        [
            "Another program uses the same client",
            "Each login of one ends the other's token: both log in again and again, and calls come late.",
        ],
        Clicks(Problem::ClientShared),
    ),
    // What the credential can do.
    error(
        "pbx-right-missing",
        "rights",
        "",
        [
            "The client may read nothing",
            "No call and no recording arrives in the CRM, and the CRM shows no error.",
        ],
        Clicks(Problem::NothingAllowed),
    ),
    error(
        "history-right-missing",
        "rights",
        "pbx-right-missing",
        [
            "The client may not read the call history",
            "No new calls at all arrive in the CRM, although recordings could be read.",
        ],
        Clicks(Problem::HistoryRight),
    ),
    error(
        "history-right-missing-admin",
        "rights",
        "pbx-right-missing",
        [
            "An administrator that may not read the call history",
            "No new calls at all arrive in the CRM: over the API a System Administrator may change the PBX and not read its history.",
        ],
        Clicks(Problem::AdministratorWithoutHistory),
    ),
    error(
        "recordings-right-missing",
        "rights",
        "pbx-right-missing",
        [
            "The client may not read recordings",
            "Calls arrive in the CRM with all their data, recordings are missing, and no error shows in the CRM.",
        ],
        Clicks(Problem::RecordingsRight),
    ),
    warning(
        "rights-too-many",
        "rights",
        "",
        [
            "The client may do more than it should",
            "Calls and recordings arrive. If the key leaks, somebody may reconfigure the PBX with it.",
        ],
        Clicks(Problem::TooManyRights),
    ),
    error(
        "rights-unreadable",
        "rights",
        "pbx-right-missing",
        [
            "People and rights can't be read",
            "Calls and recordings arrive; who may see which is not known.",
        ],
        Clicks(Problem::DirectoryRight),
    ),
    note(
        "transcripts-right-missing",
        "pbx-transcripts",
        "pbx-right-missing",
        [
            "Transcripts may not be read",
            "Calls and recordings arrive without their transcripts. That right is optional.",
        ],
        Clicks(Problem::TranscriptsRight),
    ),
    error(
        "history-unreadable",
        "pbx-history",
        "",
        [
            "The call history can't be read",
            "The client may, but the PBX answers with an error: calls come later.",
        ],
        BY_ITSELF,
    ),
    error(
        "recordings-unreadable",
        "pbx-recordings",
        "",
        [
            "Recordings can't be read",
            "The client may, but the PBX answers with an error: recordings come later.",
        ],
        BY_ITSELF,
    ),
    warning(
        "pbx-rows-unreadable",
        "pbx-history",
        "",
        [
            "Some rows of the call log can't be read",
            "The calls in them are missing; the others arrive.",
        ],
        Words(
            "Report it with the PBX's version: this build writes its call log in a way that callspool does not know.",
        ),
    ),
    warning(
        "pbx-old-calls-unreadable",
        "",
        "",
        [
            "Calls from before the PBX's upgrade can't be read",
            "They are missing; newer ones are not affected.",
        ],
        Words("Look at the PBX's services, and report it with the PBX's version."),
    ),
    // What is to be recorded, and when it comes.
    error(
        "pbx-licence-inactive",
        "pbx-licence",
        "",
        [
            "The PBX's licence is not active",
            "The PBX may stop recording and answering.",
        ],
        Clicks(Problem::LicenceInactive),
    ),
    error(
        "pbx-recording-stopped",
        "pbx-licence",
        "",
        [
            "The PBX has stopped recording",
            "Its room for recordings is used up: calls arrive, and there is nothing to listen to.",
        ],
        Clicks(Problem::RecordingStopped),
    ),
    warning(
        "recording-off",
        "recording-on",
        "",
        [
            "Some extensions are not recorded",
            "Their calls arrive in the CRM, and a recording never comes, because none is made.",
        ],
        Clicks(Problem::RecordingOff),
    ),
    warning(
        "pbx-deletes-early",
        "pbx-retention",
        "",
        [
            "The PBX deletes recordings early",
            "An outage that lasts longer loses recordings.",
        ],
        Clicks(Problem::DeletesEarly),
    ),
    warning(
        "recordings-at-risk",
        "",
        "",
        [
            "Recordings may be gone before they are fetched",
            "The PBX deletes or archives them, and what waits longer than that never comes.",
        ],
        Words(
            "See why they wait (`callspool why CALL`): mend that first. Else let the PBX keep recordings longer.",
        ),
    ),
    warning(
        "recordings-late",
        "late-recordings",
        "pbx-unreachable",
        [
            "Recordings are late",
            "Calls are in the CRM, their recordings are not yet.",
        ],
        Words(
            "Open a call that has one on the page, or run `callspool why CALL`: it says what the recording waits for.",
        ),
    ),
    warning(
        "rights-old",
        "",
        "pbx-unreachable",
        ["Rights are old", "Who may see what is as it was then."],
        Words("They are read again as soon as the PBX answers."),
    ),
    warning(
        "rights-too-old",
        "",
        "pbx-unreachable",
        [
            "Rights are too old: calls and recordings are closed",
            "Nobody may see calls or hear recordings here until the PBX confirms who may; this page stays open.",
        ],
        Words(
            "Let the box reach the PBX: rights open again with the next reading. rights.max_age says how old they may be.",
        ),
    ),
    // Where the PBX's CDR lines come in.
    error(
        "cdr-down",
        "cdr",
        "link-down",
        [
            "The PBX's CDR lines can't be received",
            "What the PBX writes meanwhile about calls doesn't come again; with an API the calls are read from there.",
        ],
        Words("Check address and port in [cdr] and on the PBX (CDR settings), and the firewall between."),
    ),
    warning(
        "cdr-gap",
        "cdr",
        "cdr-down",
        [
            "Calls may be missing",
            "Nobody received the PBX's CDR lines for a while, and it sends each line once.",
        ],
        Words("Nothing brings those lines back here; the PBX's own reports have the calls of that time."),
    ),
    warning(
        "cdr-not-kept",
        "",
        "store-failing",
        [
            "CDR lines can't be kept",
            "They wait in memory until the store can be written.",
        ],
        Words(
            "Make room on the disk or mount it writable, before callspool is stopped: the PBX sends no line twice.",
        ),
    ),
    warning(
        "cdr-unreadable",
        "cdr",
        "",
        [
            "Some CDR lines can't be read",
            "They are in no order of fields that is known; they are kept.",
        ],
        Words("Write the PBX's fields in its order into cdr.fields and restart: they are read again then."),
    ),
    // Where it goes.
    error(
        "target-down",
        "target",
        "link-down",
        [
            "A target can't be delivered to",
            "Everything for it waits here and is delivered when it is back.",
        ],
        Words(
            "Check the receiver and the network to it, and url, trust and secret_file of the target; callspool tries again by itself.",
        ),
    ),
    error(
        "target-permission",
        "target",
        "",
        [
            "A target refuses this box for want of a right",
            "Everything for it waits here until somebody gives the right; it is asked seldom.",
        ],
        Words("Give the right that the text names, at the target; then press Resume on the page."),
    ),
    warning(
        "target-waiting",
        "target",
        "",
        [
            "A target is waited for",
            "Nothing failed: a medium is away or a quota is spent. Everything for it waits here and goes on by itself.",
        ],
        Words("Do what the text names (plug the medium in, mount the NAS); a quota needs nothing but time."),
    ),
    error(
        "target-disabled",
        "",
        "",
        [
            "A target wants nothing more",
            "It answered 410; nothing is sent to it, everything waits here.",
        ],
        Words("Mend or remove the receiver, then press Resume on the page."),
    ),
    warning(
        "deliveries-held",
        "",
        "",
        [
            "Deliveries wait for a person",
            "The target refused them for good, or for want of a permission of one user (`permission-missing`); each has its reason in the queue.",
        ],
        Words("Look at the queue: mend the cause, then press Retry (or `callspool queue retry`)."),
    ),
    warning(
        "rule-unknown-name",
        "",
        "",
        [
            "A rule names what the PBX does not have",
            "An extension, department or queue in a rule is unknown there, so the rule matches less than its author meant: what it should exclude may be delivered.",
        ],
        Words("Correct the rule in the configuration (callspool config check shows all), then restart callspool."),
    ),
    warning(
        "erasure-waits",
        "",
        "",
        [
            "An erasure waits",
            "It is not done everywhere an hour after it was asked for: mostly a target that does not answer.",
        ],
        Words("Look at what it waits for: callspool erase show. It goes on by itself when the target is back."),
    ),
    error(
        "mqtt-down",
        "mqtt",
        "link-down",
        [
            "No link to the MQTT broker",
            "Dashboards see nothing of this box; events wait here.",
        ],
        Words("Check mqtt.url, trust and login in the configuration, and the broker's log."),
    ),
    warning(
        "mqtt-plain",
        "mqtt",
        "",
        [
            "MQTT without TLS",
            "Everything that goes to the broker can be read and changed on its way.",
        ],
        Words("Use mqtts:// in mqtt.url; the broker needs a certificate for that."),
    ),
    warning(
        "mqtt-event-too-large",
        "",
        "",
        [
            "An event was too large for MQTT",
            "It is not published; what it told of is in the store.",
        ],
        Words("Look it up on the page. If the broker has a limit for packets, raise it to 256 KiB."),
    ),
    error(
        "mqtt-not-heard",
        "",
        "mqtt-down",
        [
            "The MQTT broker lets nobody hear events",
            "It acknowledges what this box publishes, and a probe on its own topic does not come back: its access list throws something away. Events wait here.",
        ],
        Words(
            "Let this box write below its own topic, and read its commands and `event/probe`. If it shall not read, set mqtt.prove = false.",
        ),
    ),
    warning(
        "mqtt-certificate-expires",
        "",
        "",
        [
            "A certificate of MQTT expires soon",
            "This box's or the broker's ends within two weeks; then there is no link.",
        ],
        Words("Put a new one in its place: this box reads its files again at each connect."),
    ),
];
