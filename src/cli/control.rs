//! How the command line speaks with the running agent: one JSON line each way over a Unix socket in the state folder,
//! which only the agent's own user and root may open.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream as Stream};
use tokio::sync::{mpsc, watch};

use crate::agent::Handle;
use crate::doctor::{Options, Run};

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
                    tokio::spawn(answer(handle.clone(), stream));
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
    tokio::task::spawn_blocking(move || match serde_json::from_str::<Request>(&line) {
        Ok(request) => act(&handle, request, &tell),
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

fn act(handle: &Handle, request: Request, tell: &mpsc::Sender<Value>) {
    let say = |value: Value| {
        let _ = tell.blocking_send(value);
    };
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
        Request::AcceptPin { pin } => handle
            .accept_pin(&pin)
            .map(|()| json!({ "accepted": true }))
            .map_err(|error| error.to_string()),
        Request::Doctor { only, offline } => match handle.examine(Options { only, offline }) {
            Ok(run) => return follow(&run, &say),
            Err(error) => Err(error),
        },
    };
    say(outcome.unwrap_or_else(|error| json!({ "error": error })));
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
