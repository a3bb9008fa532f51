//! Events by who, where and why: the same by the API and by the command line.

use super::*;
use crate::api::assert_invalid;
use crate::api::keys::entered_customer;
use crate::api::verify::{verifier, verify};

/// The options of `audit list` for a query string.
fn options(query: &str) -> Vec<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.flat_map(|(name, value)| [format!("--{}", name.replace('_', "-")), value.to_owned()]).collect()
}

both! {
    fn events_are_found_by_who_where_and_why(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (acme, verifier) = (entered_customer(&server, &token, "acme"), verifier(&server));
        let (key, free) = (server.key_with("orders:read", &["--customer", "acme"]), server.key("orders:read"));
        let ask = |key: &str, more: Value| verify(&server, &verifier, key, &more);
        let good = ask(&key.key, json!({"ip": "2001:db8::7", "request_id": "gw-1"}));
        let poor = ask(&key.key, json!({"ip": "203.0.113.7", "request_id": "gw-2", "scopes": ["orders:write"]}));
        let other = ask(&free.key, json!({"ip": "203.0.113.7"}));
        let read = server.api("GET", &format!("/keys/{}", key.id), &token, None);
        for (query, expected) in [
            ("action=key.verify&customer=acme".to_owned(), vec![&poor, &good]),
            (format!("action=key.verify&customer={acme}"), vec![&poor, &good]),
            ("action=key.verify&customer=nobody".to_owned(), vec![]),
            (format!("action=key.verify&actor={}", verifier.id), vec![&other, &poor, &good]),
            ("action=key.verify&actor=anonymous".to_owned(), vec![]),
            (format!("action=key.read&target={}", key.id), vec![&read]),
            (format!("action=key.verify&target={}", key.id), vec![]),
            ("reason=insufficient_scope".to_owned(), vec![&poor]),
            ("action=key.verify&address=203.0.113.7".to_owned(), vec![&other, &poor]),
            ("address=2001:DB8:0::7".to_owned(), vec![&good]),
            ("gateway_request_id=gw-2".to_owned(), vec![&poor]),
            ("customer=acme&address=203.0.113.7&reason=insufficient_scope".to_owned(), vec![&poor]),
            ("customer=acme&gateway_request_id=gw-2&reason=ok".to_owned(), vec![]),
        ] {
            let found = server.api("GET", &format!("/audit-events?{query}"), &token, None);
            let expected: Vec<&str> = expected.into_iter().map(|response| response.header("x-request-id")).collect();
            assert_eq!(column(&found, "request_id"), expected, "{query}");
            let options = options(&query);
            let mut arguments = vec!["audit", "list"];
            arguments.extend(options.iter().map(String::as_str));
            assert_eq!(server.cli(&arguments)["data"], found.body["data"], "{query}");
        }
        for (query, field) in [
            ("reason=tired", "reason"),
            ("address=here", "address"),
            ("customer=any", "customer"),
            ("actor=a%20b", "actor"),
        ] {
            assert_invalid(&server.api("GET", &format!("/audit-events?{query}"), &token, None), &[field]);
        }
    }

    fn events_of_a_customer_are_found_after_it_was_deleted_and_by_its_own_callers_only(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for name in ["acme", "globex"] {
            entered_customer(&server, &token, name);
        }
        let verifier = verifier(&server);
        let asked = |customer: &str| {
            let key = server.key_with("orders:read", &["--customer", customer]);
            let id = verify(&server, &verifier, &key.key, &json!({})).header("x-request-id").to_owned();
            (key.id, id)
        };
        let ((of_acme, acmes), (_, globexes)) = (asked("acme"), asked("globex"));
        let reader = server.key_with("sealwright.audit:read", &["--type", "internal", "--customer", "globex"]);
        let found = |key: &str, customer: &str| {
            let path = format!("/audit-events?action=key.verify&customer={customer}");
            column(&server.api_with_key("GET", &path, key, None), "request_id")
        };
        assert_eq!(found(&reader.key, "globex"), [globexes]);
        assert_eq!(found(&reader.key, "acme"), Vec::<String>::new());
        server.manage("PATCH", &format!("/keys/{of_acme}"), Some(&json!({"customers": null})));
        assert_eq!(server.api("DELETE", "/customers/acme", &token, None).status, 204);
        let all = server.key_with("sealwright.audit:read", &["--type", "internal"]);
        assert_eq!(found(&all.key, "acme"), [acmes]);
    }
}
