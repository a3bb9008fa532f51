//! What a customer is to APIs, and what becomes of its credentials while it is suspended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::support::{Work, eventually};

/// The claims of a token, as an API reads them that verifies offline.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Credentials of the customers acme and globex, of both, and of none.
struct Tenants {
    server: Server,
    token: String,
    acme: TestKey,
    both: TestKey,
    free: TestKey,
    acmes_client: TestClient,
    client_of_both: TestClient,
    observer: TestClient,
}

const SCOPES: &[&str] = &["orders:read", "sealwright.keys:*", "sealwright.customers:*"];

impl Tenants {
    fn start(database: crate::support::Database) -> Self {
        let server = Server::start(database);
        let token = owner(&server);
        for name in ["acme", "globex"] {
            entered_customer(&server, &token, name);
        }
        let key = |customers: &[&str]| calling_key(&server, &token, SCOPES, &json!({"customers": customers}));
        let client = |customers: &[&str]| {
            created(&server, &token, &json!({"name": "c", "scopes": ["orders:read"], "customers": customers})).1
        };
        let introspect = ["orders:read", "sealwright.tokens:introspect"];
        let observer = json!({"name": "observer", "scopes": introspect});
        Self {
            acme: key(&["acme"]),
            both: key(&["acme", "globex"]),
            free: key(&[]),
            acmes_client: client(&["acme"]),
            client_of_both: client(&["acme", "globex"]),
            observer: created(&server, &token, &observer).1,
            token,
            server,
        }
    }

    fn set(&self, verb: &str, customer: &str) -> Value {
        ok(self.server.api("POST", &format!("/customers/{customer}/{verb}"), &self.token, None))
    }

    fn verify(&self, key: &TestKey, more: Value) -> Value {
        verdict(&self.server, &self.token, &key.key, &more)
    }

    fn access_token(&self, client: &TestClient) -> String {
        text(&token_of(&self.server, client, "").body["access_token"])
    }

    /// The status of forward-auth, and the customers that it names.
    fn forwarded(&self, credential: &str, query: &str) -> (u16, String) {
        let url = format!("{}/api/v1/forward-auth{query}", self.server.url);
        let response = self.server.send(self.server.http.get(url).bearer_auth(credential));
        (response.status, response.header("x-auth-customer").to_owned())
    }

    fn introspected(&self, token: &str) -> Value {
        introspected(&self.server, &self.observer, token)
    }

    fn reasons(&self, credential: &str) -> Vec<String> {
        let events = self.server.events(&["--credential", credential, "--outcome", "refused"]);
        events.iter().map(|event| text(&event["reason"])).collect()
    }
}

both! {
    /// Tokens, introspection, verification and gateways name customers by what the company calls them, and leave none
    /// out; the management API tells all of it.
    fn apis_see_external_ids_everywhere(database) {
        let tenants = Tenants::start(database);
        let tied = json!(["acme", "globex"]);
        let token = tenants.access_token(&tenants.client_of_both);
        assert_eq!(claims(&token)["customers"], tied);
        let told = tenants.introspected(&token);
        assert_eq!((&told["active"], &told["customers"]), (&json!(true), &tied), "{told}");
        assert_eq!(tenants.verify(&tenants.both, json!({}))["customers"], tied);
        let named = |customers: &str| (200, customers.to_owned());
        for credential in [&token, &tenants.both.key] {
            assert_eq!(tenants.forwarded(credential, ""), named("acme globex"));
            assert_eq!(tenants.forwarded(credential, "?customer=globex"), named("globex"));
        }
        let free = tenants.access_token(&tenants.observer);
        assert!(claims(&free).get("customers").is_none() && tenants.introspected(&free).get("customers").is_none());
        assert_eq!(tenants.verify(&tenants.free, json!({}))["customers"], json!([]));
        assert_eq!(tenants.forwarded(&tenants.free.key, "?customer=globex"), named(""));

        // Its last use does not change between the two looks.
        tenants.server.work(Work::StoreNotes);
        let shown = tenants.server.api("GET", &format!("/keys/{}", tenants.both.id), &tenants.token, None).body;
        let ids: Vec<String> = shown["customers"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
        assert_eq!(
            shown["customers"],
            json!([
                {"id": ids[0], "external_id": "acme", "name": "acme"},
                {"id": ids[1], "external_id": "globex", "name": "globex"},
            ])
        );
        let listed = tenants.server.api("GET", "/keys", &tenants.token, None).body;
        assert!(listed["data"].as_array().unwrap().contains(&shown), "{listed}");
    }

    fn a_suspended_customer_is_not_served_and_takes_its_own_credentials_with_it(database) {
        let tenants = Tenants::start(database);
        let of_acme = tenants.access_token(&tenants.acmes_client);
        let of_both = tenants.access_token(&tenants.client_of_both);
        let suspended = tenants.set("suspend", "acme");
        assert_eq!((&suspended["external_id"], &suspended["status"]), (&json!("acme"), &json!("suspended")));
        assert_eq!(tenants.set("suspend", "acme"), suspended, "again, which changes nothing");

        let refused = tenants.verify(&tenants.acme, json!({}));
        assert_eq!(refused["code"], "DISABLED", "{refused}");
        assert_eq!(tenants.reasons(&tenants.acme.id), ["customer_suspended"]);
        assert_problem(&by_key(&tenants.server, "GET", "/keys", &tenants.acme.key, None), 401, "invalid_token");
        let token = token_of(&tenants.server, &tenants.acmes_client, "");
        assert_eq!((token.status, &token.body["error"]), (401, &json!("invalid_client")), "{}", token.text);
        assert_eq!(tenants.reasons(&tenants.acmes_client.id), ["customer_suspended"]);
        for credential in [&tenants.acme.key, &of_acme] {
            assert_eq!(tenants.forwarded(credential, "").0, 401);
        }
        assert_eq!(tenants.introspected(&of_acme), json!({"active": false}));

        // Of the others the tie does not count.
        assert_eq!(tenants.verify(&tenants.both, json!({}))["customers"], json!(["globex"]));
        assert_eq!(tenants.verify(&tenants.both, json!({"customer": "acme"}))["code"], "WRONG_CUSTOMER");
        assert_eq!(claims(&tenants.access_token(&tenants.client_of_both))["customers"], json!(["globex"]));
        assert_eq!(tenants.introspected(&of_both)["customers"], json!(["globex"]));
        for credential in [&tenants.both.key, &of_both] {
            assert_eq!(tenants.forwarded(credential, ""), (200, "globex".to_owned()));
            assert_eq!(tenants.forwarded(credential, "?customer=acme").0, 403);
        }
        assert_eq!(code(&tenants.server, &tenants.token, &tenants.free.key, &json!({"customer": "acme"})), "VALID");

        tenants.set("suspend", "globex");
        assert_eq!(tenants.introspected(&of_both), json!({"active": false}));
        assert_eq!(code(&tenants.server, &tenants.token, &tenants.both.key, &json!({})), "DISABLED");
        for customer in ["acme", "globex"] {
            assert_eq!(tenants.set("resume", customer)["status"], "active");
        }
        assert_eq!(tenants.introspected(&of_acme)["customers"], json!(["acme"]));
        assert_eq!(tenants.introspected(&of_both)["customers"], json!(["acme", "globex"]));
        assert_eq!(code(&tenants.server, &tenants.token, &tenants.acme.key, &json!({})), "VALID");
        assert_eq!(token_of(&tenants.server, &tenants.acmes_client, "").status, 200);
    }

    /// What a caller reaches is as if it were not tied to the suspended customer.
    fn a_caller_does_not_reach_objects_of_a_suspended_customer(database) {
        let tenants = Tenants::start(database);
        let call = |method: &str, path: &str| by_key(&tenants.server, method, path, &tenants.both.key, None);
        let reached = |path: &str| column(&call("GET", path), "id").len();
        assert_eq!((reached("/keys"), reached("/customers")), (2, 2));
        tenants.set("suspend", "acme");
        assert_eq!((reached("/keys"), reached("/customers")), (0, 1), "not even itself: acme's it is, too");
        for (method, path) in [
            ("GET", format!("/keys/{}", tenants.acme.id)),
            ("POST", format!("/keys/{}/revoke", tenants.acme.id)),
            ("GET", "/customers/acme".to_owned()),
            ("POST", "/customers/acme/resume".to_owned()),
        ] {
            assert_problem(&call(method, &path), 404, "not_found");
        }
        let made = by_key(&tenants.server, "POST", "/keys", &tenants.both.key, Some(&minimal_key("new")));
        assert_eq!(made.body["customers"][0]["external_id"], "globex", "{}", made.text);
        assert_eq!(made.body["customers"].as_array().unwrap().len(), 1);
    }

    /// A token never reaches further than when it was issued, whatever its client is tied to by then.
    fn a_token_of_a_suspended_customer_is_not_in_force_after_its_client_was_untied(database) {
        let tenants = Tenants::start(database);
        let token = tenants.access_token(&tenants.acmes_client);
        let path = format!("/clients/{}", tenants.acmes_client.id);
        let tie = |customers: Value| {
            ok(tenants.server.api("PATCH", &path, &tenants.token, Some(&json!({"customers": customers}))))
        };
        tie(json!([]));
        assert_eq!(tenants.introspected(&token)["customers"], json!(["acme"]));
        tenants.set("suspend", "acme");
        assert_eq!(tenants.introspected(&token), json!({"active": false}));
        assert_eq!(token_of(&tenants.server, &tenants.acmes_client, "").status, 200, "the client itself is free now");
        tenants.set("resume", "acme");
        tie(json!(["globex"]));
        assert_eq!(tenants.introspected(&token), json!({"active": false}), "it was not issued for globex");
        tie(json!(["globex", "acme"]));
        assert_eq!(tenants.introspected(&token)["customers"], json!(["acme"]));
    }

    /// A command in another process, and this server's own cache.
    fn suspending_by_command_is_followed(database) {
        let tenants = Tenants::start(database);
        let of_acme = |expected: &str| {
            eventually(expected, std::time::Duration::from_secs(5), || {
                code(&tenants.server, &tenants.token, &tenants.acme.key, &json!({})) == expected
            });
        };
        of_acme("VALID");
        assert_eq!(tenants.server.cli(&["customer", "suspend", "acme"])["status"], "suspended");
        of_acme("DISABLED");
        assert_eq!(tenants.server.cli(&["customer", "resume", "acme"])["status"], "active");
        of_acme("VALID");
        let actions = ["customer.suspend", "customer.resume"];
        for action in actions {
            let events = tenants.server.events(&["--action", action]);
            assert_eq!((events.len(), &events[0]["target"]), (1, &json!("acme")), "{action}");
        }
    }

    /// What a client that is tied to customers is told of others' tokens is what it is told of their keys.
    fn introspection_tells_a_tenant_nothing_of_another(database) {
        let tenants = Tenants::start(database);
        let (of_acme, of_both) =
            (tenants.access_token(&tenants.acmes_client), tenants.access_token(&tenants.client_of_both));
        let free = tenants.access_token(&tenants.observer);
        let scopes = ["orders:read", "sealwright.tokens:introspect"];
        let body = json!({"name": "acme's own API", "scopes": scopes, "customers": ["acme"]});
        let (_, observer) = created(&tenants.server, &tenants.token, &body);
        for (token, is_told) in [(&of_acme, true), (&of_both, false), (&free, false)] {
            assert_eq!(introspected(&tenants.server, &observer, token)["active"], json!(is_told));
        }
        let own = text(&token_of(&tenants.server, &observer, "orders:read").body["access_token"]);
        assert_eq!(introspected(&tenants.server, &observer, &own)["active"], json!(true));
    }
}
