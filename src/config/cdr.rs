//! `[cdr]`: the lines that a PBX writes about each call to a socket (3CX "CDR output").

use std::net::{IpAddr, SocketAddr};

use super::raw::RawCdr;
use super::value::{Resolver, host_and_port};

/// The CDR socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cdr {
    /// Where the PBX connects to us.
    pub listen: Option<SocketAddr>,
    /// Who may connect; empty: the PBX's own address alone.
    pub allow: Vec<IpAddr>,
    /// Host and port where we connect to the PBX.
    pub connect: Option<(String, u16)>,
    /// The order of fields; `None`: 3CX's own, as told by what comes.
    pub fields: Option<Vec<CdrField>>,
    /// The lines are where calls are taken from (`pbx.generation = "cdr"`); else they only say "look now".
    pub source: bool,
}

/// A field of a CDR line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum CdrField {
    HistoryId,
    CallId,
    Duration,
    TimeStart,
    TimeAnswered,
    TimeEnd,
    ReasonTerminated,
    FromNo,
    ToNo,
    FromDn,
    ToDn,
    DialNo,
    ReasonChanged,
    FinalNumber,
    FinalDn,
    BillCode,
    BillRate,
    BillCost,
    BillName,
    Chain,
    FromType,
    ToType,
    FinalType,
    FromDispname,
    ToDispname,
    FinalDispname,
    MissedQueueCalls,
    /// One that is passed over.
    Skip,
}

use CdrField as F;

/// 3CX's words for the fields, in the order in which v18 and v20 write them unless told otherwise (27 fields; the last
/// is ours).
const WORDS: [(CdrField, &str); 28] = [
    (F::HistoryId, "historyid"),
    (F::CallId, "callid"),
    (F::Duration, "duration"),
    (F::TimeStart, "time-start"),
    (F::TimeAnswered, "time-answered"),
    (F::TimeEnd, "time-end"),
    (F::ReasonTerminated, "reason-terminated"),
    (F::FromNo, "from-no"),
    (F::ToNo, "to-no"),
    (F::FromDn, "from-dn"),
    (F::ToDn, "to-dn"),
    (F::DialNo, "dial-no"),
    (F::ReasonChanged, "reason-changed"),
    (F::FinalNumber, "final-number"),
    (F::FinalDn, "final-dn"),
    (F::BillCode, "bill-code"),
    (F::BillRate, "bill-rate"),
    (F::BillCost, "bill-cost"),
    (F::BillName, "bill-name"),
    (F::Chain, "chain"),
    (F::FromType, "from-type"),
    (F::ToType, "to-type"),
    (F::FinalType, "final-type"),
    (F::FromDispname, "from-dispname"),
    (F::ToDispname, "to-dispname"),
    (F::FinalDispname, "final-dispname"),
    (F::MissedQueueCalls, "missed-queue-calls"),
    (F::Skip, "skip"),
];

impl CdrField {
    /// The 27 fields of v18 and v20, in their order.
    pub fn default_order() -> Vec<CdrField> {
        WORDS
            .iter()
            .map(|(field, _)| *field)
            .filter(|field| *field != F::Skip)
            .collect()
    }

    /// The 23 fields that another public receiver expects: no billing but the code, no missed calls of queues, and the
    /// final type first.
    pub fn short_order() -> Vec<CdrField> {
        let left_out = [F::BillRate, F::BillCost, F::BillName, F::MissedQueueCalls, F::FinalType];
        let mut order: Vec<CdrField> = CdrField::default_order();
        order.retain(|field| !left_out.contains(field));
        let at = order
            .iter()
            .position(|field| *field == F::FromType)
            .unwrap_or(order.len());
        order.insert(at, F::FinalType);
        order
    }

    /// The first 20 of the 27: what older versions wrote.
    pub fn old_order() -> Vec<CdrField> {
        CdrField::default_order().into_iter().take(20).collect()
    }

    /// 3CX's word for it.
    pub fn word(self) -> &'static str {
        WORDS
            .iter()
            .find(|(field, _)| *field == self)
            .map_or("skip", |(_, word)| word)
    }

    /// The field with this name; case, `-` and `_` don't matter.
    pub fn from_word(word: &str) -> Option<CdrField> {
        let bare = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
        WORDS
            .iter()
            .find(|(_, known)| bare(known) == bare(word.trim()))
            .map(|(field, _)| *field)
    }
}

/// Resolves the table; `source` says that calls are taken from the lines. `None`: neither way to receive them is set.
pub(super) fn cdr(typed: &mut Resolver, raw: RawCdr, source: bool) -> Option<Cdr> {
    let listen = typed.text(
        "cdr.listen",
        raw.listen,
        "",
        "Address and port where the PBX connects to us with its CDR lines, for example \"0.0.0.0:5015\".",
    );
    let listen = Some(listen).filter(|text| !text.is_empty()).and_then(|text| {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            typed.wrong(
                "cdr.listen",
                format!("\"{text}\" is no address and port; write \"0.0.0.0:5015\""),
            );
        }
        parsed
    });
    let allowed = raw.allow.unwrap_or_default();
    typed.note(
        "cdr.allow",
        &format!("{allowed:?}"),
        "Addresses that may connect there; the PBX's own unless given.",
    );
    let mut allow: Vec<IpAddr> = Vec::new();
    for text in &allowed {
        match text.parse() {
            Ok(address) => allow.push(address),
            Err(_) => typed.wrong("cdr.allow", format!("\"{text}\" is no address; write \"192.0.2.10\"")),
        }
    }
    let connect = typed.text(
        "cdr.connect",
        raw.connect,
        "",
        "Host and port of the PBX where we connect to get them, for example \"pbx.example.com:5015\".",
    );
    let connect = Some(connect).filter(|text| !text.is_empty()).and_then(|text| {
        let (host, port) = host_and_port(&text, 0);
        if host.is_empty() || port == 0 || text.contains(['/', ' ', '@']) {
            typed.wrong(
                "cdr.connect",
                format!("\"{text}\" is no host and port; write \"pbx.example.com:5015\""),
            );
            return None;
        }
        Some((host, port))
    });
    let named = raw.fields.unwrap_or_default();
    typed.note(
        "cdr.fields",
        &format!("{named:?}"),
        "The PBX's fields in its order, by 3CX's names (\"skip\" for others); 3CX's own orders are recognised.",
    );
    let mut fields = Vec::new();
    for name in &named {
        match CdrField::from_word(name) {
            Some(field) if field != F::Skip && fields.contains(&field) => {
                typed.wrong("cdr.fields", format!("\"{name}\" is there twice"));
            }
            Some(field) => fields.push(field),
            None => typed.wrong(
                "cdr.fields",
                format!("\"{name}\" is no field of 3CX; write \"skip\" for it"),
            ),
        }
    }
    if !named.is_empty() && !fields.contains(&F::TimeStart) {
        typed.wrong("cdr.fields", "\"time-start\" must be among them".to_owned());
    }
    (listen.is_some() || connect.is_some()).then(|| Cdr {
        listen,
        allow,
        connect,
        fields: Some(fields).filter(|fields| !fields.is_empty()),
        source,
    })
}
