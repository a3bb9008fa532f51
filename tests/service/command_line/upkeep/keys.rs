//! `sealwright migrate` and `master-key`.

use super::*;

both! {
    fn the_schema_is_made_once(database: empty) {
        let settings = vec![];
        database.make_place();
        let migrate = || end_with(0, &mut program(&database, &settings, &["migrate", "--json"])).out;
        let first: Value = serde_json::from_str(&migrate()).unwrap();
        assert!(!first["applied"].as_array().unwrap().is_empty(), "{first}");
        let second: Value = serde_json::from_str(&migrate()).unwrap();
        assert_eq!(second["applied"], json!([]));
        assert!(!database.data_dir().join("master.key").exists(), "migrating needs no key");
        let server = Server::spawn(database);
        assert_eq!(server.token(&server.client("a")).status, 200);
    }

    fn replacing_the_master_key_stops_nothing(database: without_credentials) {
        let mut server = Server::spawn(database);
        let path = key_file(&server);
        let client = server.client("orders:read");
        let token = owner(&server);
        let post = |server: &Server, key: &str| {
            let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(&token);
            server.send(request.header("idempotency-key", key).json(&minimal("kept")))
        };
        let kept = post(&server, "key");
        let old = keys(&path);
        assert_eq!(old.len(), 1);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "as it was made");

        let stop = std::sync::atomic::AtomicBool::new(false);
        let rotated = std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let mut count = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let response = server.token(&client);
                    assert_eq!(response.status, 200, "{}", response.text);
                    count += 1;
                }
                count
            });
            let rotated = server.cli(&["master-key", "rotate"]);
            pause("requests go on beside it, after the keys were replaced", std::time::Duration::from_secs(1));
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(asking.join().unwrap() > 10);
            rotated
        });
        assert!(
            rotated["resealed"].as_u64().unwrap() >= 11,
            "nine signing keys, the digest key, a kept answer: {rotated}"
        );
        let new = keys(&path);
        assert_eq!((new.len(), &new[1]), (2, &old[0]), "the new one stands first, the old one stays");
        assert_ne!(new[0], old[0]);
        assert!(!rotated.to_string().contains(&new[0]), "the key itself is not said");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        // New secrets, new keys and replays work on, with the running server and after a restart.
        assert_eq!(post(&server, "key").text, kept.text);
        let rotation = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "0s"})));
        assert_eq!(rotation.status, 201, "{}", rotation.text);
        assert_eq!(server.token(&client).status, 200);
        // With the old key alone nothing is to be opened any more; with the new one alone everything is.
        std::fs::write(&path, format!("{}\n", old[0])).unwrap();
        let ended = end_with(1, &mut server.command(&["doctor", "--json"]));
        assert!(ended.out.contains("wrong master key"), "{ended:?}");
        std::fs::write(&path, format!("{}\n", new[0])).unwrap();
        end_with(0, &mut server.command(&["doctor"]));
        server.restart();
        assert_eq!(server.token(&client).status, 200);
        assert_eq!(post(&server, "key").text, kept.text);
        let fresh = server.client("orders:read");
        assert_eq!(server.token(&fresh).status, 200);
    }

    fn master_keys_in_a_variable_are_replaced_by_naming_the_new_one_first(database: empty) {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let settings = |keys: &str| vec![("MASTER_KEY", keys.to_owned())];
        let run = |keys: &str, arguments: &[&str]| end(&mut program(&database, &settings(keys), arguments));
        assert_eq!(run(&old, &["init"]).status, 0);
        assert_eq!(run(&old, &["client", "create", "--name", "x", "--scope", "a"]).status, 0);
        assert!(!database.data_dir().join("master.key").exists());
        let both = format!("{new},{old}");
        let first = run(&both, &["master-key", "rotate", "--json"]);
        assert_eq!(first.status, 0, "{first:?}");
        assert_eq!(serde_json::from_str::<Value>(&first.out).unwrap()["resealed"], 10);
        let second = run(&both, &["master-key", "rotate", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&second.out).unwrap()["resealed"], 0, "done already");
        assert_eq!(run(&new, &["doctor"]).status, 0);
        assert_eq!(run(&old, &["doctor"]).status, 1);
        for odd in ["x", "11", &"zz".repeat(32), &format!("{new},x"), " ", ","] {
            let ended = run(odd, &["client", "list"]);
            assert_eq!(ended.status, 1, "{odd}: {ended:?}");
            assert!(ended.err.contains("SEALWRIGHT_MASTER_KEY"), "{ended:?}");
            assert!(!ended.err.contains(&new) && !ended.err.contains("zzzz"), "{ended:?}");
        }
    }
}
