//! The people, departments, queues and ring groups of the simulated company.
//!
//! Names come as they do in the field: quotes, commas, emoji, other scripts, a path, a line break.

use serde_json::{Map, Value, json};

use super::config::PbxConfig;
use crate::seed::Rng;

/// 3CX's seven role names, from the mightiest to the least (3CX endpoint documentation).
pub const ROLES: [&str; 7] = [
    "system_owners",
    "system_admins",
    "group_owners",
    "managers",
    "group_admins",
    "receptionists",
    "users",
];

const FIRST: [&str; 32] = [
    "Anna",
    "Bob \"Bobby\"",
    "Chloë",
    "D'Arcy",
    "Émile",
    "Фёдор",
    "Grace 🎧",
    "Hüseyin",
    "Ingrid\nMaria",
    "Jürgen",
    "Kwame",
    "Łucja",
    "María José",
    "Nguyễn",
    "Ólafur",
    "Priya",
    "Quentin",
    "Renée",
    "Søren",
    "Tamar",
    "Uma",
    "Višnja",
    "Wei",
    "Xiomara",
    "Yael",
    "Zoë",
    "Liam",
    "Aoife",
    "Mateo",
    "Noor",
    "山田",
    "<b>Ted</b>",
];
const LAST: [&str; 32] = [
    "Smith",
    "O'Brien",
    "../../etc",
    "Müller-Lüdenscheidt",
    "García, Jr.",
    "Nowak",
    "van der Berg",
    "Иванова",
    "Øster",
    "100% Sure",
    "D’Angelo",
    "太郎",
    "Kowalska",
    "Ferreira da Silva",
    "McDonald",
    "Null",
    "Åkesson",
    "Schmidt; DROP",
    "Haddad",
    "Rossi",
    "Papadopoulos",
    "Kim",
    "Abdullah",
    "Jones",
    "Horvat",
    "Singh",
    "Novák",
    "Lefèvre",
    "Brown",
    "Ito",
    "Weiß",
    "True",
];
const DEPARTMENTS: [&str; 8] = [
    "Sales",
    "Support & Service",
    "Finance",
    "Werkstatt",
    "Ärzte/Praxis",
    "HR",
    "Logistics",
    "R&D",
];

/// A person's place in a department.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Id of the membership itself.
    pub id: i32,
    /// The department's id.
    pub department_id: i32,
    /// Role in it, one of [`ROLES`].
    pub role: String,
    /// Rights that this member has besides those of the role.
    pub extra_rights: Vec<&'static str>,
}

/// Somebody with an extension.
#[derive(Clone, Debug)]
pub struct Person {
    /// Id of the DN.
    pub id: i32,
    /// Extension number.
    pub number: String,
    /// First name, as typed.
    pub first: String,
    /// Last name, as typed.
    pub last: String,
    /// Departments; the first is the primary one.
    pub memberships: Vec<Membership>,
    /// Calls of this extension are recorded.
    pub records: bool,
    /// … but only those with the outside.
    pub external_only: bool,
}

impl Person {
    /// The name as 3CX shows it in calls.
    pub fn display(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// A department (`Pbx.Group`).
#[derive(Clone, Debug)]
pub struct Department {
    /// Id.
    pub id: i32,
    /// Number, `GRP0000` for the default one.
    pub number: String,
    /// Name.
    pub name: String,
}

/// A queue, or a ring group that rings all its phones at once.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// Id of the DN.
    pub id: i32,
    /// Number.
    pub number: String,
    /// Name.
    pub name: String,
    /// A ring group instead of a queue.
    pub rings_all: bool,
    /// Extension numbers of its agents.
    pub agents: Vec<String>,
    /// The department that it belongs to.
    pub department_id: i32,
}

/// Everybody and everything with a number.
#[derive(Clone, Debug)]
pub struct Company {
    /// People, by extension number.
    pub people: Vec<Person>,
    /// Departments.
    pub departments: Vec<Department>,
    /// Queues and ring groups.
    pub hunts: Vec<Hunt>,
    /// The company's own numbers, as bare digits.
    pub dids: Vec<String>,
}

impl Company {
    /// The company that belongs to a seed.
    pub fn generate(config: &PbxConfig) -> Self {
        let mut rng = Rng::of(config.seed, "company", 0);
        let mut id = 27;
        let mut next_id = |rng: &mut Rng| {
            id += rng.range(1, 3) as i32;
            id
        };
        let mut departments = vec![Department {
            id: next_id(&mut rng),
            number: "GRP0000".into(),
            name: "DEFAULT".into(),
        }];
        for n in 0..config.departments as usize {
            let round = n / DEPARTMENTS.len();
            let name = DEPARTMENTS[n % DEPARTMENTS.len()];
            departments.push(Department {
                id: next_id(&mut rng),
                number: format!("GRP{:04}", n + 1),
                name: if round == 0 {
                    name.into()
                } else {
                    format!("{name} {}", round + 1)
                },
            });
        }
        let mut people = Vec::new();
        for n in 0..config.extensions.max(4) {
            let home = if departments.len() > 1 {
                1 + n as usize % (departments.len() - 1)
            } else {
                0
            };
            // The first person owns the system, the first of each department manages it.
            let role = match n {
                0 => "system_owners",
                _ if (n as usize) < departments.len() => "managers",
                _ if n % 11 == 5 => "receptionists",
                _ if n % 13 == 7 => "group_admins",
                _ => "users",
            };
            let extra = if role == "users" && rng.chance(0.1) {
                vec!["CanSeeGroupRecordings"]
            } else {
                Vec::new()
            };
            let mut memberships = vec![Membership {
                id: next_id(&mut rng),
                department_id: departments[home].id,
                role: role.into(),
                extra_rights: extra,
            }];
            if n % 7 == 3 && home != 0 {
                memberships.push(Membership {
                    id: next_id(&mut rng),
                    department_id: departments[0].id,
                    role: "users".into(),
                    extra_rights: Vec::new(),
                });
            }
            let (first, last) = (rng.below(32) as usize, rng.below(32) as usize);
            people.push(Person {
                id: next_id(&mut rng),
                number: (100 + n).to_string(),
                // The first ones take the whole list of awkward names, so that every company has them.
                first: FIRST[if n < 32 { n as usize } else { first }].into(),
                last: LAST[if n < 32 { n as usize } else { last }].into(),
                memberships,
                records: rng.chance(config.recorded_share),
                external_only: rng.chance(0.15),
            });
        }
        // Without anybody who records (and anybody who does not) half of the stories could not happen.
        if config.recorded_share > 0.0 {
            people[0].records = true;
            people[0].external_only = false;
        }
        if config.recorded_share >= 1.0 {
            people
                .iter_mut()
                .for_each(|p| (p.records, p.external_only) = (true, false));
        }
        let mut hunts = Vec::new();
        for n in 0..config.queues.max(1) * 2 {
            let rings_all = n % 2 == 1;
            let department = &departments[(1 + n as usize / 2) % departments.len()];
            let count = rng.range(2, 5).min(people.len() as i64) as usize;
            let from = rng.below(people.len() as u64) as usize;
            let agents = (0..count).map(|i| people[(from + i * 3) % people.len()].number.clone());
            let mut agents: Vec<String> = agents.collect();
            agents.sort();
            agents.dedup();
            hunts.push(Hunt {
                id: next_id(&mut rng),
                number: (800 + n).to_string(),
                name: format!("{} {}", department.name, if rings_all { "all phones" } else { "queue" }),
                rings_all,
                agents,
                department_id: department.id,
            });
        }
        // Fictional numbers: 01632 960xxx is set aside by Ofcom for drama.
        let dids = (0..3).map(|n| format!("441632960{}", 100 + n)).collect();
        Self {
            people,
            departments,
            hunts,
            dids,
        }
    }

    /// The person with this extension.
    pub fn person(&self, number: &str) -> Option<&Person> {
        self.people.iter().find(|p| p.number == number)
    }

    /// The department with this id.
    pub fn department(&self, id: i32) -> Option<&Department> {
        self.departments.iter().find(|d| d.id == id)
    }

    /// The queue or ring group with this number.
    pub fn hunt(&self, number: &str) -> Option<&Hunt> {
        self.hunts.iter().find(|h| h.number == number)
    }

    /// Whether a number (person, queue or ring group) belongs to the department with this id.
    pub fn belongs_to(&self, number: &str, department_id: i32) -> bool {
        self.person(number)
            .is_some_and(|p| p.memberships.iter().any(|m| m.department_id == department_id))
            || self.hunt(number).is_some_and(|h| h.department_id == department_id)
    }
}

/// The rights that a role has in a department as 3CX ships it; an administrator may change them. (The exact table is
/// only published as an image; the recordings column follows 3CX's role descriptions.)
pub fn rights_of_role(role: &str) -> Vec<&'static str> {
    let mut rights = vec![
        "CanSeeGroupMembers",
        "ShowMyPresence",
        "ShowMyCalls",
        "AllowToChangePresence",
    ];
    if role == "users" {
        return rights;
    }
    rights.extend(["CanSeeGroupCalls", "PerformOperations", "AllowParking", "AllowIVR"]);
    if role == "receptionists" {
        return rights;
    }
    rights.extend(["CanIntercom", "AllowToManageCompanyBook"]);
    if role == "group_admins" {
        return rights;
    }
    rights.extend(["CanSeeGroupRecordings", "CanBargeIn", "AssignClearOperations"]);
    rights
}

/// A `Pbx.Rights` object: unset booleans are absent.
pub fn rights_json(role: &str, rights: &[&'static str]) -> Value {
    let mut object = Map::new();
    object.insert("RoleName".into(), json!(role));
    for right in rights {
        object.insert((*right).into(), json!(true));
    }
    Value::Object(object)
}
