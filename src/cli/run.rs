//! `callspool run`: the agent and its faces, until it is asked to stop.

use std::io::IsTerminal;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Exit, control, out, remote};
use crate::agent::{self, Agent, Handle};
use crate::aside::{aside, task};
use crate::board::Notifier;
use crate::clock::Clock;
use crate::config::Config;
use crate::{link, logs, web};

pub(super) fn run(config: Config) -> Exit {
    log_as(config.log_level);
    for (key, file) in config.secret_files() {
        if let Err(text) = crate::config::read_secret(file) {
            out::message(&format!("{}: {key}: {text}", config.path.display()));
            return Exit::Usage;
        }
    }
    let agent = match Agent::start(config, Clock::system()) {
        Ok(agent) => agent,
        Err(error) => {
            out::message(&error.to_string());
            return if matches!(error, agent::StartError::Running(_)) {
                Exit::Refused
            } else {
                Exit::Failed
            };
        }
    };
    let Some(runtime) = runtime() else {
        return Exit::Failed;
    };
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let mut fatal = agent.fatal();
        let restart = Arc::clone(&agent.handle().parts().restart);
        let mut again = agent.handle().parts().again.subscribe();
        let (keep, mut door) = tokio::sync::oneshot::channel();
        let supervised = Arc::new(Supervised::of(agent.handle()));
        let told = Arc::clone(&supervised);
        let faces = task(serve(agent.handle(), stopped, move |page| {
            let supervised = told;
            supervised.say("READY=1");
            let Some(page) = page else { return };
            let _ = keep.send(page.door.as_ref().and_then(|door| door.try_clone().ok()));
            if let Some(password) = &page.first_password {
                out::message(&format!("the page's first password: {password}"));
                out::message(&format!(
                    "it also stands in {} until the first login",
                    page.first_file.display()
                ));
            }
            if let Some(code) = &page.setup_code {
                out::message("this box is not set up yet; open its page and type the code:");
                page.addresses
                    .iter()
                    .for_each(|at| out::message(&format!("  https://{at}/setup")));
                // On a console, and in nobody's log.
                match std::io::stderr().is_terminal() {
                    true => out::message(&format!("  code {code}")),
                    false => out::message("  root on this box finds it by `callspool setup-code`"),
                }
                out::message(&format!(
                    "  the page's certificate has the SHA-256 {}",
                    page.fingerprint
                ));
            }
        }));
        let exit = tokio::select! {
            () = asked_to_stop() => Exit::Ok,
            // Whoever supervises it starts it anew.
            () = restart.notified() => Exit::Ok,
            _ = again.wait_for(|again| *again) => Exit::Ok,
            told = fatal.wait_for(Option::is_some) => {
                if let Ok(Some(text)) = told.as_deref() {
                    log::error!("stopping: {text}");
                }
                Exit::Failed
            }
        };
        log::info!("stopping");
        // Whoever begins anew within this process does not stop, for one who would wait for its end.
        if !(*again.borrow() && exit == Exit::Ok) {
            supervised.say("STOPPING=1");
        }
        stop.send_replace(true);
        let _ = faces.await;
        let again = *again.borrow() && exit == Exit::Ok;
        agent.stop();
        if again {
            begin_anew(door.try_recv().ok().flatten());
        }
        exit
    })
}

/// Puts a new run in the place of this one, in the same process: whatever supervises it notices nothing, and it takes
/// less than a second. The page's listener goes along as its standard input, so that browsers wait instead of being
/// refused. Comes back only if that is impossible; then whoever supervises it starts it anew.
fn begin_anew(door: Option<std::net::TcpListener>) {
    use std::os::unix::process::CommandExt;
    log::info!("beginning anew with the settings as they are now");
    let mut own = std::env::current_exe().unwrap_or_default().into_os_string();
    // What the kernel says of a file that an update has replaced.
    if let Some(path) = own.to_str().and_then(|path| path.strip_suffix(" (deleted)")) {
        own = path.into();
    }
    let mut next = std::process::Command::new(own);
    next.args(std::env::args_os().skip(1)).env_remove(web::HANDED_OVER);
    if let Some(door) = door {
        next.env(web::HANDED_OVER, "1").stdin(std::os::fd::OwnedFd::from(door));
    }
    let error = next.exec();
    log::warn!("beginning anew failed ({error}); ending instead");
}

/// Who started us and wants to know how we are, if anybody does.
struct Supervised(Option<Arc<Notifier>>);

impl Supervised {
    /// Begins to give signs of life, while the agent's flows move.
    fn of(handle: Handle) -> Supervised {
        let notifier = Notifier::of_process().map(Arc::new);
        if let Some(notifier) = &notifier
            && let Some(within) = notifier.within()
        {
            let (feed, pulses) = (Arc::clone(notifier), handle.parts().pulses.clone());
            drop(task(agent::feed_watchdog(within, agent::HANGS, pulses, move || {
                feed.say("WATCHDOG=1");
            })));
        }
        Supervised(notifier)
    }

    fn say(&self, text: &str) {
        if let Some(notifier) = &self.0 {
            notifier.say(text);
        }
    }
}

/// Begins to log.
pub fn log_as(level: log::LevelFilter) {
    // Libraries show what they send and receive when asked for more than warnings: secrets, numbers and names.
    let logger = env_logger::Builder::new()
        .filter_level(level.min(log::LevelFilter::Warn))
        .filter_module("callspool", level)
        .format_target(false)
        .build();
    log::set_max_level(logger.filter());
    // There is only one, and it was set before if this fails.
    let _ = log::set_boxed_logger(Box::new(logs::Kept(logger)));
}

/// The one thread's runtime; `None` after saying why there is none.
pub fn runtime() -> Option<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(std::time::Duration::from_secs(2))
        .thread_stack_size(512 << 10)
        .build()
        .inspect_err(|error| out::message(&format!("the runtime can't be started: {error}")))
        .ok()
}

/// Runs the faces of an agent (page, link, control socket, and the look after the box) until `stop` becomes true.
/// `ready` is told of the page when it listens, or that there is none.
pub async fn serve(handle: Handle, stop: watch::Receiver<bool>, ready: impl FnOnce(Option<&web::Prepared>)) {
    let status = task(agent::watch(handle.clone()));
    let socket = control::serve(handle.clone(), stop.clone());
    let control = task(async move {
        if let Err(error) = socket.await {
            log::error!("the control socket failed, so the command line does not reach this agent: {error}");
        }
    });
    let unconfirmed = task(crate::setup::take_back_unless_confirmed(handle.clone()));
    let link = link_setup(&handle).map(|setup| task(link::run(setup, stop.clone())));
    let prepared = {
        let handle = handle.clone();
        aside(move || web::prepare(&handle)).await
    };
    let page = prepared.as_ref().ok().and_then(|prepared| prepared.as_ref().ok());
    ready(page);
    let pages = page.map(|page| page.addresses.clone()).unwrap_or_default();
    let renewal = task(agent::renew(handle.clone(), pages));
    match prepared {
        Ok(Ok(prepared)) => {
            if let Err(error) = web::serve(handle, prepared, stop.clone()).await {
                log::error!("the page can't be served: {error}");
            }
        }
        Ok(Err(error)) => log::error!("the page can't be served: {error}"),
        Err(error) => log::error!("the page can't be prepared: {error}"),
    }
    let mut stop = stop;
    let _ = stop.wait_for(|stop| *stop).await;
    status.abort();
    unconfirmed.abort();
    renewal.abort();
    let _ = control.await;
    if let Some(link) = link {
        let _ = link.await;
    }
}

fn link_setup(handle: &Handle) -> Option<link::Setup> {
    let config = handle.config().mqtt.clone()?;
    let parts = handle.parts();
    let (teller, newest) = (handle.clone(), handle.clone());
    Some(link::Setup {
        config,
        store: handle.store().clone(),
        clock: handle.clock().clone(),
        health: handle.health().clone(),
        id: handle.identity().id.clone(),
        birth: handle.birth(),
        update: Arc::new(move || newest.update()),
        targets: handle
            .config()
            .targets
            .iter()
            .map(|target| target.name.clone())
            .collect(),
        remote: Some(Arc::new(remote::Dashboard::new(handle.clone()))),
        state: Arc::new(move || teller.state()),
        events: Arc::clone(&parts.events),
        changed: Arc::clone(&parts.changed),
        status: Arc::clone(&parts.link),
    })
}

/// Comes back when the process is asked to end: SIGTERM, or Ctrl-C.
pub async fn asked_to_stop() {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    let any = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    let mut any: Vec<_> = any.collect();
    std::future::poll_fn(|context| {
        let ready = any.iter_mut().any(|signal| signal.as_mut().poll(context).is_ready());
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}
