//! Everything about a simulated PBX that a test may want to choose.

use serde::{Deserialize, Serialize};

use super::callcontrol::CallControl;
use super::v18::Console;
use crate::time::SimTime;

/// The codec inside the recordings' WAV files. Which one a real 3CX writes depends on its compression setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Format tag 1, 16 bit, 8 kHz, mono: 16 kB per second.
    Pcm16,
    /// Format tag 7, G.711 µ-law, 8 kHz, mono: 8 kB per second.
    MuLaw,
}

/// What the PBX's licence says about the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// The API is part of it.
    #[default]
    WithApi,
    /// It is not, and every address of the API is answered by 404.
    NoApi404,
    /// It is not, and every address of the API is answered by 403.
    NoApi403,
}

/// The API client that callspool logs in as (a 3CX "service principal"), and how the PBX feels about it. What it may
/// see is what its role allows and the `…_allowed` allow as well. `Principal { role: …, ..Principal::default() }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Principal {
    /// One of 3CX's seven role names, e.g. `system_owners`, `managers`, `users`.
    pub role: String,
    /// The number of its department, e.g. `GRP0000`; `None` is "System Wide", which locks the role to `users`.
    pub department: Option<String>,
    /// Whether the call history answers, if the role allows it.
    pub history_allowed: bool,
    /// Whether recordings answer, if the role allows it.
    pub recordings_allowed: bool,
    /// Whether people, departments and peers answer.
    pub directory_allowed: bool,
    /// Whether transcripts, summaries and sentiment are shown; else those fields are null.
    pub transcripts_allowed: bool,
    /// Whether the PBX's own settings answer ([`PathKind::Administration`](super::PathKind::Administration)), if the
    /// role allows it.
    pub administration_allowed: bool,
    /// The address that it asks from is not among the allowed ones (Console Restrictions): 403 to everything.
    pub ip_refused: bool,
    /// The address that it asks from is on the PBX's blacklist: 403 to everything, the login as well. The PBX sets it
    /// by itself after [`PbxConfig::blacklist_after`] wrong logins.
    pub blacklisted: bool,
    /// What the licence says about the API.
    pub licence: Licence,
}

impl Default for Principal {
    fn default() -> Self {
        Self {
            role: "system_owners".into(),
            department: Some("GRP0000".into()),
            history_allowed: true,
            recordings_allowed: true,
            directory_allowed: true,
            transcripts_allowed: true,
            administration_allowed: true,
            ip_refused: false,
            blacklisted: false,
            licence: Licence::WithApi,
        }
    }
}

impl Principal {
    /// May read the call history and nothing else that matters.
    pub fn history_only() -> Self {
        Self {
            recordings_allowed: false,
            ..Self::both()
        }
    }

    /// May read recordings and nothing else that matters.
    pub fn recordings_only() -> Self {
        Self {
            history_allowed: false,
            ..Self::both()
        }
    }

    /// May read both, and change nothing: what callspool wants.
    pub fn both() -> Self {
        Self {
            administration_allowed: false,
            ..Self::default()
        }
    }

    /// A System Administrator: sees and changes the system, and gets 403 on the call history.
    pub fn administrator_without_history() -> Self {
        Self {
            role: "system_admins".into(),
            history_allowed: false,
            ..Self::default()
        }
    }

    /// In no department ("System Wide"), which locks its role to `users`.
    pub fn system_wide() -> Self {
        Self {
            role: "users".into(),
            department: None,
            ..Self::default()
        }
    }

    /// May read nothing at all.
    pub fn nothing() -> Self {
        Self {
            history_allowed: false,
            recordings_allowed: false,
            directory_allowed: false,
            transcripts_allowed: false,
            ..Self::both()
        }
    }
}

/// The settings of a simulated PBX. Start from `Default` and change what the test is about.
#[derive(Clone, Debug)]
pub struct PbxConfig {
    /// Seed of the company, its calls, delays and audio.
    pub seed: u64,
    /// The clock.
    pub time: SimTime,
    /// HTTPS with a self-signed certificate, or plain HTTP.
    pub tls: bool,
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Build that is shown and simulated. ≥ 20.0.9 gives `expires_in` in seconds, before in minutes; < 20.0.6 has no
    /// `CdrId`; < 20 is a v18, which knows no XAPI.
    pub version: String,
    /// How the management console behaves, before v20.
    pub console: Console,
    /// Client id of the service principal, or user of the console.
    pub client_id: String,
    /// Its API key.
    pub client_secret: String,
    /// What the principal may see.
    pub principal: Principal,
    /// Life of a token in simulated seconds.
    pub token_life_s: i64,
    /// A new token makes the one before it worthless (3CX's tutorial: only one active token at a time).
    pub one_active_token: bool,
    /// A wrong login answers 401 `unauthorized` instead of 400 `invalid_client`; both are seen in the field.
    pub wrong_login_is_401: bool,
    /// So many wrong logins in a row put the asking address on the PBX's blacklist (about ten in the field); `None`:
    /// never.
    pub blacklist_after: Option<u64>,
    /// Whole days of calls before the start.
    pub history_days: u32,
    /// Hours of calls that are scheduled after the start.
    pub future_hours: u32,
    /// Calls on every day, exactly.
    pub calls_per_day: u32,
    /// Calls spread evenly instead of by office hours.
    pub even_traffic: bool,
    /// Share of the extensions whose calls are recorded.
    pub recorded_share: f64,
    /// Shortest and longest talk in seconds.
    pub talk_s: (u32, u32),
    /// Codec of recordings.
    pub codec: Codec,
    /// Number of people.
    pub extensions: u32,
    /// Number of departments beside `DEFAULT`.
    pub departments: u32,
    /// Number of queues (and of ring groups).
    pub queues: u32,
    /// A row becomes visible at most so long after its call's end, in seconds.
    pub row_delay_max_s: u32,
    /// A recording is listed and may be fetched so long after its end, in seconds (from, to).
    pub recording_delay_s: (u32, u32),
    /// Share of recordings that come late.
    pub late_share: f64,
    /// How late those are, in seconds (from, to).
    pub late_delay_s: (u32, u32),
    /// Share of recordings that get a transcript some minutes after they appear.
    pub transcribed_share: f64,
    /// Rows carry `Recordings[]` (some real PBXs send it, others don't).
    pub rows_carry_recordings: bool,
    /// `MemberOf` of peers only comes with `$expand=MemberOf`.
    pub peers_need_expand: bool,
    /// A call report over more days answers 504.
    pub report_max_days: u32,
    /// A call report over a range with more rows answers 504; `None`: any number.
    pub report_slow_rows: Option<usize>,
    /// Numbers that are zero are left out like nulls (seen by one public client).
    pub zeros_left_out: bool,
    /// How the Call Control API behaves.
    pub call_control: CallControl,
    /// Rows of `GetOldCallLogData` carry ids like new ones. Else they carry none, like those of builds before 20.0.6.
    pub old_rows_have_ids: bool,
    /// `GetCallLogData` is there; else it is 404 and only `CallHistoryView` tells of calls (before Update 6).
    pub report_there: bool,
    /// Recordings are deleted after so many days.
    pub auto_delete_days: Option<u32>,
    /// Recordings are moved to remote storage at midnight UTC, every so many days.
    pub archive_every_days: Option<u32>,
    /// What was moved to remote storage can still be downloaded.
    pub archived_can_be_fetched: bool,
    /// Bytes that recordings may have.
    pub quota_bytes: i64,
    /// The PBX says that it stopped recording.
    pub recording_stopped: bool,
    /// A recording whose file is gone is answered by a redirect instead of 400.
    pub missing_file_is_302: bool,
    /// When the PBX was upgraded to Update 6 (simulated ms since 1970): older calls only come from
    /// `GetOldCallLogData`. `None`: it was born with it.
    pub upgraded_at_ms: Option<i64>,
}

impl Default for PbxConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            time: SimTime::real(),
            tls: false,
            port: 0,
            version: "20.0.10.101".into(),
            console: Console::default(),
            client_id: "900".into(),
            client_secret: "sim-api-key-not-a-secret".into(),
            principal: Principal::default(),
            token_life_s: 3_600,
            one_active_token: true,
            wrong_login_is_401: false,
            blacklist_after: Some(10),
            history_days: 2,
            future_hours: 24,
            calls_per_day: 200,
            even_traffic: false,
            recorded_share: 0.7,
            talk_s: (2, 240),
            codec: Codec::Pcm16,
            extensions: 24,
            departments: 3,
            queues: 2,
            row_delay_max_s: 45,
            recording_delay_s: (1, 20),
            late_share: 0.03,
            late_delay_s: (180, 1_500),
            transcribed_share: 0.2,
            rows_carry_recordings: true,
            peers_need_expand: false,
            report_max_days: 31,
            report_slow_rows: None,
            zeros_left_out: false,
            call_control: CallControl::default(),
            old_rows_have_ids: true,
            report_there: true,
            auto_delete_days: None,
            archive_every_days: None,
            archived_can_be_fetched: true,
            quota_bytes: 5 << 30,
            recording_stopped: false,
            missing_file_is_302: false,
            upgraded_at_ms: None,
        }
    }
}

impl PbxConfig {
    /// Major, minor, update of `version`; a part that is no number counts as 0.
    pub fn build(&self) -> (u32, u32, u32) {
        let mut parts = self.version.split('.').map(|p| p.parse().unwrap_or(0));
        (
            parts.next().unwrap_or(0),
            parts.next().unwrap_or(0),
            parts.next().unwrap_or(0),
        )
    }

    /// Whether the simulated build is at least 20.0.`update`.
    pub fn at_least_update(&self, update: u32) -> bool {
        self.build() >= (20, 0, update)
    }
}
