//! What the lists of clients and of API keys have in common, and handing them over.

use utoipa::{IntoParams, ToSchema};

use super::fields::Fields;
use super::page::Query;
use super::schema;
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::domain::ids::UserId;
use crate::domain::time::{Duration, Timestamp};
use crate::http::error::ApiError;
use crate::service::error::ServiceError;
use crate::service::input::Patch;
use crate::store::credentials::{CredentialFilter, Due};

/// What both lists take.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `credential_filter` reads")]
pub struct CredentialParameters {
    /// Only those of this environment.
    #[param(value_type = Option<schema::Environment>)]
    environment: Option<String>,
    /// Only those with exactly this name.
    name: Option<String>,
    /// Only those with this status.
    #[param(value_type = Option<schema::Status>)]
    status: Option<String>,
    /// Only those of this user.
    owner: Option<String>,
    /// Only those that are tied to this customer, by either of its ids.
    customer: Option<String>,
    /// Only those that are due to be rotated, or only those that are not.
    rotation_due: Option<bool>,
}

/// Reads [`CredentialParameters`] at `now`, where credentials are due to be rotated at `rotation_age`.
pub fn credential_filter(query: &mut Query, rotation_age: Duration, now: Timestamp) -> CredentialFilter {
    CredentialFilter {
        environment: query.get::<Environment>("environment"),
        name: query.get::<String>("name"),
        kind: None,
        owner: query.get::<UserId>("owner"),
        customer: query.get::<String>("customer"),
        within: vec![],
        status: query.get::<Status>("status").map(|status| (status, now)),
        due: query.get::<bool>("rotation_due").map(|is_due| Due {
            is_due,
            rotated_before: now.minus(rotation_age),
            now,
        }),
        before: None,
    }
}

/// To whom a credential is given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `new_owner` reads")]
pub struct Transfer {
    /// A user, by id or e-mail address; null is the organisation.
    #[schema(required)]
    owner: Option<String>,
}

/// Reads [`Transfer`].
pub fn new_owner(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    match fields.string("owner") {
        Patch::Keep => Err(ApiError::Input(ServiceError::invalid("owner", "is required"))),
        Patch::Clear => Ok(None),
        Patch::Set(owner) => Ok(Some(owner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<Transfer>(|fields| drop(new_owner(fields)));
    }
}
