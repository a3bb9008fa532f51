//! What events of the audit log are looked up by.

use diesel::prelude::*;

use super::schema::audit_log;
use crate::domain::audit::EventFilter;

/// A value that events are found by: a hash of the column and the value. Two values may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub(super) i64);

impl Term {
    /// FNV-1a, which is the same in all releases.
    fn of(column: &str, value: &str) -> Self {
        let bytes = column.bytes().chain([b'=']).chain(value.bytes());
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(i64::try_from(hash >> 1).unwrap_or(0))
    }
}

/// What is indexed of an event.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub struct Indexed {
    pub(super) serial: i64,
    pub(super) time: i64,
    actor: String,
    credential: Option<String>,
    customer: Option<String>,
    action: String,
    target: Option<String>,
    environment: Option<String>,
    outcome: String,
    reason: String,
    address: Option<String>,
}

impl Indexed {
    /// Returns the terms of the event. A credential that is its own actor has one term for both.
    pub fn terms(&self) -> impl Iterator<Item = Term> {
        let (actor, credential) = (&self.actor, &self.credential);
        let (actor, credential) = match credential {
            Some(own) if own == actor => (Term::of("self", actor), None),
            _ => (Term::of("actor", actor), credential.as_ref()),
        };
        let optional = [
            ("credential", credential),
            ("customer", self.customer.as_ref()),
            ("target", self.target.as_ref()),
            ("address", self.address.as_ref()),
        ];
        let always = [
            actor,
            Term::of("action", &self.action),
            Term::of("environment", self.environment.as_deref().unwrap_or("")),
            Term::of("outcome", &self.outcome),
            Term::of("reason", &self.reason),
        ];
        let optional = optional.into_iter().filter_map(|(column, value)| value.map(|value| Term::of(column, value)));
        always.into_iter().chain(optional)
    }
}

/// Returns the terms of each condition of `filter`: an event that meets the condition has one of them.
pub fn conditions(filter: &EventFilter) -> Vec<Vec<Term>> {
    let mut all = Vec::new();
    let one = |column: &str, value: &str| vec![Term::of(column, value)];
    all.extend(filter.target.as_deref().map(|target| one("target", target)));
    if let Some(credential) = &filter.credential {
        all.push(["self", "credential", "target"].map(|column| Term::of(column, credential)).to_vec());
    }
    all.extend(filter.actor.as_deref().map(|actor| ["self", "actor"].map(|column| Term::of(column, actor)).to_vec()));
    all.extend(filter.customer.as_deref().map(|customer| one("customer", customer)));
    all.extend(filter.address.map(|address| one("address", &address.to_string())));
    all.extend(filter.action.map(|action| one("action", action.as_str())));
    all.extend(filter.reason.map(|reason| one("reason", reason.as_str())));
    all.extend(filter.outcome.map(|outcome| one("outcome", outcome.as_str())));
    if !filter.customers.is_empty() {
        all.push(filter.customers.iter().map(|customer| Term::of("customer", customer)).collect());
    }
    if let Some(environment) = &filter.environment {
        let shared = filter.with_shared.then_some("");
        let environments = [Some(environment.as_str()), shared].into_iter().flatten();
        all.push(environments.map(|environment| Term::of("environment", environment)).collect());
    }
    all
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An event of the client `cli_1`.
    pub fn event(serial: i64, time: i64, actor: &str) -> Indexed {
        Indexed {
            serial,
            time,
            actor: actor.to_owned(),
            credential: Some("cli_1".to_owned()),
            customer: None,
            action: "token.issue".to_owned(),
            target: None,
            environment: None,
            outcome: "success".to_owned(),
            reason: "ok".to_owned(),
            address: None,
        }
    }

    #[test]
    fn terms_stay_the_same() {
        assert_eq!(Term::of("action", "token.issue").0, 1_817_884_288_457_704_299);
        assert_ne!(Term::of("actor", "x"), Term::of("target", "x"));
    }

    #[test]
    fn an_event_has_a_term_of_each_condition_that_it_meets() {
        let own = event(1, 1, "cli_1");
        let others =
            Indexed { target: Some("key_1".to_owned()), customer: Some("c".to_owned()), ..event(2, 2, "usr_1") };
        let of = |filter: EventFilter| {
            let conditions = conditions(&filter);
            [&own, &others].map(|event| {
                conditions.iter().all(|terms| event.terms().any(|term| terms.contains(&term))) && !conditions.is_empty()
            })
        };
        let text = |text: &str| Some(text.to_owned());
        let all = EventFilter::default;
        assert_eq!(of(EventFilter { credential: text("cli_1"), ..all() }), [true, true]);
        assert_eq!(of(EventFilter { credential: text("key_1"), ..all() }), [false, true], "as a target");
        assert_eq!(of(EventFilter { actor: text("cli_1"), ..all() }), [true, false]);
        assert_eq!(of(EventFilter { actor: text("usr_1"), ..all() }), [false, true]);
        assert_eq!(of(EventFilter { target: text("key_1"), ..all() }), [false, true]);
        assert_eq!(of(EventFilter { customer: text("c"), ..all() }), [false, true]);
        assert_eq!(of(EventFilter { customers: vec!["b".to_owned(), "c".to_owned()], ..all() }), [false, true]);
        assert_eq!(of(EventFilter { environment: text("staging"), ..all() }), [false, false]);
        assert_eq!(of(EventFilter { environment: text("staging"), with_shared: true, ..all() }), [true, true]);
    }
}
