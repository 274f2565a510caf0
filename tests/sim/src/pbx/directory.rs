//! People, departments and peers.

use serde_json::{Map, Value, json};

use super::company::{Company, Membership, Person, ROLES, rights_json, rights_of_role};
use super::odata::{Query, Shape};
use super::reply::Reply;
use super::world::World;

type Object = Map<String, Value>;

/// Fields of `Pbx.User` (XAPI 20.0.10 specification) that the simulation fills.
pub const USER_FIELDS: [&str; 31] = [
    "Id",
    "Number",
    "TranscriptionMode",
    "FirstName",
    "LastName",
    "DisplayName",
    "EmailAddress",
    "Mobile",
    "Enabled",
    "Internal",
    "Language",
    "OutboundCallerID",
    "PrimaryGroupId",
    "IsRegistered",
    "CurrentProfileName",
    "QueueStatus",
    "Tags",
    "RecordCalls",
    "RecordExternalCallsOnly",
    "AllowOwnRecordings",
    "ForbidRecording",
    "RecordEmailNotify",
    "MyPhoneShowRecordings",
    "MyPhoneAllowDeleteRecordings",
    "HideInPhonebook",
    "VMEnabled",
    "AccessPassword",
    "AuthID",
    "AuthPassword",
    "DeskphonePassword",
    "VMPIN",
];
/// Those of them that nobody but their owner should ever ask for.
pub const SECRET_FIELDS: [&str; 5] = ["AccessPassword", "AuthID", "AuthPassword", "DeskphonePassword", "VMPIN"];
/// Fields of `Pbx.Group` that the simulation fills.
pub const GROUP_FIELDS: [&str; 9] = [
    "Id",
    "Number",
    "Name",
    "IsDefault",
    "HasMembers",
    "Language",
    "TimeZoneId",
    "CurrentGroupHours",
    "TranscriptionMode",
];
/// Fields of `Pbx.Peer`.
pub const PEER_FIELDS: [&str; 7] = ["Id", "Number", "Name", "Type", "Hidden", "Tags", "MemberOf"];
/// Fields of `Pbx.UserGroup`, rights aside.
pub const MEMBER_FIELDS: [&str; 8] = [
    "Id",
    "GroupId",
    "Number",
    "Name",
    "MemberName",
    "Type",
    "CanDelete",
    "Tags",
];
/// Fields of `Pbx.Rights`.
pub const RIGHTS_FIELDS: [&str; 16] = [
    "RoleName",
    "AllowIVR",
    "AllowParking",
    "AllowToChangePresence",
    "AllowToManageCompanyBook",
    "AssignClearOperations",
    "CanBargeIn",
    "CanIntercom",
    "CanSeeGroupCalls",
    "CanSeeGroupMembers",
    "CanSeeGroupRecordings",
    "Invalid",
    "PerformOperations",
    "ShowMyCalls",
    "ShowMyPresence",
    "ShowMyPresenceOutside",
];

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

fn member_json(company: &Company, person: &Person, membership: &Membership) -> Value {
    let name = company.department(membership.department_id).map(|d| d.name.clone());
    json!({
        "Id": membership.id,
        "GroupId": membership.department_id,
        "Number": person.number,
        "Name": name,
        "MemberName": format!("{}, {}", person.last, person.first),
        "Type": "Extension",
        "CanDelete": true,
        "Tags": [],
        "Rights": rights_json(&membership.role, &membership.extra_rights),
        "GroupRights": rights_json(&membership.role, &rights_of_role(&membership.role)),
    })
}

fn user_json(company: &Company, person: &Person) -> Object {
    let n = &person.number;
    let memberships = person.memberships.iter().map(|m| member_json(company, person, m));
    object(json!({
        "Id": person.id,
        "Number": n,
        "TranscriptionMode": "Inherit",
        "FirstName": person.first,
        "LastName": person.last,
        "DisplayName": person.display(),
        "EmailAddress": format!("ext{n}@example.com"),
        "Mobile": (person.id % 3 == 0).then(|| format!("+441632960{n}")),
        "Enabled": true,
        "Internal": false,
        "Language": "EN",
        "OutboundCallerID": company.dids.first(),
        "PrimaryGroupId": person.memberships.first().map(|m| m.department_id),
        "IsRegistered": person.id % 9 != 0,
        "CurrentProfileName": "Available",
        "QueueStatus": "LoggedIn",
        "Tags": [],
        "RecordCalls": person.records,
        "RecordExternalCallsOnly": person.external_only,
        "AllowOwnRecordings": false,
        "ForbidRecording": false,
        "RecordEmailNotify": false,
        "MyPhoneShowRecordings": true,
        "MyPhoneAllowDeleteRecordings": false,
        "HideInPhonebook": false,
        "VMEnabled": true,
        // They are in the entity on a real PBX as well; here they only look like secrets.
        "AccessPassword": format!("simulated-access-{n}"),
        "AuthID": format!("simulated-auth-id-{n}"),
        "AuthPassword": format!("simulated-auth-{n}"),
        "DeskphonePassword": format!("simulated-phone-{n}"),
        "VMPIN": format!("simulated-pin-{n}"),
        "Groups": memberships.collect::<Vec<_>>(),
    }))
}

/// `GET /Users`.
pub fn users(world: &World, query: &Query, department: Option<i32>, host: &str) -> Result<Reply, Reply> {
    let company = &world.company;
    let all = company
        .people
        .iter()
        .filter(|p| department.is_none_or(|id| company.belongs_to(&p.number, id)));
    let newest = ["ForbidRecording"];
    let fields: Vec<&str> = USER_FIELDS
        .into_iter()
        .filter(|n| world.config.at_least_update(10) || !newest.contains(n))
        .collect();
    let shape = shape(world, "Users", "User", &fields, &["Groups"]);
    query.page(all.map(|person| user_json(company, person)), &shape, host)
}

/// One person: `/Users(Number='100')` since 20.0.8, `/Users/Pbx.GetByNumber(number='100')` before.
pub fn user_by_number(
    world: &World,
    rest: &str,
    query: &Query,
    department: Option<i32>,
    host: &str,
) -> Result<Reply, Reply> {
    let inside = |before: &str| {
        let number = rest.strip_prefix(before)?.strip_suffix(')')?;
        Some(number.trim_matches('\''))
    };
    let number = if world.config.at_least_update(8) {
        inside("/Users(Number=")
    } else {
        inside("/Users/Pbx.GetByNumber(number=")
    };
    let person = world.company.people.iter().find(|p| Some(p.number.as_str()) == number);
    let person = person.filter(|p| department.is_none_or(|id| world.company.belongs_to(&p.number, id)));
    let person = person.ok_or_else(|| Reply::empty(404))?;
    let shape = shape(world, "Users", "User", &USER_FIELDS, &["Groups"]);
    let mut object = query.render(&user_json(&world.company, person), &shape);
    object["@odata.context"] = json!(format!("{host}/xapi/v1/$metadata#Users/$entity"));
    Ok(Reply::json(object))
}

/// Whether an answer to this query holds secrets.
pub fn shows_secrets(query: &Query) -> bool {
    query
        .selected()
        .is_none_or(|names| names.iter().any(|n| SECRET_FIELDS.contains(&n.as_str())))
}

/// `GET /Groups`.
pub fn groups(world: &World, query: &Query, department: Option<i32>, host: &str) -> Result<Reply, Reply> {
    let company = &world.company;
    let one = |d: &super::company::Department| {
        let members = members(company, d.id);
        object(json!({
            "Id": d.id,
            "Number": d.number,
            "Name": d.name,
            "IsDefault": d.number == "GRP0000",
            "HasMembers": !members.is_empty(),
            "Language": "EN",
            "TimeZoneId": "51",
            "CurrentGroupHours": "Default",
            "TranscriptionMode": "Inherit",
            "Members": members,
            "Rights": department_rights(),
        }))
    };
    let all = company
        .departments
        .iter()
        .filter(|d| department.is_none_or(|id| id == d.id))
        .map(one);
    query.page(
        all,
        &shape(world, "Groups", "Group", &GROUP_FIELDS, &["Members", "Rights"]),
        host,
    )
}

/// `GET /Groups({id})/Members` and `/Groups({id})/Rights`.
pub fn group_part(world: &World, id: i32, part: &str, query: &Query, host: &str) -> Result<Reply, Reply> {
    if world.company.department(id).is_none() {
        return Err(Reply::error(404, "", "WARNINGS.XAPI.NOT_FOUND"));
    }
    match part {
        "Members" => {
            let all = members(&world.company, id).into_iter().map(object);
            let shape = shape(
                world,
                "Groups/Members",
                "UserGroup",
                &MEMBER_FIELDS,
                &["Rights", "GroupRights"],
            );
            query.page(all, &shape, host)
        }
        "Rights" => {
            let all = department_rights().into_iter().map(object);
            query.page(all, &shape(world, "Groups/Rights", "Rights", &RIGHTS_FIELDS, &[]), host)
        }
        _ => Err(Reply::empty(404)),
    }
}

fn members(company: &Company, id: i32) -> Vec<Value> {
    let of = |p: &Person| {
        p.memberships
            .iter()
            .filter(|m| m.department_id == id)
            .cloned()
            .collect::<Vec<_>>()
    };
    let people = company
        .people
        .iter()
        .flat_map(|p| of(p).into_iter().map(move |m| member_json(company, p, &m)));
    let hunts = company.hunts.iter().filter(|h| h.department_id == id).map(|h| {
        json!({
            "Id": h.id + 5_000,
            "GroupId": id,
            "Number": h.number,
            "Name": company.department(id).map(|d| d.name.clone()),
            "MemberName": h.name,
            "Type": if h.rings_all { "RingGroup" } else { "Queue" },
            "CanDelete": true,
            "Tags": [],
        })
    });
    people.chain(hunts).collect()
}

fn department_rights() -> Vec<Value> {
    ROLES
        .iter()
        .map(|role| rights_json(role, &rights_of_role(role)))
        .collect()
}

/// `GET /Peers`.
pub fn peers(world: &World, query: &Query, department: Option<i32>, host: &str) -> Result<Reply, Reply> {
    let company = &world.company;
    let in_department = |id: i32, primary: bool, role: Option<&str>| {
        let d = company.department(id);
        let mut entry = object(json!({
            "GroupID": id,
            "Number": d.map(|d| d.number.clone()),
            "Name": d.map(|d| d.name.clone()),
            "IsPrimary": primary,
        }));
        if let Some(role) = role {
            entry.insert("RoleName".into(), json!(role));
        }
        Value::Object(entry)
    };
    let people = company.people.iter().map(|p| {
        let of = p.memberships.iter().enumerate();
        let of: Vec<_> = of
            .map(|(at, m)| in_department(m.department_id, at == 0, Some(&m.role)))
            .collect();
        peer(p.id, &p.number, &p.display(), "Extension", of)
    });
    let hunts = company.hunts.iter().map(|h| {
        let kind = if h.rings_all { "RingGroup" } else { "Queue" };
        peer(
            h.id,
            &h.number,
            &h.name,
            kind,
            vec![in_department(h.department_id, true, None)],
        )
    });
    let visible = |o: &Object| {
        let number = o.get("Number").and_then(Value::as_str).unwrap_or_default();
        department.is_none_or(|id| company.belongs_to(number, id))
    };
    let all = people.chain(hunts).filter(visible);
    let needs_expand = world.config.peers_need_expand;
    let fields: Vec<&str> = PEER_FIELDS
        .into_iter()
        .filter(|n| !needs_expand || *n != "MemberOf")
        .collect();
    query.page(all, &shape(world, "Peers", "Peer", &fields, &["MemberOf"]), host)
}

fn peer(id: i32, number: &str, name: &str, kind: &str, member_of: Vec<Value>) -> Object {
    object(json!({
        "Id": id, "Number": number, "Name": name, "Type": kind, "Hidden": false, "Tags": [], "MemberOf": member_of,
    }))
}

fn shape<'a>(
    world: &World,
    set: &'a str,
    kind: &'a str,
    fields: &'a [&'a str],
    navigation: &'a [&'a str],
) -> Shape<'a> {
    Shape {
        set,
        kind,
        fields,
        navigation,
        max_top: Some(100),
        zeros_left_out: world.config.zeros_left_out,
    }
}
