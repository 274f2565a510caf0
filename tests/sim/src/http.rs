//! A small HTTP server in a thread of its own, so that blocking tests can use it, stop it and start it again.
//!
//! Stopping drops every open connection in the middle of whatever it was doing: to the other side this is a cut line.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A self-signed certificate and its key.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// SHA-256 of its SubjectPublicKeyInfo: what a client pins.
    pub spki_sha256: [u8; 32],
    key_pkcs8: Vec<u8>,
}

impl Certificate {
    /// A fresh key and certificate for `localhost` and `127.0.0.1`.
    pub fn generate() -> io::Result<Self> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let spki = rcgen::PublicKeyData::subject_public_key_info(&made.signing_key);
        let digest = ring::digest::digest(&ring::digest::SHA256, &spki);
        let mut spki_sha256 = [0; 32];
        spki_sha256.copy_from_slice(digest.as_ref());
        Ok(Self {
            der: made.cert.der().to_vec(),
            spki_sha256,
            key_pkcs8: made.signing_key.serialize_der(),
        })
    }

    fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key_pkcs8.clone()));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(self.der.clone())], key)
            .map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A running (or stopped) server on 127.0.0.1.
pub struct Server {
    addr: SocketAddr,
    router: Router,
    certificate: Option<Certificate>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    /// Serves `router` on `port` (0: any free one), with TLS if `tls`.
    ///
    /// # Errors
    /// If the port is taken or no certificate can be made.
    pub fn start(router: Router, port: u16, tls: bool) -> io::Result<Self> {
        let certificate = if tls { Some(Certificate::generate()?) } else { None };
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut server = Self {
            addr,
            router,
            certificate,
            running: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Where it listens; stays the same over stop and start.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base address, `http://127.0.0.1:port` or `https://…`.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The certificate, if it speaks TLS.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Whether it listens now.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Stops listening and drops every open connection. Returns when the port is free.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// Listens again on the same port; nothing happens if it already does.
    ///
    /// # Errors
    /// If somebody else took the port meanwhile.
    pub fn start_again(&mut self) -> io::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.addr)?;
        listener.set_nonblocking(true)?;
        self.addr = listener.local_addr()?;
        let acceptor = self.certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let router = self.router.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("sim-http".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept_for_ever(listener, acceptor, router) => {}
                    _ = stopped => {}
                }
            });
            // Dropping the runtime drops the connections' tasks and so their sockets: the line is cut.
        })?;
        self.running = Some((stop, thread));
        Ok(())
    }

    /// Restarts on the same port with another key, as after a PBX got a new certificate.
    ///
    /// # Errors
    /// As [`Server::start_again`].
    pub fn regenerate_certificate(&mut self) -> io::Result<()> {
        self.stop();
        if self.certificate.is_some() {
            self.certificate = Some(Certificate::generate()?);
        }
        self.start_again()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn accept_for_ever(listener: TcpListener, acceptor: Option<TlsAcceptor>, router: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors or the like: let the others finish first.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            match acceptor {
                None => drop(
                    http.serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await,
                ),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        drop(
                            http.serve_connection(TokioIo::new(stream), service)
                                .with_upgrades()
                                .await,
                        );
                    }
                }
            }
        });
    }
}
