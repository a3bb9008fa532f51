//! Resource servers with several tenants.

use super::*;

/// The claim `customers` decides, by external ids, whichever way a request names what it wants.
pub fn keeps_tenants_apart(resource_server: Command) {
    let server = start();
    for name in ["acme", "globex"] {
        server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
    }
    let api = ResourceServer::start(resource_server, &server.url);
    let token = |customers: &[&str]| {
        let options: Vec<&str> = customers.iter().flat_map(|name| ["--customer", name]).collect();
        server.token(&client_of(&server, "orders:read", &options)).body["access_token"].as_str().unwrap().to_owned()
    };
    let get = |token: &str, path: &str| {
        server.send(server.http.get(format!("{}{path}", api.orders)).bearer_auth(token).header("X-Auth-Customer", "x"))
    };
    let numbers = |response: &Response| -> Vec<i64> {
        response.body["orders"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect()
    };
    for (customers, own, others) in [
        (&["acme"][..], &[(1, "acme")][..], &[(2, "globex")][..]),
        (&["globex"], &[(2, "globex")], &[(1, "acme")]),
        (&["acme", "globex"], &[(1, "acme"), (2, "globex")], &[]),
        (&[], &[(1, "acme"), (2, "globex")], &[]),
    ] {
        let token = token(customers);
        assert_eq!(numbers(&get(&token, "")), own.iter().map(|(number, _)| *number).collect::<Vec<_>>());
        for (number, customer) in own {
            assert_eq!(get(&token, &format!("/{number}")).body["customer"], *customer);
            assert_eq!(numbers(&get(&token, &format!("?customer={customer}"))), [*number]);
        }
        for (number, customer) in others {
            let response = get(&token, &format!("/{number}"));
            assert_eq!(response.status, 404, "{}", response.text);
            let response = get(&token, &format!("?customer={customer}"));
            assert_eq!((response.status, &response.body["error"]), (403, &json!("access_denied")), "{}", response.text);
        }
    }
}
