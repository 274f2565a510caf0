//! Several portals beside each other.

use callspool_sim::bitrix24::{Fault, PortalConfig, Times};

use super::portal::{FAST, assert_once, by_oauth, portal, recorded, settled, wait_for_item, without_transcripts};
use super::rig::world::{PATIENCE, item};
use super::rig::{InProcess, rewrite_secret, same_clock};

#[test]
fn two_portals_have_tokens_limits_and_troubles_of_their_own() {
    let pbx = without_transcripts();
    // The first portal is slow: a request a second, and so it is told; the second knows no limit.
    let slow = portal(&pbx, |config| (config.rate, config.burst) = (1.0, 20.0));
    let fast = portal(&pbx, |_| {});
    let client = PortalConfig::default().client_id;
    let setup = by_oauth("b24-two", &pbx, &slow, &slow.url())
        .set("rate = 1\nburst = 20\ntimeout = \"10s\"")
        .set(&format!(
            "[[target]]\nname = \"second\"\nkind = \"bitrix24\"\nurl = \"{0}\"\noauth_url = \"{0}\"\ndefault_user = 1\n\
             client_id = \"{client}\"\nclient_secret_file = \"b24.secret\"\nrefresh_token_file = \"second.token\"\n{FAST}",
            fast.url()
        ));
    rewrite_secret(&setup, "second.token", &fast.install());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    for _ in 0..30 {
        pbx.place_call(recorded());
    }
    let done = |portal: &super::portal::PortalHandle| {
        portal.with_truth(|truth| truth.calls.iter().filter(|call| call.record.is_some()).count())
    };
    agent.wait("the second portal has all", PATIENCE, |_| done(&fast) == 30);
    assert!(done(&slow) < 30, "the limit of one is not the other's");
    agent.wait("both have all", PATIENCE * 2, |handle| settled(handle, &pbx));
    assert_once(&pbx, &slow);
    assert_once(&pbx, &fast);
    for portal in [&slow, &fast] {
        portal.with_truth(|truth| {
            assert_eq!(truth.refused_for_rate, 0);
            // A pair each, asked for once: neither used or lost the other's.
            assert_eq!(truth.refreshes, 1);
        });
    }
    // The first one's application is taken away: the second one's tokens and calls have nothing to do with it.
    slow.uninstall();
    slow.fault("telephony.externalCall.register", Fault::LoseAnswer, Times::Count(1));
    fast.expire_tokens();
    pbx.place_call(recorded());
    wait_for_item(&agent, "down", "no-auth");
    agent.wait("the second goes on", PATIENCE, |_| done(&fast) == 31);
    assert_eq!(item(agent.handle(), "target-down:second"), None);
    assert_eq!(fast.with_truth(|truth| truth.refreshes), 2);
    slow.clear_faults();
    rewrite_secret(&setup, "b24.token", &slow.install());
    agent.wait("the first goes on with a new token", PATIENCE * 2, |handle| {
        settled(handle, &pbx)
    });
    assert_once(&pbx, &slow);
    assert_once(&pbx, &fast);
}
