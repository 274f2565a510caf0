//! Rights against a simulated PBX: who is removed or demoted there loses access here within a minute, and rights that the
//! PBX has not confirmed for too long open nothing. And the document that leads from each rule to its tests.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "rights/document.rs"]
mod document;
mod rig;

use callspool::agent::Handle;
use callspool::rights::{Action, Decision, Object, Subject, Who, decide};
use callspool::store::{self, RightsContext};
use callspool_sim::{crm, pbx};

use rig::world::{PATIENCE, crm, item, over, pbx_at, quiet};
use rig::{InProcess, Setup, same_clock};

fn started(name: &str, pbx: &pbx::Handle, crm: &crm::Handle, settings: &str) -> (Setup, InProcess) {
    let setup = Setup::new(name, pbx, &pbx.url())
        .target("crm", crm, &crm.hook_url())
        .set(settings);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    (setup, agent)
}

/// Looks after the box, as `callspool run` does, until it is dropped.
struct Watched(
    Option<tokio::sync::oneshot::Sender<()>>,
    Option<std::thread::JoinHandle<()>>,
);

impl Watched {
    fn start(handle: &Handle) -> Watched {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let handle = handle.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = callspool::agent::watch(handle) => {}
                    _ = stopped => {}
                }
            });
        });
        Watched(Some(stop), Some(thread))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.take();
        let _ = self.1.take().map(std::thread::JoinHandle::join);
    }
}

fn subject(handle: &Handle, who: Who) -> Subject {
    let rules = RightsContext::new(handle.config(), handle.clock().clone());
    handle.store().read(|c| rules.subject(c, &who)).unwrap()
}

fn person(handle: &Handle, extension: &str) -> Subject {
    subject(handle, Who::Extension(extension.to_owned()))
}

/// Whether `extension` may do `action` in a department.
fn in_department(handle: &Handle, extension: &str, action: Action, department: i64) -> Decision {
    decide(&person(handle, extension), action, &Object::department(department))
}

#[test]
fn who_is_demoted_or_removed_on_the_pbx_loses_access_within_a_minute() {
    let (pbx, crm) = (pbx_at(8.0, quiet()), crm());
    let (_setup, agent) = started("revoked", &pbx, &crm, "");
    let company = pbx.company();
    let manager = company
        .people
        .iter()
        .find(|person| person.memberships[0].role == "managers")
        .unwrap();
    let (extension, department) = (manager.number.clone(), i64::from(manager.memberships[0].department_id));
    let hears = |handle: &Handle| in_department(handle, &extension, Action::RecordingListen, department);
    agent.wait("the manager may hear", PATIENCE, |handle| hears(handle).allowed);
    let version = hears(agent.handle()).rights_version;

    let demoted = pbx.time().now_ms();
    assert!(pbx.change_role(&extension, "receptionists"));
    agent.wait("the demoted may not", PATIENCE, |handle| !hears(handle).allowed);
    let took = pbx.time().now_ms() - demoted;
    let sees = in_department(agent.handle(), &extension, Action::CallView, department);
    assert!(sees.allowed, "a receptionist still sees the calls of the group");
    assert!(sees.rights_version > version);

    let removed = pbx.time().now_ms();
    assert!(pbx.remove_user(&extension));
    let sees = |handle: &Handle| in_department(handle, &extension, Action::CallView, department);
    agent.wait("the removed may nothing", PATIENCE, |handle| !sees(handle).allowed);
    let left = pbx.time().now_ms() - removed;
    assert!(took <= 60_000 && left <= 60_000, "{took} ms, {left} ms");
    assert_eq!(person(agent.handle(), &extension).who, Who::Nobody(extension.clone()));
    println!("demoted after {} s, removed after {} s", took / 1000, left / 1000);
}

#[test]
fn rights_that_the_pbx_has_not_confirmed_for_too_long_open_nothing_until_it_does() {
    let (pbx, crm) = (pbx_at(120.0, quiet()), crm());
    let (_setup, agent) = started("stale", &pbx, &crm, "[rights]\nmax_age = \"15m\"");
    let _watched = Watched::start(agent.handle());
    let owner = pbx
        .company()
        .people
        .iter()
        .find(|person| person.memberships.iter().any(|place| place.role == "system_owners"))
        .unwrap()
        .number
        .clone();
    let call = pbx.place_call(over(true));
    let sees = |handle: &Handle| {
        let found = handle
            .store()
            .read(|c| store::call_by_key(c, &call.main_call_history_id))
            .unwrap();
        found.is_some_and(|call| {
            let object = handle.store().read(|c| store::object_of_call(c, call.id)).unwrap();
            decide(&person(handle, &owner), Action::CallView, &object).allowed
        })
    };
    agent.wait("the owner sees the call", PATIENCE, sees);
    pbx.stop();
    agent.wait("rights are too old", PATIENCE, |handle| {
        item(handle, "rights-too-old").is_some() && !sees(handle)
    });
    assert!(person(agent.handle(), &owner).rights.age_ms.unwrap() > 900_000);
    let technician = subject(agent.handle(), Who::Technician);
    assert!(decide(&technician, Action::BoxView, &Object::Whole).allowed);
    assert!(decide(&technician, Action::BoxOperate, &Object::Whole).allowed);
    pbx.start_again().unwrap();
    agent.wait("rights are young again", PATIENCE, |handle| {
        item(handle, "rights-too-old").is_none() && sees(handle)
    });
}
