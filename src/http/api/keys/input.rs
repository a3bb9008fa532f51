//! What may be said of an API key.

use utoipa::ToSchema;

use crate::http::api::fields::Fields;
use crate::http::api::schema;
use crate::service::keys::KeyInput;

/// What may be said of a key. `null` sets a field back to its default, or a limit to unlimited.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
pub struct ApiKeySettings {
    /// Its purpose, in a few words; it cannot be null.
    #[schema(examples("nightly export"))]
    name: Option<String>,
    /// The same at length.
    description: Option<String>,
    /// What it may do; it cannot be null.
    #[schema(min_items = 1, max_items = 100, examples(json!(["orders:read"])))]
    scopes: Option<Vec<String>>,
    /// The same by one word.
    #[schema(value_type = Option<schema::Preset>)]
    preset: Option<String>,
    /// Addresses and CIDR blocks that it may be used from; anywhere, unless given.
    #[schema(max_items = 100, examples(json!(["203.0.113.7", "2001:db8::/32"])))]
    allowed_ips: Option<Vec<String>>,
    /// Requests a minute.
    #[schema(minimum = 1)]
    rate_per_minute: Option<i64>,
    /// Requests at once, refilled within a second.
    #[schema(minimum = 1)]
    burst_per_second: Option<i64>,
    /// When it stops being accepted.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The customers that it is tied to, by either of their ids; the caller's own, unless given.
    #[schema(max_items = 20)]
    customers: Option<Vec<String>>,
}

/// A key to be made: its settings, of which `name` is required, and what cannot be changed later.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `new_key` reads")]
pub struct NewApiKey {
    /// The caller's own, unless given; no other can be given.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<String>,
    /// `partner`, unless given.
    #[schema(value_type = Option<schema::KeyType>)]
    r#type: Option<String>,
    /// The user whom it belongs to, by id or e-mail address; the caller's own owner, unless given.
    owner: Option<String>,
    #[serde(flatten)]
    settings: ApiKeySettings,
}

/// How a key is to be rotated.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `rotation` reads")]
pub struct KeyStringRotation {
    /// How long the old string goes on being accepted: an integer and `s`, `m`, `h` or `d`; at most 30 days.
    #[schema(default = "0s", examples("24h"))]
    grace: Option<String>,
}

/// What cannot be changed later.
pub struct Fixed {
    /// An environment's name.
    pub environment: Option<String>,
    /// A type's name.
    pub kind: Option<String>,
    /// A user.
    pub owner: Option<String>,
}

/// Reads [`ApiKeySettings`].
pub fn input(fields: &mut Fields) -> KeyInput {
    KeyInput {
        name: fields.string("name"),
        description: fields.string("description"),
        scopes: fields.strings("scopes"),
        preset: fields.string("preset"),
        allowed_ips: fields.strings("allowed_ips"),
        rate_per_minute: fields.integer("rate_per_minute"),
        burst_per_second: fields.integer("burst_per_second"),
        expires_at: fields.string("expires_at"),
        customers: fields.strings("customers"),
    }
}

/// Reads [`NewApiKey`].
pub fn new_key(fields: &mut Fields) -> (Fixed, KeyInput) {
    let fixed = Fixed {
        environment: fields.string("environment").apply(None),
        kind: fields.string("type").apply(None),
        owner: fields.string("owner").apply(None),
    };
    (fixed, input(fields))
}

/// Reads [`KeyStringRotation`].
pub fn rotation(fields: &mut Fields) -> Option<String> {
    fields.string("grace").apply(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<ApiKeySettings>(|fields| drop(input(fields)));
        assert_described::<NewApiKey>(|fields| drop(new_key(fields)));
        assert_described::<KeyStringRotation>(|fields| drop(rotation(fields)));
    }
}
