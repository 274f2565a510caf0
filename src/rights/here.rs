//! Who stands beside the box: the technician on its page, and whoever is at its terminal. Both see how it is and make it
//! act; neither sees a number, or hears anything, unless somebody grants it.

use super::Action::{
    AccountManage, AuditRead, BoxConfigure, BoxOperate, BoxView, CallTrace, GrantManage, HoldManage, PersonErase,
    QueueDrop, RightsRead,
};
use super::{Action, Freshness, Grant, Place, Scope, Source, Subject, Who};

const TECHNICIAN: &[Action] = &[
    BoxView,
    BoxOperate,
    BoxConfigure,
    CallTrace,
    AccountManage,
    RightsRead,
    AuditRead,
];

/// What the technician holds by being one.
pub fn technician_grants() -> Vec<Grant> {
    TECHNICIAN.iter().map(|action| built("technician", *action)).collect()
}

/// The technician, with what else was granted on this box.
pub fn technician(local: Vec<Grant>, rights: Freshness, now_ms: i64) -> Subject {
    subject(Who::Technician, technician_grants(), local, rights, now_ms)
}

/// Whoever may use the box's control socket. They hold the store's file itself, so giving grants (which is written into
/// the audit, with their reason) is open to them: the first grant has to come from somewhere. So are holds, erasures and the
/// end of deliveries, which the technician of the page needs a grant for.
pub fn console_subject(local: Vec<Grant>, rights: Freshness, now_ms: i64) -> Subject {
    let mut own: Vec<Grant> = TECHNICIAN.iter().map(|action| built("terminal", *action)).collect();
    own.extend([GrantManage, HoldManage, PersonErase, QueueDrop].map(|action| built("terminal", action)));
    subject(Who::Terminal, own, local, rights, now_ms)
}

/// Whoever the MQTT broker lets send commands: its access list says who that is. They see how the box is and make it act;
/// accounts, grants and the audit are out of their reach, and nothing that is granted on this box counts for them.
pub fn dashboard(rights: Freshness, now_ms: i64) -> Subject {
    let own = [BoxView, BoxOperate, CallTrace].map(|action| built("dashboard", action));
    subject(Who::Dashboard, own.to_vec(), Vec::new(), rights, now_ms)
}

fn subject(who: Who, mut grants: Vec<Grant>, local: Vec<Grant>, rights: Freshness, now_ms: i64) -> Subject {
    grants.extend(local);
    Subject {
        who,
        holder: None,
        enabled: true,
        departments: Vec::new(),
        grants,
        folders: Vec::new(),
        rights,
        now_ms,
    }
}

fn built(role: &str, action: Action) -> Grant {
    let right = (action, Scope::Any);
    Grant::of_role(
        role,
        Source::Built,
        Place::Everywhere,
        right,
        "who looks after the box may do this",
    )
}

/// What everybody whom the PBX knows holds: to be told what they may do, and why.
pub fn everyone() -> Vec<Grant> {
    let right = (RightsRead, Scope::Own);
    let why = "everybody may ask what they may do, and why";
    vec![Grant::of_role("everyone", Source::Built, Place::Everywhere, right, why)]
}
