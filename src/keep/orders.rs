//! What a person may order: a hold and its end, an erasure, the end of a delivery. Each in one commit with the row of the
//! audit that says who ordered it; the audit never names a number.

use rusqlite::Connection;
use serde::Serialize;

use crate::accounts::By;
use crate::clock::Clock;
use crate::model::DeliveryState;
use crate::numbers::{self, Number};
use crate::store::{self, Extent, Hold, HoldOn, Store};

/// What an erasure would be about.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// How much it is.
    #[serde(flatten)]
    pub extent: Extent,
    /// Bytes of its recordings here.
    pub bytes: i64,
    /// What each target may have: its name and how many deliveries.
    pub targets: Vec<(String, i64)>,
    /// The holds that keep calls from being erased.
    pub holds: Vec<Hold>,
    /// The calls that would be erased, by their local rows.
    #[serde(skip)]
    pub calls: Vec<i64>,
}

/// Looks for what a person with this number has here.
///
/// # Errors
/// The inner one says what is wrong with the number.
pub fn find(connection: &Connection, text: &str) -> store::Result<Result<Found, String>> {
    Ok(match wanted(connection, text)? {
        Ok(number) => Ok(find_of(connection, &number)?),
        Err(wrong) => Err(wrong),
    })
}

fn find_of(connection: &Connection, number: &Number) -> store::Result<Found> {
    let mut found = Found::default();
    for call in store::calls_with(connection, number)? {
        let holds = store::holds_of(connection, call)?;
        if !holds.is_empty() {
            found.extent.on_hold += 1;
            for hold in holds {
                if found.holds.iter().all(|known| known.id != hold.id) {
                    found.holds.push(hold);
                }
            }
            continue;
        }
        let part = store::part_of(connection, call, number)?;
        found.extent.calls += part.extent.calls;
        found.extent.shared += part.extent.shared;
        found.extent.legs += part.extent.legs;
        found.extent.recordings += part.extent.recordings;
        found.extent.transcripts += part.extent.transcripts;
        found.extent.deliveries += part.extent.deliveries;
        found.bytes += part
            .recordings
            .iter()
            .filter(|one| one.file.is_some())
            .filter_map(|one| one.bytes)
            .sum::<i64>();
        for delivery in store::deliveries_of(connection, call)? {
            if !delivery.may_be_there() {
                continue;
            }
            match found.targets.iter_mut().find(|(name, _)| *name == delivery.target) {
                Some((_, count)) => *count += 1,
                None => found.targets.push((delivery.target, 1)),
            }
        }
        found.calls.push(call);
    }
    Ok(found)
}

fn wanted(connection: &Connection, text: &str) -> store::Result<Result<Number, String>> {
    let Some(number) = Number::read(text, &store::numbering(connection)?) else {
        return Ok(Err(
            "that is no telephone number: write it like +491711234567 or 01711234567".to_owned(),
        ));
    };
    let short = text.trim();
    if store::person(connection, short)?.is_some() {
        return Ok(Err(format!(
            "{short} is an extension of the PBX, and its calls are other people's too; an erasure is by a number outside"
        )));
    }
    Ok(Ok(number))
}

/// Orders an erasure: from the commit on nothing of the person's calls is sent any more, and what cuts it does not end
/// it. Gives its row and what was found; the inner error says what is wrong with the number.
pub fn erase(
    store: &Store,
    by: By,
    text: &str,
    why: &str,
    clock: &Clock,
) -> store::Result<Result<(i64, Found), String>> {
    let (text, why, clock) = (text.to_owned(), why.to_owned(), clock.clone());
    store.write(move |within| {
        let number = match wanted(within, &text)? {
            Ok(number) => number,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let found = find_of(within, &number)?;
        let id = store::add_erasure(within, &number.text(), (by.subject.who.word(), &why), &clock)?;
        for call in &found.calls {
            store::erase_call(within, id, *call)?;
        }
        let on_hold = Extent {
            on_hold: found.extent.on_hold,
            ..Extent::default()
        };
        store::count_erased(within, id, &on_hold)?;
        let about = format!(
            "erasure {id}: {} calls, {} more on hold",
            found.extent.calls, found.extent.on_hold
        );
        by.write_down(within, about, None, &clock)?;
        Ok(Ok((id, found)))
    })
}

/// Puts a hold in force; the inner error says what is wrong with it.
pub fn add_hold(
    store: &Store,
    by: By,
    on: HoldOn,
    until_ms: Option<i64>,
    why: &str,
    clock: &Clock,
) -> store::Result<Result<Hold, String>> {
    let wrong = if why.trim().is_empty() {
        Some("say why: the reason stands beside the hold for whoever looks at it later")
    } else if until_ms.is_some_and(|until| until <= clock.wall_ms()) {
        Some("it would be over already; give a moment in the future")
    } else if matches!(&on, HoldOn::Number(number) if numbers::bare(number).is_none()) {
        Some("that is no telephone number: write it like +491711234567 or 01711234567")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return Ok(Err(wrong.to_owned()));
    }
    let (why, clock) = (why.to_owned(), clock.clone());
    store.write(move |within| {
        if let HoldOn::Call(call) = &on
            && store::call(within, *call)?.is_none()
        {
            return Ok(Err(
                "there is no such call here; `callspool calls` lists them".to_owned()
            ));
        }
        let id = store::add_hold(within, &on, until_ms, (by.subject.who.word(), &why), &clock)?;
        let (about, call) = match &on {
            HoldOn::Call(call) => (format!("hold {id} on a call"), Some(*call)),
            HoldOn::Number(_) => (format!("hold {id} on a number"), None),
            HoldOn::Extension(extension) => (format!("hold {id} on extension {extension}"), None),
        };
        by.write_down(within, about, call, &clock)?;
        let made = store::hold(within, id)?;
        made.map(Ok)
            .ok_or_else(|| store::Error::internal("a hold that was made is not there"))
    })
}

/// Releases a hold. `false` if there is none of this row in force.
pub fn release_hold(store: &Store, by: By, id: i64, why: &str, clock: &Clock) -> store::Result<bool> {
    let (why, clock) = (why.to_owned(), clock.clone());
    store.write(move |within| {
        let ended = store::end_hold(within, id, (by.subject.who.word(), &why), &clock)?;
        if ended {
            by.write_down(within, format!("released hold {id}"), None, &clock)?;
        }
        Ok(ended)
    })
}

/// Gives a held delivery up for good; the inner error says why it can't be.
pub fn drop_delivery(
    store: &Store,
    by: By,
    id: &str,
    why: &str,
    clock: &Clock,
) -> store::Result<Result<(), String>> {
    if why.trim().is_empty() {
        return Ok(Err(
            "say why: the reason stands beside the delivery from then on".to_owned()
        ));
    }
    let (id, why, clock) = (id.to_owned(), why.trim().to_owned(), clock.clone());
    store.write(move |within| {
        let Some(delivery) = store::delivery(within, &id)? else {
            return Ok(Err(format!(
                "there is no delivery {id}; `callspool queue list` shows them"
            )));
        };
        let reason = format!("dropped by {} because {why}", by.subject.who.word());
        if !store::drop_delivery(within, &id, &reason, &clock)? {
            return Ok(Err(match delivery.state {
                DeliveryState::Delivered => "it is delivered: there is nothing to drop".to_owned(),
                DeliveryState::Dropped => "it was dropped before".to_owned(),
                _ => "it is still being tried; only what is held for a person can be dropped".to_owned(),
            }));
        }
        by.write_down(
            within,
            format!("dropped {id} for {}", delivery.target),
            Some(delivery.call),
            &clock,
        )?;
        Ok(Ok(()))
    })
}
