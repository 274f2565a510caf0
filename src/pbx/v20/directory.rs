//! People, departments, roles and rights, read as one consistent whole.
//!
//! The three lists are read one after the other, and somebody may be moved between two pages. So what was read is
//! believed only when a second reading says the same.

use std::sync::PoisonError;

use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;

use super::loose::{Flag, Int, Text, int};
use super::{Error, Kind, V20};
use crate::model::{Department, Directory, Membership, Peer, PeerKind, Person, Rights};

/// Readings that may differ before the PBX counts as one that is being changed all the time.
const TRIES: usize = 4;

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct UserRow {
    id: Int,
    number: Text,
    first_name: Text,
    last_name: Text,
    display_name: Text,
    enabled: Flag,
    record_calls: Flag,
    record_external_calls_only: Flag,
    my_phone_show_recordings: Flag,
    my_phone_allow_delete_recordings: Flag,
    groups: Vec<MemberRow>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct MemberRow {
    group_id: Int,
    rights: RightsRow,
    group_rights: RightsRow,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RightsRow {
    role_name: Text,
    can_see_group_calls: Flag,
    can_see_group_recordings: Flag,
    can_see_group_members: Flag,
    show_my_calls: Flag,
    can_barge_in: Flag,
    perform_operations: Flag,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct GroupRow {
    id: Int,
    name: Text,
    number: Text,
    rights: Vec<RightsRow>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct PeerRow {
    number: Text,
    name: Text,
    #[serde(rename = "Type")]
    kind: Text,
    member_of: Value,
}

pub(super) fn read(pbx: &V20) -> Result<Directory, Error> {
    for _ in 0..TRIES {
        let directory = once(pbx)?;
        let mark = mark(&directory)?;
        // The reading before this one may be that of a minute ago: then one is enough.
        let before = pbx
            .directory_mark
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(mark);
        if before == Some(mark) {
            return Ok(directory);
        }
    }
    Err(Error::new(
        Kind::ItsFault,
        "people and departments changed during every reading of them",
    ))
}

fn mark(directory: &Directory) -> Result<[u8; 32], Error> {
    let whole = serde_json::to_vec(directory).map_err(|error| Error::new(Kind::Ours, error.to_string()))?;
    let mut mark = [0; 32];
    mark.copy_from_slice(digest(&SHA256, &whole).as_ref());
    Ok(mark)
}

fn once(pbx: &V20) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    // `$select` keeps the passwords and PINs that the entity holds out of the answer.
    let users = "Users?$orderby=Number\
        &$select=Id,Number,FirstName,LastName,DisplayName,Enabled,RecordCalls,RecordExternalCallsOnly,\
        MyPhoneShowRecordings,MyPhoneAllowDeleteRecordings\
        &$expand=Groups($expand=Rights,GroupRights)";
    pbx.pages::<UserRow>(users, "the list of users", &mut |rows| {
        directory.people.extend(rows.into_iter().filter_map(person));
        Ok(())
    })?;
    pbx.pages::<GroupRow>(
        "Groups?$orderby=Id&$select=Id,Name,Number&$expand=Rights",
        "the list of departments",
        &mut |rows| {
            directory.departments.extend(rows.into_iter().filter_map(department));
            Ok(())
        },
    )?;
    pbx.pages::<PeerRow>("Peers?$orderby=Number", "the list of numbers", &mut |rows| {
        directory.peers.extend(rows.into_iter().filter_map(peer));
        Ok(())
    })?;
    directory.people.sort_by(|a, b| a.extension.cmp(&b.extension));
    directory
        .people
        .dedup_by(|a, b| a.extension == b.extension || a.id == b.id);
    directory.departments.sort_by_key(|department| department.id);
    directory.departments.dedup_by_key(|department| department.id);
    directory.peers.sort_by(|a, b| a.number.cmp(&b.number));
    directory.peers.dedup_by(|a, b| a.number == b.number);
    Ok(directory)
}

fn person(row: UserRow) -> Option<Person> {
    let whole = [row.first_name.0, row.last_name.0]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let mut memberships: Vec<Membership> = row
        .groups
        .into_iter()
        .filter_map(|member| {
            Some(Membership {
                department: member.group_id.0?,
                rights: rights(member.rights),
                role_rights: rights(member.group_rights),
            })
        })
        .collect();
    memberships.sort_by_key(|membership| membership.department);
    Some(Person {
        id: row.id.0?,
        extension: row.number.0?,
        name: if whole.is_empty() {
            row.display_name.0.unwrap_or_default()
        } else {
            whole
        },
        enabled: row.enabled.0.unwrap_or(true),
        records_calls: row.record_calls.0,
        records_external_only: row.record_external_calls_only.0,
        shows_recordings: row.my_phone_show_recordings.0,
        deletes_recordings: row.my_phone_allow_delete_recordings.0,
        console: Vec::new(),
        memberships,
    })
}

fn department(row: GroupRow) -> Option<Department> {
    Some(Department {
        id: row.id.0?,
        name: row.name.0.unwrap_or_default(),
        number: row.number.0,
        rights: row.rights.into_iter().map(rights).collect(),
    })
}

fn peer(row: PeerRow) -> Option<Peer> {
    let members = row.member_of.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut departments: Vec<i64> = members
        .iter()
        .filter_map(|place| place.get("GroupID").and_then(int))
        .collect();
    departments.sort_unstable();
    Some(Peer {
        number: row.number.0?,
        name: row.name.0.unwrap_or_default(),
        kind: match row.kind.0.as_deref() {
            Some("Extension") => PeerKind::Extension,
            Some("Queue") => PeerKind::Queue,
            Some("RingGroup") => PeerKind::RingGroup,
            _ => PeerKind::Other,
        },
        departments,
    })
}

fn rights(row: RightsRow) -> Rights {
    Rights {
        role: row.role_name.0,
        see_calls: row.can_see_group_calls.0,
        see_recordings: row.can_see_group_recordings.0,
        see_members: row.can_see_group_members.0,
        show_my_calls: row.show_my_calls.0,
        barge_in: row.can_barge_in.0,
        perform_operations: row.perform_operations.0,
    }
}
