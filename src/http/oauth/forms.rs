//! The forms of the protocol's endpoints, as the document shows them. `oauth` reads them: RFC 6749 has rules of its
//! own for repeated, empty and unknown parameters.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required};

use crate::domain::audience::{AUDIENCES_MAX, Audience};
use crate::domain::environment::Environment;
use crate::http::describe::{Describe, OperationDoc};
use crate::view::input::Field;

/// What ids and secrets consist of (RFC 6749 Appendix A).
const VISIBLE: &str = "^[ -~]*$";

/// A form that a request sends.
pub trait FormSchema: 'static {
    /// The name of its schema.
    const NAME: &'static str;

    /// Its schema, without what authenticates the client.
    fn schema() -> ObjectBuilder;
}

/// Says in a handler's signature that the request sends the form `F`.
pub struct Sent<F>(PhantomData<fn() -> F>);

impl<F: 'static> FromRequest for Sent<F> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(PhantomData)))
    }
}

impl<F: FormSchema> Describe for Sent<F> {
    fn describe(doc: &mut OperationDoc) {
        let secret = text("With HTTP Basic, absent.")
            .pattern(Some(VISIBLE))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
        let schema = F::schema()
            .property(
                "client_id",
                text("The client, if it does not authenticate with HTTP Basic.").pattern(Some(VISIBLE)),
            )
            .property("client_secret", secret);
        doc.schemas.push((F::NAME.to_owned(), schema.into()));
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(F::NAME))).build();
        let body = RequestBodyBuilder::new()
            .content("application/x-www-form-urlencoded", content)
            .required(Some(Required::True))
            .build();
        doc.operation.request_body = Some(body.into());
    }
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn audiences(description: &str) -> ArrayBuilder {
    ArrayBuilder::new()
        .items(<Audience as PartialSchema>::schema())
        .max_items(Some(AUDIENCES_MAX))
        .description(Some(description))
}

/// A request for a token.
pub enum TokenRequest {}

impl FormSchema for TokenRequest {
    const NAME: &'static str = "TokenRequest";

    fn schema() -> ObjectBuilder {
        ObjectBuilder::new()
            .description(Some("What is asked for."))
            .property("grant_type", text("The grant.").enum_values(Some(["client_credentials"])))
            .required("grant_type")
            .property(
                "scope",
                text(
                    "Scopes that the token is to be granted, separated by spaces; the client's default, unless given.",
                )
                .examples(["orders:read"]),
            )
            .property(
                "resource",
                audiences(
                    "The audiences of the token: absolute URIs, among the client's audiences (RFC 8707); the first of \
                     those, unless given.",
                ),
            )
            .property("audience", audiences("The same for audiences that are not URIs."))
    }
}

/// A token, for introspection or revocation.
pub enum TokenForm {}

impl FormSchema for TokenForm {
    const NAME: &'static str = "TokenForm";

    fn schema() -> ObjectBuilder {
        ObjectBuilder::new()
            .description(Some("A token."))
            .property("token", text("The token."))
            .required("token")
            .property("token_type_hint", text("Accepted as the standards ask. It changes nothing."))
    }
}

/// An environment whose issuer has a path.
pub enum OtherEnvironment {}

impl Field for OtherEnvironment {
    type Value = Environment;

    fn schema() -> RefOr<Schema> {
        text("An environment.")
            .enum_values(Some([Environment::Staging, Environment::Development].map(Environment::as_str)))
            .into()
    }

    fn read(value: Value) -> Result<Environment, String> {
        Environment::read(value)
    }
}
