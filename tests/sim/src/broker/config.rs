//! mosquitto's configuration and password file (formats of mosquitto 2.0).

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::pbkdf2;

use super::folder::Folder;
use super::{BrokerConfig, Tls};
use crate::crm::sign::random_bytes;

/// mosquitto's own default number of rounds.
const ROUNDS: NonZeroU32 = NonZeroU32::new(101).unwrap();

pub(super) fn write(config: &BrokerConfig, addr: SocketAddr, folder: &Folder) -> io::Result<()> {
    let root = folder.root().display();
    let mut text = String::new();
    let mut line = |args: std::fmt::Arguments<'_>| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{args}");
    };
    // Started as root it would change to the user `mosquitto`, who may not look into this folder.
    line(format_args!("user root"));
    line(format_args!("listener {} {}", addr.port(), addr.ip()));
    if config.tls != Tls::Off {
        line(format_args!("cafile {root}/ca.pem"));
        line(format_args!("certfile {root}/server.pem"));
        line(format_args!("keyfile {root}/server.key"));
        line(format_args!("require_certificate {}", config.tls == Tls::Mutual));
    }
    match &config.login {
        None => line(format_args!("allow_anonymous true")),
        Some((user, password)) => {
            line(format_args!("allow_anonymous false"));
            line(format_args!("password_file {root}/passwords"));
            folder.write("passwords", &password_line(user, password)?)?;
        }
    }
    if config.persistence {
        line(format_args!("persistence true"));
        line(format_args!("persistence_location {root}/"));
        // With `autosave_on_changes` the interval counts changes, not seconds.
        line(format_args!("autosave_on_changes true"));
        line(format_args!("autosave_interval 1"));
    } else {
        line(format_args!("persistence false"));
    }
    if let Some(limit) = config.message_size_limit {
        line(format_args!("message_size_limit {limit}"));
    }
    line(format_args!("log_dest stderr"));
    line(format_args!("log_type all"));
    folder.write("mosquitto.conf", &text)
}

/// `user:$7$rounds$salt$hash`, PBKDF2 with HMAC-SHA512; made here, for `mosquitto_passwd` takes the password
/// as an argument.
fn password_line(user: &str, password: &str) -> io::Result<String> {
    if user.is_empty() || user.contains([':', '\n']) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a user's name has no colon and no line break",
        ));
    }
    let salt = random_bytes::<12>().map_err(io::Error::other)?;
    let mut hash = [0; 64];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA512,
        ROUNDS,
        &salt,
        password.as_bytes(),
        &mut hash,
    );
    Ok(format!(
        "{user}:$7${ROUNDS}${}${}\n",
        BASE64.encode(salt),
        BASE64.encode(hash)
    ))
}
