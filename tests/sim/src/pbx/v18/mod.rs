//! The simulated management console of a 3CX v18, v16 or v15.5: bare-text login, a session in a cookie, call log,
//! recordings, extensions, groups.
//!
//! **Unverified**: built from public typings and clients of the console API (no answer of a v18 was found recorded).
//! What they leave open is a flag in [`Console`].

mod calls;
mod lists;
pub mod wall;

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

pub use calls::ConsoleCall;
pub(super) use calls::all as console_calls;

use super::faults::PathKind;
use super::filter::pairs;
use super::reply::{Content, Reply};
use super::world::World;
use super::{Exchange, Shared};

/// What is not known of real consoles, or differs between them.
#[derive(Clone, Debug)]
pub struct Console {
    /// A session that was not used for so many simulated seconds is over.
    pub session_s: i64,
    /// Local times are written, by this clock, whatever zone is asked for.
    pub local_times: Option<fn(i64) -> i64>,
    /// The list of recordings is written in local times of this clock.
    pub local_recordings: Option<fn(i64) -> i64>,
    /// Times are written to the minute.
    pub minutes: bool,
    /// Oldest calls first.
    pub oldest_first: bool,
    /// Ranges of the call log with their days; an unknown one is answered with 500.
    pub ranges: Vec<(&'static str, i64)>,
    /// `LastSevenDays` and longer ranges end with yesterday.
    pub ranges_without_today: bool,
    /// At most so many rows a page, whatever is asked for.
    pub most_rows: usize,
    /// Ids of recordings are their files' names instead of numbers. `None`: on 15.5.
    pub text_ids: Option<bool>,
    /// The user has a second factor.
    pub two_factor: bool,
    /// The list of extensions names no groups.
    pub no_membership: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            session_s: 1_200,
            local_times: None,
            local_recordings: None,
            minutes: false,
            oldest_first: false,
            ranges: vec![("Today", 1), ("LastSevenDays", 7), ("LastThirtyDays", 30)],
            ranges_without_today: false,
            most_rows: 5_000,
            text_ids: None,
            two_factor: false,
            no_membership: false,
        }
    }
}

impl Console {
    pub(super) fn has_text_ids(&self, major: u32) -> bool {
        self.text_ids.unwrap_or(major < 16)
    }
}

/// The console's sessions, and what was done in its editor.
#[derive(Default)]
pub(crate) struct Sessions {
    /// By cookie, when each was used last.
    good: BTreeMap<String, i64>,
    given: u64,
    /// Objects that were opened in the editor.
    pub(crate) opened: u64,
    /// Changes that were saved: none ever should be.
    pub(crate) saved: u64,
}

impl Sessions {
    /// Ends all sessions.
    pub(crate) fn end(&mut self) {
        self.good.clear();
    }

    /// Sessions that were given out.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    fn lets_in(&mut self, headers: &HeaderMap, now_ms: i64, life_s: i64) -> bool {
        let sent = headers
            .get("cookie")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let cookie = sent.split("; ").find_map(|pair| pair.strip_prefix(COOKIE));
        match cookie.and_then(|cookie| self.good.get_mut(cookie)) {
            Some(used) if now_ms - *used < life_s * 1_000 => {
                *used = now_ms;
                true
            }
            _ => false,
        }
    }
}

const COOKIE: &str = ".AspNetCore.Cookies=";

/// Which kind of request a path of the console is; `None` if it is none of the console's.
pub(super) fn kind_of(path: &str) -> Option<PathKind> {
    let rest = path.strip_prefix("/api/")?;
    Some(match rest {
        "login" => PathKind::Token,
        "CallLog" => PathKind::Report,
        "RecordingList" => PathKind::Recordings,
        "RecordingList/Download" => PathKind::Download,
        "ExtensionList" => PathKind::Users,
        "GroupList" | "GroupList/set" => PathKind::Groups,
        "SystemStatus" => PathKind::System,
        _ => PathKind::Other,
    })
}

/// Where a page begins, whatever the question calls it.
pub(super) fn skip(raw_query: &str) -> usize {
    let fields = pairs(raw_query);
    let number = |name: &str| fields.iter().find(|(key, _)| key == name)?.1.parse().ok();
    ["startRow", "start", "from"].into_iter().find_map(number).unwrap_or(0)
}

/// The answer of the console.
pub(super) fn answer(
    pbx: &Exchange,
    method: &Method,
    path: &str,
    raw_query: &str,
    headers: &HeaderMap,
    body: &str,
) -> Reply {
    let now_ms = pbx.time.now_ms();
    let mut shared = pbx.lock();
    let Shared {
        world,
        tokens,
        sessions,
        ..
    } = &mut *shared;
    let major = world.config.build().0;
    // From v20 on all of it is gone.
    if major >= 20 {
        return Reply::empty(404);
    }
    if path == "/api/login" {
        if method != Method::POST {
            return Reply::empty(405);
        }
        let reply = login(world, sessions, body, now_ms);
        let was_right = matches!(&reply.content, Content::Text(text) if text == "AuthSuccess");
        tokens.count(was_right);
        if tokens.is_enough(world.config.blacklist_after) {
            world.config.principal.blacklisted = true;
        }
        return reply;
    }
    if !sessions.lets_in(headers, now_ms, world.config.console.session_s) {
        return Reply::empty(401);
    }
    let fields = pairs(raw_query);
    let may = &world.config.principal;
    let posted = || serde_json::from_str::<Value>(body).unwrap_or_default();
    match (method.as_str(), path) {
        ("GET", "/api/CallLog") if !may.history_allowed => Reply::empty(403),
        ("GET", "/api/RecordingList" | "/api/RecordingList/Download") if !may.recordings_allowed => {
            Reply::empty(403)
        }
        ("GET", "/api/ExtensionList" | "/api/GroupList") if !may.directory_allowed => Reply::empty(403),
        ("GET", "/api/CallLog") => calls::page(world, &fields, now_ms),
        ("GET", "/api/RecordingList") => lists::recordings(world, &fields, now_ms),
        ("GET", "/api/RecordingList/Download") => lists::download(world, &fields, now_ms),
        ("GET", "/api/ExtensionList") => lists::extensions(world),
        ("GET", "/api/GroupList") => lists::groups(world),
        ("GET", "/api/SystemStatus") => lists::status(world, now_ms),
        ("POST", "/api/GroupList/set") => {
            sessions.opened += 1;
            lists::open_group(world, &posted(), sessions.opened)
        }
        ("POST", "/api/edit/cancel") => Reply::json(json!(null)),
        ("POST", "/api/edit/save") => {
            sessions.saved += 1;
            Reply::json(json!(null))
        }
        _ => Reply::empty(404),
    }
}

fn login(world: &World, sessions: &mut Sessions, body: &str, now_ms: i64) -> Reply {
    let sent: Value = serde_json::from_str(body).unwrap_or_default();
    let config = &world.config;
    let text = |word: &str| Reply {
        status: 200,
        headers: Vec::new(),
        content: Content::Text(word.into()),
    };
    if sent["Username"] != config.client_id.as_str() || sent["Password"] != config.client_secret.as_str() {
        return text("AuthFailed");
    }
    if config.console.two_factor {
        return text("TwoFactorAuthRequired");
    }
    sessions.given += 1;
    let value = format!("session-{}-{}", config.seed, sessions.given);
    sessions.good.insert(value.clone(), now_ms);
    let cookie = format!("{COOKIE}{value}; path=/; secure; samesite=lax; httponly");
    Reply {
        headers: vec![("set-cookie", cookie)],
        ..text("AuthSuccess")
    }
}
