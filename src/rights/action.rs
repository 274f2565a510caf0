//! What one may do. The words are stable: they stand in grants, in the audit and in what people type.

use super::{Reach, Scope};
use crate::model::words;

/// Something that needs a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See a call: who, when, how long, with numbers and names.
    CallView,
    /// Listen to a recording.
    RecordingListen,
    /// Take a recording away as a file.
    RecordingDownload,
    /// Delete a recording.
    RecordingDelete,
    /// Read the transcript or the summary of a leg.
    TranscriptRead,
    /// See reports and statistics.
    ReportView,
    /// Call out; its scale is [`Reach`].
    CallOutbound,
    /// Listen in on a call that is going on.
    CallListenIn,
    /// Join a call that is going on.
    CallBargeIn,
    /// Speak to one side of a call that is going on.
    CallWhisper,
    /// Set office hours to open, break or closed for now.
    HoursOverride,
    /// Manage extensions: their mail, forwarding, voicemail, recording.
    ExtensionManage,
    /// Manage departments, queues and ring groups.
    GroupManage,
    /// Manage gateways, providers and bridges.
    TrunkManage,
    /// Manage the system: network, security, updates.
    SystemManage,
    /// Manage numbers (DIDs).
    NumbersManage,
    /// Give roles to others.
    RoleRaise,
    /// See the box's state: figures, health, the queue, without numbers and names.
    BoxView,
    /// Make the box act: read now, retry, accept the PBX's key, run the doctor.
    BoxOperate,
    /// Change the box's settings, and make it begin anew: PBX, targets, broker, network.
    BoxConfigure,
    /// See where a call's recording is and why, with numbers and names masked.
    CallTrace,
    /// Read who listened to what.
    AuditRead,
    /// See who may do what, and why.
    RightsRead,
    /// Make and end the accounts by which people log in here.
    AccountManage,
    /// Give and end grants of this box.
    GrantManage,
    /// Put and release holds, which keep calls and recordings from being deleted.
    HoldManage,
    /// Erase what a person with some number has here and at the targets.
    PersonErase,
    /// Give a delivery up for good.
    QueueDrop,
    /// Take many calls or the audit away at once. What goes with it is what may be seen one by one.
    Export,
}
words!(Action {
    CallView = "call.view",
    RecordingListen = "recording.listen",
    RecordingDownload = "recording.download",
    RecordingDelete = "recording.delete",
    TranscriptRead = "transcript.read",
    ReportView = "report.view",
    CallOutbound = "call.outbound",
    CallListenIn = "call.listen_in",
    CallBargeIn = "call.barge_in",
    CallWhisper = "call.whisper",
    HoursOverride = "hours.override",
    ExtensionManage = "extension.manage",
    GroupManage = "group.manage",
    TrunkManage = "trunk.manage",
    SystemManage = "system.manage",
    NumbersManage = "numbers.manage",
    RoleRaise = "role.raise",
    BoxView = "box.view",
    BoxOperate = "box.operate",
    BoxConfigure = "box.configure",
    CallTrace = "call.trace",
    AuditRead = "audit.read",
    RightsRead = "rights.read",
    AccountManage = "account.manage",
    GrantManage = "grant.manage",
    HoldManage = "hold.manage",
    PersonErase = "person.erase",
    QueueDrop = "queue.drop",
    Export = "export",
});

/// What an action is done to: it tells whose it is and which rows a list of it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A call, with all its parties.
    Call,
    /// A recording, with the extension that was recorded.
    Recording,
    /// A leg that was answered, with its two sides.
    Leg,
    /// An extension or a department.
    Place,
    /// Somebody who is to be called.
    Callee,
    /// The PBX or the box as a whole.
    Whole,
}

impl Action {
    /// What the action is done to.
    pub fn about(self) -> About {
        use Action::*;
        match self {
            CallView | CallListenIn | CallBargeIn | CallWhisper => About::Call,
            RecordingListen | RecordingDownload | RecordingDelete => About::Recording,
            TranscriptRead => About::Leg,
            ReportView | HoursOverride | ExtensionManage | GroupManage | RoleRaise | RightsRead => About::Place,
            CallOutbound => About::Callee,
            TrunkManage | SystemManage | NumbersManage | BoxView | BoxOperate | BoxConfigure | CallTrace
            | AuditRead | AccountManage | GrantManage | HoldManage | PersonErase | QueueDrop | Export => {
                About::Whole
            }
        }
    }

    /// Whether the CRM's folder of recorded calls has a say in it too (rule S3-8).
    pub fn hears(self) -> bool {
        matches!(self.about(), About::Recording | About::Leg)
    }

    /// The word for `scope` on this action's scale.
    pub fn scope_word(self, scope: Scope) -> &'static str {
        match self.about() {
            About::Callee => Reach::of(scope).word(),
            _ => scope.word(),
        }
    }

    /// The scope that `word` stands for on this action's scale; unknown words are nothing.
    pub fn scope_of_word(self, word: &str) -> Option<Scope> {
        match self.about() {
            About::Callee => Reach::from_word(word).map(Reach::scope),
            _ => Scope::from_word(word),
        }
    }
}
