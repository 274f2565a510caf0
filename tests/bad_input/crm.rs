//! What the CRM may answer.

use crate::world::*;

/// What the CRM does to what, and what shows: the target's state where the target is to blame, else the delivery's code;
/// with words.
enum Shows {
    /// A red item `target-down:crm`.
    Target(&'static str),
    /// A delivery waits with this code.
    Delivery(&'static str, &'static str),
    /// A delivery is held with this code until a person gives it a new start.
    Held(&'static str, &'static str),
}

#[test]
fn a_crm_that_answers_nonsense_is_named_and_gets_everything_when_it_is_well_again() {
    use crm::Fault as F;
    let world = Site::start("crm");
    let elsewhere = || F::Redirect("https://elsewhere.example.invalid/".to_owned());
    let rows = [
        (
            At::Calls,
            F::Status(400),
            Shows::Held("http-400", "it answered with status 400"),
        ),
        (At::Calls, F::Status(401), Shows::Target("it answered with status 401")),
        (At::Calls, F::Status(403), Shows::Target("status 403")),
        (At::Calls, F::Status(404), Shows::Target("status 404")),
        (At::Calls, F::Status(413), Shows::Held("http-413", "status 413")),
        (At::Calls, F::Status(422), Shows::Held("http-422", "status 422")),
        (At::Calls, F::Status(500), Shows::Target("it answered with status 500")),
        (At::Calls, F::Status(502), Shows::Target("status 502")),
        (
            At::Calls,
            F::Busy(503, RetryAfter::Seconds(9)),
            Shows::Target("status 503"),
        ),
        (
            At::Calls,
            F::Busy(429, RetryAfter::Seconds(9)),
            Shows::Target("status 429"),
        ),
        (
            At::Calls,
            elsewhere(),
            Shows::Target("a redirect (302), which is not followed"),
        ),
        (
            At::Calls,
            F::CaptivePortal,
            Shows::Target("status 200 came with a web page: something answers in the receiver's place"),
        ),
        (
            At::Calls,
            F::ErrorInside("no such tenant".into()),
            Shows::Delivery("error-inside", "status 200 came with an error inside: no such tenant"),
        ),
        (
            At::Calls,
            F::ErrorInside("ACCESS_DENIED".into()),
            Shows::Held("permission-missing", "for want of a permission (access_denied)"),
        ),
        (
            At::Ready,
            F::ErrorInside("insufficient_scope".into()),
            Shows::Held("permission-missing", "for want of a permission (insufficient_scope)"),
        ),
        (At::Ready, F::Status(400), Shows::Held("http-400", "status 400")),
        (At::Ready, F::Status(413), Shows::Held("http-413", "status 413")),
        (At::Ready, elsewhere(), Shows::Target("a redirect (302)")),
        (At::Ready, F::CaptivePortal, Shows::Target("a web page")),
        (
            At::Ready,
            F::ErrorInside("full".into()),
            Shows::Delivery("error-inside", "an error inside: full"),
        ),
        (
            At::Ready,
            F::AcceptWithoutUpload,
            Shows::Held("no-upload-url", "gave no upload.url, so the audio has nowhere to go"),
        ),
        (
            At::Ready,
            F::DeadUploadUrl,
            Shows::Delivery("upload-404", "the upload was answered with status 404"),
        ),
        (At::Upload, F::Status(400), Shows::Held("http-400", "status 400")),
        (At::Upload, F::Status(413), Shows::Held("http-413", "status 413")),
        (At::Upload, F::Status(422), Shows::Delivery("upload-422", "status 422")),
        (At::Upload, F::Status(500), Shows::Target("status 500")),
        (At::Upload, elsewhere(), Shows::Target("a redirect (302)")),
        (At::Upload, F::CaptivePortal, Shows::Target("a web page")),
        (
            At::Upload,
            F::ErrorInside("disk".into()),
            Shows::Delivery("error-inside", "an error inside: disk"),
        ),
        (At::Upload, F::CutUploadAfter(1_000), Shows::Target("cut")),
        (
            At::Upload,
            F::WrongStoredHash,
            Shows::Delivery("stored-differs", "stored other bytes than were sent"),
        ),
    ];
    for (at, fault, shows) in rows {
        let row = format!("{at:?} {fault:?}");
        println!("{row}");
        world.crm.fault(at, fault, Times::UntilCleared);
        let call = world.pbx.place_call(over(true));
        let key = &call.main_call_history_id;
        match shows {
            Shows::Target(words) => world.wait_item(&row, "target-down:crm", words),
            Shows::Delivery(code, words) | Shows::Held(code, words) => {
                world.wait(&row, &format!("{code} with: {words}"), |_| {
                    world
                        .queue()
                        .iter()
                        .any(|(shown, reason)| shown == code && reason.contains(words))
                });
                world.wait(&row, "why says so", |handle| {
                    why(handle, key)
                        .is_some_and(|why| why.deliveries.iter().any(|delivery| delivery.reason.contains(words)))
                });
            }
        }
        // Calls go on while only the audio can't be taken.
        if at != At::Calls {
            world.wait_told(&row, key);
        }
        world.crm.clear_faults();
        if matches!(shows, Shows::Held(..)) {
            world.wait(&row, "it is held", |handle| {
                handle.status().counts.is_some_and(|counts| counts.deliveries_held > 0)
            });
            assert!(world.agent.handle().retry_held(Some("crm"), None).unwrap() > 0, "{row}");
        }
        world.wait_all(&row);
        world.wait(&row, "the target's item is gone", |handle| {
            item(handle, "target-down:crm").is_none()
        });
    }
}

#[test]
fn an_answer_of_the_crm_that_is_lost_is_looked_up_and_nothing_is_doubled() {
    use crm::Fault as F;
    let world = Site::start("lost");
    for at in [At::Calls, At::Ready, At::Upload] {
        world.crm.fault(at, F::LoseAnswer, Times::Count(3));
        world.pbx.place_call(over(true));
        world.wait_all(&format!("{at:?}"));
    }
    world.wait_well("lost");
}

#[test]
fn a_signing_secret_that_the_crm_does_not_know_is_named_and_a_right_one_is_taken_up() {
    let world = Site::start("secret");
    let right = world.crm.secret().to_owned();
    let other = Crm::start(CrmConfig::default()).unwrap();
    rewrite_secret(&world._setup, "crm.secret", other.secret());
    let call = world.pbx.place_call(over(false));
    world.wait_item("secret", "target-down:crm", "status 401");
    let shown = item(world.agent.handle(), "target-down:crm").unwrap();
    assert!(shown.fix.contains("signing secret"), "{}", shown.fix);
    rewrite_secret(&world._setup, "crm.secret", "not a secret of that kind");
    world.wait_item("secret", "target-down:crm", "whsec_");
    rewrite_secret(&world._setup, "crm.secret", &right);
    world.wait_told("secret", &call.main_call_history_id);
    world.wait("secret", "the item is gone", |handle| {
        item(handle, "target-down:crm").is_none()
    });
}

#[test]
fn a_line_that_accepts_and_says_nothing_does_not_stop_what_goes_another_way() {
    let (pbx, up, hung) = (pbx_at(60.0, quiet()), crm(), crm());
    let line = Line::start(hung.addr()).unwrap();
    let setup = Setup::new("hung", &pbx, &pbx.url())
        .target("up", &up, &up.hook_url())
        .target("hung", &hung, &hung.hook_url_by_way_of(line.addr()))
        .set("timeout = \"1s\"");
    line.blackhole();
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let call = pbx.place_call(over(true));
    agent.wait("one has all", PATIENCE, |_| {
        told(&up, &call.main_call_history_id) && up.recordings().len() == call.recordings.len()
    });
    agent.wait("the other is named", PATIENCE, |handle| {
        item(handle, "target-down:hung").is_some_and(|item| item.text.contains("nothing came back in time"))
    });
    line.pass();
    agent.wait("the other has all", PATIENCE, |_| delivered(&pbx, &hung).is_ok());
    assert_eq!(delivered(&pbx, &up), Ok(()));
}
