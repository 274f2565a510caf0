//! Logins that the console refuses.

use crate::world::*;

#[test]
fn a_wrong_password_is_tried_once_and_never_again_until_the_secret_changes() {
    let (pbx, crm) = (pbx_at(720.0, of_version(V18)), crm());
    let setup = Setup::new("v18-secret", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    rewrite_secret(&setup, "pbx.secret", "not-the-password");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    agent.wait("it is refused", WAIT, |handle| {
        item(handle, "pbx-login-refused").is_some_and(|item| item.text.contains("user or password"))
    });
    let_pass(&agent, &pbx, 2 * 3_600_000);
    drop(agent);
    // Nor by a service manager that starts it again and again.
    for _ in 0..2 {
        let agent = InProcess::start(&setup, same_clock(&pbx.time()));
        agent.wait("it is refused", WAIT, |handle| {
            item(handle, "pbx-login-refused").is_some()
        });
        let_pass(&agent, &pbx, 600_000);
    }
    assert_eq!((pbx.refused_logins(), pbx.console_logins()), (1, 0));
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    rewrite_secret(&setup, "pbx.secret", &pbx.credentials().1);
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    agent.wait("all is well", WAIT, |handle| handle.health().items().is_empty());
    assert_eq!((pbx.refused_logins(), pbx.console_logins()), (1, 1));
}

#[test]
fn a_second_factor_and_a_blacklisted_address_have_their_names() {
    let console = Console {
        two_factor: true,
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            60.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    let (_setup, agent) = started("v18-2fa", &pbx, &crm, "");
    agent.wait("it says so", WAIT, |handle| {
        item(handle, "pbx-login-refused").is_some_and(|item| item.text.contains("second factor"))
    });
    // What is remembered of a refusal keeps its reason: the remedy of a second factor is not that of a wrong key.
    let_pass(&agent, &pbx, 120_000);
    let told = item(agent.handle(), "pbx-login-refused")
        .map(|item| item.text)
        .unwrap_or_default();
    assert!(told.contains("second factor") && told.contains("ago"), "{told}");
    let blacklisted = pbx_at(60.0, of_version(V18));
    let mut principal = blacklisted.principal();
    principal.blacklisted = true;
    blacklisted.set_principal(principal);
    let setup = "generation = \"v18\"";
    let (_setup, agent) = started("v18-black", &blacklisted, &crm, setup);
    agent.wait("it says so", WAIT, |handle| {
        item(handle, "pbx-address-refused").is_some_and(|item| item.text.contains("blacklist"))
    });
    let_pass(&agent, &blacklisted, 600_000);
    assert_eq!(blacklisted.requests(PathKind::Token), 1);
}
