use serde_json::json;

use super::*;
use crate::domain::patch::Patch;
use crate::domain::text::Name;
use crate::view::field::{Flag, PageLimit, RateLimit};

input! {
    /// Every kind
    /// of member.
    pub struct Sample {
        /// Must be there.
        name: Required<Name>,
        /// May be absent.
        r#type: Optional<Flag>,
        /// May be null.
        owner: Nullable<Name>,
        /// Cannot be null.
        kept: Changed<Name>,
        ..limits: Limits,
    }

    /// Members of another one.
    pub struct Limits {
        /// Can be cleared.
        rate: Patched<RateLimit>,
    }

    /// A query.
    pub struct Query {
        /// A number.
        limit: Optional<PageLimit>,
        /// Text.
        name: Optional<Name>,
    }
}

fn read<I: Input>(value: serde_json::Value) -> Result<I, Vec<(String, String)>> {
    let serde_json::Value::Object(members) = value else { panic!("not an object") };
    I::read(members).map_err(|errors| errors.into_iter().map(|error| (error.field, error.wrong)).collect())
}

#[test]
fn members_are_absent_null_or_set_as_their_kind_says() {
    let sample: Sample = read(json!({"name": "a", "owner": null})).unwrap();
    assert_eq!(
        (sample.name.as_str(), sample.r#type, sample.owner, sample.kept, sample.limits.rate),
        ("a", None, None, None, Patch::Keep)
    );
    let sample: Sample = read(json!({"name": "a", "type": true, "owner": "b", "kept": "c", "rate": null})).unwrap();
    assert_eq!(sample.r#type, Some(true));
    assert_eq!(sample.owner.unwrap().as_str(), "b");
    assert_eq!(sample.kept.unwrap().as_str(), "c");
    assert_eq!(sample.limits.rate, Patch::Clear);
    let sample: Sample = read(json!({"name": "a", "type": null, "owner": null, "rate": 7})).unwrap();
    assert_eq!((sample.r#type, sample.limits.rate), (None, Patch::Set(7)));
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let errors = read::<Sample>(json!({"type": "yes", "kept": null, "rate": 0, "colour": "red"})).unwrap_err();
    let expected = [
        ("name", "is required"),
        ("type", "must be true or false"),
        ("owner", "is required"),
        ("kept", "must not be null"),
        ("rate", "must be 1 to 1000000"),
        ("colour", "is not a field of this object"),
    ];
    assert_eq!(errors, expected.map(|(field, detail)| (field.to_owned(), detail.to_owned())));
    let errors = read::<Sample>(json!({"name": null, "owner": null})).unwrap_err();
    assert_eq!(errors, [("name".to_owned(), "must not be null".to_owned())]);
}

#[test]
fn parameters_are_neither_empty_nor_repeated() {
    let query = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Query::read_query(pairs).map(|query| (query.limit, query.name.map(|name| name.to_string()))).map_err(|errors| {
            errors.into_iter().map(|error| format!("{} {}", error.field, error.wrong)).collect::<Vec<_>>().join("; ")
        })
    };
    let wrong = |text: &str| Err(text.to_owned());
    for (pairs, expected) in [
        (&[][..], Ok((None, None))),
        (&[("limit", "7"), ("name", "a")], Ok((Some(7), Some("a".to_owned())))),
        (&[("limit", "")], wrong("limit must not be empty")),
        (&[("limit", "7"), ("limit", "7")], wrong("limit is repeated")),
        (&[("limit", "7"), ("limit", "")], wrong("limit is repeated")),
        (&[("limit", "0")], wrong("limit must be 1 to 1000")),
        (&[("limit", "x")], wrong("limit must be an integer")),
        (&[("name", "a\nb")], wrong("name must not contain control characters")),
        (&[("x", "1"), ("limit", "7.5")], wrong("limit must be an integer; x is not a parameter of this operation")),
    ] {
        assert_eq!(query(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn the_schema_is_one_flat_object() {
    let schema = serde_json::to_value(Sample::schema()).unwrap();
    assert_eq!(schema["description"], "Every kind of member.");
    assert_eq!(schema["required"], json!(["name", "owner"]));
    assert_eq!(schema["additionalProperties"], false);
    let properties = &schema["properties"];
    assert_eq!(properties["name"]["type"], "string");
    assert_eq!(properties["owner"]["type"], json!(["string", "null"]));
    assert_eq!(properties["type"]["type"], json!(["boolean", "null"]));
    assert_eq!(properties["rate"]["type"], json!(["integer", "null"]));
    assert_eq!(properties["rate"]["description"], "Can be cleared.");
    assert!(Sample::is_required() && !Limits::is_required());
}

/// What the schema accepts is read, and the other way round.
#[test]
fn reader_and_schema_agree() {
    let validator = jsonschema::validator_for(&serde_json::to_value(Sample::schema()).unwrap()).unwrap();
    for value in [
        json!({"name": "a", "owner": null}),
        json!({"name": "a", "owner": null, "rate": 5.0}),
        json!({"name": "a", "owner": null, "rate": 5.5}),
        json!({"name": "a", "owner": null, "rate": 1_000_001}),
        json!({"name": "", "owner": null}),
        json!({"name": " a", "owner": null}),
        json!({"name": "a b", "owner": "\u{e9}\u{4e2d}"}),
        json!({"name": "a\u{85}", "owner": null}),
        json!({"name": "a\u{202e}b", "owner": null}),
        json!({"name": "a\u{3000}", "owner": null}),
        json!({"name": "x".repeat(200), "owner": null}),
        json!({"name": "x".repeat(201), "owner": null}),
        json!({"name": "a", "owner": null, "kept": null}),
        json!({"name": "a", "owner": null, "more": 1}),
        json!({"name": ["a"], "owner": null}),
        json!({}),
    ] {
        assert_eq!(validator.is_valid(&value), read::<Sample>(value.clone()).is_ok(), "{value}");
    }
}
