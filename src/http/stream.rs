//! A connection that stays open for something else than requests and answers, under the same judgement of certificates.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::http::Uri;

use super::error::{Error, Kind};

/// A connected stream, with TLS if its address says `https`.
pub struct Stream(Way);

enum Way {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Connects to host and port of `url`; each step may take `patience`.
    pub(super) fn open(tls: &Arc<ClientConfig>, url: &str, patience: Duration) -> Result<Stream, Error> {
        let address = |text: &str| Error::new(Kind::Address, text);
        let uri: Uri = url.parse().map_err(|_| address("it can't be read"))?;
        let host = uri
            .host()
            .ok_or_else(|| address("it names no host"))?
            .trim_matches(['[', ']']);
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let found = (host, port)
            .to_socket_addrs()
            .map_err(|error| Error::new(Kind::NameNotFound, error.to_string()))?;
        let mut last = Error::new(Kind::NameNotFound, "it has no address");
        for address in found {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(socket) => return Stream::over(socket, secure, tls, host, patience).map_err(Error::of_io),
                Err(error) => last = Error::of_io(error),
            }
        }
        Err(last)
    }

    fn over(
        socket: TcpStream,
        secure: bool,
        tls: &Arc<ClientConfig>,
        host: &str,
        patience: Duration,
    ) -> io::Result<Stream> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(patience))?;
        socket.set_write_timeout(Some(patience))?;
        if !secure {
            return Ok(Stream(Way::Plain(socket)));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        // Here, so that a certificate that is not believed is told before anything is sent.
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Stream(Way::Tls(Box::new(stream))))
    }

    /// How long a read waits; a read that got nothing fails with `WouldBlock` and may be tried again.
    pub fn set_read_timeout(&self, patience: Duration) -> io::Result<()> {
        // Nothing would mean for ever.
        let patience = Some(patience.max(Duration::from_millis(1)));
        match &self.0 {
            Way::Plain(socket) => socket.set_read_timeout(patience),
            Way::Tls(stream) => stream.sock.set_read_timeout(patience),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Way::Plain(socket) => socket.read(buf),
            Way::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Way::Plain(socket) => socket.write(buf),
            Way::Tls(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Way::Plain(socket) => socket.flush(),
            Way::Tls(stream) => stream.flush(),
        }
    }
}
