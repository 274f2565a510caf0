//! OData as XAPI speaks it: `$top $skip $count $orderby $select $filter $expand`, with its known oddities.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::filter::{Condition, Op, compare, filter, pairs, split_outside};
use super::reply::Reply;
use crate::time::parse_iso;

/// What can be listed.
pub trait Entity {
    /// A field's value; `None` is null.
    fn field(&self, name: &str) -> Option<Value>;
}

impl Entity for Map<String, Value> {
    fn field(&self, name: &str) -> Option<Value> {
        self.get(name).filter(|value| !value.is_null()).cloned()
    }
}

/// The shape of a collection.
pub struct Shape<'a> {
    /// Name in the address and in `@odata.context`.
    pub set: &'a str,
    /// Type of its members, without `Pbx.`.
    pub kind: &'a str,
    /// Names of the plain fields, in the specification's order.
    pub fields: &'a [&'a str],
    /// Names of what only comes with `$expand`.
    pub navigation: &'a [&'a str],
    /// The largest `$top`; more is answered by 400.
    pub max_top: Option<usize>,
    /// Leave out numbers that are zero, as one public client saw.
    pub zeros_left_out: bool,
}

/// `$expand` of one name with what is expanded below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expand {
    /// Name.
    pub name: String,
    /// Expanded below.
    pub below: Vec<Expand>,
}

/// A request's query options.
#[derive(Clone, Debug, Default)]
pub struct Query {
    top: Option<usize>,
    skip: usize,
    count: bool,
    order: Vec<(String, bool)>,
    select: Option<Vec<String>>,
    expand: Vec<Expand>,
    filter: Vec<Condition>,
}

fn bad(message: &str) -> Reply {
    Reply::error(400, "", message)
}

impl Query {
    /// Reads the part of an address behind `?`.
    ///
    /// # Errors
    /// 400 for what is malformed, 500 for a `$filter` that the real thing chokes on.
    pub fn parse(raw: &str) -> Result<Self, Reply> {
        let mut query = Self::default();
        for (key, value) in pairs(raw) {
            let number = || {
                value
                    .parse::<usize>()
                    .map_err(|_| bad(&format!("Invalid value '{value}' for {key}.")))
            };
            match key.as_str() {
                "$top" => query.top = Some(number()?),
                "$skip" => query.skip = number()?,
                "$count" => query.count = value == "true",
                "$select" => query.select = Some(value.split(',').map(|n| n.trim().to_owned()).collect()),
                "$orderby" => query.order = order(&value)?,
                "$expand" => query.expand = expand(&value),
                "$filter" => query.filter = filter(&value)?,
                "$search" => {}
                name if name.starts_with('$') => return Err(bad(&format!("Unknown query option '{name}'."))),
                _ => {}
            }
        }
        Ok(query)
    }

    /// The span that the filter leaves open for a moment in `field`, both ends included.
    pub fn span(&self, field: &str) -> (i64, i64) {
        let (mut from, mut to) = (i64::MIN, i64::MAX);
        for condition in self.filter.iter().filter(|c| c.field == field) {
            let Some(at) = condition.literal.as_str().and_then(parse_iso) else {
                continue;
            };
            match condition.op {
                Op::Ge | Op::Gt => from = from.max(at),
                Op::Le | Op::Lt => to = to.min(at),
                Op::Eq => (from, to) = (from.max(at), to.min(at)),
                Op::Ne => {}
            }
        }
        (from, to)
    }

    /// The same without ordering by `field`: some sets accept it and don't do it.
    pub fn without_order_by(&self, field: &str) -> Self {
        let mut query = self.clone();
        query.order.retain(|(name, _)| name != field);
        query
    }

    /// Names that are asked for by `$select`.
    pub fn selected(&self) -> Option<&[String]> {
        self.select.as_deref()
    }

    /// How many rows are skipped: more than 0 is a page in the middle.
    pub fn skip(&self) -> usize {
        self.skip
    }

    fn check(&self, shape: &Shape) -> Result<(), Reply> {
        let known = |name: &str| shape.fields.contains(&name);
        let asked = self
            .order
            .iter()
            .map(|(name, _)| name)
            .chain(self.filter.iter().map(|c| &c.field));
        let mut unknown: Vec<&String> = asked.filter(|name| !known(name)).collect();
        // $select may name what is expanded as well, a filter may not.
        let is_there = |name: &str| known(name) || shape.navigation.contains(&name);
        unknown.extend(self.select.iter().flatten().filter(|name| !is_there(name)));
        if let Some(name) = unknown.first() {
            return Err(bad(&format!(
                "Could not find a property named '{name}' on type 'Pbx.{}'.",
                shape.kind
            )));
        }
        if let Some(other) = self
            .expand
            .iter()
            .find(|e| !known(&e.name) && !shape.navigation.contains(&&*e.name))
        {
            let message = format!(
                "Property '{}' on type 'Pbx.{}' can't be expanded.",
                other.name, shape.kind
            );
            return Err(bad(&message));
        }
        match (self.top, shape.max_top) {
            (Some(top), Some(max)) if top > max => Err(bad(&format!(
                "The query specified in the URI is not valid. The limit of '{max}' for Top query has been \
                 exceeded. The value from the incoming request is '{top}'."
            ))),
            _ => Ok(()),
        }
    }

    fn matches(&self, entity: &impl Entity) -> bool {
        self.filter.iter().all(|c| c.holds(entity.field(&c.field)))
    }

    /// One entity as JSON, with what `$select` and `$expand` ask for.
    pub fn render(&self, entity: &impl Entity, shape: &Shape) -> Value {
        let mut object = Map::new();
        let mut put = |name: &str| {
            if let Some(value) = entity.field(name) {
                let is_zero = shape.zeros_left_out && name != "Id" && value.as_f64() == Some(0.0);
                if !is_zero {
                    object.insert(name.to_owned(), value);
                }
            }
        };
        match &self.select {
            Some(names) => names
                .iter()
                .filter(|n| shape.fields.contains(&n.as_str()))
                .for_each(|n| put(n)),
            None => shape.fields.iter().for_each(|n| put(n)),
        }
        for expand in &self.expand {
            if let Some(mut value) = entity.field(&expand.name) {
                prune(&mut value, &expand.below);
                object.insert(expand.name.clone(), value);
            }
        }
        Value::Object(object)
    }

    /// A page of a collection.
    ///
    /// # Errors
    /// 400 for unknown names and for `$top` above the limit.
    pub fn page<E: Entity>(
        &self,
        all: impl Iterator<Item = E>,
        shape: &Shape,
        host: &str,
    ) -> Result<Reply, Reply> {
        self.check(shape)?;
        let mut found: Vec<E> = all.filter(|entity| self.matches(entity)).collect();
        let count = found.len();
        if !self.order.is_empty() {
            let keys = |e: &E| self.order.iter().map(|(n, d)| Key(e.field(n), *d)).collect::<Vec<_>>();
            found.sort_by_cached_key(keys);
        }
        let top = self.top.or(shape.max_top).unwrap_or(usize::MAX);
        let page: Vec<Value> = found
            .iter()
            .skip(self.skip)
            .take(top)
            .map(|e| self.render(e, shape))
            .collect();
        let mut body = Map::new();
        let chosen = self
            .select
            .as_ref()
            .map(|names| format!("({})", names.join(",")))
            .unwrap_or_default();
        let context = format!("{host}/xapi/v1/$metadata#{}{chosen}", shape.set);
        body.insert("@odata.context".into(), json!(context));
        if self.count {
            body.insert("@odata.count".into(), json!(count));
        }
        body.insert("value".into(), Value::Array(page));
        Ok(Reply::json(Value::Object(body)))
    }
}

/// Takes out what was not expanded: rights hang below memberships and members.
fn prune(value: &mut Value, below: &[Expand]) {
    for object in value
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        for name in ["Rights", "GroupRights"] {
            if !below.iter().any(|e| e.name == name) && object.contains_key("GroupId") {
                object.remove(name);
            }
        }
    }
}

/// A field to sort by; downwards if the flag is set.
#[derive(PartialEq)]
struct Key(Option<Value>, bool);

impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let upwards = match (&self.0, &other.0) {
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if self.1 { upwards.reverse() } else { upwards }
    }
}

fn order(text: &str) -> Result<Vec<(String, bool)>, Reply> {
    text.split(',')
        .map(|part| match part.split_whitespace().collect::<Vec<_>>().as_slice() {
            [name] | [name, "asc"] => Ok(((*name).to_owned(), false)),
            [name, "desc"] => Ok(((*name).to_owned(), true)),
            _ => Err(bad(&format!("Syntax error in $orderby: '{part}'."))),
        })
        .collect()
}

fn expand(text: &str) -> Vec<Expand> {
    let parts = split_outside(text, ',')
        .into_iter()
        .filter(|part| !part.trim().is_empty());
    let read = |part: &str| {
        let (name, options) = part.split_once('(').unwrap_or((part, ""));
        let options = options.strip_suffix(')').unwrap_or(options);
        let below = split_outside(options, ';')
            .into_iter()
            .filter_map(|o| o.trim().strip_prefix("$expand="));
        Expand {
            name: name.trim().to_owned(),
            below: below.flat_map(expand).collect(),
        }
    };
    parts.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expand_within_an_expand_is_read_right() {
        let found = expand("Groups($select=Id;$expand=Rights,GroupRights),Phones");
        assert_eq!(
            found.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(),
            ["Groups", "Phones"]
        );
        assert_eq!(
            found[0].below.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(),
            ["Rights", "GroupRights"]
        );
    }
}
