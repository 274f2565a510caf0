//! Ways past one broker and one consumer that are documented in packaging/mqtt-scaling.md.

use std::collections::BTreeSet;

use crate::boxes::FakeBox;
use crate::broker::{Broker, free_port};
use crate::rig::{Desk, Folder, PATIENCE, until};
use crate::subscriber::Subscriber;

#[test]
fn consumers_of_events_share_them_and_each_comes_to_one_of_them() {
    let broker = Broker::start("");
    let consumers = [(); 3].map(|()| Subscriber::new(&broker, "$share/crm/callspool/+/event/#"));
    let all = Subscriber::new(&broker, "callspool/+/event/#");
    let boxes: Vec<FakeBox> = (0..4)
        .map(|n| FakeBox::connect(broker.port(), &format!("b{n}"), "x"))
        .collect();
    for n in 0..60 {
        boxes.iter().for_each(|one| one.event(n));
    }
    let count = || consumers.iter().map(|one| one.messages().len()).sum::<usize>();
    until(PATIENCE, "all events have arrived", || {
        count() >= 240 && all.messages().len() >= 240
    });
    let payloads = consumers
        .iter()
        .flat_map(Subscriber::messages)
        .map(|(_, payload)| payload);
    assert_eq!(payloads.collect::<BTreeSet<_>>().len(), 240, "each once");
    let shares = consumers.each_ref().map(|one| one.messages().len());
    assert!(
        shares.iter().all(|share| *share > 20),
        "nobody does all the work: {shares:?}"
    );
}

#[test]
fn over_a_bridge_of_two_brokers_the_page_sees_boxes_and_its_commands_arrive() {
    let core = Broker::start("");
    let name = free_port();
    let edge = Broker::start(&format!(
        "connection edge-{name}\naddress 127.0.0.1:{}\nremote_clientid edge-{name}\ncleansession false\nrestart_timeout 1\n\
         notifications false\ntopic +/status out 1 callspool/ callspool/\ntopic +/birth out 1 callspool/ callspool/\n\
         topic +/state out 1 callspool/ callspool/\ntopic +/update out 1 callspool/ callspool/\n\
         topic +/event/# out 1 callspool/ callspool/\ntopic +/cmd/+/result out 1 callspool/ callspool/\n\
         topic +/cmd/+ in 1 callspool/ callspool/\n",
        core.port()
    ));
    let folder = Folder::new();
    let desk = Desk::start(&folder, core.port(), "");
    let consumer = Subscriber::new(&core, "callspool/+/event/#");
    let one = FakeBox::connect(edge.port(), "b1", "Behind the bridge");
    one.tell("ok", &[]);
    until(PATIENCE, "the box is on the page", || {
        desk.get("/?is=ok").contains("Behind the bridge")
    });
    one.event(1);
    until(PATIENCE, "its event arrives", || consumer.messages().len() == 1);
    desk.post("/boxes/b1/command", "token={token}&name=doctor");
    until(PATIENCE, "the command and its result cross the bridge", || {
        desk.get("/boxes/b1").contains("doctor: <b>successful</b>")
    });
    one.cut();
    until(PATIENCE, "its last will crosses the bridge", || {
        desk.get("/?is=offline").contains("Behind the bridge")
    });
}
