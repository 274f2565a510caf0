//! How the command line speaks with the running agent: one JSON line each way over a Unix socket in the state folder,
//! which only the agent's own user and root may open.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream as Stream};
use tokio::sync::{mpsc, watch};

use super::update::{self, What};
use crate::accounts::{self, By};
use crate::agent::Handle;
use crate::aside::{task, unawaited};
use crate::doctor::{Options, Run};
use crate::keep;
use crate::logs::{self, Filter};
use crate::rights::{self, Action, Freshness, Object, Subject, Who};
use crate::setup;
use crate::store::{self, Grantee, HoldOn, LinkFilter, NewAudit, NewGrant, RightsContext};
use crate::update::feed::Feed;
use crate::update::release::{MOST_BYTES, MOST_HEAD};
use crate::when;

/// What the agent can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    /// Everything at this moment.
    Status,
    /// Read the call log and fetch recordings now.
    Sync,
    /// Give held deliveries a new start.
    Retry {
        /// Only those of this target.
        target: Option<String>,
        /// Only this one.
        id: Option<String>,
    },
    /// End a target's pause, or let one go on that answered 410.
    Resume {
        /// The target.
        target: String,
    },
    /// Give a held delivery up for good.
    Drop {
        /// Its id.
        id: String,
        /// Why.
        why: String,
    },
    /// End links to recordings.
    RevokeLinks {
        /// Which.
        which: LinkFilter,
    },
    /// Put a hold in force.
    Hold {
        /// On what.
        on: HoldOn,
        /// Until when, Unix milliseconds.
        until_ms: Option<i64>,
        /// Why.
        why: String,
    },
    /// Release a hold.
    Release {
        /// Its row.
        id: i64,
        /// Why.
        why: String,
    },
    /// Erase what a person with this number has.
    Erase {
        /// The number.
        number: String,
        /// Why.
        why: String,
    },
    /// Accept another certificate of the PBX.
    AcceptPin {
        /// Its pin.
        pin: String,
    },
    /// Run the checks, or watch those that are under way; each comes as a line of its own, the verdict as the last.
    Doctor {
        /// Codes of checks or findings, or groups; empty: everything.
        #[serde(default)]
        only: Vec<String>,
        /// Nothing leaves the box.
        #[serde(default)]
        offline: bool,
    },
    /// The last lines of the log.
    Logs {
        /// Which.
        filter: Filter,
    },
    /// What a support bundle needs of the agent.
    Told,
    /// Write down that something was taken from this box or brought to it.
    Noted {
        /// What.
        what: String,
    },
    /// Change one setting over the file, judged with all others; the agent begins anew with it.
    Configure {
        /// Its key, `pbx.poll` or `target.crm.url`.
        key: String,
        /// Its value as TOML; none takes the value away that the page wrote.
        value: Option<String>,
    },
    /// Take the last change of the page's settings back; the agent begins anew.
    TakeBack,
    /// Write down that the store was copied.
    BackedUp {
        /// To which file.
        file: String,
    },
    /// Let a person log in with a password.
    AddUser {
        /// The extension.
        extension: String,
        /// Argon2id, PHC text: the password itself stays at the terminal.
        password_hash: String,
    },
    /// Give a person a one-time code.
    GiveCode {
        /// The extension.
        extension: String,
        /// How long it is good, milliseconds.
        valid_ms: i64,
    },
    /// Let a person log in no more.
    RemoveUser {
        /// The extension.
        extension: String,
    },
    /// Give a grant.
    Grant {
        /// To whom.
        to: GrantTo,
        /// The action's word.
        action: String,
        /// The scope's word.
        scope: String,
        /// In this department alone.
        department: Option<i64>,
        /// Until when, Unix milliseconds.
        until_ms: Option<i64>,
        /// Why.
        why: String,
    },
    /// Make a token for scripts.
    AddToken {
        /// What it is called.
        name: String,
        /// The words of the rights that it holds.
        may: Vec<String>,
        /// Until when, Unix milliseconds.
        until_ms: Option<i64>,
    },
    /// Revoke a token.
    EndToken {
        /// Its name.
        name: String,
    },
    /// End a grant.
    Revoke {
        /// Its row.
        id: i64,
    },
    /// About newer releases.
    Update {
        /// What.
        what: What,
        /// Where the release is.
        #[serde(default)]
        url: Option<String>,
        /// An older one is taken too.
        #[serde(default)]
        downgrade: bool,
        /// Until when, Unix milliseconds.
        #[serde(default)]
        until_ms: Option<i64>,
    },
}

/// To whom a grant is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantTo {
    /// Whoever has this extension.
    Extension(String),
    /// Everybody with this role.
    Role(String),
}

/// Where the socket is.
pub fn socket(state_dir: &Path) -> PathBuf {
    state_dir.join("control.sock")
}

/// Answers until `stop` becomes true.
pub async fn serve(handle: Handle, mut stop: watch::Receiver<bool>) -> std::io::Result<()> {
    let path = socket(&handle.config().state_dir);
    // The lock on the state folder says that no other agent listens there.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {
                let _ = std::fs::remove_file(&path);
                return Ok(());
            }
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    task(answer(handle.clone(), stream));
                }
            }
        }
    }
}

async fn answer(handle: Handle, stream: Stream) {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(read.take(64 << 10));
    let got = tokio::time::timeout(Duration::from_secs(5), reader.read_line(&mut line)).await;
    let Ok(Ok(1..)) = got else { return };
    let (tell, mut told) = mpsc::channel::<Value>(16);
    let (put, mut source) = Feed::new();
    if line.contains("\"what\":\"file\"") {
        // Its bytes follow; whoever refuses it leaves the rest unread.
        reader.get_mut().set_limit(MOST_BYTES + MOST_HEAD as u64);
        drop(task(async move {
            let mut piece = vec![0; 32 << 10];
            while let Ok(got @ 1..) = reader.read(&mut piece).await {
                let _ = put.send(piece[..got].to_vec()).await;
            }
        }));
    } else {
        drop(put);
    }
    unawaited(move || match serde_json::from_str::<Request>(&line) {
        Ok(request) => act(&handle, request, &mut source, &tell),
        Err(error) => {
            let _ = tell.blocking_send(json!({ "error": format!("not understood: {error}") }));
        }
    });
    while let Some(value) = told.recv().await {
        if write.write_all(format!("{value}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Whoever asks over the socket, if they may: the socket is open to the box's own user and to root alone.
fn by(handle: &Handle, request: &Request) -> Result<By, String> {
    let built_in = |now_ms| rights::console_subject(Vec::new(), Freshness::default(), now_ms);
    may(handle, &Who::Terminal, "cli", request.needs(), &built_in)
}

/// Whether `who`, who came by `way`, may do what needs `action`; a refusal is written down. `built_in` holds when the store
/// does not answer.
pub(super) fn may(
    handle: &Handle,
    who: &Who,
    way: &'static str,
    action: Action,
    built_in: &dyn Fn(i64) -> Subject,
) -> Result<By, String> {
    let clock = handle.clock();
    let context = RightsContext::new(handle.config(), clock.clone());
    let subject = handle.store().read(|connection| context.subject(connection, who));
    let subject = subject.unwrap_or_else(|_| built_in(clock.wall_ms()));
    let decision = rights::decide(&subject, action, &Object::Whole);
    if !decision.allowed {
        let action = action.word();
        let entry = NewAudit::of(&subject, way, &decision);
        let clock = clock.clone();
        let _ = handle.store().write(move |within| store::audit(within, &entry, &clock));
        let who = subject.who.word().to_owned();
        return Err(format!("this {who} does not hold the right {action}"));
    }
    Ok(By { subject, way, decision })
}

fn act(handle: &Handle, request: Request, source: &mut dyn Read, tell: &mpsc::Sender<Value>) {
    let say = |value: Value| {
        let _ = tell.blocking_send(value);
    };
    match by(handle, &request) {
        Ok(by) if matches!(request, Request::Update { .. }) => {
            let done = update::perform(handle, by, &request, source, &say);
            say(done.unwrap_or_else(|error| json!({ "error": error })));
        }
        Ok(by) => perform(handle, by, request, &say),
        Err(error) => say(json!({ "error": error })),
    }
}

/// Does what was asked, for one who may; each line of the answer is said. Blocking, within the runtime.
pub(super) fn perform(handle: &Handle, by: By, request: Request, say: &dyn Fn(Value)) {
    let (store, clock) = (handle.store(), handle.clock());
    let outcome = match request {
        Request::Status => serde_json::to_value(handle.status()).map_err(|error| error.to_string()),
        Request::Sync => {
            handle.sync_now();
            Ok(json!({ "asked": true }))
        }
        Request::Retry { target, id } => handle
            .retry_held(target.as_deref(), id.as_deref())
            .map(|count| json!({ "retried": count }))
            .map_err(|error| error.to_string()),
        Request::Resume { target } => handle
            .resume_target(&target)
            .map(|known| json!({ "known": known }))
            .map_err(|error| error.to_string()),
        Request::Drop { id, why } => flat(handle.drop_delivery(by, &id, &why), |()| json!({ "dropped": id })),
        Request::RevokeLinks { which } => keep::revoke_links(store, by, which, clock)
            .map(|ended| json!({ "ended": ended }))
            .map_err(|error| error.to_string()),
        Request::Hold { on, until_ms, why } => flat(
            keep::add_hold(store, by, on, until_ms, &why, clock),
            |hold| json!({ "hold": hold }),
        ),
        Request::Release { id, why } => match keep::release_hold(store, by, id, &why, clock) {
            Ok(true) => Ok(json!({ "released": id })),
            Ok(false) => Err(format!("no hold {id} is in force")),
            Err(error) => Err(error.to_string()),
        },
        Request::Erase { number, why } => flat(
            handle.erase(by, &number, &why),
            |(id, found)| json!({ "erasure": id, "found": found }),
        ),
        Request::AcceptPin { pin } => handle
            .accept_pin(&pin)
            .map(|()| json!({ "accepted": true }))
            .map_err(|error| error.to_string()),
        Request::Doctor { only, offline } => match handle.examine(Options { only, offline }) {
            Ok(run) => return follow(&run, say),
            Err(error) => Err(error),
        },
        Request::Logs { filter } => Ok(json!({ "lines": logs::lines(&filter) })),
        Request::Told => Ok(json!({ "told": handle.told() })),
        Request::Noted { what } => accounts::note(store, by, what, clock)
            .map(|()| json!({ "noted": true }))
            .map_err(|error| error.to_string()),
        Request::Configure { key, value } => {
            let path = handle.config().path.clone();
            anew(handle, setup::change(store, &path, by, &[(key, value)], clock))
        }
        Request::TakeBack => {
            let path = handle.config().path.clone();
            anew(handle, setup::take_back(store, &path, by, clock))
        }
        Request::BackedUp { file } => accounts::note(store, by, format!("copied the store to {file}"), clock)
            .map(|()| json!({ "noted": true }))
            .map_err(|error| error.to_string()),
        Request::AddUser {
            extension,
            password_hash,
        } => match accounts::add(store, by, &extension, Some(password_hash), clock) {
            Ok(Some(account)) => Ok(json!({ "extension": extension, "name": account.name })),
            Ok(None) => Err(unknown(&extension)),
            Err(error) => Err(error.to_string()),
        },
        Request::GiveCode { extension, valid_ms } => {
            let until = clock.wall_ms().saturating_add(valid_ms);
            match accounts::give_code(store, by, &extension, until, clock) {
                Ok(Some(code)) => {
                    Ok(json!({ "extension": extension, "code": code, "until": when::rfc3339(until) }))
                }
                Ok(None) => Err(unknown(&extension)),
                Err(error) => Err(error.to_string()),
            }
        }
        Request::RemoveUser { extension } => match accounts::remove(store, by, &extension, clock) {
            Ok(true) => Ok(json!({ "removed": extension })),
            Ok(false) => Err(format!("{extension} has no account here")),
            Err(error) => Err(error.to_string()),
        },
        Request::Grant {
            to,
            action,
            scope,
            department,
            until_ms,
            why,
        } => give(handle, by, (to, &action, &scope), department, until_ms, why),
        Request::AddToken { name, may, until_ms } => add_token(handle, by, &name, &may, until_ms),
        Request::EndToken { name } => match accounts::end_token(store, by, &name, clock) {
            Ok(true) => Ok(json!({ "revoked": name })),
            Ok(false) => Err(format!("no token {name} is in force")),
            Err(error) => Err(error.to_string()),
        },
        asked @ Request::Update { .. } => update::perform(handle, by, &asked, &mut std::io::empty(), say),
        Request::Revoke { id } => match accounts::revoke(store, by, id, clock) {
            Ok(true) => Ok(json!({ "ended": id })),
            Ok(false) => Err(format!("no grant {id} is in force")),
            Err(error) => Err(error.to_string()),
        },
    };
    say(outcome.unwrap_or_else(|error| json!({ "error": error })));
}

/// Lets the agent begin anew with settings that were changed.
fn anew(handle: &Handle, changed: Result<crate::config::Config, setup::Refused>) -> Result<Value, String> {
    changed.map_err(|refused| refused.to_string())?;
    let handle = handle.clone();
    // After whoever asked has been answered.
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        handle.begin_anew();
    });
    Ok(json!({ "changed": true }))
}

/// What was done as JSON, or why it was not.
fn flat<T>(done: store::Result<Result<T, String>>, show: impl FnOnce(T) -> Value) -> Result<Value, String> {
    done.map_err(|error| error.to_string())?.map(show)
}

/// Tells every line of a run of the checks as it comes, and at last its verdict.
fn follow(run: &Run, say: &dyn Fn(Value)) {
    let mut progress = run.watch();
    let mut told = 0;
    loop {
        let over = progress.borrow_and_update().1.clone();
        for check in run.lines(told) {
            told += 1;
            say(serde_json::to_value(check).unwrap_or(Value::Null));
        }
        if let Some(verdict) = over {
            return say(json!({ "verdict": verdict }));
        }
        if tokio::runtime::Handle::current().block_on(progress.changed()).is_err() {
            return;
        }
    }
}

fn unknown(extension: &str) -> String {
    format!("the PBX knows nobody with the extension {extension}, or was not read yet")
}

/// Makes a token that holds no more than the technician.
fn add_token(handle: &Handle, by: By, name: &str, may: &[String], until_ms: Option<i64>) -> Result<Value, String> {
    let clock = handle.clock();
    if until_ms.is_some_and(|until| until <= clock.wall_ms()) {
        return Err("it would have expired already; give a moment in the future".to_owned());
    }
    let context = RightsContext::new(handle.config(), clock.clone());
    let technician = handle
        .store()
        .read(|connection| context.subject(connection, &Who::Technician));
    let technician = technician.map_err(|error| error.to_string())?;
    let may = accounts::check_token(name, may, &technician)?;
    match accounts::add_token(handle.store(), by, name, may, until_ms, clock) {
        Ok(Some(token)) => Ok(json!({ "name": name, "token": token })),
        Ok(None) => Err(format!(
            "a token {name} is in force already; revoke it first, or choose another name"
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn give(
    handle: &Handle,
    by: By,
    (to, action, scope): (GrantTo, &str, &str),
    department: Option<i64>,
    until_ms: Option<i64>,
    why: String,
) -> Result<Value, String> {
    let action = Action::from_word(action).ok_or_else(|| format!("\"{action}\" is no action"))?;
    let scope = action
        .scope_of_word(scope)
        .ok_or_else(|| format!("\"{scope}\" is no scope"))?;
    let grant = NewGrant {
        to: match to {
            GrantTo::Extension(extension) => Grantee::Extension(extension),
            GrantTo::Role(role) => Grantee::Role(role),
        },
        action,
        scope,
        department,
        until_ms,
        given_by: by.subject.who.word().to_owned(),
        why,
    };
    grant.check(handle.clock().wall_ms())?;
    match accounts::grant(handle.store(), by, grant, handle.clock()) {
        Ok(Some(id)) => Ok(json!({ "grant": id })),
        Ok(None) => Err("the PBX knows nobody with this extension, or was not read yet".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Why the agent gave no answer.
#[derive(Debug)]
pub enum AskError {
    /// No agent listens.
    NotRunning,
    /// It listens, and did not answer as it should.
    Broken(String),
    /// It answered that it could not.
    Refused(String),
}

impl std::fmt::Display for AskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AskError::NotRunning => f.write_str("the agent does not run (or runs on another state_dir)"),
            AskError::Broken(text) => write!(f, "the agent can't be asked: {text}"),
            AskError::Refused(text) => f.write_str(text),
        }
    }
}

/// Asks the running agent and gives each line of its answer to `take`.
pub fn ask(state_dir: &Path, request: &Request, take: &mut dyn FnMut(Value)) -> Result<(), AskError> {
    asked_with(state_dir, request, &mut |_| {}, take)
}

/// The same, and `send` puts what belongs to the request behind it.
pub(super) fn asked_with(
    state_dir: &Path,
    request: &Request,
    send: &mut dyn FnMut(&mut UnixStream),
    take: &mut dyn FnMut(Value),
) -> Result<(), AskError> {
    let broken = |error: std::io::Error| AskError::Broken(error.to_string());
    let mut stream = UnixStream::connect(socket(state_dir)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => AskError::NotRunning,
        _ => broken(error),
    })?;
    stream
        .set_read_timeout(Some(Duration::from_secs(120)))
        .map_err(broken)?;
    let line = serde_json::to_string(request).map_err(|error| AskError::Broken(error.to_string()))?;
    stream.write_all(format!("{line}\n").as_bytes()).map_err(broken)?;
    send(&mut stream);
    for line in BufReader::new(stream).lines() {
        let value: Value = serde_json::from_str(&line.map_err(broken)?)
            .map_err(|error| AskError::Broken(format!("its answer is not JSON: {error}")))?;
        match value.get("error").and_then(Value::as_str) {
            Some(error) if value.as_object().is_some_and(|object| object.len() == 1) => {
                return Err(AskError::Refused(error.to_owned()));
            }
            _ => take(value),
        }
    }
    Ok(())
}

/// Asks for one line.
pub fn ask_one(state_dir: &Path, request: &Request) -> Result<Value, AskError> {
    let mut answer = None;
    ask(state_dir, request, &mut |value| answer = Some(value))?;
    answer.ok_or_else(|| AskError::Broken("it hung up without an answer".to_owned()))
}
