//! An issuer that signs whatever it is asked to, and what resource servers make of its tokens.

use super::*;

/// An issuer with one key, which signs whatever it is asked to.
struct Forger {
    url: String,
    key: KeyPair,
    times_asked: Arc<AtomicUsize>,
}

impl Forger {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let (x, y) = key.public_key_raw()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": "key"});
        let keys = json!({"keys": [jwk]}).to_string();
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/jwks")}).to_string();
        let times_asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&times_asked);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let is_for_keys = read_head(&mut connection).unwrap_or_default().starts_with("GET /jwks ");
                counter.fetch_add(is_for_keys.into(), Ordering::SeqCst);
                response(&mut connection, "200 OK", if is_for_keys { &keys } else { &metadata });
            }
        });
        Self { url, key, times_asked }
    }

    /// The header and the claims of a good token.
    fn good(&self) -> (Header, Value) {
        let mut header = Header::new(Algorithm::ES256);
        (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some("key".to_owned()));
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "cli_1", "client_id": "cli_1", "jti": "1",
            "iat": now, "exp": now + 60, "scope": "orders:read",
        });
        (header, claims)
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = match header.alg {
            Algorithm::ES256 => EncodingKey::from_ec_der(&self.key.serialize_der()),
            _ => EncodingKey::from_secret(self.key.public_key_raw()),
        };
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }
}

/// What only an issuer could make, or somebody who knows its public key.
pub fn trusts_no_header(resource_server: Command) {
    let (server, forger) = (start(), Forger::start());
    let api = ResourceServer::start(resource_server, &forger.url);
    let (good_header, good_claims) = forger.good();
    let good = forger.sign(&good_header, &good_claims);
    assert_eq!(api.call(&server, &good).status, 200);

    let of_header = |change: &dyn Fn(&mut Header)| {
        let mut header = good_header.clone();
        change(&mut header);
        forger.sign(&header, &good_claims)
    };
    let without = |claim: &str| {
        let mut claims = good_claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        forger.sign(&good_header, &claims)
    };
    let (_, payload_and_signature) = good.split_once('.').unwrap();
    let (payload, _) = payload_and_signature.split_once('.').unwrap();
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none","kid":"key"}"#);
    let mut tokens = vec![
        ("alg none", format!("{unsigned}.{payload}.")),
        ("the public key as a secret", of_header(&|header| header.alg = Algorithm::HS256)),
        ("typ of another token", of_header(&|header| header.typ = Some("logout+jwt".to_owned()))),
        ("no typ", of_header(&|header| header.typ = None)),
        ("no kid of the issuer's", of_header(&|header| header.kid = Some("other".to_owned()))),
        ("crit", of_header(&|header| header.crit = Some(vec!["unheard-of".to_owned()]))),
    ];
    for claim in ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"] {
        tokens.push((claim, without(claim)));
    }
    // An API that cannot read its customers must not take the client for one that is tied to none.
    for customers in [json!([]), Value::Null, json!("acme"), json!([1]), json!({"acme": true})] {
        let mut claims = good_claims.clone();
        claims["customers"] = customers;
        tokens.push(("customers", forger.sign(&good_header, &claims)));
    }
    for (name, token) in tokens {
        let response = api.call(&server, &token);
        assert_eq!((response.status, response.body["error"].as_str()), (401, Some("invalid_token")), "{name}");
    }
    let response = api.call(&server, &without("scope"));
    assert_eq!((response.status, response.body["error"].as_str()), (403, Some("insufficient_scope")));
}

/// Whoever makes up ids of keys cannot make the resource server besiege its issuer.
pub fn asks_for_keys_now_and_then(resource_server: Command) {
    let (server, forger) = (start(), Forger::start());
    let api = ResourceServer::start(resource_server, &forger.url);
    let (mut header, claims) = forger.good();
    for number in 0..50 {
        header.kid = Some(format!("made up {number}"));
        assert_eq!(api.call(&server, &forger.sign(&header, &claims)).status, 401);
    }
    let times = forger.times_asked.load(Ordering::SeqCst);
    assert!(times <= 5, "asked {times} times");
}
