//! Ending links before their time, and following them.

use crate::accounts::By;
use crate::clock::Clock;
use crate::config::{self, TargetKind};
use crate::deliver;
use crate::rights::Who;
use crate::store::{self, Link, LinkFilter, NewAudit, Store};

/// Who follows a link is written down at its first use and then once an hour at most: a player asks for one recording
/// dozens of times.
const NOTED_MS: i64 = 3_600_000;

/// Ends links. Gives how many; none is no error.
pub fn revoke_links(store: &Store, by: By, which: LinkFilter, clock: &Clock) -> store::Result<usize> {
    let clock = clock.clone();
    store.write(move |within| {
        let ended = store::revoke_links(within, &which, clock.wall_ms())?;
        if ended > 0 {
            let call = match &which {
                LinkFilter::Call(call) => Some(*call),
                _ => None,
            };
            by.write_down(within, format!("ended {ended} links ({which:?})"), call, &clock)?;
        }
        Ok(ended)
    })
}

/// Where the link with this token leads at this moment: an address at the object store that is good for a few minutes. `None`
/// for a token that leads nowhere (any more), whatever the reason: whoever asks without a right learns nothing.
pub fn follow_link(
    store: &Store,
    targets: &[config::Target],
    token: &str,
    clock: &Clock,
) -> store::Result<Option<String>> {
    let Some(hash) = deliver::token_hash(token) else {
        return Ok(None);
    };
    let now_ms = clock.wall_ms();
    let Some(link) = store.read(|c| store::open_link(c, &hash, now_ms))? else {
        return Ok(None);
    };
    let bucket = targets.iter().find_map(|target| match &target.kind {
        TargetKind::S3(bucket) if target.name == link.store => Some(bucket),
        _ => None,
    });
    let Some(address) = bucket.and_then(|bucket| deliver::signed_for_a_moment(bucket, &link.object, clock)) else {
        log::warn!(
            "link {} leads to {}, whose access key can't be used",
            link.id,
            link.store
        );
        return Ok(None);
    };
    let clock = clock.clone();
    store.write(move |within| {
        store::count_use(within, link.id, now_ms)?;
        if link.used_ms.is_none_or(|last| now_ms - last >= NOTED_MS) {
            store::audit(within, &followed(&link), &clock)?;
        }
        Ok(())
    })?;
    Ok(Some(address))
}

fn followed(link: &Link) -> NewAudit {
    let who = Who::Nobody("link".to_owned());
    NewAudit::event(&who, "link", "link.follow", Ok("the token of a link"))
        .call(link.call)
        .recording(link.recording)
        .about(format!("link {} that {} was told", link.id, link.target))
}
