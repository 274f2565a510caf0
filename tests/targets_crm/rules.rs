//! What rules keep from a CRM does not get there, and what they give does.

use callspool_sim::pbx::{CallKind, CallPlan};

use super::desk::{FAST, Kind, crm, pbx, recorded, setup, start, wait_until_settled};
use super::rig::world::{PATIENCE, why};

/// One rule each for: nothing, no audio, no transcript, later; and a call that no rule speaks of.
const RULES: &str = r#"
[[rule]]
name = "not for the CRM"
number = "+4930000001"
deliver = []
[[rule]]
name = "no audio"
number = "+4930000002"
audio = false
[[rule]]
name = "no words"
number = "+4930000003"
transcript = false
[[rule]]
name = "later"
number = "+4930000004"
delay = "10m"
"#;

pub fn what_a_rule_gives_a_crm_is_what_it_gets(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "rules", &pbx, &crm)
        .set(FAST)
        .set(RULES)
        .before_all("numbers = { country = \"49\" }");
    let agent = start(&setup, &pbx);
    let placed: Vec<_> = (1..=5)
        .map(|n| {
            pbx.place_call(CallPlan {
                kind: Some(CallKind::Inbound),
                outside: Some(format!("+493000000{n}")),
                ..recorded()
            })
        })
        .collect();
    let of = |n: usize| {
        crm.calls()
            .into_iter()
            .find(|call| call.title.contains(&format!("+493000000{n}")))
    };
    agent.wait("what is not delayed is there", PATIENCE, |_| {
        of(2).is_some()
            && [3, 5]
                .iter()
                .all(|n| of(*n).is_some_and(|call| !call.recordings.is_empty()))
    });
    assert!(of(4).is_none(), "it came at once");
    // Words come later than the call, and for all.
    for call in &placed {
        assert!(pbx.transcribe_recording(call.recordings[0].id, "Guten Morgen, hier ist die Zentrale."));
    }
    agent.wait("the words of the last are there", PATIENCE, |_| {
        of(5).is_some_and(|call| call.text.contains("Zentrale"))
    });
    agent.wait("the delayed one is there", PATIENCE, |_| {
        of(4).is_some_and(|call| !call.recordings.is_empty())
    });
    wait_until_settled(&agent, &pbx);
    assert!(of(1).is_none());
    assert!(of(2).unwrap().recordings.is_empty(), "its audio was to stay here");
    assert!(of(2).unwrap().text.contains("Zentrale"), "its words were not kept back");
    let silent = of(3).unwrap();
    assert!(
        !silent.text.contains("Zentrale") && silent.recordings.len() == 1,
        "{silent:?}"
    );
    assert_eq!(crm.with_truth(|truth| truth.violations.clone()), Vec::<String>::new());
    // What was delivered says so, and under which rule.
    let told = why(agent.handle(), &placed[2].main_call_history_id).unwrap();
    let receipts: Vec<_> = told.deliveries.iter().filter_map(|one| one.receipt.clone()).collect();
    assert!(
        receipts.iter().all(|text| text.contains(&silent.id)),
        "{receipts:?} {silent:?}"
    );
    assert!(told.answer.contains("delivered to crm"), "{}", told.answer);
}
