//! The network page: what is there, who looks after it, and, where that is us, a change that takes itself back.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{self, to, token};
use super::setup::{Place, Shown, Typed, shown};
use super::site::Site;
use super::visitor::Visitor;
use super::{checks, settings};
use crate::accounts;
use crate::aside::aside;
use crate::board::helper;
use crate::board::network::{Addressing, Order, Standing};
use crate::setup::{self, Change};
use crate::tongue::Text;

/// What a form shows again, and what is wrong with it.
#[derive(Default)]
struct Wrong {
    field: String,
    text: String,
    typed: Typed,
}

/// The page.
pub(super) async fn page(site: &Site, visitor: &Visitor, place: Place) -> Response {
    show(site, visitor, place, StatusCode::OK, Wrong::default()).await
}

async fn asked(site: &Site, order: Order) -> Option<Result<Standing, String>> {
    let socket: PathBuf = site.handle().config().network_helper.clone();
    if !socket.exists() {
        return None;
    }
    aside(move || helper::ask(&socket, &order)).await.ok()
}

async fn show(site: &Site, visitor: &Visitor, place: Place, status: StatusCode, wrong: Wrong) -> Response {
    let (config, clock) = (site.handle().config().clone(), site.handle().clock().clone());
    let lines = aside(move || setup::look_at_network(&config, &clock))
        .await
        .unwrap_or_default();
    let standing = asked(site, Order::Show).await;
    let waits = site
        .read(|handle| setup::waits_for_confirmation(&handle.settings()))
        .await;
    let main = html! {
        section class="card" {
            h1 { (t!("Network")) }
            ul class="parts" { @for line in &lines { (checks::line(line)) } }
            @match standing {
                None => {
                    h2 { (t!("Who looks after it")) }
                    p { (t!("The operating system of this machine looks after its network; callspool changes nothing there.")) }
                    p { (owner().say()) }
                }
                Some(Err(error)) => { p class="problem" role="alert" { (error) } }
                Some(Ok(standing)) => { (ours(site, visitor, place, &standing, &wrong)) }
            }
            form method="post" action=(place.path("network")) class="actions" {
                (token(visitor))
                button { (if place == Place::Setup { t!("Go on") } else { t!("Back to the settings") }) }
            }
        }
        @if place == Place::Settings { (address(site, visitor, waits.unwrap_or(false), &wrong)) }
    };
    let page = Shown {
        status,
        step: "network",
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

/// How the network is changed where the system looks after it.
fn owner() -> Text {
    let there = |path: &str| Path::new(path).exists();
    if there("/run/NetworkManager") {
        text!("It is NetworkManager: change it with nmtui, or with nmcli.")
    } else if there("/run/systemd/netif/links") {
        text!("It is systemd-networkd: change the files in /etc/systemd/network, then run networkctl reload.")
    } else if there("/etc/network/interfaces") {
        text!("It is ifupdown: change /etc/network/interfaces, then run ifdown and ifup for the interface.")
    } else {
        text!("Which program that is can\u{2019}t be told; ask whoever set up this machine.")
    }
}

fn field(wrong: &Wrong, id: &str, label: &str, help: &str, value: &str) -> Markup {
    let problem = (wrong.field == id).then_some(&wrong.text);
    let value = wrong.typed.get(id).map_or(value, String::as_str);
    html! {
        label for=(id) { (label) }
        input id=(id) name=(id) value=(value) autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200"
            aria-invalid=[problem.map(|_| "true")] aria-describedby={ (id) "-help" };
        p class="muted" id={ (id) "-help" } { (help) }
        @if let Some(problem) = problem { p class="wrong" role="alert" { (problem) } }
    }
}

/// What waits to be confirmed: one button keeps it, another takes it back at once.
fn confirm(visitor: &Visitor, action: &str, kind: &str, said: &str) -> Markup {
    html! {
        div class="overall warn" role="status" {
            p { (said) }
            form method="post" action=(action) class="actions" {
                (token(visitor))
                button name="do" value={ "confirm-" (kind) } { (t!("It works: keep it")) }
                button name="do" value={ "back-" (kind) } class="small" { (t!("Take it back")) }
            }
        }
    }
}

fn ours(site: &Site, visitor: &Visitor, place: Place, standing: &Standing, wrong: &Wrong) -> Markup {
    let action = place.path("network");
    let (ip, gateway, dns) = match &standing.addressing {
        Some(Addressing::Fixed {
            address,
            prefix,
            gateway,
            dns,
        }) => {
            let dns: Vec<String> = dns.iter().map(ToString::to_string).collect();
            (format!("{address}/{prefix}"), gateway.to_string(), dns.join(" "))
        }
        _ => Default::default(),
    };
    let port = site
        .handle()
        .config()
        .web
        .listen
        .first()
        .map_or(8443, |listen| listen.port());
    html! {
        @if let Some(left) = standing.waits_ms {
            (confirm(visitor, &action, "network", &t!("The new address is in force, and is taken back by itself in {} s unless you say that it works.", left / 1000)))
            @if let Some(bare) = ip.split('/').next().filter(|bare| !bare.is_empty()) {
                p { (t!("Open this page at its new address, log in there, and say so:")) " " a href={ "https://" (bare) ":" (port) (action) } { "https://" (bare) ":" (port) } }
            }
        }
        h2 { (t!("Change it")) }
        @if wrong.field == "network" { p class="problem" role="alert" { (wrong.text) } }
        form method="post" action=(action) class="stack" {
            (token(visitor))
            label class="tick" { input type="checkbox" name="dhcp" value="1" checked[ip.is_empty() && !wrong.typed.contains_key("address")]; span { (t!("By DHCP; the fields below don\u{2019}t count then")) } }
            (field(wrong, "address", t!("Fixed address"), t!("With the length of its network, like 192.0.2.7/24."), &ip))
            (field(wrong, "gateway", t!("Gateway"), t!("The router, in the same network."), &gateway))
            (field(wrong, "dns", t!("Name servers"), t!("One or more addresses, with blanks between them."), &dns))
            button name="do" value="apply" { (t!("Apply for 90 seconds")) }
        }
    }
}

/// The page's own port and names.
fn address(site: &Site, visitor: &Visitor, waits: bool, wrong: &Wrong) -> Markup {
    let web = &site.handle().config().web;
    let port = web
        .listen
        .first()
        .map_or(String::new(), |listen| listen.port().to_string());
    html! {
        section class="card" {
            h2 { (t!("Port and names of this page")) }
            @if waits { (confirm(visitor, "/settings/network", "page", t!("The new port and names are in force, and are taken back by themselves after 90 s unless you say that they work."))) }
            form method="post" action="/settings/network" class="stack" {
                (token(visitor))
                (field(wrong, "port", t!("Port"), t!("A number from 1024 to 65535."), &port))
                (field(wrong, "names", t!("Names"), t!("By which the page may be called besides its addresses; its certificate is made anew for them."), &web.names.join(" ")))
                button name="do" value="page" class="small" { (t!("Apply for 90 seconds")) }
            }
        }
    }
}

/// Takes what was typed or pressed.
pub(super) async fn save(site: &Site, visitor: &Visitor, place: Place, typed: &Typed) -> Response {
    let text = |name: &str| typed.get(name).map_or("", String::as_str);
    let back = || to(StatusCode::SEE_OTHER, &place.path("network"));
    let wrong = |field: &str, text: String| Wrong {
        field: field.to_owned(),
        text,
        typed: typed.clone(),
    };
    let refuse = |wrong| show(site, visitor, place, StatusCode::UNPROCESSABLE_ENTITY, wrong);
    match text("do") {
        "" => to(StatusCode::SEE_OTHER, &place.after("network")),
        "apply" => {
            let addressing = match typed.contains_key("dhcp") {
                true => Ok(Addressing::Dhcp),
                false => Addressing::fixed(text("address"), text("gateway"), text("dns")),
            };
            match addressing {
                Ok(addressing) => {
                    match order(site, visitor, Order::Apply { addressing }, "applied another address").await {
                        Ok(()) => back(),
                        Err(error) => refuse(wrong("network", error)).await,
                    }
                }
                Err((field, error)) => refuse(wrong(field, error.to_owned())).await,
            }
        }
        "confirm-network" => match order(site, visitor, Order::Confirm, "confirmed the new address").await {
            Ok(()) => back(),
            Err(error) => refuse(wrong("network", error)).await,
        },
        "back-network" => match order(site, visitor, Order::TakeBack, "took the new address back").await {
            Ok(()) => back(),
            Err(error) => refuse(wrong("network", error)).await,
        },
        "page" => match page_changes(site, text("port"), text("names")) {
            Ok(changes) => match change_page(site, visitor, changes).await {
                Ok(()) => to(StatusCode::SEE_OTHER, "/settings"),
                Err(error) => refuse(wrong("port", error)).await,
            },
            Err((field, error)) => refuse(wrong(field, error)).await,
        },
        "confirm-page" => match site.act(|handle| setup::confirm(&mut handle.settings())).await {
            Ok(_) => back(),
            Err(error) => layout::unread(&axum::http::Uri::from_static("/settings/network"), &error),
        },
        "back-page" => {
            // What it goes back to is what an undo goes back to, as nothing else was changed since.
            let _ = site.act(|handle| setup::confirm(&mut handle.settings())).await;
            settings::undo(site, visitor).await
        }
        _ => back(),
    }
}

async fn order(site: &Site, visitor: &Visitor, order: Order, what: &'static str) -> Result<(), String> {
    let by = settings::by(visitor);
    let noted =
        site.act(move |handle| accounts::note(handle.store(), by, format!("network: {what}"), handle.clock()));
    noted.await.map_err(|error| format!("{error:?}"))?;
    match asked(site, order).await {
        Some(Ok(standing)) if standing.error.is_empty() => Ok(()),
        Some(Ok(standing)) => Err(standing.error),
        Some(Err(error)) => Err(error),
        None => Err("the network is not ours here".to_owned()),
    }
}

fn page_changes(site: &Site, port: &str, names: &str) -> Result<Vec<Change>, (&'static str, String)> {
    let port: u16 = match port.trim().parse() {
        Ok(port) if port >= 1024 => port,
        _ => return Err(("port", t!("A number from 1024 to 65535.").to_owned())),
    };
    let names: Vec<String> = names
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(setup::quote)
        .collect();
    let listen = &site.handle().config().web.listen;
    let listen: Vec<String> = listen
        .iter()
        .map(|known| setup::quote(&std::net::SocketAddr::new(known.ip(), port).to_string()))
        .collect();
    Ok(vec![
        ("web.listen".to_owned(), Some(format!("[{}]", listen.join(", ")))),
        ("web.names".to_owned(), Some(format!("[{}]", names.join(", ")))),
    ])
}

async fn change_page(site: &Site, visitor: &Visitor, changes: Vec<Change>) -> Result<(), String> {
    let by = settings::by(visitor);
    let done = site
        .act(move |handle| {
            let path = handle.config().path.clone();
            Ok(setup::change_to_confirm(
                &mut handle.settings(),
                &path,
                by,
                &changes,
                handle.clock(),
            ))
        })
        .await;
    match done {
        Ok(Ok(_)) => {
            site.desk().leave(site);
            Ok(())
        }
        Ok(Err(refused)) => Err(refused.to_string()),
        Err(error) => Err(format!("{error:?}")),
    }
}
