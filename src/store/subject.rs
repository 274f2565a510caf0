//! Who asks, put together from the directory in force, the grants given here and the CRM's roles.

use rusqlite::Connection;

use super::grants::{grants_of_person_here, grants_of_role_here};
use super::holders::holder_of;
use super::tokens::token_by_name;
use super::{Result, department, person, snapshot};
use crate::clock::Clock;
use crate::config;
use crate::rights::{
    CrmRole, Freshness, Member, Section, Subject, Who, console_subject, crm_grants, dashboard, default_levels,
    everyone, grants_of_person, level, technician, token,
};

/// What rights depend on besides the store.
#[derive(Debug, Clone)]
pub struct RightsContext {
    /// The CRM's roles, from the configuration.
    pub crm_roles: Vec<CrmRole>,
    /// How old rights may be, milliseconds.
    pub max_age_ms: i64,
    /// Time.
    pub clock: Clock,
}

impl RightsContext {
    /// From the configuration.
    pub fn new(config: &config::Config, clock: Clock) -> RightsContext {
        RightsContext {
            crm_roles: config.rights.crm_roles.iter().map(crm_role).collect(),
            max_age_ms: i64::try_from(config.rights.max_age.as_millis()).unwrap_or(i64::MAX),
            clock,
        }
    }

    /// Which rights are in force, and how old they are.
    pub fn freshness(&self, connection: &Connection) -> Result<Freshness> {
        let snapshot = snapshot(connection)?;
        Ok(Freshness {
            version: snapshot.as_ref().map_or(0, |snapshot| snapshot.version),
            age_ms: snapshot.and_then(|snapshot| snapshot.age_ms(&self.clock)),
            max_age_ms: self.max_age_ms,
        })
    }

    /// The subject of the decision for `who`. Somebody whom the PBX does not know, or no longer, gets nothing.
    pub fn subject(&self, connection: &Connection, who: &Who) -> Result<Subject> {
        let (rights, now_ms) = (self.freshness(connection)?, self.clock.wall_ms());
        match who {
            Who::Extension(extension) => {
                let found = self.person(connection, extension, rights)?;
                Ok(found.unwrap_or_else(|| Subject::nobody(extension, rights, now_ms)))
            }
            Who::Technician => {
                let local = grants_of_role_here(connection, "technician", None)?;
                Ok(technician(local, rights, now_ms))
            }
            Who::Terminal => {
                let local = grants_of_role_here(connection, "technician", None)?;
                Ok(console_subject(local, rights, now_ms))
            }
            Who::Token(name) => {
                let plain = name.strip_prefix("token:").unwrap_or(name);
                let Some(made) = token_by_name(connection, plain, now_ms)? else {
                    return Ok(Subject::nobody(name, rights, now_ms));
                };
                let local = grants_of_role_here(connection, "technician", None)?;
                Ok(token(plain, &made.may, technician(local, rights, now_ms)))
            }
            Who::Dashboard => Ok(dashboard(rights, now_ms)),
            Who::Nobody(name) => Ok(Subject::nobody(name, rights, now_ms)),
        }
    }

    fn person(&self, connection: &Connection, extension: &str, rights: Freshness) -> Result<Option<Subject>> {
        let Some(known) = person(connection, extension)? else {
            return Ok(None);
        };
        let holder = holder_of(connection, extension)?;
        let mut departments = Vec::new();
        for place in &known.memberships {
            departments.extend(department(connection, place.department)?);
        }
        let mut grants = everyone();
        grants.extend(grants_of_person(&known, &departments));
        let named: Vec<(i64, &str)> = departments.iter().map(|d| (d.id, d.name.as_str())).collect();
        let (from_crm, folders) = crm_grants(&self.crm_roles, extension, &named);
        grants.extend(from_crm);
        if let Some(holder) = holder {
            grants.extend(grants_of_person_here(connection, holder)?);
        }
        for place in &known.memberships {
            let role = place.rights.role.as_deref().or(place.role_rights.role.as_deref());
            if let Some(role) = role {
                grants.extend(grants_of_role_here(connection, role, Some(place.department))?);
            }
        }
        Ok(Some(Subject {
            who: Who::Extension(extension.to_owned()),
            holder,
            enabled: known.enabled,
            departments: known.memberships.iter().map(|place| place.department).collect(),
            grants,
            folders,
            rights,
            now_ms: self.clock.wall_ms(),
        }))
    }
}

/// A role of the configuration. A level that isn't given is the default of a role of that name; of another it is denied.
fn crm_role(typed: &config::CrmRole) -> CrmRole {
    let mut levels = default_levels(&typed.name).unwrap_or_default();
    for (name, word) in &typed.levels {
        if let Some(section) = Section::from_word(name).filter(|_| !word.is_empty()) {
            levels.set(section, level(section, word));
        }
    }
    CrmRole {
        target: typed.target.clone(),
        name: typed.name.clone(),
        levels,
        members: typed
            .members
            .iter()
            .filter_map(|member| Member::parse(member))
            .collect(),
        folder: typed.recorded_calls_folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_the_configuration_takes_are_those_that_mean_something() {
        let typed: Vec<(&str, Vec<&str>)> = config::SECTIONS
            .iter()
            .map(|(section, words)| (*section, words.to_vec()))
            .collect();
        let known: Vec<(&str, Vec<&str>)> = Section::ALL
            .iter()
            .map(|section| (section.word(), section.levels().iter().map(|(word, _)| *word).collect()))
            .collect();
        assert_eq!(typed, known);
    }

    #[test]
    fn a_role_of_the_crm_has_its_own_levels_unless_others_are_given() {
        let mut typed = config::CrmRole {
            target: "crm".to_owned(),
            name: "Head of department".to_owned(),
            members: vec!["department:Sales".to_owned()],
            ..config::CrmRole::default()
        };
        typed.levels[1] = ("call_recording", "personal".to_owned());
        let role = crm_role(&typed);
        let by_default = default_levels("Head of department").unwrap();
        assert_eq!(role.levels.of(Section::CallRecording), crate::rights::Scope::Own);
        assert_eq!(
            role.levels.of(Section::CallStatistics),
            by_default.of(Section::CallStatistics)
        );
        assert_eq!(role.members, [Member::Department("Sales".to_owned())]);
        typed.name = "Our own".to_owned();
        assert_eq!(
            crm_role(&typed).levels.of(Section::CallStatistics),
            crate::rights::Scope::Denied
        );
    }
}
