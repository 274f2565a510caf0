//! The rules in force, with what their conditions are told in.

use super::{About, Decision, Facts, decide};
use crate::config::{Config, Numbers, Rule};
use crate::numbers::Numbering;
use crate::zone::Zone;

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Book {
    /// In their order.
    pub rules: Vec<Rule>,
    numbers: Numbers,
    zone: Zone,
}

impl Book {
    /// The rules of a configuration.
    pub fn of(config: &Config) -> Book {
        Book {
            rules: config.rules.clone(),
            numbers: config.numbers.clone(),
            zone: config.numbers.zone(),
        }
    }

    /// How numbers are read; `told` is what the PBX says about its own dialling.
    pub fn numbering(&self, told: Option<&Numbering>) -> Numbering {
        self.numbers.numbering(told)
    }

    /// What the rules decide about a call.
    pub fn decide(&self, about: &About, told: Option<&Numbering>) -> Decision {
        if self.rules.is_empty() {
            return Decision::default();
        }
        decide(&self.rules, &self.numbering(told), &Facts::of(about, &self.zone))
    }

    /// Whether any rule may keep audio from being fetched: then a call must be decided before its audio is.
    pub fn excludes(&self) -> bool {
        self.rules.iter().any(|rule| rule.then.exclude == Some(true))
    }

    /// Whether such a rule asks for something that only the PBX's list of recordings may tell.
    pub fn excludes_by_list(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.then.exclude == Some(true) && !rule.when.did.is_empty())
    }
}
