//! What to click, in the words of that PBX: one table, problem by generation. The doctor, the health items and
//! `callspool why` all take their remedies from here, so they can't differ.
//!
//! Names of menus: v20 from 3CX's "Configuration API" page (2026-02) and public clients' setup notes; v18 and older from
//! 3CX's console pages as retold by "3CX Recording Manager + Reports User roles" (2026-05). Builds of v18 before Update 6
//! name some entries differently; the two groups stay separate items.

use super::{Error, Generation, Kind};

/// What a person has to mend on the PBX, or about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The client may read nothing that matters.
    NothingAllowed,
    /// Recordings may be read, the call history may not.
    HistoryRight,
    /// The same, and the client may administer: System Administrator instead of System Owner.
    AdministratorWithoutHistory,
    /// The call history may be read, recordings may not.
    RecordingsRight,
    /// People, departments and rights may not be read.
    DirectoryRight,
    /// Transcripts may not be read.
    TranscriptsRight,
    /// The client may administer the PBX.
    TooManyRights,
    /// Name or key is refused.
    Login,
    /// There is no Configuration API: older, or another machine.
    NoApi,
    /// The login works and the API does not answer: the licence.
    Unlicensed,
    /// The PBX does not talk to this box's address.
    AddressRefused,
    /// The licence is not active.
    LicenceInactive,
    /// The PBX has stopped recording.
    RecordingStopped,
    /// Extensions whose calls flow and are not recorded.
    RecordingOff,
    /// Recordings are deleted before an outage is over.
    DeletesEarly,
    /// Another program uses the same client.
    ClientShared,
    /// The PBX's clock or time zone is wrong.
    Clock,
}

impl Problem {
    /// All of them, for lists and tests.
    pub const ALL: [Problem; 17] = [
        Problem::NothingAllowed,
        Problem::HistoryRight,
        Problem::AdministratorWithoutHistory,
        Problem::RecordingsRight,
        Problem::DirectoryRight,
        Problem::TranscriptsRight,
        Problem::TooManyRights,
        Problem::Login,
        Problem::NoApi,
        Problem::Unlicensed,
        Problem::AddressRefused,
        Problem::LicenceInactive,
        Problem::RecordingStopped,
        Problem::RecordingOff,
        Problem::DeletesEarly,
        Problem::ClientShared,
        Problem::Clock,
    ];
}

/// The clicks for `problem` on a PBX of this generation. As long as the generation isn't known, those of v20.
pub const fn clicks(problem: Problem, generation: Generation) -> &'static str {
    match generation {
        Generation::V20 | Generation::Unknown => v20(problem),
        Generation::V18 => v18(problem),
        Generation::V16 | Generation::V15 => older(problem),
    }
}

/// The remedy for an error of the PBX's, in the words of its generation.
pub fn remedy(error: &Error, generation: Generation) -> &'static str {
    let problem = match error.kind {
        Kind::RightMissing => Problem::NothingAllowed,
        Kind::LoginRefused => Problem::Login,
        Kind::NotThere => Problem::NoApi,
        Kind::Unlicensed => Problem::Unlicensed,
        Kind::ShutOut => Problem::AddressRefused,
        _ => return error.fix(),
    };
    clicks(problem, generation)
}

const fn v20(problem: Problem) -> &'static str {
    match problem {
        Problem::NothingAllowed => {
            "On the PBX: Admin → Integrations → API → the client → Department: a real one, for example DEFAULT (System Wide \
             locks the role to User, which may read nothing) → Role: System Owner → Save. Or put the client's user into a \
             group that holds both Reports User and Recording Manager."
        }
        Problem::HistoryRight => {
            "On the PBX: Admin → Integrations → API → the client → Role: System Owner → Save; or add Reports User to the \
             group that it has its rights from (Recording Manager is there already)."
        }
        Problem::AdministratorWithoutHistory => {
            "On the PBX: Admin → Integrations → API → the client → Role: System Owner instead of System Administrator (which \
             may change the PBX, but not read the call history over the API) → Save."
        }
        Problem::RecordingsRight => {
            "On the PBX: Admin → Integrations → API → the client → Role: System Owner → Save; or add Recording Manager to the \
             group that it has its rights from (Reports User is there already)."
        }
        Problem::DirectoryRight => {
            "On the PBX: Admin → Integrations → API → the client → Role: System Owner → Save. Until then calls and recordings \
             flow, but nobody can be given the right to see their own."
        }
        Problem::TranscriptsRight => {
            "Only if transcripts are wanted in the CRM: on the PBX add Transcription to the client's role or group. Calls and \
             recordings work without it."
        }
        Problem::TooManyRights => {
            "Works, but whoever gets hold of the key may change the PBX: redirect extensions, shorten retention, hear every \
             recording. If this build offers them, give the client a group that holds only Reports User and Recording Manager \
             (Admin → Users → the client's user → Groups) instead of an administrator's role. If it doesn't, keep the key's \
             file safe and let only this box's address in (Admin → Security → Console Restrictions)."
        }
        Problem::Login => {
            "On the PBX: Admin → Integrations → API → the client: compare the Client ID with pbx.client_id, press Generate to \
             get a new API key (it is shown once, the old one ends), and put it into the file that pbx.secret_file names. \
             callspool does not try the refused key again, because the PBX bans addresses after some ten bad logins; it \
             tries as soon as the file is saved anew."
        }
        Problem::NoApi => {
            "Check that pbx.url is the PBX's own address with its port (443 or 5001), and that no proxy answers for it. A 3CX \
             older than v20 has no such API."
        }
        Problem::Unlicensed => {
            "On the PBX: Admin → License: the Configuration API needs 8SC or more, Enterprise (ENT/AI, ENT+); and Admin → \
             Integrations → API → the client: tick 3CX Configuration API Access → Save."
        }
        Problem::AddressRefused => {
            "On the PBX: Admin → Security → IP Blacklist: delete this box's address if it is there; then Admin → Security → \
             Console Restrictions: add this box's address to the allowed ones, because they hold for the API as well."
        }
        Problem::LicenceInactive => "On the PBX: Admin → License: renew or activate the licence.",
        Problem::RecordingStopped => {
            "On the PBX: Admin → Recordings → Settings: raise the quota or delete what is not needed. Until then the PBX records \
             nothing, and what is not recorded can't be had later."
        }
        Problem::RecordingOff => {
            "If it is not meant to be so: on the PBX, Admin → Users → the extension → Options → Record all calls; for a queue \
             Admin → Call Handling → the queue → Options → Call recording."
        }
        Problem::DeletesEarly => {
            "On the PBX: Admin → Recordings → Settings → Auto delete: longer than the longest outage that must cost nothing, \
             for example 30 days."
        }
        Problem::ClientShared => {
            "On the PBX: Admin → Integrations → API → Add: make a client for callspool alone (for example callspool), without a \
             person behind it; if this build wants an extension for it, a disabled one. The PBX allows one token at a time for \
             each client, so two programs with one client throw each other out."
        }
        Problem::Clock => {
            "Set PBX and box to the same time server; on the PBX, Admin → General → Time Zone must be the real one, and the \
             machine's own clock must be UTC."
        }
    }
}

const fn v18(problem: Problem) -> &'static str {
    match problem {
        Problem::NothingAllowed => {
            "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick both groups, Reports User and Recording \
             Manager (older v18 builds name them differently; they are two items) → OK. A new key is shown once."
        }
        Problem::HistoryRight | Problem::AdministratorWithoutHistory => {
            "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick Reports User (Recording Manager is \
             ticked already) → OK."
        }
        Problem::RecordingsRight => {
            "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick Recording Manager (Reports User is \
             ticked already) → OK."
        }
        Problem::DirectoryRight => {
            "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick Allow access to the 3CX Management \
             Console → OK. Until then calls and recordings flow, but nobody can be given the right to see their own."
        }
        Problem::TranscriptsRight => "Transcripts came with v20; nothing is to be done here.",
        Problem::TooManyRights => {
            "Works, but whoever gets hold of the password may change the PBX: redirect extensions, shorten retention, hear every \
             recording. On the PBX: Users → the user made for callspool → Edit → tab Rights: keep Reports User and Recording \
             Manager, and take the administrator's ticks off."
        }
        Problem::Login => {
            "On the PBX: Users → the user made for callspool → Edit: compare its name with pbx.client_id, set a new password, \
             and put it into the file that pbx.secret_file names. callspool does not try the refused password again, because \
             the PBX bans addresses after some ten bad logins; it tries as soon as the file is saved anew."
        }
        Problem::NoApi => {
            "Check that pbx.url is the address of the PBX's Management Console with its port (usually 5001), and that no proxy \
             answers for it."
        }
        Problem::Unlicensed => {
            "On the PBX: Settings → License: call reports and recordings need the Pro or Enterprise edition."
        }
        Problem::AddressRefused => {
            "On the PBX: Dashboard → IP Blacklist: delete this box's address if it is there; then Settings → Security → Console \
             Restrictions: add this box's address to the allowed ones. Then save the file that pbx.secret_file names anew \
             (touch is enough), and callspool tries again."
        }
        Problem::LicenceInactive => "On the PBX: Settings → License: renew or activate the licence.",
        Problem::RecordingStopped => {
            "On the PBX: Settings → Recording settings: raise the quota or delete what is not needed. Until then the PBX \
             records nothing, and what is not recorded can't be had later."
        }
        Problem::RecordingOff => {
            "If it is not meant to be so: on the PBX, Users → the extension → Options → Record all calls; for a queue, \
             Queues → the queue → Options."
        }
        Problem::DeletesEarly => {
            "On the PBX: Settings → Recording settings → Delete recordings older than: longer than the longest outage that \
             must cost nothing, for example 30 days."
        }
        Problem::ClientShared => {
            "On the PBX: Users → Add: make a user for callspool alone (for example callspool), without a person behind it; if \
             this build wants an extension for it, a disabled one. Two programs with one user throw each other out."
        }
        Problem::Clock => {
            "Set PBX and box to the same time server; on the PBX, Settings → General → Time Zone must be the real one, and \
             the machine's own clock must be UTC."
        }
    }
}

const fn older(problem: Problem) -> &'static str {
    match problem {
        Problem::NothingAllowed => {
            "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick Allow access to the 3CX Management \
             Console, and in it the items for call reports and for recordings (v15.5: System Administrator) → OK."
        }
        Problem::HistoryRight | Problem::AdministratorWithoutHistory => {
            "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick the item for call reports (v15.5: \
             System Administrator) → OK."
        }
        Problem::RecordingsRight => {
            "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick the item for recordings (v15.5: \
             System Administrator) → OK."
        }
        Problem::DirectoryRight => {
            "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick Global Extension Manager → OK. Until \
             then calls and recordings flow, but nobody can be given the right to see their own."
        }
        Problem::TranscriptsRight => "Transcripts came with v20; nothing is to be done here.",
        Problem::TooManyRights => {
            "Works, but whoever gets hold of the password may change the PBX. On the PBX: Extensions → the one made for \
             callspool → Edit → tab Rights: take System Administrator and VoIP/Trunk Administrator off, if calls and \
             recordings still come without them."
        }
        Problem::Login => {
            "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: compare its number with pbx.client_id, \
             set a new password, and put it into the file that pbx.secret_file names. callspool does not try the refused \
             password again, because the PBX bans addresses after some ten bad logins; it tries as soon as the file is \
             saved anew."
        }
        Problem::Unlicensed => "On the PBX: Settings → License: call reports and recordings need the Pro edition.",
        Problem::RecordingOff => {
            "If it is not meant to be so: on the PBX, Extensions → the extension → Options → Record all calls; for a queue, \
             Queues → the queue → Options."
        }
        Problem::ClientShared => {
            "On the PBX: Extensions → Add: make an extension for callspool alone, without a phone. Two programs with one \
             login throw each other out."
        }
        same => v18(same),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_clicks_in_the_words_of_every_generation() {
        for problem in Problem::ALL {
            for generation in [Generation::V15, Generation::V16, Generation::V18, Generation::V20] {
                let text = clicks(problem, generation);
                assert!(
                    text.len() > 30 && text.ends_with('.'),
                    "{problem:?} {generation:?}: {text}"
                );
                let console = generation.has_console_api();
                assert!(
                    !(console && text.contains("Integrations")),
                    "{problem:?}: v18 has no such menu"
                );
                assert!(
                    console || !text.contains("tab Rights"),
                    "{problem:?}: v20 has no such tab"
                );
            }
        }
    }

    #[test]
    fn calls_without_recordings_are_mended_by_one_right_and_it_is_named() {
        for generation in [Generation::V18, Generation::V20] {
            assert!(
                clicks(Problem::RecordingsRight, generation).contains("add Recording Manager")
                    || generation == Generation::V18
            );
            assert!(clicks(Problem::RecordingsRight, generation).contains("Recording Manager"));
            assert!(clicks(Problem::HistoryRight, generation).contains("Reports User"));
        }
    }
}
