//! Stopping, and signals.

use super::*;

both! {
    /// A token whose event is stored was received: a stop answers what was accepted.
    fn a_stop_responds_to_what_was_accepted(database) {
        let mut server = Server::spawn_with(database, &[("SIGNING_ALGORITHMS", "[\"ES256\"]")]);
        let client =
            server.client_with("orders:read", &["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"]);
        let received = Mutex::new(HashSet::new());
        let stopping = AtomicBool::new(false);
        let mut asked = Instant::now();
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (server, client, received, stopping) = (&server, &client, &received, &stopping);
                scope.spawn(move || {
                    // Some keep their connection, some make a new one for every request.
                    let idle = if number % 2 == 0 { 10 } else { 0 };
                    let http =
                        reqwest::blocking::Client::builder().no_proxy().pool_max_idle_per_host(idle).build().unwrap();
                    while let Some((status, response)) = try_token(&http, &server.url, client) {
                        assert_eq!(status, 200, "{response}");
                        received.lock().unwrap().insert(jti_of(&response));
                    }
                    assert!(stopping.load(Ordering::SeqCst), "an answer was missing before the stop");
                });
            }
            holds_within(Duration::from_secs(30), || received.lock().unwrap().len() >= 100);
            asked = Instant::now();
            stopping.store(true, Ordering::SeqCst);
            server.signal("TERM");
        });
        assert!(server.wait(), "{}", server.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
        let received = received.into_inner().unwrap();
        assert!(received.len() >= 100, "{}", received.len());
        let of_client = format!("action = 'token.issue' AND outcome = 'success' AND credential = '{}'", client.id);
        let sql = format!("SELECT jti AS t FROM audit_log WHERE {of_client}");
        let unanswered: Vec<_> =
            server.database.texts(&sql).into_iter().filter(|jti| !received.contains(jti)).collect();
        assert!(unanswered.is_empty(), "{} of {} were not answered", unanswered.len(), received.len());
        assert!(server.log().contains("stopped"));
    }
}

/// A connection that is kept for later does not hold up a stop, nor does a request that never comes to its end.
#[test]
fn a_stop_does_not_wait_for_idle_connections() {
    let mut server = start(&[]);
    let mut idle = connect(&server);
    assert!(idle.send(get("/healthz", "")));
    assert_eq!(idle.response().unwrap().status, 200);
    let mut untouched = connect(&server);
    untouched.send("GET /heal");
    pause("what was sent arrives", Duration::from_millis(100));
    let asked = Instant::now();
    server.signal("TERM");
    assert!(server.wait());
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
}

/// A reload sends SIGHUP, also where there is no certificate to read again.
#[test]
fn a_hangup_does_not_end_a_server_without_tls() {
    let server = start(&[]);
    for _ in 0..2 {
        server.signal("HUP");
        pause("the signal arrives", Duration::from_millis(100));
        assert_eq!(server.get("/healthz").status, 200);
    }
}
