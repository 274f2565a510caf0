//! What a token for scripts may: its scopes, each a right, and of each no more than the technician holds. So a token hears
//! nothing and sees no number unless somebody granted that to the technician *and* named it when the token was made.

use super::Action::{
    AuditRead, BoxOperate, BoxView, CallTrace, CallView, HoldManage, RecordingDownload, RecordingListen,
    RightsRead, TranscriptRead,
};
use super::{Action, Subject, Who};

/// The actions that a token can be made for: those that the API has something for.
pub const TOKEN_MAY: &[Action] = &[
    BoxView,
    BoxOperate,
    CallTrace,
    CallView,
    RecordingListen,
    RecordingDownload,
    TranscriptRead,
    RightsRead,
    AuditRead,
    HoldManage,
];

/// The subject of a token: the technician's grants, narrowed to its scopes.
pub fn token(name: &str, may: &[String], technician: Subject) -> Subject {
    let mut narrowed = technician;
    narrowed.who = Who::Token(format!("token:{name}"));
    narrowed
        .grants
        .retain(|grant| TOKEN_MAY.contains(&grant.action) && may.iter().any(|word| word == grant.action.word()));
    narrowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::{Freshness, Grant, Place, Scope, Source, may as subject_may, technician};

    #[test]
    fn a_token_holds_its_scopes_and_no_more_than_the_technician() {
        let fresh = Freshness {
            version: 1,
            age_ms: Some(0),
            max_age_ms: 1,
        };
        let hears = Grant::of_role(
            "grant 1",
            Source::Local(1),
            Place::Everywhere,
            (RecordingListen, Scope::Any),
            "x",
        );
        for granted in [vec![], vec![hears]] {
            for scope in Action::ALL {
                let technician = technician(granted.clone(), fresh, 0);
                let token = token("x", &[scope.word().to_owned()], technician.clone());
                for action in Action::ALL {
                    let wanted =
                        action == scope && TOKEN_MAY.contains(action) && subject_may(&technician, *action);
                    assert_eq!(subject_may(&token, *action), wanted, "{scope:?} {action:?}");
                }
            }
        }
    }
}
