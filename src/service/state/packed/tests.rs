use super::*;
use crate::domain::credential::samples;
use crate::domain::ids::{CustomerId, UserId};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn rich(plain: Credential) -> Credential {
    let hash = |digest| SecretHash::Client { argon2id: "$argon2id$".to_owned(), digest };
    let digest = KeyedDigest { key: [1; 4], digest: [2; 32] };
    let secret = |hash, end| StoredSecret { hash, ..samples::secret(50, end) };
    Credential {
        name: "Größe".parse().unwrap(),
        scopes: "orders:* read".parse().unwrap(),
        allowed_ips: Networks::parse(["203.0.113.7", "2001:db8::/32"]).unwrap(),
        limits: RateLimits { rate_per_minute: Some(1_000_000), burst_per_second: None },
        state: State::Disabled,
        expires_at: Some(at(5_000)),
        metadata: Metadata::default()
            .merged([("plan".parse().unwrap(), Some("gold".parse().unwrap()))].into())
            .unwrap(),
        numbers: ChangeNumbers { created: 1, owner: 2, customers: 3 },
        owner: Some(UserId::new(at(1), &[1; 10])),
        customers: vec![CustomerId::new(at(1), &[2; 10]), CustomerId::new(at(2), &[3; 10])],
        secrets: vec![secret(hash(Some(digest)), None), secret(hash(None), Some(60)), samples::secret(40, Some(45))],
        ..plain
    }
}

fn client_details() -> Details {
    Details::Client(ClientDetails {
        default_scopes: Some("read".parse().unwrap()),
        audiences: vec!["https://a.example".parse().unwrap(), "b".parse().unwrap()],
        resource_for: vec!["c".parse().unwrap()],
        token_lifetime: Duration::seconds(60),
        signing_algorithm: Some(Algorithm::EdDsa),
        token_typ: Some(TokenTyp::Jwt),
        tokens_revoked_before: Some(at(7)),
    })
}

#[test]
fn what_is_packed_is_unpacked() {
    let client = Credential { details: client_details(), ..rich(samples::client()) };
    let without_scopes = Credential { scopes: Scopes::default(), ..samples::client() };
    for credential in [
        samples::client(),
        client,
        without_scopes,
        samples::key(KeyType::Internal),
        rich(samples::key(KeyType::Client)),
    ] {
        let packed = PackedCredential::of(&credential);
        let unpacked = packed.unpack().unwrap();
        assert_eq!(format!("{unpacked:?}"), format!("{credential:?}"));
        let hashes = |credential: &Credential| -> Vec<_> {
            let secrets = credential.secrets.iter();
            secrets.map(|secret| (secret.id.clone(), secret.created_at, secret.ends_at)).collect()
        };
        assert_eq!(hashes(&unpacked), hashes(&credential));
        let same = |(one, other): (&StoredSecret, &StoredSecret)| one.hash == other.hash;
        assert!(unpacked.secrets.iter().zip(&credential.secrets).all(same));
    }
}

#[test]
fn damaged_bytes_are_no_credential() {
    let PackedCredential(bytes) = PackedCredential::of(&rich(samples::client()));
    for length in 0..bytes.len() {
        assert!(PackedCredential(bytes[..length].into()).unpack().is_none(), "{length}");
    }
    assert!(PackedCredential([&*bytes, &[0]].concat().into()).unpack().is_none());
}

#[test]
fn a_common_key_takes_few_bytes() {
    let mut key = samples::key(KeyType::Partner);
    key.secrets = vec![samples::secret(50, None)];
    let length = PackedCredential::of(&key).len();
    assert!(length < 180, "{length}");
}
