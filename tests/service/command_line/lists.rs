//! Lists of every kind: cut, continued and whole.

use serde_json::{Value, json};

use super::end_with;
use crate::api::owner;
use crate::support::{Server, both};

/// The ids or names of the entries of a list, and its cursor. The rest of an entry may change: when it was last used.
fn part(server: &Server, list: &[&str], options: &[&str]) -> (Vec<Value>, Option<String>) {
    let said = server.cli(&[list, options].concat());
    let name = |row: &Value| row.get("id").unwrap_or(&row["name"]).clone();
    let names = said["data"].as_array().unwrap().iter().map(name).collect();
    (names, said["next_cursor"].as_str().map(str::to_owned))
}

both! {
    fn lists_say_where_they_were_cut_and_continue_there(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for number in 0..3 {
            for (path, body) in [
                ("/clients", json!({"name": "x", "scopes": ["a"]})),
                ("/keys", json!({"name": "x", "scopes": ["a"]})),
                ("/customers", json!({"external_id": format!("c{number}"), "name": "x"})),
                ("/users", json!({"email": format!("u{number}@example.com"), "role": "developer"})),
                ("/scopes", json!({"name": format!("s{number}:read")})),
            ] {
                server.manage("POST", path, Some(&body));
            }
        }
        let created = ["audit", "list", "--action", "key.create"];
        for list in [
            &["client", "list"][..],
            &["key", "list"],
            &["customer", "list"],
            &["user", "list"],
            &["scope", "list"],
            &created,
        ] {
            let (all, rest) = part(&server, list, &["--all"]);
            assert!(all.len() >= 3 && rest.is_none(), "{list:?}: {}", all.len());
            let (mut parts, mut cursor) = part(&server, list, &["--limit", "2"]);
            let first = cursor.clone().unwrap();
            while let Some(after) = cursor {
                let (more, rest) = part(&server, list, &["--limit", "2", "--cursor", &after]);
                parts.extend(more);
                cursor = rest;
            }
            assert_eq!(parts, all, "{list:?}");
            let cut = end_with(0, server.command(list).args(["--limit", "2"]));
            assert_eq!(cut.out.lines().count(), 3, "{list:?}: {}", cut.out);
            let rest = format!("--cursor {first}");
            assert!(cut.err.contains("--all") && cut.err.contains(&rest), "{list:?}: {}", cut.err);
            assert!(end_with(2, server.command(list).args(["--cursor", "a b"])).err.contains("--cursor"), "{list:?}");
        }
        let keys = ["key", "list"];
        let (all, _) = part(&server, &keys, &["--all"]);
        let (_, cursor) = part(&server, &keys, &["--limit", "1"]);
        let cursor = cursor.unwrap();
        assert_eq!(part(&server, &keys, &["--all", "--cursor", &cursor]), (all[1..].to_vec(), None));
        for whole in [&["--all"][..], &["--limit", "2", "--json"], &["--limit", "1000"]] {
            assert_eq!(end_with(0, server.command(&keys).args(whole)).err, "", "{whole:?}");
        }
        assert!(end_with(2, server.command(&keys).args(["--all", "--limit", "2"])).err.contains("--all"));
        let empty = server.cli(&["customer", "list", "--external-id", "nobody"]);
        assert_eq!(empty, json!({"data": [], "next_cursor": null}));
        // A cursor belongs to a list of its own kind.
        end_with(2, &mut server.command(&["client", "list", "--cursor", &cursor]));
        let by_command = server.cli(&["key", "list", "--environment", "production"]);
        assert_eq!(server.api("GET", "/keys", &token, None).body, by_command);
    }
}
