//! Clients that are told to wait, or what is wrong.

use super::*;

/// An API that gives these responses, one a connection, whatever it is asked. Its address.
fn api_that_responds(responses: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // Clients open connections in advance, and may close them without having asked anything.
        let mut asked = listener.incoming().map(Result::unwrap).filter_map(|mut connection| {
            read_head(&mut connection)?;
            Some(connection)
        });
        for head in responses {
            response(&mut asked.next().unwrap(), head, "{}");
        }
    });
    url
}

/// A client repeats what met 429 and 503, when it is told to, and replaces a token that is refused before its time.
pub fn is_patient(command: Command) {
    let server = start();
    let client = client_of(&server, "orders:read", &[]);
    let url = api_that_responds(&[
        "429 Too Many Requests\r\nRetry-After: 1",
        "503 Service Unavailable",
        "200 OK",
        "401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"",
        "200 OK",
    ]);
    let started = Instant::now();
    let output = call_by(command, &server.url, &client, &url);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(started.elapsed() > Duration::from_millis(1750), "it was told to wait a second, and to back off");
    let requests: Vec<_> = calls(&output).iter().map(|call| call["token_requests"].as_u64().unwrap()).collect();
    assert_eq!(requests, [1, 2]);
    // The server tells tokens apart, too.
    assert_eq!(tokens_issued(&server, &client), 2);
}

/// What a client cannot mend it says, without the secret.
#[test]
fn clients_say_what_is_wrong() {
    let server = start();
    let api = ResourceServer::start(programs::rust("resource-server"), &server.url);
    let poor = client_of(&server, "invoices:read", &[]);
    let wrong = TestClient { secret: "wrong_and_never_told".to_owned(), ..poor.clone() };
    for program in CLIENTS.into_iter().chain([SHELL]) {
        let name = format!("{:?}", program());
        let refused = call_by(program(), &server.url, &poor, &api.orders);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        let said = [text(&refused.stdout), text(&refused.stderr)].concat();
        assert!(said.contains("insufficient_scope"), "{name}: {said}");

        let refused = call_by(program(), &server.url, &wrong, &api.orders);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        let said = [text(&refused.stdout), text(&refused.stderr)].concat();
        assert!(said.contains("401") && said.contains("invalid_client"), "{name}: {said}");
        assert!(!said.contains(&wrong.secret), "{name}: {said}");

        let nothing = run(&mut program());
        assert_eq!(nothing.status.code(), Some(2), "{name}");
        assert!(text(&nothing.stderr).contains("SEALWRIGHT_ISSUER"), "{name}");
    }
}
