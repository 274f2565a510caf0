//! Connections: how many, how long each may take for what, and TLS around all of them.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::certificate::{self, Shown};
use super::guard::Ends;
use super::pace::{Pace, Paces};
use super::site::Site;
use super::{Error, asker, routes, tls_folder};
use crate::aside::aside;
use crate::config;

/// Connections at a time; more wait in the system's own queue.
const CONNECTIONS: usize = 32;
/// How long somebody who comes waits for a place before one who is slow must make room.
const ROOM: Duration = Duration::from_millis(20);
/// How long the TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a request's head may take, and how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(10);
/// The longest head, with what comes right after it.
const HEAD_BYTES: usize = 16 * 1024;
/// How long open connections may take to end when the agent stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often the certificate is looked at: names and dates change slowly.
pub(crate) const LOOK: Duration = Duration::from_secs(12 * 3600);

/// How often the sessions of people who left are looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// Accepts on all listeners until `stop` says `true`.
pub(super) async fn run(
    site: Site,
    listeners: Vec<TcpListener>,
    shown: Shown,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let (show, showing) = watch::channel(shown);
    let mut doors = open(routes::router(site.clone()), listeners, showing, CONNECTIONS, &stop)?;
    let mut look = interval(LOOK);
    look.tick().await;
    let mut sweep = interval(SWEEP);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            _ = look.tick() => {
                let (folder, web) = (tls_folder(site.handle()), site.handle().config().web.clone());
                if let Some(fingerprint) = renew(folder, web, site.handle().clock().wall_ms(), &show).await {
                    site.renewed(fingerprint);
                }
            }
            _ = sweep.tick() => asker::sweep(&site).await,
        }
    }
    while doors.join_next().await.is_some() {}
    Ok(())
}

/// Begins to accept on all listeners, `most` connections at a time, until `stop` says `true`.
pub(crate) fn open(
    router: Router,
    listeners: Vec<TcpListener>,
    showing: watch::Receiver<Shown>,
    most: usize,
    stop: &watch::Receiver<bool>,
) -> Result<JoinSet<()>, Error> {
    let (free, paces) = (Arc::new(Semaphore::new(most)), Paces::default());
    let mut doors = JoinSet::new();
    for listener in listeners {
        let address = listener.local_addr().map_err(|source| Error::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            source,
        })?;
        let listener =
            tokio::net::TcpListener::from_std(listener).map_err(|source| Error::Listen { address, source })?;
        doors.spawn(accept(
            listener,
            router.clone(),
            showing.clone(),
            (Arc::clone(&free), paces.clone()),
            stop.clone(),
        ));
    }
    Ok(doors)
}

/// Comes back when the agent stops; a sender that is gone means the same.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Looks after the certificate in `folder`; gives the fingerprint of a new one.
pub(crate) async fn renew(
    folder: PathBuf,
    web: config::Web,
    now_ms: i64,
    show: &watch::Sender<Shown>,
) -> Option<String> {
    let kept = aside(move || certificate::keep(&folder, &web, now_ms));
    match kept.await {
        Ok(Ok(shown)) if shown.fingerprint != show.borrow().fingerprint => {
            log::info!("the page's certificate was renewed, SHA-256 {}", shown.fingerprint);
            let fingerprint = shown.fingerprint.clone();
            show.send_replace(shown);
            return Some(fingerprint);
        }
        Ok(Ok(_)) => {}
        Ok(Err(error)) => log::warn!("the page's certificate can't be renewed: {error}"),
        Err(error) => log::warn!("the page's certificate can't be renewed: {error}"),
    }
    None
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    showing: watch::Receiver<Shown>,
    (free, paces): (Arc<Semaphore>, Paces),
    mut stop: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    let stopping = stop.clone();
    loop {
        let next = async {
            let accepted = listener.accept().await;
            // Whoever comes when all places are taken is let in for whoever holds one without asking anything.
            let permit = loop {
                let place = Arc::clone(&free).acquire_owned();
                match timeout(ROOM, place).await {
                    Ok(permit) => break permit.ok()?,
                    Err(_) => paces.make_room(),
                }
            };
            Some((permit, accepted))
        };
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = next => accepted,
        };
        while open.try_join_next().is_some() {}
        match accepted {
            Some((permit, Ok((stream, peer)))) => {
                let tls = Arc::clone(&showing.borrow().tls);
                let (pace, stop) = (paces.begin(), stopping.clone());
                let (tls, router) = (TlsAcceptor::from(tls), router.clone());
                open.spawn(async move {
                    tokio::select! {
                        () = connection(stream, peer, tls, router, (permit, Arc::clone(&pace)), stop) => {}
                        () = pace.must_leave() => log::debug!("{peer}: asked nothing, and made room"),
                    }
                });
            }
            // Out of file descriptors, most likely: those who hold them must be let go on.
            Some((_, Err(error))) => {
                log::warn!("the page can't accept a connection: {error}");
                sleep(Duration::from_millis(200)).await;
            }
            None => break,
        }
    }
    drop(listener);
    let _ = timeout(FAREWELL, async { while open.join_next().await.is_some() {} }).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    router: Router,
    (permit, pace): (OwnedSemaphorePermit, Arc<Pace>),
    mut stop: watch::Receiver<bool>,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let _ = stream.set_nodelay(true);
    let stream = match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        // A scanner, plain HTTP, or a browser that does not trust us (yet).
        Ok(Err(error)) => return log::debug!("{peer}: no TLS: {error}"),
        Err(_) => return log::debug!("{peer}: no TLS in time"),
    };
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        pace.asked();
        request.extensions_mut().insert(Ends { peer, local });
        request.extensions_mut().insert(Arc::clone(&pace));
        inner.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        log::debug!("{peer}: {error}");
    }
    drop(permit);
}
