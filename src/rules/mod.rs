//! What the rules of the configuration decide about a call. No I/O: rules and facts in, a decision with its reasons out.
//!
//! - [`Facts`] are what a rule may ask about a call, made of its legs, its parties and the directory of then.
//! - [`decide()`] reads the rules from top to bottom. Every rule whose conditions all hold has its say, and **each thing is
//!   decided by the first of them that says something about it**; a rule with `stop` ends the reading. So a short list
//!   of small rules can be read like a form, and none has to repeat what another one says. What no rule speaks about is
//!   as if there were no rules: everything to all targets.
//! - `pattern` compares numbers, in E.164 where both sides can be told, else as they were written.
//! - [`review`] finds rules that can't do what their author meant, as far as the directory and the targets tell.

mod book;
mod decide;
mod facts;
mod pattern;
pub mod review;

pub use book::Book;
pub use decide::{CallBack, Decision, decide};
pub use facts::{About, Facts};

#[cfg(test)]
mod tests;
