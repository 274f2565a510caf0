//! A new release on trial, and the look for newer ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use embedded_svc::storage::RawStorage;

use super::handle::Handle;
use crate::aside::aside;
use crate::contract::{UPDATE_EVENT, UpdateEvent};
use crate::pulse::Pulses;
use crate::store::EventOutbox;

/// A flow that neither sleeps nor leaves a sign for so long hangs. Long: what a flow waits for on a slow line leaves signs,
/// but not every part of a piece of work does.
pub const HANGS: Duration = Duration::from_secs(1800);

/// Which release that was given up dashboards were told of last, by its moment.
const TOLD: &str = "update.told-ms";

/// How often a release on trial is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// So many times the time that a release must be well it has for becoming well.
const CHANCES: u32 = 10;

/// Looks after a release on trial, then for newer ones, until the future is dropped. `pages` is where the page listens.
pub async fn renew(handle: Handle, pages: Vec<SocketAddr>) {
    tell_what_was_given_up(&handle).await;
    trial(&handle, &pages).await;
    let desk = handle.parts().update.clone();
    let Some(every) = desk.every() else { return };
    loop {
        let (asking, own) = (desk.clone(), handle.clone());
        // Nobody waits for it: a list that can't be had is tried again next time.
        let _ = aside(move || {
            let offer = match asking.check() {
                Ok(Some(offer)) => offer,
                Ok(None) => return,
                Err(error) => return log::info!("update: {error}"),
            };
            log::info!("version {} can be had", offer.manifest.version);
            if asking.may_go_by_itself(&offer) && asking.apply_url(Some(&offer.url), false).is_ok() {
                own.parts().restart.notify_one();
            }
        })
        .await;
        tokio::time::sleep(handle.clock().real(every)).await;
    }
}

async fn trial(handle: &Handle, pages: &[SocketAddr]) {
    let desk = handle.parts().update.clone();
    if !desk.on_trial() {
        return;
    }
    let (began, needed) = (Instant::now(), desk.trial());
    let mut well_since = Instant::now();
    loop {
        tokio::time::sleep(LOOK.min(needed)).await;
        let why = unwell(handle, pages).await;
        if let Some(why) = &why {
            well_since = Instant::now();
            log::debug!("the new release is not well: {why}");
        }
        if well_since.elapsed() >= needed {
            match desk.confirm() {
                Ok(()) => {
                    log::info!("version {} is well and stays", handle.identity().version);
                    tell(handle, "confirmed", handle.identity().version, "").await;
                    return;
                }
                Err(error) => log::warn!("that the new release is well could not be written down: {error}"),
            }
        }
        if let Some(why) = why
            && began.elapsed() > needed * CHANCES
        {
            log::error!("version {} is given up: {why}", handle.identity().version);
            if desk.give_up(&why).is_ok() {
                handle.parts().restart.notify_one();
                return;
            }
        }
    }
}

/// The run before may have been a release that was given up: then dashboards are told, once.
async fn tell_what_was_given_up(handle: &Handle) {
    let (own, mut settings) = (handle.clone(), handle.settings());
    let read = aside(move || {
        let bad = own.parts().update.given_up()?;
        let at = bad.at_ms.to_string();
        let told = settings.text(TOLD).ok()?;
        (told.as_ref() != Some(&at) && settings.set_raw(TOLD, at.as_bytes()).is_ok()).then_some(bad)
    });
    if let Ok(Some(bad)) = read.await {
        log::warn!("version {} was given up: {}", bad.version, bad.why);
        tell(handle, "given-up", &bad.version, &bad.why).await;
    }
}

/// Tells dashboards, if there are any.
async fn tell(handle: &Handle, what: &str, version: &str, why: &str) {
    let event = UpdateEvent {
        what: what.to_owned(),
        version: version.to_owned(),
        why: why.to_owned(),
    };
    handle.parts().changed.notify_one();
    if handle.config().mqtt.is_none() {
        return;
    }
    let own = handle.clone();
    let kept = aside(move || {
        let (clock, payload) = (own.clock().clone(), serde_json::to_vec(&event).unwrap_or_default());
        let topic = format!("event/{UPDATE_EVENT}");
        own.store()
            .write(move |within| EventOutbox::add(within, &topic, &payload, &clock))
    });
    match kept.await {
        Ok(Ok(_)) => handle.parts().events.notify_one(),
        _ => log::warn!("what became of the update could not be kept for the broker"),
    }
}

/// What is not well here: the agent, its store, its page and with it the machine's network stack. Not the PBX, not a target, not
/// a broker: an outage elsewhere must not send a fleet back.
async fn unwell(handle: &Handle, pages: &[SocketAddr]) -> Option<String> {
    if let Some(flow) = handle.parts().pulses.stuck(HANGS) {
        return Some(format!("the flow {flow} hangs"));
    }
    let (mut settings, now) = (handle.settings(), handle.clock().wall_ms().to_string());
    let kept = aside(move || {
        settings.set_raw("update.well-ms", now.as_bytes())?;
        settings.text("update.well-ms").map(|text| text == Some(now))
    });
    match tokio::time::timeout(Duration::from_secs(10), kept).await {
        Ok(Ok(Ok(true))) => {}
        Ok(Ok(Err(error))) => return Some(format!("the store: {error}")),
        _ => return Some("the store does not keep what it is given".to_owned()),
    }
    for page in pages {
        let connect = tokio::net::TcpStream::connect(reachable(*page));
        if matches!(tokio::time::timeout(Duration::from_secs(5), connect).await, Ok(Ok(_))) {
            return None;
        }
    }
    Some("the page does not answer".to_owned())
}

/// Where one connects to for what listens at `address`.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Gives the supervisor its sign of life while the flows move, for ever; returns when one hangs, so that the supervisor ends
/// the agent and starts it anew.
pub async fn feed_watchdog(within: Duration, hangs: Duration, pulses: Pulses, mut feed: impl FnMut()) {
    loop {
        if let Some(flow) = pulses.stuck(hangs) {
            log::error!("the flow {flow} hangs, so the supervisor hears no sign of life any more");
            return;
        }
        feed();
        tokio::time::sleep(within / 3).await;
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr as Address, UnixDatagram};
    use std::sync::mpsc;

    use super::*;
    use crate::board::Notifier;

    #[test]
    fn the_watchdog_hears_nothing_any_more_when_a_flow_hangs() {
        let name = format!("callspool-watchdog-{}", crate::random::token::<6>());
        let ear = UnixDatagram::bind_addr(&Address::from_abstract_name(&name).unwrap()).unwrap();
        ear.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let (pulses, (go_on, hangs)) = (Pulses::default(), mpsc::channel::<()>());
        let (joined, to_hang) = (pulses.clone(), mpsc::channel::<()>());
        let (let_hang, work) = to_hang;
        let flow = std::thread::spawn(move || {
            joined.join("audio");
            // It works, and leaves its signs, until it is told to hang.
            while work.try_recv().is_err() {
                crate::pulse::beat();
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = hangs.recv();
        });
        let notifier = Notifier::new(&format!("@{name}"), Some(Duration::from_millis(60))).unwrap();
        let (over, ended) = mpsc::channel();
        let feeder = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            let within = notifier.within().unwrap();
            runtime.block_on(feed_watchdog(within, Duration::from_secs(1), pulses, || {
                notifier.say("WATCHDOG=1");
            }));
            over.send(()).unwrap();
        });
        let mut heard = [0; 32];
        for _ in 0..10 {
            let length = ear.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"WATCHDOG=1");
        }
        assert!(ended.try_recv().is_err(), "it is fed while the flow moves");
        let_hang.send(()).unwrap();
        ended.recv_timeout(Duration::from_secs(30)).unwrap();
        drop(go_on);
        flow.join().unwrap();
        feeder.join().unwrap();
    }

    #[test]
    fn what_listens_everywhere_is_reached_here() {
        assert_eq!(
            reachable("0.0.0.0:8443".parse().unwrap()),
            "127.0.0.1:8443".parse().unwrap()
        );
        assert_eq!(reachable("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
        assert_eq!(
            reachable("192.0.2.1:1".parse().unwrap()),
            "192.0.2.1:1".parse().unwrap()
        );
    }
}
