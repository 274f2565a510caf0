//! Makes releases, signed with a key of the test's own.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use callspool::random::hex;
use callspool::update::keys::Keys;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// Which key signs: ours is the one that the box is told to believe.
#[derive(Clone, Copy)]
pub enum Signer {
    Ours,
    Stranger,
    Nobody,
}

fn pair(signer: Signer) -> Option<Ed25519KeyPair> {
    let seed = match signer {
        Signer::Ours => 7,
        Signer::Stranger => 8,
        Signer::Nobody => return None,
    };
    Some(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
}

/// The file of keys that a box is given.
pub fn keys() -> String {
    let pair = pair(Signer::Ours).unwrap();
    format!(
        "# of this test\n{} ours\n",
        BASE64_STANDARD.encode(pair.public_key().as_ref())
    )
}

/// Something signed: the first line says what it is, the second what it says.
pub fn signed(kind: &str, line: &Value, signer: Signer) -> Vec<u8> {
    let mut text = format!("{kind}\n{line}\n");
    if let Some(pair) = pair(signer) {
        let id = Keys::id(pair.public_key().as_ref().try_into().unwrap());
        let signature = BASE64_STANDARD.encode(pair.sign(text.as_bytes()));
        text.push_str(&format!("sig {id} {signature}\n"));
    }
    text.push('\n');
    text.into_bytes()
}

/// What a release of `program` says about itself, before anything is wrong with it.
pub fn manifest(version: &str, program: &[u8]) -> Value {
    json!({
        "version": version, "channel": "stable", "arch": std::env::consts::ARCH, "size": program.len(),
        "sha256": hex(digest(&SHA256, program).as_ref()), "schema": callspool::store::SCHEMA, "min_schema": 1,
        "made": "2026-11-23", "support_until": "2031-12-31", "notes": "Calls are quicker.",
    })
}

/// A release.
pub fn release(manifest: &Value, program: &[u8], signer: Signer) -> Vec<u8> {
    let mut bytes = signed("callspool-release 1", manifest, signer);
    bytes.extend_from_slice(program);
    bytes
}

/// A program that passes every look, and does `run` when it is to run.
pub fn script(run: &str) -> Vec<u8> {
    format!("#!/bin/sh\ncase \"$1\" in run) {run};; esac\nexit 0\n").into_bytes()
}
