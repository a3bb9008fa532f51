//! `/api/v1/customers`.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::fields::Fields;
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{CustomersRead, CustomersWrite, Permitted};
use super::repeated::{Begun, begin};
use super::schema::Time;
use super::{Answer, fields, private_json};
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;
use crate::http::SharedState;
use crate::http::error::Conflict;
use crate::service::customers::CustomerInput;
use crate::service::idempotency::Rendered;
use crate::store::customers::CustomerFilter;

/// A customer as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
struct CustomerView<'c> {
    /// Its id here.
    #[schema(examples("cus_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"))]
    id: &'c str,
    /// Its id on the company's platform.
    #[schema(examples("acme"))]
    external_id: &'c str,
    name: &'c str,
    created_at: Time,
    updated_at: Time,
}

/// A customer as it is shown.
pub fn view(customer: &Customer) -> Value {
    json!(CustomerView {
        id: customer.id.as_str(),
        external_id: &customer.external_id,
        name: &customer.name,
        created_at: customer.created_at.into(),
        updated_at: customer.updated_at.into(),
    })
}

/// A customer to be entered.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
struct NewCustomer {
    /// Its id on the company's platform: visible ASCII.
    #[schema(max_length = 128, examples("acme"))]
    external_id: String,
    name: String,
}

/// What is to be changed; what is not named stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `input` reads")]
struct CustomerChange {
    /// Its id on the company's platform: visible ASCII.
    #[schema(max_length = 128)]
    external_id: Option<String>,
    name: Option<String>,
}

fn input(fields: &mut Fields) -> CustomerInput {
    CustomerInput { external_id: fields.string("external_id"), name: fields.string("name") }
}

/// List customers
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/customers",
    operation_id = "list_customers",
    tag = "Customers",
    params(
        ("external_id" = Option<String>, Query, description = "Only the one with this external id."),
        PageParameters,
    ),
    responses((status = 200, description = "A page of customers.", body = Page<CustomerView<'_>>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<CustomersRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let filter = CustomerFilter {
        external_id: query.get::<String>("external_id"),
        among: vec![],
        before: query.get::<CustomerId>("cursor"),
    };
    query.finish()?;
    let rows = state.services.list_customers(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |customer| customer.id.to_string(), view))
}

/// Enter a customer
///
/// For credentials of production, as everything that all environments share.
#[utoipa::path(
    post,
    path = "/api/v1/customers",
    operation_id = "create_customer",
    tag = "Customers",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within a day the first answer comes again.")),
    request_body = NewCustomer,
    responses((status = 201, description = "The customer.", body = CustomerView<'_>), Conflict),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<CustomersWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&Customer, Timestamp) -> Rendered = |customer, _| Rendered::plain(201, view(customer).to_string());
    let begun = begin(&request, payload, &state, &permitted, "customer.create", render).await?;
    let (mut fields, repeat) = match begun {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let input = input(&mut fields);
    fields.finish()?;
    let customer = state.services.create_customer(&permitted.caller, input, repeat, permitted.origin).await?;
    Ok(private_json(201, &view(&customer)))
}

/// Show a customer
#[utoipa::path(
    get,
    path = "/api/v1/customers/{id}",
    operation_id = "show_customer",
    tag = "Customers",
    params(("id" = String, Path, description = "Either of the customer's ids.", example = "acme")),
    responses((status = 200, description = "The customer.", body = CustomerView<'_>)),
)]
pub(in crate::http) async fn show(id: Path<String>, permitted: Permitted<CustomersRead>, state: SharedState) -> Answer {
    Ok(private_json(200, &view(&state.services.customer(&permitted.caller, &id, permitted.origin).await?)))
}

/// Change a customer
#[utoipa::path(
    patch,
    path = "/api/v1/customers/{id}",
    operation_id = "update_customer",
    tag = "Customers",
    params(("id" = String, Path, description = "Either of the customer's ids.", example = "acme")),
    request_body = CustomerChange,
    responses((status = 200, description = "The customer.", body = CustomerView<'_>), Conflict),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<CustomersWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let input = input(&mut fields);
    fields.finish()?;
    let customer = state.services.update_customer(&permitted.caller, &id, input, permitted.origin).await?;
    Ok(private_json(200, &view(&customer)))
}

/// Remove a customer
///
/// One that no credential is tied to. Its audit events stay.
#[utoipa::path(
    delete,
    path = "/api/v1/customers/{id}",
    operation_id = "delete_customer",
    tag = "Customers",
    params(("id" = String, Path, description = "Either of the customer's ids.", example = "acme")),
    responses((status = 204, description = "It is gone."), Conflict),
)]
pub(in crate::http) async fn delete(
    id: Path<String>,
    permitted: Permitted<CustomersWrite>,
    state: SharedState,
) -> Answer {
    state.services.delete_customer(&permitted.caller, &id, permitted.origin).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::tests::assert_described;

    #[test]
    fn schemas_name_the_fields_that_are_read() {
        assert_described::<NewCustomer>(|fields| drop(input(fields)));
        assert_described::<CustomerChange>(|fields| drop(input(fields)));
    }
}
