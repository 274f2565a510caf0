//! A box with a page and nothing behind it, and a browser without manners.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use callspool::agent::{Handle, Identity, Parts};
use callspool::clock::Clock;
use callspool::health::Health;
use callspool::http::Belief;
use callspool::model::Directory;
use callspool::pbx::v20::{Setup, V20};
use callspool::pbx::{Pbx, Refusals};
use callspool::rights::{Action, Scope};
use callspool::store::{self, Grantee, NewGrant, Store};
use callspool::sync::PbxStatus;
use callspool::update::desk::Desk as Updates;
use callspool::{config, random, web};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use tokio::sync::watch;

/// The name that nobody may learn before the login.
pub const NAME: &str = "secret-plant-room";
/// The version that nobody may learn before the login.
pub const VERSION: &str = "9.8.7";

/// A running page.
pub struct Page {
    pub folder: PathBuf,
    pub handle: Handle,
    pub address: SocketAddr,
    pub first_password: Option<String>,
    /// The code of a box that is not set up.
    pub setup_code: Option<String>,
    pub fingerprint: String,
    pub pbx: Arc<Mutex<PbxStatus>>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Page {
    /// A new box.
    pub fn start() -> Page {
        Page::with(Clock::system(), "")
    }

    /// A new box with another clock, and more lines below `[web]`.
    pub fn with(clock: Clock, lines: &str) -> Page {
        let folder = std::env::temp_dir().join(format!("callspool-web-{}", random::token::<6>()));
        std::fs::create_dir(&folder).unwrap();
        Page::again(&folder, clock, lines)
    }

    /// A box in factory state: its file says where its state lies, and no more.
    pub fn factory() -> Page {
        let folder = std::env::temp_dir().join(format!("callspool-web-{}", random::token::<6>()));
        std::fs::create_dir(&folder).unwrap();
        let text = format!("name = \"{NAME}\"\nstate_dir = {folder:?}\n[web]\nlisten = [\"127.0.0.1:0\"]\n");
        let file = folder.join("callspool.toml");
        std::fs::write(&file, text).unwrap();
        Page::of(&folder, Clock::system(), callspool::setup::load(&file).unwrap())
    }

    /// The box that lives in `folder`, started again.
    pub fn again(folder: &Path, clock: Clock, lines: &str) -> Page {
        let text = format!(
            "name = \"{NAME}\"\nstate_dir = {folder:?}\n\
             [pbx]\nurl = \"https://pbx.example.com\"\nclient_id = \"c\"\nsecret_file = \"p\"\n\
             [[target]]\nname = \"crm\"\nurl = \"https://crm.example.com\"\nsecret_file = \"t\"\n\
             [web]\nlisten = [\"127.0.0.1:0\"]\n{lines}"
        );
        Page::of(
            folder,
            clock,
            config::parse(&text, Path::new("/etc/callspool.toml")).unwrap(),
        )
    }

    fn of(folder: &Path, clock: Clock, config: config::Config) -> Page {
        let pbx = Arc::default();
        let store = Store::open(&folder.join("callspool.db")).unwrap();
        let handle = Handle::new(Parts {
            update: Updates::new(&config, &store, &clock, &Arc::default()),
            pulses: Default::default(),
            store,
            health: Health::new(clock.clone()),
            identity: Identity {
                name: config.name.clone(),
                version: VERSION,
                ..Identity::default()
            },
            config,
            clock: clock.clone(),
            driver: driver(&clock),
            pbx: Arc::clone(&pbx),
            sync: Arc::default(),
            live: Default::default(),
            cdr: Default::default(),
            link: Arc::default(),
            machine: Arc::default(),
            doctor: Default::default(),
            take: Vec::new(),
            give: Vec::new(),
            keep: Default::default(),
            events: Arc::default(),
            changed: Arc::default(),
            restart: Arc::default(),
            again: tokio::sync::watch::Sender::new(false),
        });
        let prepared = web::prepare(&handle).unwrap();
        let (stop, stopped) = watch::channel(false);
        let (address, first_password) = (prepared.addresses[0], prepared.first_password.clone());
        let (fingerprint, setup_code) = (prepared.fingerprint.clone(), prepared.setup_code.clone());
        let served = handle.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(web::serve(served, prepared, stopped)).unwrap();
            // A look at a store that hangs must not hold up the end.
            runtime.shutdown_background();
        });
        Page {
            folder: folder.to_owned(),
            handle,
            address,
            first_password,
            setup_code,
            fingerprint,
            pbx,
            stop,
            thread: Some(thread),
        }
    }

    /// Stops the page and keeps its folder.
    pub fn stop(mut self) -> PathBuf {
        self.end();
        std::mem::take(&mut self.folder)
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// A connection, encrypted, with the certificate that lies in the box's folder and no other.
    pub fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pinned = CertificateDer::from_pem_file(self.folder.join("tls/cert.pem")).unwrap();
        let verifier = Arc::new(Pinned(pinned, Arc::clone(&provider)));
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::from(self.address.ip());
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(tls), name).unwrap(), stream)
    }

    /// Sends `head` as it is, with the right Host unless it has one, then `body`; reads the answer to its end.
    pub fn ask(&self, head: &str, body: &str) -> Answer {
        let mut stream = self.connect();
        let host = if head.to_ascii_lowercase().contains("\r\nhost:") {
            String::new()
        } else {
            format!("\r\nHost: {}", self.address)
        };
        let (line, rest) = head
            .split_once("\r\n")
            .map_or((head, String::new()), |(l, r)| (l, format!("\r\n{r}")));
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("\r\nContent-Length: {}", body.len())
        };
        let request = format!("{line} HTTP/1.1{host}{rest}{length}\r\nConnection: close\r\n\r\n{body}");
        // A server that refuses a long body may close while we write.
        let _ = stream.write_all(request.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::of(&bytes)
    }

    /// A GET in a session, or in none.
    pub fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask(&format!("GET {path}\r\nCookie: {cookie}"), "")
    }

    /// A form sent by a browser from the page itself; `{token}` stands for the session's token.
    pub fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let form = if form.contains("{token}") {
            form.replace("{token}", &self.token(cookie))
        } else {
            form.to_owned()
        };
        let kind = "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin";
        self.ask(&format!("POST {path}\r\nCookie: {cookie}\r\n{kind}"), &form)
    }

    /// Logs in with the first password and gives the cookie.
    pub fn log_in(&self) -> String {
        let answer = self.try_password(self.first_password.as_deref().unwrap());
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.cookie().expect("a cookie")
    }

    /// Makes an account with a password and logs in with it.
    pub fn log_in_as(&self, extension: &str) -> String {
        self.account(extension, "four words apart really");
        let answer = self.try_as(extension, "four+words+apart+really");
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.cookie().expect("a cookie")
    }

    /// Makes an account with a password.
    pub fn account(&self, extension: &str, password: &str) {
        let (extension, clock) = (extension.to_owned(), self.handle.clock().clone());
        let hash = web::hash_chosen(password).unwrap();
        let made = self.handle.store().write(move |within| {
            let account =
                store::add_account(within, &extension, "terminal", &clock)?.expect("somebody on the PBX");
            store::set_account_password(within, account.holder, &hash, &clock)
        });
        assert!(made.unwrap());
    }

    pub fn try_as(&self, name: &str, password: &str) -> Answer {
        self.post("/login", "", &format!("name={name}&password={password}"))
    }

    /// Puts a directory in force, as the PBX flow does.
    pub fn apply(&self, directory: &Directory) {
        let (directory, clock) = (directory.clone(), self.handle.clock().clone());
        let digest = callspool::random::token::<4>();
        let applied = self
            .handle
            .store()
            .write(move |within| store::apply_directory(within, &directory, &digest, &clock));
        applied.unwrap();
    }

    /// Gives a grant on the box.
    pub fn grant(&self, to: Grantee, action: Action, scope: Scope, department: Option<i64>) -> i64 {
        let clock = self.handle.clock().clone();
        let grant = NewGrant {
            to,
            action,
            scope,
            department,
            until_ms: None,
            given_by: "terminal".to_owned(),
            why: "for this test".to_owned(),
        };
        grant.check(clock.wall_ms()).unwrap();
        let given = self
            .handle
            .store()
            .write(move |within| store::give_grant(within, &grant, &clock));
        given.unwrap().expect("somebody on the PBX")
    }

    pub fn try_password(&self, password: &str) -> Answer {
        self.post("/login", "", &format!("password={password}"))
    }

    /// The token that a session's forms carry.
    pub fn token(&self, cookie: &str) -> String {
        let page = self.get("/password", cookie);
        let (_, rest) = page
            .body
            .split_once("name=\"token\" value=\"")
            .expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    /// Waits until `done`; fails after a while.
    pub fn until(&self, what: &str, mut done: impl FnMut(&Page) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !done(self) {
            assert!(Instant::now() < end, "it did not happen: {what}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.end();
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        Answer {
            status: status.unwrap_or(0),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
            bytes: bytes
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
                .map_or(Vec::new(), |at| bytes[at + 4..].to_vec()),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The session that the answer begins.
    pub fn cookie(&self) -> Option<String> {
        self.header("set-cookie")
            .map(|line| line.split(';').next().unwrap().to_owned())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Takes one certificate alone, and only from whoever holds its key.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>, Arc<CryptoProvider>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *shown == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General(
                "another certificate than the one in the folder".to_owned(),
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

/// A PBX that nobody asks in these tests: the page's checks are the doctor's, and are tested there.
fn driver(clock: &Clock) -> Arc<dyn Pbx> {
    let setup = Setup {
        url: "https://127.0.0.1:1".to_owned(),
        client_id: "callspool".to_owned(),
        secret_file: "none".into(),
        refusals: Refusals::of_agent(Path::new("none")),
        belief: Belief::Public,
        clock: clock.clone(),
    };
    Arc::new(V20::new(setup).unwrap())
}
