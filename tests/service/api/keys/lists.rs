//! Lists of keys.

use super::*;

both! {
    fn lists_go_from_the_newest_to_the_oldest_page_by_page(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let mut ids: Vec<String> = Vec::new();
        for name in ["one", "two", "same", "same", "five"] {
            ids.insert(0, text(&created_key(&server, &token, &minimal_key(name)).0["id"]));
        }
        server.key_with("orders:read", &["--environment", "staging"]);
        let all = server.api("GET", "/keys", &token, None);
        assert_eq!(column(&all, "id"), ids, "newest first, and nothing of staging");
        assert_eq!(all.body["next_cursor"], Value::Null);
        for limit in [1, 2, 4, 5, 1000] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = server.api("GET", &format!("/keys?limit={limit}{cursor}"), &token, None);
                let rows = column(&page, "id");
                assert!(rows.len() <= limit && !rows.is_empty(), "{limit}: {}", page.text);
                seen.extend(rows);
                match &page.body["next_cursor"] {
                    Value::Null => break,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
            assert_eq!(seen, ids, "in pages of {limit}");
        }
        // A page does not move when something newer is made meanwhile, and a filter continues with it.
        let first = server.api("GET", "/keys?limit=2", &token, None);
        let newer = text(&created_key(&server, &token, &minimal_key("same")).0["id"]);
        let cursor = text(&first.body["next_cursor"]);
        assert_eq!(listed(&server, &token, &format!("limit=2&cursor={cursor}")), ids[2..4]);
        let same = server.api("GET", "/keys?name=same&limit=2", &token, None);
        assert_eq!(column(&same, "id"), [newer, ids[1].clone()]);
        let cursor = text(&same.body["next_cursor"]);
        let rest = server.api("GET", &format!("/keys?name=same&limit=2&cursor={cursor}"), &token, None);
        assert_eq!((column(&rest, "id"), &rest.body["next_cursor"]), (vec![ids[2].clone()], &Value::Null));
    }

    fn a_list_is_narrowed_by_every_filter_alone_and_together(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (acme, ann) =
            (entered_customer(&server, &token, "acme"), made_user(&server, &token, "ann@example.com", "developer"));
        let zeta = entered_customer(&server, &token, "zeta");
        let bob = made_user(&server, &token, "bob@example.com", "developer");
        let soon = server.now() + 30_000;
        let id = |mut body: Value, name: &str| {
            body["name"] = json!(name);
            body.as_object_mut().unwrap().entry("scopes").or_insert(json!(["orders:read"]));
            text(&created_key(&server, &token, &body).0["id"])
        };
        let of_acme = id(json!({"customers": ["acme"], "type": "client"}), "acme");
        let of_both = id(json!({"customers": ["acme", &zeta], "owner": ann}), "both");
        let of_ann = id(json!({"owner": ann, "type": "internal"}), "ann");
        let ended = id(json!({"expires_at": rfc3339(soon)}), "ended");
        let stopped = id(json!({"owner": "bob@example.com"}), "stopped");
        let gone = id(json!({}), "gone");
        let plain = id(json!({}), "plain");
        server.api("POST", &format!("/keys/{stopped}/disable"), &token, None);
        server.api("POST", &format!("/keys/{gone}/revoke"), &token, None);
        let old = format!("UPDATE credentials SET rotated_at = rotated_at - {} WHERE id = '{plain}'", 91 * DAY);
        server.database.execute(&old);
        server.wait_until(soon);
        let table = [
            (String::new(), vec![&plain, &gone, &stopped, &ended, &of_ann, &of_both, &of_acme]),
            ("environment=production&limit=2".to_owned(), vec![&plain, &gone]),
            ("environment=staging".to_owned(), vec![]),
            ("name=plain".to_owned(), vec![&plain]),
            ("name=Plain".to_owned(), vec![]),
            ("name=pla%25".to_owned(), vec![]),
            ("name=pla".to_owned(), vec![&plain]),
            ("name=plains".to_owned(), vec![]),
            ("type=client".to_owned(), vec![&of_acme]),
            ("type=internal".to_owned(), vec![&of_ann]),
            ("type=partner".to_owned(), vec![&plain, &gone, &stopped, &ended, &of_both]),
            ("status=active".to_owned(), vec![&plain, &of_ann, &of_both, &of_acme]),
            ("status=inactive".to_owned(), vec![&stopped]),
            ("status=expired".to_owned(), vec![&ended]),
            ("status=revoked".to_owned(), vec![&gone]),
            (format!("owner={ann}"), vec![&of_ann, &of_both]),
            (format!("owner={bob}"), vec![&stopped]),
            ("customer=acme".to_owned(), vec![&of_both, &of_acme]),
            (format!("customer={acme}"), vec![&of_both, &of_acme]),
            ("customer=zeta".to_owned(), vec![&of_both]),
            ("customer=nobody".to_owned(), vec![]),
            ("rotation_due=true".to_owned(), vec![&plain]),
            (format!("customer=acme&owner={ann}&type=partner&status=active"), vec![&of_both]),
            (format!("customer=zeta&owner={bob}"), vec![]),
            ("status=active&type=partner&rotation_due=true&name=plain&environment=production".to_owned(), vec![&plain]),
        ];
        // A background job flags what has ended and what is due; lists are the same before and after.
        for _ in 0..2 {
            for (query, expected) in &table {
                assert_eq!(listed(&server, &token, query).iter().collect::<Vec<_>>(), *expected, "{query}");
            }
            server.work(Work::KeepKeys);
        }
        let later = json!({"expires_at": rfc3339(server.now() + DAY)});
        assert_eq!(server.api("PATCH", &format!("/keys/{ended}"), &token, Some(&later)).status, 200);
        server.work(Work::KeepKeys);
        assert_eq!(listed(&server, &token, "status=expired"), Vec::<String>::new());
        assert!(listed(&server, &token, "status=active").contains(&ended));
        for key in [&of_acme, &of_both, &plain] {
            let shown = server.api("GET", &format!("/keys/{key}"), &token, None).body;
            assert_eq!(shown["rotation_due"], json!(*key == plain), "{shown}");
        }
    }

    /// A list that is narrowed to what is due has those that are shown as due, and no others.
    fn the_list_of_what_is_due_agrees_with_what_each_key_shows(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let soon = server.now() + 500;
        let make = |name: &str| text(&created_key(&server, &token, &minimal_key(name)).0["id"]);
        let mut ended = minimal_key("ended");
        ended["expires_at"] = json!(rfc3339(soon));
        created_key(&server, &token, &ended);
        let (gone, stopped) = (make("gone"), make("stopped"));
        make("old");
        server.api("POST", &format!("/keys/{gone}/revoke"), &token, None);
        server.api("POST", &format!("/keys/{stopped}/disable"), &token, None);
        server.database.execute(&format!("UPDATE credentials SET rotated_at = rotated_at - {}", 91 * DAY));
        make("fresh");
        let left = u64::try_from(soon - server.now()).unwrap_or(0);
        pause("commands go by the system's clock", std::time::Duration::from_millis(left));
        let all = server.api("GET", "/keys", &token, None).body;
        let due = |is_due: bool| {
            let rows = all["data"].as_array().unwrap().iter().filter(|key| key["rotation_due"] == json!(is_due));
            rows.map(|key| text(&key["name"])).collect::<Vec<_>>()
        };
        assert_eq!(
            (due(true), due(false)),
            (vec!["old".into(), "stopped".into()], vec!["fresh".into(), "gone".into(), "ended".into()])
        );
        let listed = |query: &str| column(&server.api("GET", &format!("/keys?{query}"), &token, None), "name");
        assert_eq!(listed("rotation_due=true"), due(true), "what has ended need not be rotated");
        let commands = server.cli(&["key", "list", "--rotation-due"]);
        assert_eq!(commands["data"].as_array().unwrap().len(), 2, "{commands}");
        assert_eq!(listed("rotation_due=false"), due(false), "false is not the same as not asked");
    }
}
