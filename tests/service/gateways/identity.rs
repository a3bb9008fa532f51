//! What the API learns of its caller, and that nobody else can tell it.

use serde_json::json;

use super::{Site, Start, assert_refused, identity, identity_of, received, received_field};

fn a_key_and_a_token_reach_the_api_as_an_identity(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.orders_key();
    let client = site.server.client_with("orders:*", &["--rate-per-minute", "1000"]);
    let token = site.server.token(&client).body["access_token"].as_str().unwrap().to_owned();
    let bearer = |credential: &str| format!("Authorization: Bearer {credential}");
    let key_as_bearer = bearer(key.field.trim_start_matches("X-API-Key: "));
    for (field, identity_there) in [
        (&key.field, identity_of(&key.id, "api_key", "orders:read")),
        (&key_as_bearer, identity_of(&key.id, "api_key", "orders:read")),
        (&bearer(&token), identity_of(&client.id, "token", "orders:*")),
    ] {
        for path in ["/orders", "/orders/1?of=..//%2f"] {
            let response = site.gateway.get(path, &["-H", field]);
            assert_eq!(response.status, 200, "{field}: {}", response.text);
            assert_eq!(response.body["path"], path);
            assert_eq!(identity(&response), identity_there);
            assert!(response.header("RateLimit").contains(";r="), "{:?}", response.headers);
            assert!(response.header("RateLimit-Policy").contains(";q="), "{:?}", response.headers);
            // A gateway that has nothing to say of limits says nothing.
            assert!(!response.header("RateLimit").contains('{'), "{:?}", response.headers);
            // The API can name the event that let its caller in.
            let event = site.event(&received_field(&response, "x-request-id"));
            assert_eq!((&event["outcome"], &event["path"]), (&"success".into(), &path.split('?').next().into()));
            // The credential itself is not the API's business.
            for (name, value) in received(&response) {
                assert!(!["x-api-key", "authorization"].contains(&name.as_str()), "{name}: {value}");
                assert!(!field.contains(value.as_str()) || value.len() < 20, "{name}: {value}");
            }
        }
    }
}

fn a_customer_reaches_the_api(gateway: Start) {
    let site = Site::start(gateway);
    for name in ["acme", "acme:eu/1"] {
        site.server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": "ACME"})));
    }
    let key = site.key("orders:read", &["--customer", "acme", "--customer", "acme:eu/1"]);
    let response = site.get("/orders", &key, &["-H", "X-Auth-Customer: cus_of_others"]);
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(received_field(&response, "x-auth-customer"), "acme acme:eu/1");
}

const FIELDS: [&str; 6] = ["Subject", "Credential", "Type", "Scopes", "Customer", "Environment"];

/// What a caller could send to pass for somebody else.
fn forgeries() -> Vec<(&'static str, Vec<String>)> {
    let each = |form: &dyn Fn(&str) -> Vec<String>| FIELDS.iter().flat_map(|name| form(name)).collect::<Vec<_>>();
    let names = FIELDS.map(|name| format!("X-Auth-{name}")).join(", ");
    vec![
        ("as they are", each(&|name| vec![format!("X-Auth-{name}: evil")])),
        (
            "lower and upper case",
            each(&|name| {
                let field = format!("X-Auth-{name}: evil");
                vec![field.to_lowercase(), field.to_uppercase()]
            }),
        ),
        ("thrice", each(&|name| vec![format!("X-Auth-{name}: evil"); 3])),
        ("empty", each(&|name| vec![format!("X-Auth-{name};")])),
        ("several values", each(&|name| vec![format!("X-Auth-{name}: evil, worse")])),
        (
            "underscores",
            each(&|name| {
                ["X_Auth_", "X-Auth_", "X_Auth-", "x_auth_", "X_AUTH_"]
                    .map(|start| format!("{start}{name}: evil"))
                    .into()
            }),
        ),
        ("named in Connection", vec![format!("Connection: {names}")]),
        ("named in Connection in lower case, and sent", {
            let mut fields = each(&|name| vec![format!("X-Auth-{name}: evil")]);
            fields.push(format!("Connection: close, {}", names.to_lowercase()));
            fields
        }),
        ("named in several Connection fields", each(&|name| vec![format!("Connection: X-Auth-{name}")])),
        (
            "named in Connection with an upgrade",
            vec![format!("Connection: Upgrade, {names}"), "Upgrade: websocket".to_owned()],
        ),
        (
            "named in other fields",
            vec![
                format!("Keep-Alive: {names}"),
                format!("Proxy-Connection: {names}"),
                format!("TE: {names}"),
                format!("Trailer: {names}"),
            ],
        ),
        ("twins in Connection", {
            let mut fields = each(&|name| vec![format!("X_Auth_{name}: evil")]);
            fields.push(format!("Connection: {names}, {}", names.replace('-', "_")));
            fields
        }),
    ]
}

fn as_arguments(fields: &[String]) -> Vec<&str> {
    fields.iter().flat_map(|field| ["-H", field.as_str()]).collect()
}

fn a_forged_identity_never_reaches_the_api(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.key("orders:read", &["--burst-per-second", "unlimited"]);
    for (name, fields) in forgeries() {
        let arguments = as_arguments(&fields);
        let response = site.get("/orders", &key, &arguments);
        assert_eq!(response.status, 200, "{name}: {}", response.text);
        assert_eq!(identity(&response), identity_of(&key.id, "api_key", "orders:read"), "{name}");
        for (field, value) in received(&response) {
            assert!(!value.contains("evil"), "{name}: {field}: {value}");
        }
        assert_refused(&site.gateway.get("/orders", &arguments), 401);

        // Where nobody is asked, nobody is named.
        let open = site.gateway.get("/status", &arguments);
        assert_eq!(open.status, 200, "{name}: {}", open.text);
        assert!(identity(&open).iter().all(|field| field.1.is_empty()), "{name}: {}", open.text);
    }
}

fn what_a_caller_says_of_its_request_counts_for_nothing(gateway: Start) {
    let site = Site::start(gateway);
    // Not the gateway's address: a field that the gateway loses would show.
    let key = site.key("orders:read", &["--allow-ip", "127.0.0.2"]);
    let of_others = ["192.0.2.1", "127.0.0.1"].map(|address| site.key("orders:read", &["--allow-ip", address]));
    let fields: Vec<String> = [
        ("For", "192.0.2.1"),
        ("Method", "DELETE"),
        ("Uri", "/admin"),
        ("Proto", "gopher"),
        ("Host", "evil.example"),
        ("Prefix", "/admin"),
        ("Port", "1"),
    ]
    .into_iter()
    .flat_map(|(name, value)| {
        ["X-Forwarded-", "X-Original-", "X_Forwarded_"].map(|start| format!("{start}{name}: {value}"))
    })
    .chain(["X-Original-URI: /admin", "X-Real-IP: 192.0.2.1", "X-Request-Id: req_evil"].map(str::to_owned))
    .chain(["Forwarded: for=192.0.2.1;host=evil.example", "Cookie: sealwright=evil"].map(str::to_owned))
    .chain(["Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Uri, X-Forwarded-Method".to_owned()])
    .collect();
    let mut arguments = as_arguments(&fields);
    arguments.extend(["-A", "caller/1.0", "--interface", "127.0.0.2"]);

    let response = site.get("/orders/1", &key, &arguments);
    assert_eq!(response.status, 200, "{}", response.text);
    let event = site.event(&received_field(&response, "x-request-id"));
    for (name, value) in
        [("address", "127.0.0.2"), ("method", "GET"), ("path", "/orders/1"), ("user_agent", "caller/1.0")]
    {
        assert_eq!(event[name], value, "{name}: {event}");
    }
    for (name, value) in received(&response) {
        let is_told = ["192.0.2.1", "evil.example", "/admin", "gopher"].iter().any(|word| value.contains(word));
        assert!(!is_told, "{name}: {value}");
    }
    for elsewhere in &of_others {
        assert_refused(&site.get("/orders", elsewhere, &arguments), 403);
    }
}

super::for_each_gateway! {
    a_key_and_a_token_reach_the_api_as_an_identity
    a_customer_reaches_the_api
    a_forged_identity_never_reaches_the_api
    what_a_caller_says_of_its_request_counts_for_nothing
}
