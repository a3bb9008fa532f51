use serde_json::json;
use utoipa::ToSchema;

use super::*;
use crate::domain::credential::{KeyType, Preset};
use crate::domain::customer::ExternalId;
use crate::domain::environment::Environment;
use crate::domain::ids::ClientId;
use crate::domain::reference::UserReference;
use crate::domain::role::RoleName;
use crate::domain::text::{Description, Name};
use crate::domain::time::Timestamp;
use crate::domain::user::EmailAddress;
use crate::view::metadata::MetadataPairs;

/// What a field accepts, its schema accepts, and the other way round, but where `beyond` says that no schema can tell.
fn check<F: Field>(accepted: &[Value], refused: &[(Value, &str)], beyond: &[(Value, &str)]) {
    let mut named = vec![];
    F::schemas(&mut named);
    let schema = json!({
        "allOf": [serde_json::to_value(F::schema()).unwrap()],
        "components": {"schemas": named.into_iter().collect::<std::collections::BTreeMap<_, _>>()},
    });
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    for value in accepted {
        assert!(F::read(value.clone()).is_ok(), "{value}: {:?}", F::read(value.clone()).err());
        assert!(validator.is_valid(value), "{value}");
    }
    for (value, wrong) in refused.iter().chain(beyond) {
        assert_eq!(F::read(value.clone()).err().as_deref(), Some(*wrong), "{value}");
    }
    for (value, _) in refused {
        assert!(!validator.is_valid(value), "{value}");
    }
    for (value, _) in beyond {
        assert!(validator.is_valid(value), "{value}");
    }
}

#[test]
fn texts_have_the_grammar_of_their_types() {
    check::<Description>(
        &[json!(""), json!("a b"), json!("\u{1f469}\u{200d}\u{1f4bb}")],
        &[
            (json!("a\u{0}"), "must not contain control characters"),
            (json!(" "), "must not begin or end with white space"),
            (json!(1), "must be a string"),
            (json!("x".repeat(1001)), "must have at most 1000 characters"),
        ],
        &[],
    );
    check::<Name>(&[json!("a")], &[(json!(""), "must not be empty")], &[]);
    check::<EmailAddress>(
        &[json!("Ann@Example.com"), json!("a@b")],
        &[
            (json!("a@b@c"), "must be an e-mail address"),
            (json!("a b@c"), "must be an e-mail address"),
            (json!("a\u{0}@c"), "must be an e-mail address"),
        ],
        &[],
    );
}

#[test]
fn names_and_references_have_the_grammar_of_their_types() {
    check::<RoleName>(
        &[json!("a-b_1")],
        &[(json!("A"), "must be 1 to 60 of a-z, 0-9, - and _, and begin with a letter")],
        &[],
    );
    check::<ExternalId>(
        &[json!("acme"), json!("anyone"), json!("x".repeat(128))],
        &[
            (json!("any"), "must not be any, nor begin with cus_"),
            (json!("cus_1"), "must not be any, nor begin with cus_"),
            (json!("a b"), "must be 1 to 128 visible ASCII characters without a space"),
            (json!("a\u{0}"), "must be 1 to 128 visible ASCII characters without a space"),
        ],
        &[],
    );
    let user = format!("usr_{}", "0".repeat(32));
    check::<UserReference>(
        &[json!("ann@example.com"), json!(user)],
        &[(json!("ann"), "must be the id or the e-mail address of a user")],
        &[],
    );
    check::<ClientId>(
        &[json!(format!("cli_{}", "a".repeat(32)))],
        &[
            (json!("cli_1"), "is not a well-formed identifier"),
            (json!(format!("key_{}", "a".repeat(32))), "is not an identifier of this kind"),
        ],
        &[],
    );
    check::<Timestamp>(
        &[json!("2026-01-31T12:00:00Z"), json!("2026-01-31T12:00:00.5+01:00")],
        &[(json!("tomorrow"), "must be an RFC 3339 time such as 2026-01-31T12:00:00Z")],
        &[],
    );
}

#[test]
fn closed_lists_are_closed() {
    check::<Environment>(
        &[json!("production")],
        &[(json!("Production"), "must be production, staging or development"), (json!(true), "must be a string")],
        &[],
    );
    check::<KeyType>(&[json!("internal")], &[(json!("none"), "must be client, partner or internal")], &[]);
    check::<Preset>(&[json!("read-only")], &[(json!("read"), "must be read-only, write, full or scoped")], &[]);
}

#[test]
fn numbers_are_integers_within_bounds() {
    check::<RateLimit>(
        &[json!(1), json!(1_000_000), json!(7.0)],
        &[
            (json!(0), "must be 1 to 1000000"),
            (json!(-1), "must be 1 to 1000000"),
            (json!(1_000_001), "must be 1 to 1000000"),
            (json!(1e300), "must be an integer"),
            (json!(0.5), "must be an integer"),
            (json!("1"), "must be an integer"),
        ],
        &[],
    );
    check::<TokenLifetime>(&[json!(1), json!(3600)], &[(json!(3601), "must be 1 to 3600")], &[]);
    check::<Cost>(&[json!(1000)], &[(json!(1001), "must be 1 to 1000")], &[]);
}

#[test]
fn lists_have_bounds() {
    let many = |entry: &str, count: usize| Value::from(vec![entry; count]);
    check::<GrantedScopes>(
        &[json!(["orders:read", "orders:read"]), many("read", 100)],
        &[
            (json!([]), "must name at least one scope"),
            (many("read", 101), "must have at most 100 scopes"),
            (json!(["a b"]), "must be visible ASCII without quotation mark, backslash or space: a b"),
            (json!([""]), "must have 1 to 128 characters: "),
            (json!("read"), "must be a list of strings"),
            (json!([1]), "must be a list of strings"),
        ],
        &[(
            json!(["sealwright.unknown"]),
            "begins with sealwright. but is not a management permission: sealwright.unknown",
        )],
    );
    check::<AnyScopes>(&[json!([])], &[], &[]);
    check::<Audiences>(
        &[json!([]), json!(["https://api.example.com", "x"])],
        &[(many("x", 51), "must have at most 50 entries")],
        &[],
    );
    let address = "must be addresses or CIDR blocks such as 203.0.113.7 or 2001:db8::/32";
    check::<AllowedNetworks>(
        &[json!([]), json!(["203.0.113.7", "2001:db8::/32", "10.0.0.0/8", "::1/128", "::ffff:192.0.2.0/120"])],
        &[
            (json!(["localhost"]), address),
            (json!(["10.0.0.0/33"]), address),
            (json!(["::/129"]), address),
            (many("203.0.113.7", 101), "must have at most 100 entries"),
        ],
        &[],
    );
    check::<Customers>(&[json!(["acme"])], &[(many("acme", 21), "must have at most 20 entries")], &[]);
}

#[test]
fn an_entry_that_may_be_a_secret_is_not_repeated() {
    let secret = format!("sw_live_{} x", "a".repeat(38));
    let error = GrantedScopes::read(json!([secret])).unwrap_err();
    assert!(error.ends_with(": sw_live_… x"), "{error}");
}

#[test]
fn addresses_are_of_both_families() {
    let wrong = "must be an IP address";
    let full = "1:2:3:4:5:6:7:8";
    check::<Address>(
        &[
            json!("0.0.0.0"),
            json!("255.249.199.10"),
            json!("::"),
            json!("::1"),
            json!("1::"),
            json!("2001:db8::7:8"),
            json!("1::3:4:5:6:7:8"),
            json!("1:2:3:4:5:6::8"),
            json!(full),
            json!("::ffff:192.0.2.1"),
            json!("1:2:3:4:5:6:192.0.2.1"),
        ],
        &[
            (json!(""), wrong),
            (json!("256.0.0.1"), wrong),
            (json!("1.2.3"), wrong),
            (json!("01.2.3.4"), wrong),
            (json!(":::"), wrong),
            (json!("1::2::3"), wrong),
            (json!(format!("{full}:9")), wrong),
            (json!(".86911908:6ab6.a8e"), wrong),
            (json!("::1%eth0"), wrong),
        ],
        &[],
    );
}

#[test]
fn durations_are_at_most_30_days() {
    check::<Grace>(
        &[json!("0s"), json!("0030d"), json!("720h"), json!("43200m"), json!("2592000s"), json!("99999s")],
        &[
            (json!("1w"), "must be an integer and s, m, h or d, such as 90d"),
            (json!("31d"), "must be at most 30d"),
            (json!("721h"), "must be at most 30d"),
            (json!("43201m"), "must be at most 30d"),
            (json!("2592001s"), "must be at most 30d"),
            (json!("99999999d"), "is longer than a hundred years"),
        ],
        &[],
    );
}

#[test]
fn metadata_has_at_most_twenty_pairs_of_bounded_text() {
    let many = |count: usize| Value::Object((0..count).map(|n| (n.to_string(), json!("x"))).collect());
    let key = |text: &str| json!({text: "x"});
    check::<MetadataPairs>(
        &[
            json!({}),
            json!({"plan": "gold", "old": null}),
            many(20),
            key(&"ü".repeat(40)),
            json!({"a": " é=\u{1f469} "}),
        ],
        &[
            (many(21), "must have at most 20 pairs"),
            (key(""), "must have keys of 1 to 40 characters"),
            (key(&"ü".repeat(41)), "must have keys of 1 to 40 characters"),
            (key(" a"), "must have keys without control characters, and without white space at either end"),
            (key("a\n"), "must have keys without control characters, and without white space at either end"),
            (json!({"a": "x".repeat(501)}), "must have values of at most 500 characters"),
            (json!({"a": "\u{0}"}), "must have values without control characters"),
            (json!({"a": 1}), "must have values that are strings"),
            (json!("a"), "must be an object"),
        ],
        &[],
    );
}

#[test]
fn secrets_are_blank_in_debug() {
    let password = NewPassword::read(json!("correct horse")).unwrap();
    assert_eq!(format!("{password:?}"), "SecretText");
    assert_eq!(
        NewPassword::read(json!("short")).err().as_deref(),
        Some("must have at least 8 characters and at most 1024 bytes")
    );
}

#[test]
fn closed_lists_have_names_that_generators_take() {
    assert_eq!(<KeyType as ToSchema>::name(), "ApiKeyType");
    assert_eq!(<Environment as ToSchema>::name(), "Environment");
}
