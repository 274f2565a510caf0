//! What every kind of target must be able to do, and the one place that makes them.

use std::time::Duration;

use super::bitrix24::Bitrix24;
use super::crm::{Crm, Vendor, Wire};
use super::erase::{Erased, Share, trace_of};
use super::espocrm::EspoCrm;
use super::folder::Folder;
use super::hubspot::HubSpot;
use super::linked::Links;
use super::pipedrive::Pipedrive;
use super::s3::ObjectStore;
use super::verdict::Verdict;
use super::webhook::Webhook;
use crate::clock::Clock;
use crate::config::{self, CrmKind, TargetKind};
use crate::http::TrustError;
use crate::model::{Delivery, DeliveryKind, Standing};
use crate::spool::Spool;
use crate::store::{self, ErasureItem, Store};

/// A place that calls and recordings are handed to.
///
/// One flow owns a target and gives it one delivery at a time, so it needs no locks of its own; where a target takes several
/// at once ([`Target::at_once`]), each further hand has one of its own ([`Target::another`]). A delivery that comes
/// as [`crate::model::DeliveryState::Unsure`] may have been taken at an earlier try: whoever can't give the same thing
/// twice without harm looks first (rule D6). One that takes several steps notes each with
/// [`crate::store::save_progress`] before the next begins.
pub trait Target: Send {
    /// Tries to deliver. An error is one of our own store's; whatever the target does is a [`Verdict`].
    fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict>;

    /// How many deliveries it takes at once, of different calls: those of one call always go one after the other. One where
    /// the order of calls matters, or a rate is counted.
    fn at_once(&self) -> usize {
        1
    }

    /// The same target once more, for a further hand; `None` where there is only ever one.
    fn another(&self) -> Option<Box<dyn Target>> {
        None
    }

    /// Whether it has a place for things of this kind. What it hasn't is left out, which is no failure.
    fn takes(&self, kind: DeliveryKind) -> bool {
        !matches!(kind, DeliveryKind::TaskCallBack | DeliveryKind::RuleMatched)
    }

    /// Looks whether the target can be used, without giving it anything; says what was found. `store` is there for what
    /// the target keeps between runs, and `None` before the first start.
    fn check(&self, store: Option<&Store>) -> Result<String, Trouble>;

    /// How long a request of which no answer was heard may still be carried out. For so long a delivery whose outcome is
    /// unknown is left alone: who looks earlier for what it made finds nothing, and makes it a second time. Zero where
    /// the same thing given twice does no harm.
    fn lingers(&self) -> Duration {
        Duration::ZERO
    }

    /// What a technician does about a failure with this code.
    fn remedy(&self, code: &str) -> &'static str;

    /// What this target has of one call by these deliveries, in words or names by which [`Target::erase`] (or a person)
    /// finds it there. The store still knows everything of the call; when the target is asked it does not.
    fn traces(&self, deliveries: &[Delivery], store: &Store) -> store::Result<Vec<String>> {
        let _ = store;
        Ok(deliveries.iter().map(trace_of).collect())
    }

    /// The same for a person's share of a call: all of it, or the part that others did not have.
    fn traces_of(&self, share: &Share, store: &Store) -> store::Result<Vec<String>> {
        match share.deliveries {
            [] => Ok(Vec::new()),
            own => self.traces(own, store),
        }
    }

    /// Asks the target to erase something that [`Target::traces_of`] named ([`ErasureItem::what`]); once or again. A target that
    /// says so.
    fn erase(&self, item: &ErasureItem, store: &Store) -> store::Result<Erased> {
        let _ = (item, store);
        Ok(Erased::by_hand())
    }
}

/// Why a target can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Stable code, one of those that [`Verdict::Failed`] has.
    pub code: String,
    /// What is wrong, in words. No secret, number or name.
    pub text: String,
    /// Whether it is a failure, a right that is missing, or something that only has to be waited for.
    pub standing: Standing,
}

impl Trouble {
    /// A failure with this code.
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Trouble {
        Trouble {
            code: code.into(),
            text: text.into(),
            standing: Standing::Plain,
        }
    }
}

/// The target that the configuration names. Nothing is sent yet; an error is a certificate authority that can't be used.
pub fn open(target: &config::Target, clock: &Clock) -> Result<Box<dyn Target>, TrustError> {
    let links = target
        .links
        .as_ref()
        .map(|links| Links::new(&target.name, links, clock));
    Ok(match &target.kind {
        TargetKind::Webhook(settings) => Box::new(Webhook::new(settings, clock.clone())?.with(links)),
        TargetKind::Bitrix24(settings) => Box::new(Bitrix24::new(&target.name, settings, clock)?),
        TargetKind::S3(settings) => Box::new(ObjectStore::new(&target.name, settings, clock.clone())?),
        TargetKind::Crm(settings) => {
            let wire = Wire::new(&target.name, settings, clock)?;
            let vendor: Box<dyn Vendor> = match settings.kind {
                CrmKind::HubSpot => Box::new(HubSpot::new(wire, settings)),
                CrmKind::Pipedrive => Box::new(Pipedrive::new(wire)),
                CrmKind::EspoCrm => Box::new(EspoCrm::new(wire)),
            };
            Box::new(Crm::new(vendor, settings).with(links))
        }
        TargetKind::Folder(settings) => Box::new(Folder::new(&target.name, settings)),
    })
}

/// What a technician does about troubles that all kinds share.
pub(super) fn common_remedy(code: &str) -> &'static str {
    match code {
        "name-not-found" => "Check the host in the configuration, and whether this box reaches a name server.",
        "refused" | "timed-out" | "cut" | "line" => {
            "Check that the target runs, and the network to it; callspool tries again by itself."
        }
        "certificate" => "Check the target's certificate, this box's clock, and `trust` in the configuration.",
        "address" => "Correct the address in the configuration.",
        "no-object" => {
            "Look at the same recording's delivery to the object storage (callspool why): without it there is nothing to link to."
        }
        "link-key" => {
            "Make the file link.key in the state folder readable for callspool, or remove it: another is made."
        }
        _ => "Check the target and the network to it; callspool tries again by itself.",
    }
}
