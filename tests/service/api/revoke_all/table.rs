//! What an epoch ends and what not: environment × owner × customer × before or after × tied anew × transferred.

use super::*;

#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Transfer(&'static str),
    Tie(&'static [&'static str]),
}

/// A credential: kind, environment, owner and customers, and what happens to it before and after the epoch.
struct Case {
    kind: &'static str,
    environment: &'static str,
    owner: &'static str,
    customers: &'static [&'static str],
    before: Then,
    after: Then,
}

const fn case(
    (kind, environment): (&'static str, &'static str),
    owner: &'static str,
    customers: &'static [&'static str],
    before: Then,
    after: Then,
) -> Case {
    Case { kind, environment, owner, customers, before, after }
}

const KEY: (&str, &str) = ("keys", "staging");
const CLIENT: (&str, &str) = ("clients", "staging");

const CASES: &[Case] = &[
    case(KEY, "", &[], Then::Nothing, Then::Nothing),
    case(KEY, "ann", &[], Then::Nothing, Then::Transfer("bob")),
    case(CLIENT, "ann", &[], Then::Nothing, Then::Nothing),
    case(KEY, "", &["acme"], Then::Nothing, Then::Transfer("ann")),
    case(CLIENT, "ann", &["acme"], Then::Nothing, Then::Tie(&["zeta"])),
    case(KEY, "ann", &["acme", "zeta"], Then::Nothing, Then::Nothing),
    case(KEY, "bob", &["zeta"], Then::Nothing, Then::Nothing),
    case(KEY, "bob", &["acme"], Then::Transfer("ann"), Then::Nothing),
    case(KEY, "ann", &["acme"], Then::Transfer("bob"), Then::Nothing),
    case(KEY, "ann", &["zeta"], Then::Tie(&["acme"]), Then::Nothing),
    case(KEY, "ann", &["acme"], Then::Tie(&["zeta"]), Then::Nothing),
    case(KEY, "bob", &["acme"], Then::Nothing, Then::Transfer("ann")),
    case(KEY, "ann", &["zeta"], Then::Nothing, Then::Tie(&["acme"])),
    case(CLIENT, "ann", &[], Then::Nothing, Then::Tie(&["acme", "zeta"])),
    case(("keys", "production"), "ann", &["acme"], Then::Nothing, Then::Nothing),
    case(("keys", "production"), "bob", &[], Then::Nothing, Then::Nothing),
];

/// What an epoch names: environment, owner, customer.
type Named = (Option<&'static str>, Option<&'static str>, Option<&'static str>);

const NAMED: [Named; 6] = [
    (None, Some("ann"), None),
    (None, None, Some("acme")),
    (None, Some("ann"), Some("acme")),
    (Some("staging"), Some("ann"), None),
    (Some("staging"), None, Some("acme")),
    (Some("staging"), Some("ann"), Some("acme")),
];

/// One round's users and customers, and who manages.
struct Stage<'s> {
    server: &'s Server,
    round: usize,
    tokens: [(&'static str, String); 2],
}

struct Made {
    case: &'static Case,
    id: String,
    secret: String,
    ends: bool,
}

impl Stage<'_> {
    fn email(&self, name: &str) -> String {
        format!("{name}-{}@example.com", self.round)
    }

    fn customer(&self, name: &str) -> String {
        format!("{name}-{}", self.round)
    }

    fn call(&self, environment: &str, method: &str, path: &str, body: Option<&Value>) -> Response {
        let (_, token) = self.tokens.iter().find(|(of, _)| *of == environment).unwrap();
        self.server.api(method, path, token, body)
    }

    fn make(&self, case: &'static Case, (environment, owner, customer): Named) -> Made {
        let mut body = json!({
            "name": "k", "environment": case.environment, "scopes": ["orders:read"],
            "rate_per_minute": null, "burst_per_second": null,
            "customers": case.customers.iter().map(|name| self.customer(name)).collect::<Vec<_>>(),
        });
        if !case.owner.is_empty() {
            body["owner"] = json!(self.email(case.owner));
        }
        let made = self.call(case.environment, "POST", &format!("/{}", case.kind), Some(&body));
        assert_eq!(made.status, 201, "{}", made.text);
        let secret = if case.kind == "keys" { &made.body["key"] } else { &made.body["client_secret"] };
        let mut made = Made { case, id: text(&made.body["id"]), secret: text(secret), ends: false };
        assert_eq!(self.change(&made, case.before).map_or(200, |done| done.status), 200);
        let owner_then = if let Then::Transfer(to) = case.before { to } else { case.owner };
        let customers_then = if let Then::Tie(to) = case.before { to } else { case.customers };
        made.ends = environment.is_none_or(|environment| environment == case.environment)
            && owner.is_none_or(|owner| owner == owner_then)
            && customer.is_none_or(|customer| customers_then.contains(&customer));
        made
    }

    fn change(&self, made: &Made, then: Then) -> Option<Response> {
        let path = format!("/{}/{}", made.case.kind, made.id);
        let (method, path, body) = match then {
            Then::Nothing => return None,
            Then::Transfer(to) => ("POST", format!("{path}/transfer"), json!({"owner": self.email(to)})),
            Then::Tie(to) => {
                let customers: Vec<String> = to.iter().map(|name| self.customer(name)).collect();
                ("PATCH", path, json!({"customers": customers}))
            }
        };
        Some(self.call(made.case.environment, method, &path, Some(&body)))
    }

    /// Makes the epoch: as the owner of staging where it names that, else as the command line.
    fn revoke(&self, (environment, owner, customer): Named) -> (i64, i64) {
        let (owner, customer) = (owner.map(|name| self.email(name)), customer.map(|name| self.customer(name)));
        let done = if environment.is_some() {
            let body = json!({"environment": environment, "owner": owner, "customer": customer});
            let done = self.call("staging", "POST", "/revoke-all", Some(&body));
            assert_eq!(done.status, 200, "{}", done.text);
            done.body
        } else {
            let mut arguments = vec!["revoke-all", "--yes"];
            arguments.extend(owner.iter().flat_map(|owner| ["--owner", owner]));
            arguments.extend(customer.iter().flat_map(|customer| ["--customer", customer]));
            self.server.cli(&arguments)
        };
        (done["clients"].as_i64().unwrap(), done["keys"].as_i64().unwrap())
    }

    fn is_accepted(&self, made: &Made) -> bool {
        if made.case.kind == "keys" {
            return passes(self.server, made.case.environment, &made.secret);
        }
        let client = crate::support::TestClient { id: made.id.clone(), secret: made.secret.clone() };
        let form = [("grant_type", "client_credentials")];
        self.server.post_form("/staging/api/oauth/token", &client, &form).status == 200
    }

    /// Asserts what decisions, reads and lists say, and returns the objects as they are shown.
    fn assert_shown(&self, all: &[Made], named: Named) -> Vec<Value> {
        let lists = |status: &str| -> Vec<String> {
            let pages = [("production", "keys"), KEY_AT, CLIENT_AT].map(|(environment, kind)| {
                let path = format!("/{kind}?status={status}&limit=1000");
                column(&self.call(environment, "GET", &path, None), "id")
            });
            pages.concat()
        };
        let (revoked, active) = (lists("revoked"), lists("active"));
        let mut shown = Vec::new();
        for (number, made) in all.iter().enumerate() {
            let place = format!("{named:?}, case {number}");
            assert_eq!(self.is_accepted(made), !made.ends, "{place}");
            let path = format!("/{}/{}", made.case.kind, made.id);
            let mut object = self.call(made.case.environment, "GET", &path, None).body;
            assert_eq!(object["status"], if made.ends { "revoked" } else { "active" }, "{place}");
            assert_eq!((revoked.contains(&made.id), active.contains(&made.id)), (made.ends, !made.ends), "{place}");
            if made.ends {
                // Its last use may be stored meanwhile.
                object.as_object_mut().unwrap().retain(|name, value| !name.contains("last_used") && !value.is_array());
                shown.push(object);
            }
        }
        shown
    }
}

const KEY_AT: (&str, &str) = ("staging", "keys");
const CLIENT_AT: (&str, &str) = ("staging", "clients");

fn round(server: &Server, round: usize, named: Named) {
    let tokens = ["production", "staging"].map(|environment| (environment, server.owner_of(environment)));
    let stage = Stage { server, round, tokens };
    for name in ["ann", "bob"] {
        made_user(server, &server.owner(), &stage.email(name), "developer");
    }
    for name in ["acme", "zeta"] {
        entered_customer(server, &server.owner(), &stage.customer(name));
    }
    let mut all: Vec<Made> = CASES.iter().map(|case| stage.make(case, named)).collect();
    let ended = |kind: &str| all.iter().filter(|made| made.ends && made.case.kind == kind).count();
    let expected = (i64::try_from(ended("clients")).unwrap(), i64::try_from(ended("keys")).unwrap());
    assert_eq!(stage.revoke(named), expected, "{named:?}");
    let first = all.iter().find(|made| made.ends).unwrap();
    eventually("the epoch is followed", Duration::from_secs(5), || !stage.is_accepted(first));
    for made in &all {
        if let Some(changed) = stage.change(made, made.case.after) {
            assert_eq!(changed.status, if made.ends { 409 } else { 200 }, "{named:?}: {}", changed.text);
        }
    }
    // What is made later is not ended, whatever it belongs to.
    all.extend(CASES.iter().take(6).map(|case| Made { ends: false, ..stage.make(case, named) }));
    let before = stage.assert_shown(&all, named);
    server.work(Work::ExpandEpochs);
    assert_eq!(open_epochs(&server.database), 0);
    assert_eq!(stage.assert_shown(&all, named), before, "an object is shown as its row will be");
    for made in &all {
        let events = revocations(server, &made.id);
        let expected = if made.ends { 1 } else { 0 };
        assert_eq!(events.len(), expected, "{named:?}: {events:?}");
        let state = if made.ends { "revoked" } else { "enabled" };
        assert_eq!(states(server, &[&made.id]), [state]);
        if let Some(event) = events.first() {
            assert_eq!(
                (&event["reason"], &event["environment"]),
                (&json!("revoke_all"), &json!(made.case.environment))
            );
        }
    }
}

both! {
    fn an_epoch_ends_what_all_that_it_names_applies_to_at_that_moment(database) {
        let server = Server::start(database);
        for (number, named) in NAMED.into_iter().enumerate() {
            round(&server, number, named);
        }
    }
}
