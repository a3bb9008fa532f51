//! What may be said of a client.

use utoipa::ToSchema;

use crate::http::api::fields::Fields;
use crate::http::api::schema;
use crate::service::clients::ClientInput;

/// What may be said of a client. `null` sets a field back to its default, or a limit to unlimited.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
pub struct ClientSettings {
    /// What it is called; it cannot be null.
    #[schema(examples("billing"))]
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// What it may at most be granted, management permissions among them; it cannot be null.
    #[schema(min_items = 1, max_items = 100, examples(json!(["orders:read"])))]
    scopes: Option<Vec<String>>,
    /// What it gets when it asks for no scope; its scopes, unless given.
    #[schema(min_items = 1, max_items = 100)]
    default_scopes: Option<Vec<String>>,
    /// Whom its tokens may be for; its environment's default audience, unless given.
    audiences: Option<Vec<String>>,
    /// Audiences whose tokens it may introspect, being their resource server.
    resource_for: Option<Vec<String>>,
    /// Addresses and CIDR blocks that it may be used from; anywhere, unless given.
    #[schema(max_items = 100, examples(json!(["203.0.113.7", "2001:db8::/32"])))]
    allowed_ips: Option<Vec<String>>,
    /// Seconds that its tokens live.
    #[schema(minimum = 1, maximum = 3600, default = 3600)]
    token_lifetime: Option<i64>,
    /// What its tokens are signed with; its environment's algorithm, unless given.
    #[schema(value_type = Option<schema::Algorithm>)]
    signing_algorithm: Option<String>,
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

/// A client to be made: its settings, of which `name` and `scopes` are required, and its environment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `new_client` reads")]
pub struct NewClient {
    /// The caller's own, unless given; no other can be given.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<String>,
    /// The user whom it belongs to, by id or e-mail address; the caller's own owner, unless given.
    owner: Option<String>,
    #[serde(flatten)]
    settings: ClientSettings,
}

/// How a secret is to be replaced.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `rotation` reads")]
pub struct SecretRotation {
    /// How long the old secret goes on being accepted: an integer and `s`, `m`, `h` or `d`; at most 30 days.
    #[schema(default = "0s", examples("24h"))]
    grace: Option<String>,
}

/// Reads [`ClientSettings`].
pub fn input(fields: &mut Fields) -> ClientInput {
    ClientInput {
        name: fields.string("name"),
        description: fields.string("description"),
        scopes: fields.strings("scopes"),
        default_scopes: fields.strings("default_scopes"),
        audiences: fields.strings("audiences"),
        resource_for: fields.strings("resource_for"),
        allowed_ips: fields.strings("allowed_ips"),
        token_lifetime: fields.integer("token_lifetime"),
        signing_algorithm: fields.string("signing_algorithm"),
        rate_per_minute: fields.integer("rate_per_minute"),
        burst_per_second: fields.integer("burst_per_second"),
        expires_at: fields.string("expires_at"),
        customers: fields.strings("customers"),
    }
}

/// Reads [`NewClient`]: environment, owner and settings.
pub fn new_client(fields: &mut Fields) -> (Option<String>, Option<String>, ClientInput) {
    let environment = fields.string("environment").apply(None);
    (environment, fields.string("owner").apply(None), input(fields))
}

/// Reads [`SecretRotation`].
pub fn rotation(fields: &mut Fields) -> Option<String> {
    fields.string("grace").apply(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<ClientSettings>(|fields| drop(input(fields)));
        assert_described::<NewClient>(|fields| drop(new_client(fields)));
        assert_described::<SecretRotation>(|fields| drop(rotation(fields)));
    }
}
