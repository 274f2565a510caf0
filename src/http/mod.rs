//! The one way to ask something over HTTP: ureq, with our own judgement of certificates, no redirects followed, and
//! errors that say which part of the way failed.

mod answer;
mod connect;
mod error;
mod names;
mod socket;
mod stream;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use ureq::unversioned::transport::{Connector, TcpConnector};

pub use answer::Answer;
pub use error::{Error, Kind};
pub use socket::{Heard, Opened, Patience, WebSocket};
pub use stream::Stream;
pub use trust::{Pin, TrustError, client_config, public_roots, roots_of_file};

/// What a client believes.
pub enum Belief {
    /// The public authorities.
    Public,
    /// The authorities in a PEM file.
    CaFile(std::path::PathBuf),
    /// One pinned key; the first one seen if none is pinned yet.
    Pinned(Arc<Pin>),
}

/// An HTTP client for one peer. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    tls: Arc<ClientConfig>,
}

/// Request headers.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

impl Client {
    /// A client that waits `patience` for an answer to begin, and as long again for each piece of it.
    pub fn new(belief: &Belief, patience: Duration) -> Result<Client, TrustError> {
        Client::keeping(2, belief, patience)
    }

    /// The same with `idle` connections kept open between requests, for whoever asks so many things at once.
    pub fn keeping(idle: usize, belief: &Belief, patience: Duration) -> Result<Client, TrustError> {
        let tls = client_config(belief)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("callspool/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(patience))
            .timeout_connect(Some(patience.min(Duration::from_secs(10))))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience))
            .input_buffer_size(16 << 10)
            .output_buffer_size(16 << 10)
            .max_idle_connections(idle)
            .max_idle_connections_per_host(idle)
            .max_idle_age(Duration::from_secs(45))
            .build();
        let connector = ().chain(TcpConnector::default()).chain(connect::Tls::new(Arc::clone(&tls)));
        Ok(Client {
            agent: ureq::Agent::with_parts(config, connector, names::Names::default()),
            tls,
        })
    }

    /// GET.
    pub fn get(&self, url: &str, headers: Headers) -> Result<Answer, Error> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().map(Answer::new).map_err(Error::from)
    }

    /// HEAD.
    pub fn head(&self, url: &str, headers: Headers) -> Result<Answer, Error> {
        let mut request = self.agent.head(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().map(Answer::new).map_err(Error::from)
    }

    /// DELETE.
    pub fn delete(&self, url: &str, headers: Headers) -> Result<Answer, Error> {
        let mut request = self.agent.delete(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().map(Answer::new).map_err(Error::from)
    }

    /// POST of a small body.
    pub fn post(&self, url: &str, headers: Headers, body: &[u8]) -> Result<Answer, Error> {
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send(body).map(Answer::new).map_err(Error::from)
    }

    /// PATCH of a small body.
    pub fn patch(&self, url: &str, headers: Headers, body: &[u8]) -> Result<Answer, Error> {
        let mut request = self.agent.patch(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send(body).map(Answer::new).map_err(Error::from)
    }

    /// A connection of its own to the host of `url`, judged like all others, for what is no request and answer.
    pub fn open(&self, url: &str, patience: Duration) -> Result<Stream, Error> {
        Stream::open(&self.tls, url, patience)
    }

    /// POST of a body that is streamed from `source`; `headers` must hold its `content-length`.
    pub fn post_from(&self, url: &str, headers: Headers, source: &mut dyn std::io::Read) -> Result<Answer, Error> {
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = ureq::SendBody::from_reader(source);
        request.send(body).map(Answer::new).map_err(Error::from)
    }

    /// PUT of a body that is streamed from `source`; `headers` must hold its `content-length`.
    pub fn put(&self, url: &str, headers: Headers, source: &mut dyn std::io::Read) -> Result<Answer, Error> {
        let mut request = self.agent.put(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = ureq::SendBody::from_reader(source);
        request.send(body).map(Answer::new).map_err(Error::from)
    }
}
