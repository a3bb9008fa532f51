//! What all environments share: customers, users, roles, the registry of scopes.

use crate::http::api::{customers, roles, scopes, users};
use crate::http::endpoint::{Endpoint, op};

/// What all environments share is changed with credentials of production.
const SHARED: &str = "Needs a credential of production, as all changes to what the environments share.";

pub fn customers() -> Vec<Endpoint> {
    let at = |path: &str| Endpoint::at("Customers", format!("/api/v1/customers{path}"));
    vec![
        at("")
            .get(op("list_customers", "List customers", "Newest first."), customers::list)
            .post(op("create_customer", "Create a customer", SHARED), customers::create),
        at("/{id}")
            .get(op("get_customer", "Show a customer", ""), customers::show)
            .patch(op("update_customer", "Update a customer", "Its `external_id` is fixed."), customers::update)
            .delete(
                op(
                    "delete_customer",
                    "Delete a customer",
                    "No credential may be tied to it. Its audit events stay, and its `external_id` is not given again.",
                ),
                customers::delete,
            ),
        at("/{id}/suspend").post(
            op(
                "suspend_customer",
                "Suspend a customer",
                "Credentials that are tied to it do not serve it until it is resumed: it is left out of tokens, \
                 verification and gateways' fields. Credentials that are tied to no other customer are refused.",
            ),
            customers::suspend,
        ),
        at("/{id}/resume").post(
            op("resume_customer", "Resume a customer", "Credentials that are tied to it serve it again."),
            customers::resume,
        ),
    ]
}

pub fn users() -> Vec<Endpoint> {
    let at = |path: &str| Endpoint::at("Users and roles", format!("/api/v1/users{path}"));
    vec![
        at("").get(op("list_users", "List users", "Newest first."), users::list).post(
            op("create_user", "Create a user", "The caller must have the scopes of the user's role."),
            users::create,
        ),
        at("/{id}").get(op("get_user", "Show a user", ""), users::show).patch(
            op(
                "update_user",
                "Update a user",
                "The caller must have the scopes of the user's role, before and after the change.",
            ),
            users::update,
        ),
        at("/{id}/disable").post(
            op(
                "disable_user",
                "Disable a user",
                "The user's credentials stop at once, until the user is enabled again or they are transferred.",
            ),
            users::disable,
        ),
        at("/{id}/enable")
            .post(op("enable_user", "Enable a user", "The user's credentials are accepted again."), users::enable),
    ]
}

pub fn roles() -> Vec<Endpoint> {
    let at = |path: &str| Endpoint::at("Users and roles", format!("/api/v1/roles{path}"));
    vec![
        at("")
            .get(op("list_roles", "List roles", "By name."), roles::list)
            .post(op("create_role", "Create a role", "The caller must have the scopes of the role."), roles::create),
        at("/{name}")
            .get(op("get_role", "Show a role", ""), roles::show)
            .patch(
                op(
                    "update_role",
                    "Update a role",
                    "In force for the next request of every credential of its users. `owner` cannot be changed.",
                ),
                roles::update,
            )
            .delete(
                op("delete_role", "Delete a role", "No user may have it, and it may not be built in."),
                roles::delete,
            ),
    ]
}

pub fn scopes() -> Vec<Endpoint> {
    let at = |path: &str| Endpoint::at("Scopes", format!("/api/v1/scopes{path}"));
    vec![
        at("")
            .get(
                op(
                    "list_scopes",
                    "List registered scopes",
                    "Newest first. The registry says what scopes mean; a credential may have scopes that are not in \
                     it.",
                ),
                scopes::list,
            )
            .post(op("create_scope", "Register a scope", SHARED), scopes::create),
        at("/{name}")
            .get(op("get_scope", "Show a registered scope", ""), scopes::show)
            .patch(op("update_scope", "Update a registered scope", ""), scopes::update)
            .delete(
                op("delete_scope", "Remove a scope from the registry", "Credentials that have it keep it."),
                scopes::delete,
            ),
    ]
}
