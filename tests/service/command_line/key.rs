//! `sealwright key`, `customer`, `user`, `role`, and `revoke-all` by owner and customer.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::client::within_a_second;
use super::{Ended, end_with};
use crate::api::{millis, now, rfc3339, text, texts};
use crate::support::{Server, TestKey, binary, both};

/// Runs a command with this on its standard input; it must end with this status.
#[track_caller]
fn end_with_input(status: i32, command: &mut Command, input: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that has ended already reads none.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = |bytes| String::from_utf8(bytes).unwrap();
    let ended =
        Ended { status: output.status.code().unwrap_or(-1), out: said(output.stdout), err: said(output.stderr) };
    assert_eq!(ended.status, status, "{command:?}: {ended:?}");
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    ended
}

/// What a running server says of a key.
fn code(server: &Server, verifier: &str, key: &str, scopes: &[&str]) -> String {
    let body = json!({"key": key, "environment": "production", "scopes": scopes});
    let request = server.http.post(format!("{}/api/v1/keys/verify", server.url)).header("x-api-key", verifier);
    let answer = server.send(request.json(&body));
    text(&answer.body["code"])
}

/// The exit status and the JSON of `key verify`.
#[track_caller]
fn verified(server: &Server, status: i32, key: &str, options: &[&str]) -> Value {
    let mut arguments = vec!["key", "verify", key];
    arguments.extend(options);
    arguments.push("--json");
    let ended = end_with(status, &mut server.command(&arguments));
    assert_eq!(ended.err, "", "{ended:?}");
    let said: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(said["valid"], json!(status == 0), "{said}");
    said
}

/// The names of a list's rows, in a row.
fn names(server: &Server, arguments: &[&str], member: &str) -> Vec<String> {
    let listed = server.cli(arguments);
    assert_eq!(listed["next_cursor"], Value::Null);
    listed["data"].as_array().unwrap().iter().map(|row| text(&row[member])).collect()
}

fn made_user(server: &Server, email: &str, role: &str) -> String {
    let mut command = server.command(&["user", "create", "--email", email, "--role", role, "--json"]);
    let ended = end_with_input(0, &mut command, "correct horse battery\n");
    text(&serde_json::from_str::<Value>(&ended.out).unwrap()["id"])
}

both! {
    fn a_key_s_whole_life_by_command(database: without_credentials) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        let acme = text(&server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"])["id"]);
        let ann = made_user(&server, "ann@example.com", "developer");
        let expires = rfc3339(now() + 86_400_000);
        let made = server.cli(&[
            "key", "create", "--name", "export", "--environment", "production", "--type", "client", "--description", "Nightly.",
            "--scope", "orders:read", "--scope", "invoices:read", "--customer", "acme", "--owner", "ANN@example.com",
            "--allow-ip", "127.0.0.0/8", "--allow-ip", "::1", "--rate-per-minute", "1000", "--burst-per-second", "unlimited",
            "--expires-at", &expires,
        ]);
        for (field, value) in [
            ("environment", json!("production")),
            ("name", json!("export")),
            ("description", json!("Nightly.")),
            ("type", json!("client")),
            ("status", json!("active")),
            ("scopes", json!(["invoices:read", "orders:read"])),
            ("customers", json!([acme])),
            ("owner", json!(ann)),
            ("allowed_ips", json!(["127.0.0.0/8", "::1"])),
            ("rate_per_minute", json!(1000)),
            ("burst_per_second", Value::Null),
            ("expires_at", json!(expires)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let TestKey { id, key } = TestKey { id: text(&made["id"]), key: text(&made["key"]) };
        let mut whole = made.clone();
        whole.as_object_mut().unwrap().remove("key");
        assert_eq!(server.cli(&["key", "show", &id]), whole);
        let request = server.http.get(format!("{}/api/v1/keys/{id}", server.url));
        let token = crate::api::owner(&server);
        assert_eq!(server.send(request.bearer_auth(&token)).body, whole, "the API shows the same object");

        let updated = server.cli(&[
            "key", "update", &id, "--name", "other", "--allow-ip", "any", "--expires-at", "never", "--preset", "write",
            "--rate-per-minute", "unlimited",
        ]);
        for (field, value) in [
            ("name", json!("other")),
            ("description", json!("Nightly.")),
            ("scopes", json!(["read", "write"])),
            ("customers", json!([acme])),
            ("allowed_ips", json!([])),
            ("rate_per_minute", Value::Null),
            ("expires_at", Value::Null),
        ] {
            assert_eq!(updated[field], value, "{field}");
        }
        let now_is = |key: &str| code(&server, &verifier.key, key, &["orders:write"]);
        within_a_second(&"VALID".to_owned(), || now_is(&key));
        let rotated = text(&server.cli(&["key", "rotate", &id, "--grace", "24h"])["key"]);
        within_a_second(&["VALID".to_owned(), "VALID".to_owned()], || [&key, &rotated].map(|key| now_is(key)));
        let again = text(&server.cli(&["key", "rotate", &id])["key"]);
        within_a_second(&["NOT_FOUND", "NOT_FOUND", "VALID"].map(str::to_owned), || {
            [&key, &rotated, &again].map(|key| now_is(key))
        });
        for (arguments, owner) in [(vec!["--to-organisation"], Value::Null), (vec!["--owner", &ann], json!(ann))] {
            let given = server.cli(&[&["key", "transfer", &id], arguments.as_slice()].concat());
            assert_eq!(given["owner"], owner);
        }
        for (verb, status, then) in [("disable", "inactive", "DISABLED"), ("enable", "active", "VALID"), ("revoke", "revoked", "REVOKED")] {
            assert_eq!(server.cli(&["key", verb, &id])["status"], status);
            within_a_second(&then.to_owned(), || now_is(&again));
        }
        for verb in [vec!["enable"], vec!["disable"], vec!["rotate"], vec!["update", "--name", "x"]] {
            let mut arguments = vec!["key", verb[0], &id];
            arguments.extend(&verb[1..]);
            let ended = end_with(1, &mut server.command(&arguments));
            assert!(ended.err.contains("revoked") && ended.out.is_empty(), "{ended:?}");
        }
    }

    fn keys_are_listed_by_command(database: without_credentials) {
        let server = Server::start(database);
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let ann = made_user(&server, "ann@example.com", "developer");
        for (name, options) in [
            ("a", vec!["--environment", "staging"]),
            ("b", vec!["--type", "internal", "--owner", "ann@example.com"]),
            ("c", vec!["--type", "client", "--customer", "acme"]),
            ("d", vec!["--environment", "development"]),
        ] {
            let made = server.cli(&[&["key", "create", "--name", name, "--preset", "read-only"], options.as_slice()].concat());
            let tag = match name { "a" => "sw_stg_", "d" => "sw_dev_", _ => "sw_live_" };
            assert!(text(&made["key"]).starts_with(tag), "{name}: {tag}");
            if name == "c" {
                server.cli(&["key", "disable", &text(&made["id"])]);
            }
        }
        for (options, expected) in [
            (vec![], "dcba"),
            (vec!["--environment", "staging"], "a"),
            (vec!["--name", "b"], "b"),
            (vec!["--type", "client"], "c"),
            (vec!["--type", "partner"], "da"),
            (vec!["--status", "inactive"], "c"),
            (vec!["--status", "active", "--limit", "2"], "db"),
            (vec!["--owner", &ann], "b"),
            (vec!["--customer", "acme"], "c"),
            (vec!["--rotation-due"], ""),
            (vec!["--limit", "1000000"], "dcba"),
        ] {
            assert_eq!(names(&server, &[&["key", "list"], options.as_slice()].concat(), "name").concat(), expected, "{options:?}");
        }
        let table = end_with(0, &mut server.command(&["key", "list"])).out;
        assert!(table.starts_with("ID") && table.lines().count() == 5, "{table}");
    }

    fn a_key_is_verified_by_command(database: without_credentials) {
        let server = Server::start(database);
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let key = server.key_with("orders:read", &["--customer", "acme", "--allow-ip", "192.0.2.0/24"]);
        let from = ["--ip", "192.0.2.7"];
        for (status, options, expected) in [
            (0, vec![], "VALID"),
            (0, vec!["--scope", "orders:read", "--customer", "acme", "--cost", "1000"], "VALID"),
            (0, vec!["--ip", "::ffff:192.0.2.9"], "VALID"),
            (1, vec!["--scope", "orders:read", "--scope", "orders:write"], "INSUFFICIENT_SCOPE"),
            (1, vec!["--customer", "zeta"], "WRONG_CUSTOMER"),
            (1, vec!["--ip", "192.0.3.1"], "IP_NOT_ALLOWED"),
            (1, vec!["--environment", "staging"], "WRONG_ENVIRONMENT"),
        ] {
            let options = if options.contains(&"--ip") { options } else { [options.as_slice(), &from].concat() };
            let said = verified(&server, status, &key.key, &options);
            assert_eq!(said["code"], expected, "{options:?}");
        }
        assert_eq!(verified(&server, 1, &key.key, &[])["code"], "IP_NOT_ALLOWED", "nobody said from where");
        assert_eq!(verified(&server, 1, "nonsense", &[])["code"], "NOT_FOUND");
        let by_input = end_with_input(0, &mut server.command(&["key", "verify", "-", "--ip", "192.0.2.7"]), &format!("{}\n", key.key));
        assert!(by_input.out.contains("VALID") && !by_input.out.contains(&key.key), "{by_input:?}");
        end_with_input(2, &mut server.command(&["key", "verify", "-"]), "");
        for options in [vec!["--cost", "0"], vec!["--cost", "1001"], vec!["--ip", "host"], vec!["--environment", "prod"], vec!["--scope", "a b"],
            vec!["--offline", "--scope", "read"]] {
            let ended = end_with(2, &mut server.command(&[&["key", "verify", &key.key], options.as_slice()].concat()));
            assert!(ended.err.contains(options[0]), "{ended:?}");
        }
        server.cli(&["key", "revoke", &key.id]);
        assert_eq!(verified(&server, 1, &key.key, &from)["code"], "REVOKED");
    }

    fn customers_are_kept_by_command(database: without_credentials) {
        let server = Server::start(database);
        let made = server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let id = text(&made["id"]);
        for named in ["acme", &id] {
            assert_eq!(server.cli(&["customer", "show", named]), made);
        }
        let changed = server.cli(&["customer", "update", "acme", "--name", "Acme Co.", "--external-id", "acme2"]);
        assert_eq!((&changed["name"], &changed["external_id"], &changed["id"]), (&json!("Acme Co."), &json!("acme2"), &made["id"]));
        server.cli(&["customer", "create", "--external-id", "zeta", "--name", "Zeta"]);
        assert_eq!(names(&server, &["customer", "list"], "external_id"), ["zeta", "acme2"]);
        assert_eq!(names(&server, &["customer", "list", "--external-id", "acme2"], "id"), std::slice::from_ref(&id));
        assert_eq!(names(&server, &["customer", "list", "--limit", "1"], "external_id"), ["zeta"]);
        let key = server.key_with("read", &["--customer", "acme2"]);
        assert_eq!(server.cli(&["key", "show", &key.id])["customers"], json!([id]));
        for (status, arguments, said) in [
            (1, vec!["customer", "delete", "acme2"], "tied"),
            (1, vec!["customer", "create", "--external-id", "zeta", "--name", "x"], "external id"),
            (1, vec!["customer", "show", "acme"], "no such customer"),
            (1, vec!["customer", "delete", "nobody"], "no such customer"),
            (2, vec!["customer", "create", "--external-id", "a b", "--name", "x"], "--external-id"),
            (2, vec!["customer", "create", "--external-id", "x"], "--name"),
            (2, vec!["customer", "create", "--external-id", "x", "--name", ""], "--name"),
            (2, vec!["customer", "list", "--limit", "0"], "--limit"),
            (2, vec!["customer", "show"], "ID"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said) && ended.out.is_empty(), "{arguments:?}: {ended:?}");
        }
        server.cli(&["key", "update", &key.id, "--customer", "any"]);
        let gone = end_with(0, &mut server.command(&["customer", "delete", "acme2", "--json"]));
        assert!(serde_json::from_str::<Value>(&gone.out).is_ok_and(|said| said.is_object()), "{gone:?}");
        assert_eq!(names(&server, &["customer", "list"], "external_id"), ["zeta"]);
    }

    fn a_user_s_password_comes_from_a_file_or_from_standard_input(database: without_credentials) {
        let server = Server::spawn(database);
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let good = file("good", "correct horse battery\nnot this\n");
        let made = server.cli(&["user", "create", "--email", "Ann@Example.com", "--role", "developer", "--name", "Ann", "--password-file", &good]);
        for (field, value) in [
            ("email", json!("ann@example.com")),
            ("role", json!("developer")),
            ("name", json!("Ann")),
            ("status", json!("active")),
            ("has_password", json!(true)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let bob = made_user(&server, "bob@example.com", "auditor");
        assert_eq!(server.cli(&["user", "show", &bob])["has_password"], true);
        assert_eq!(server.cli(&["user", "show", "ANN@example.com"]), made);
        let create = ["user", "create", "--email", "eve@example.com", "--role", "auditor"];
        let missing = folder.path().join("missing").display().to_string();
        for (password_file, said) in [
            (file("short", "seven77\n"), "--password"),
            (file("empty", ""), "--password"),
            (file("blank", "\ncorrect horse battery\n"), "--password"),
            (file("long", &"x".repeat(1025)), "--password"),
            (missing, "--password-file"),
        ] {
            let ended = end_with(2, server.command(&create).args(["--password-file", &password_file]));
            assert!(ended.err.contains(said) && !ended.err.contains("seven77"), "{ended:?}");
        }
        let ended = end_with_input(2, &mut server.command(&create), "seven77\n");
        assert!(ended.err.contains("--password") && !ended.err.contains("seven77"), "{ended:?}");
        for nothing in [end_with(2, &mut server.command(&create)), end_with_input(2, &mut server.command(&create), "\n")] {
            assert!(nothing.err.contains("--password-file") && nothing.out.is_empty(), "{nothing:?}");
        }
        assert_eq!(names(&server, &["user", "list"], "email"), ["bob@example.com", "ann@example.com"], "nobody else was made");
        let hashed = "SELECT COUNT(*) AS n FROM users WHERE password_hash LIKE '$argon2id$%'";
        assert_eq!(server.database.numbers(hashed), [2]);
        let changed = server.cli(&["user", "update", "bob@example.com", "--password-file", &good, "--name", "Bob"]);
        assert_eq!((&changed["name"], &changed["has_password"]), (&json!("Bob"), &json!(true)));
        for said in [made.to_string(), changed.to_string(), serde_json::to_string(&server.events(&[])).unwrap(), server.log()] {
            assert!(!said.contains("horse") && !said.contains("argon2"), "{said}");
        }
    }

    fn users_and_roles_by_command_reach_a_running_server_within_a_second(database: without_credentials) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        let role = server.cli(&["role", "create", "support", "--description", "Helps.", "--scope", "orders:read", "--scope", "orders:write"]);
        assert_eq!((texts(&role["scopes"]), &role["built_in"]), (vec!["orders:read".to_owned(), "orders:write".to_owned()], &json!(false)));
        assert_eq!(server.cli(&["role", "show", "support"]), role);
        assert_eq!(names(&server, &["role", "list"], "name"), ["admin", "auditor", "developer", "owner", "support"]);
        let ann = made_user(&server, "ann@example.com", "support");
        let key = server.key_with("orders:read orders:write", &["--owner", "ann@example.com"]);
        let becomes = |expected: &str| {
            within_a_second(&expected.to_owned(), || code(&server, &verifier.key, &key.key, &["orders:write"]));
        };
        becomes("VALID");
        for (arguments, expected) in [
            (vec!["role", "update", "support", "--scope", "orders:read"], "INSUFFICIENT_SCOPE"),
            (vec!["role", "update", "support", "--scope", "orders:*"], "VALID"),
            (vec!["role", "update", "support", "--scope", "none"], "INSUFFICIENT_SCOPE"),
            (vec!["user", "update", "ann@example.com", "--role", "developer"], "VALID"),
            (vec!["user", "disable", "ann@example.com"], "DISABLED"),
            (vec!["user", "enable", &ann], "VALID"),
            (vec!["user", "update", &ann, "--role", "auditor"], "INSUFFICIENT_SCOPE"),
            (vec!["key", "transfer", &key.id, "--to-organisation"], "VALID"),
        ] {
            server.cli(&arguments);
            becomes(expected);
        }
        assert_eq!(names(&server, &["user", "list", "--role", "auditor"], "id"), std::slice::from_ref(&ann));
        assert_eq!(names(&server, &["user", "list", "--email", "ANN@example.com"], "id"), [ann]);
        assert_eq!(names(&server, &["user", "list", "--role", "support"], "id"), Vec::<String>::new());
        for (status, arguments, said) in [
            (1, vec!["role", "create", "support", "--scope", "read"], "already"),
            (1, vec!["role", "delete", "auditor"], "built in"),
            (1, vec!["role", "update", "owner", "--scope", "none"], "built in"),
            (1, vec!["role", "show", "nobody"], "no such role"),
            (1, vec!["user", "show", "nobody@example.com"], "no such user"),
            (1, vec!["user", "disable", "usr_0199c0de0000700080000000000000ff"], "no such user"),
            (2, vec!["role", "create", "Upper", "--scope", "read"], "--name"),
            (2, vec!["role", "create", "x"], "--scope"),
            (2, vec!["role", "create", "x", "--scope", "a b"], "--scope"),
            (2, vec!["user", "update", "ann@example.com", "--role", "nobody"], "--role"),
            (2, vec!["user", "update", "ann@example.com", "--email", "x"], "--email"),
            (2, vec!["user", "create", "--email", "x@y"], "--role"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said) && ended.out.is_empty(), "{arguments:?}: {ended:?}");
        }
        server.cli(&["role", "delete", "support"]);
        assert_eq!(names(&server, &["role", "list"], "name"), ["admin", "auditor", "developer", "owner"]);
        server.cli(&["role", "create", "--name", "named", "--scope", "read"]);
        server.cli(&["user", "update", "ann@example.com", "--role", "named"]);
        let ended = end_with(1, &mut server.command(&["role", "delete", "named"]));
        assert!(ended.err.contains("users"), "{ended:?}");
    }

    fn the_brake_ends_every_credential_of_an_owner_or_a_customer(database: without_credentials) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let ann = made_user(&server, "ann@example.com", "developer");
        let anns = [server.key_with("read", &["--owner", &ann]), server.key_with("read", &["--owner", &ann, "--customer", "acme"])];
        let anns_client = server.client_with("read", &["--owner", "ann@example.com"]);
        let anns_staging = server.key_with("read", &["--owner", &ann, "--environment", "staging"]);
        let acmes = server.key_with("read", &["--customer", "acme"]);
        let acmes_client = server.client_with("read", &["--customer", "acme"]);
        let other = server.key("read");
        let is = |expected: [&str; 4]| {
            within_a_second(&expected.map(str::to_owned), || {
                [&anns[0], &anns[1], &acmes, &other].map(|key| code(&server, &verifier.key, &key.key, &["read"]))
            });
        };
        is(["VALID"; 4]);
        for options in [vec!["--owner", "ann@example.com"], vec!["--customer", "acme", "--json"]] {
            let ended = end_with(2, &mut server.command(&[&["revoke-all"], options.as_slice()].concat()));
            assert!(ended.err.contains("--yes"), "{ended:?}");
        }
        for options in [["--owner", "nobody@example.com"], ["--customer", "nobody"]] {
            let ended = end_with(1, server.command(&["revoke-all", "--yes"]).args(options));
            assert!(ended.err.contains("no such"), "{ended:?}");
        }
        is(["VALID"; 4]);
        let both = server.cli(&["revoke-all", "--owner", "ANN@example.com", "--customer", "acme", "--yes"]);
        assert_eq!((&both["revoked"], &both["keys"], &both["clients"]), (&json!(1), &json!(1), &json!(0)));
        is(["VALID", "REVOKED", "VALID", "VALID"]);
        let owners = server.cli(&["revoke-all", "--owner", &ann, "--environment", "production", "--yes"]);
        assert_eq!((&owners["revoked"], &owners["keys"], &owners["clients"]), (&json!(2), &json!(1), &json!(1)));
        is(["REVOKED", "REVOKED", "VALID", "VALID"]);
        within_a_second(&401, || server.token(&anns_client).status);
        assert_eq!(server.cli(&["key", "show", &anns_staging.id])["status"], "active");
        assert_eq!(server.token(&acmes_client).status, 200);
        let customers = server.cli(&["revoke-all", "--customer", "acme", "--yes"]);
        assert_eq!((&customers["revoked"], &customers["customer"]), (&json!(2), &json!("acme")));
        is(["REVOKED", "REVOKED", "REVOKED", "VALID"]);
        within_a_second(&401, || server.token(&acmes_client).status);
        let events = server.events(&["--action", "credential.revoke_all"]);
        let done: Vec<&Value> = events.iter().filter(|event| event["outcome"] == "success").collect();
        assert_eq!((done.len(), &done[0]["method"]), (3, &json!("CLI")), "{events:?}");
    }

    fn wrong_use_is_said_with_status_2_and_what_fails_with_status_1(database: without_credentials) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        let id = key.id.as_str();
        let create = |options: &[&'static str]| [&["key", "create", "--name", "x"], options].concat();
        for (status, arguments, said) in [
            (2, create(&[]), "--scope"),
            (2, vec!["key", "create", "--scope", "read"], "--name"),
            (2, vec!["key", "create", "--name", "", "--scope", "read"], "--name"),
            (2, create(&["--scope", "a b"]), "--scope"),
            (2, create(&["--scope", "sealwright.x"]), "--scope"),
            (2, create(&["--scope", "admin"]), "--scope"),
            (2, create(&["--preset", "all"]), "--preset"),
            (2, create(&["--preset", "full", "--scope", "read"]), "--preset"),
            (2, create(&["--preset", "scoped"]), "--scope"),
            (2, create(&["--scope", "a", "--type", "admin"]), "--type"),
            (2, create(&["--scope", "a", "--type", "client"]), "--customer"),
            (2, create(&["--scope", "a", "--environment", "prod"]), "--environment"),
            (2, create(&["--scope", "a", "--customer", "nobody"]), "--customer"),
            (2, create(&["--scope", "a", "--owner", "nobody@example.com"]), "--owner"),
            (2, create(&["--scope", "a", "--allow-ip", "host"]), "--allow-ip"),
            (2, create(&["--scope", "a", "--rate-per-minute", "0"]), "--rate-per-minute"),
            (2, create(&["--scope", "a", "--burst-per-second", "many"]), "--burst-per-second"),
            (2, create(&["--scope", "a", "--expires-in", "1w"]), "--expires-in"),
            (2, create(&["--scope", "a", "--expires-in", "0s"]), "--expires-in"),
            (2, create(&["--scope", "a", "--expires-at", "2020-01-01T00:00:00Z"]), "--expires-at"),
            (2, create(&["--scope", "a", "--expires-in", "1d", "--expires-at", "never"]), "--expires-in"),
            (2, vec!["key", "rotate", id, "--grace", "31d"], "--grace"),
            (2, vec!["key", "rotate", id, "--grace", "1"], "--grace"),
            (2, vec!["key", "transfer", id], "--owner"),
            (2, vec!["key", "transfer", id, "--owner", "nobody"], "--owner"),
            (2, vec!["key", "transfer", id, "--owner", "x", "--to-organisation"], "--owner"),
            (2, vec!["key", "list", "--limit", "0"], "--limit"),
            (2, vec!["key", "list", "--status", "lost"], "--status"),
            (2, vec!["key", "delete", id], "delete"),
            (2, vec!["key", "show"], "ID"),
            (1, vec!["key", "show", "key_1"], "no such key"),
            (1, vec!["key", "update", "key_1", "--name", "x"], "no such key"),
            (1, vec!["key", "revoke", "nothing"], "no such key"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
            assert!(ended.out.is_empty(), "{arguments:?}: {}", ended.out);
        }
        let ended = end_with(1, &mut server.command(&["key", "show", "key_1", "--json"]));
        assert_eq!(serde_json::from_str::<Value>(&ended.err).unwrap()["error"], "there is no such key");
        assert_eq!(names(&server, &["key", "list"], "id"), [id], "nothing was made");
        assert_eq!(verified(&server, 0, &key.key, &["--scope", "orders:read"])["id"], json!(id), "nothing was changed");
        let asked = now();
        let made = server.cli(&create(&["--preset", "full", "--expires-in", "90d"]));
        assert!((asked + 90 * 86_400_000..=now() + 90 * 86_400_000).contains(&millis(&made["expires_at"])), "{made}");
    }
}

/// A key's form and checksum are told by any machine: nothing is opened, and nothing is made.
#[test]
fn a_key_is_checked_offline_without_any_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let offline = |key: &str| {
        let mut command = binary();
        command.current_dir(folder.path()).env("SEALWRIGHT_DATA_DIR", &data);
        // Nothing answers there.
        command.env("SEALWRIGHT_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
        command.args(["key", "verify", key, "--offline", "--json"]);
        command
    };
    // zlib says of these 32 characters: CRC-32 1546885699, which is 1ggZdL in base 62.
    let random = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    for (tag, environment) in [("live", "production"), ("stg", "staging"), ("dev", "development")] {
        let ended = end_with(0, &mut offline(&format!("sw_{tag}_{random}1ggZdL")));
        let said: Value = serde_json::from_str(&ended.out).unwrap();
        let expected = json!({"well_formed": true, "prefix": format!("sw_{tag}_0123"), "environment": environment});
        assert_eq!(said, expected);
    }
    let good = format!("sw_live_{random}1ggZdL");
    for wrong in [
        "",
        "nonsense",
        &format!("sw_live_{random}1ggZdM"),
        &format!("sw_live_{random}1ggZd"),
        &format!("sw_live_{random}1ggZdL0"),
        &format!("sw_live_1{}1ggZdL", &random[1..]),
        &format!("sw_test_{random}1ggZdL"),
        &format!("SW_live_{random}1ggZdL"),
        &good.to_lowercase(),
    ] {
        let ended = end_with(1, &mut offline(wrong));
        assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["well_formed"], false, "{wrong}: {ended:?}");
    }
    let ended = end_with_input(0, &mut offline("-"), &format!("{good}\n"));
    assert!(!ended.out.contains(&good), "{ended:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn help_is_no_failure_and_its_lack_is_a_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let run = |status: i32, arguments: &[&str]| {
        let mut command = binary();
        end_with(status, command.current_dir(folder.path()).args(arguments))
    };
    for arguments in [
        vec!["key", "--help"],
        vec!["key", "help", "create"],
        vec!["key", "create", "--help"],
        vec!["key", "verify", "-h"],
        vec!["customer", "--help"],
        vec!["user", "create", "--help"],
        vec!["role", "update", "--help"],
        vec!["revoke-all", "--help"],
    ] {
        let ended = run(0, &arguments);
        assert!(ended.out.contains("Usage:") && ended.err.is_empty(), "{arguments:?}: {ended:?}");
    }
    for arguments in [
        vec!["key"],
        vec!["customer"],
        vec!["user"],
        vec!["role"],
        vec!["revoke-all"],
        vec!["key", "verify"],
        vec!["key", "create", "--no-such"],
        vec!["keys", "list"],
        vec!["user", "delete", "x"],
    ] {
        let ended = run(2, &arguments);
        assert!(!ended.err.is_empty() && ended.out.is_empty(), "{arguments:?}: {ended:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
