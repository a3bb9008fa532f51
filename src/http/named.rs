//! The object that a path names.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use super::describe::{Describe, OperationDoc};
use crate::view::input::Field;

/// The one parameter of a path, as text. A text that is no `F` names nothing that exists; the service says so, and
/// records the event of it.
pub struct Named<F> {
    text: String,
    field: PhantomData<fn() -> F>,
}

impl<F> Deref for Named<F> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<F: 'static> FromRequest for Named<F> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = Path::<String>::from_request(request, payload).into_inner();
        ready(path.map(|text| Self { text: text.into_inner(), field: PhantomData }))
    }
}

impl<F: Field> Describe for Named<F> {
    fn describe(doc: &mut OperationDoc) {
        F::schemas(&mut doc.schemas);
        let schema = F::schema();
        let description = match &schema {
            RefOr::T(Schema::Object(object)) => object.description.clone(),
            _ => None,
        };
        let name = doc.path.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(name, _)| name);
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(description)
            .schema(Some(schema))
            .build();
        doc.operation.parameters.get_or_insert_default().insert(0, parameter.into());
        doc.problems(&["404"]);
    }
}
