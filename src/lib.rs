//! callspool keeps a 3CX PBX's calls and recordings safe on a small box and hands each to the CRM exactly once.
//!
//! The map, in the order that data flows (ARCHITECTURE.md has the floors and the reasons):
//!
//! - [`pbx`] is the port to the PBX and its drivers for 3CX (v20; v18, v16 and v15.5), over [`http`], the one way to ask something on a wire.
//! - [`sync`] reads the call log, the directory and the recordings, and is alone in writing calls and recordings.
//! - [`cdr`] reads the lines that a PBX writes about each call.
//! - [`live`] hears of calls at once, where the PBX tells, and rings for [`sync`].
//! - [`store`] is the one SQLite file: calls, people, the outbox of the targets, the outbox of the events, settings.
//! - [`spool`] is the folder of recordings: taken whole or not at all, evicted only when delivered.
//! - [`sound`] decodes what browsers don't play, while somebody listens.
//! - [`deliver`] hands settled calls and held recordings over and sends them to each target, once in effect.
//! - [`keep`] keeps: what goes by its age, what a hold keeps, what is erased of a person.
//! - [`link`] tells the dashboards over MQTT; [`web`] the technician over HTTPS; [`cli`] whoever is at the terminal.
//! - [`rules`] decides what becomes of a call: which targets get it, with or without audio, or nobody; [`numbers`] makes
//!   telephone numbers comparable.
//! - [`rights`] decides who may see and hear what; [`accounts`] are the logins and grants of this box, [`why_may`] explains
//!   a decision, [`who_hears`] shows all of them beside each other.
//! - [`why`] answers for one call where its recording is; [`doctor`] checks the whole way and names the cause.
//! - [`fleet`] is the page of many boxes (`callspool-fleet`, a program of its own), made of what they say over MQTT; [`metrics`] is Prometheus' text.
//! - [`findings`] is the catalogue of all that can be found wrong: code, meaning, what mends it on which PBX.
//! - [`health`] is the board on which every flow puts what is not well; [`board`] is the machine under us.
//! - [`setup`] brings a box from factory state to its first recording, and keeps what the page writes over the configuration.
//! - [`update`] replaces the program by a newer release, and goes back if that is not well; [`pulse`] tells whether flows move.
//! - [`agent`] starts all of it, watches it and stops it in order.
//! - [`contract`] is what is said over MQTT: topics and payloads, for the box that writes and the dashboard that reads.
//! - [`model`] is the plain data that they speak of; [`config`] what was typed and where each value comes from.
//! - [`transfer`] carries: a store from a backup, a configuration to another box.
//! - [`bundle`] makes the one file that a technician sends when help is needed; [`logs`] keeps the last lines of the log.
//! - [`tongue`] are the languages of the page.
//! - [`clock`], [`bell`], [`aside`], [`files`], [`backoff`], [`random`], [`when`], [`zone`]: time, sleep, files that survive, pauses, chance,
//!   moments as text.
#![warn(missing_docs)]

#[macro_use]
pub mod tongue;

pub mod accounts;
pub mod agent;
pub mod aside;
pub mod backoff;
pub mod bell;
pub mod board;
pub mod bundle;
pub mod cdr;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contract;
pub mod csv;
pub mod deliver;
pub mod doctor;
pub mod files;
pub mod findings;
pub mod fleet;
pub mod health;
pub mod http;
pub mod keep;
pub mod link;
pub mod live;
pub mod logs;
pub mod metrics;
pub mod model;
pub mod numbers;
pub mod pbx;
pub mod pulse;
pub mod random;
pub mod rights;
pub mod rules;
pub mod setup;
pub mod sight;
pub mod sound;
pub mod spool;
pub mod store;
pub mod sync;
pub mod transfer;
pub mod update;
pub mod web;
pub mod when;
pub mod who_hears;
pub mod why;
pub mod why_may;
pub mod zone;
