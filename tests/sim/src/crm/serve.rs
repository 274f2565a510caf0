//! A small HTTP server in a thread of its own: stopped and started again on the same port, with connections
//! that a handler can hang up on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use axum::{Extension, Router};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Given to each handler: drops the connection that its request came by, with no answer.
#[derive(Clone, Default)]
pub(crate) struct Hangup(Arc<Notify>);

impl Hangup {
    /// Drops the connection; never returns, for the request's task goes with its connection.
    pub(crate) async fn now(&self) -> ! {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Keeps a port of this machine from being given to anybody else while its server is down.
pub(crate) struct PortHold {
    addr: SocketAddr,
    /// Bound but not listening: clients are refused, and a listener may be put on the same port because both
    /// have `SO_REUSEADDR` (Linux refuses that only while another socket *listens*).
    _socket: TcpSocket,
}

impl PortHold {
    /// Holds `port` of 127.0.0.1; 0 takes a free one.
    pub(crate) fn new(port: u16) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        Ok(Self {
            addr: socket.local_addr()?,
            _socket: socket,
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A listener on the held port, ready to be given to tokio.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        let listener = TcpListener::bind(self.addr)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

/// The server; dropping it stops it.
pub(crate) struct Server {
    port: PortHold,
    router: Router,
    tls: Option<TlsAcceptor>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(port: u16, tls: Option<Arc<rustls::ServerConfig>>, router: Router) -> io::Result<Self> {
        let server = Self {
            port: PortHold::new(port)?,
            router,
            tls: tls.map(TlsAcceptor::from),
            running: Mutex::new(None),
        };
        server.start_again()?;
        Ok(server)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// Serves again after [`Server::stop`]; does nothing if it serves already.
    pub(crate) fn start_again(&self) -> io::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Ok(());
        }
        let listener = self.port.listen()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (router, tls) = (self.router.clone(), self.tls.clone());
        let thread = std::thread::Builder::new().name("sim-crm".into()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = accept(listener, router, tls) => {}
                    _ = stopped => {}
                }
            });
        })?;
        *running = Some(Running { stop, thread });
        Ok(())
    }

    /// Refuses new connections and drops the open ones, in the middle of a request if need be.
    pub(crate) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, thread }) = running {
            // Fails only if the thread has ended by itself, and then there is nothing to stop.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn accept(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_one(stream, router.clone(), tls.clone()));
                }
                // Out of file handles, most likely: let some be given back.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_one(stream: TcpStream, router: Router, tls: Option<TlsAcceptor>) {
    let _ = stream.set_nodelay(true);
    let hangup = Hangup::default();
    let service = TowerToHyperService::new(router.layer(Extension(hangup.clone())));
    let http = hyper::server::conn::http1::Builder::new();
    let serve = async {
        // A client that breaks off is an ordinary event here; the handlers record it.
        let _ = match tls {
            None => http.serve_connection(TokioIo::new(stream), service).await,
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await,
                Err(_) => return,
            },
        };
    };
    tokio::select! {
        () = serve => {}
        () = hangup.0.notified() => {}
    }
}
