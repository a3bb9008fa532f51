//! The signature of a handler in the OpenAPI document: each argument and the response describe themselves.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr, Required, Response, ResponseBuilder};

use super::error::Problem;
use crate::view::input::{Input, MemberSchema, NamedSchema};

/// An operation of the document while it is put together.
pub struct OperationDoc {
    /// The operation.
    pub operation: Operation,
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// The schemas that it refers to.
    pub schemas: Vec<NamedSchema>,
}

/// Adds to an operation what an argument or a response of its handler means for callers.
pub trait Describe {
    fn describe(_doc: &mut OperationDoc) {}
}

/// The errors that the document describes once: status, name, when it is sent.
pub const PROBLEMS: [(&str, &str, &str); 13] = [
    ("400", "Malformed", "The request is malformed: its credentials, or its body, which must be a JSON object."),
    ("401", "Unauthorized", "There is no bearer token or API key, or not one that is in force and for this API."),
    ("403", "Forbidden", "The caller lacks a permission, or would give scopes that it does not have."),
    ("404", "NotFound", "Nothing has this id, as far as the caller sees."),
    ("408", "TooSlow", "The body did not arrive in time."),
    ("409", "Conflict", "The state of the object forbids it; `code` says why."),
    ("410", "Gone", "The object of the repeated request has been deleted since."),
    ("413", "TooLarge", "The body is larger than 64 KiB."),
    ("415", "UnsupportedMediaType", "The body must be `application/json`."),
    ("422", "Invalid", "Some fields or parameters are invalid; `errors` names them."),
    ("429", "TooMany", "The caller is over its limits; `Retry-After` says when to try again."),
    ("503", "Unavailable", "The service cannot decide, do or record this now; `Retry-After` says when to try again."),
    ("default", "Problem", "Any other problem."),
];

/// The shared responses that `PROBLEMS` lists.
pub fn problem_responses() -> impl Iterator<Item = (String, Response)> {
    PROBLEMS.into_iter().map(|(status, name, description)| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        let mut response =
            ResponseBuilder::new().description(description).content("application/problem+json", content).build();
        let field = match status {
            "401" => Some(("WWW-Authenticate", Type::String)),
            "429" | "503" => Some(("Retry-After", Type::Integer)),
            _ => None,
        };
        if let Some((field, of_type)) = field {
            response.headers.insert(field.to_owned(), header(of_type, None));
        }
        (name.to_owned(), response)
    })
}

/// A response header field.
pub fn header(of_type: Type, description: Option<&str>) -> RefOr<Header> {
    let mut header = Header::new(Schema::from(ObjectBuilder::new().schema_type(of_type)));
    header.description = description.map(str::to_owned);
    header.into()
}

impl OperationDoc {
    /// Refers to the shared responses for these statuses, where the operation has none of its own.
    pub fn problems(&mut self, statuses: &[&str]) {
        for (status, name, _) in PROBLEMS.into_iter().filter(|(status, ..)| statuses.contains(status)) {
            let response = RefOr::Ref(Ref::from_response_name(name));
            self.operation.responses.responses.entry(status.to_owned()).or_insert(response);
        }
    }

    /// Adds a response of its own.
    pub fn respond(&mut self, status: &str, response: Response) {
        self.operation.responses.responses.insert(status.to_owned(), response.into());
    }

    /// A reference to the schema of `T`, which comes into the document with all that it refers to.
    pub fn schema<T: ToSchema>(&mut self) -> Ref {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name())
    }

    /// A response whose body is a `T`.
    pub fn json<T: ToSchema>(&mut self, content_type: &str) -> Response {
        let description = match T::schema() {
            RefOr::T(Schema::Object(object)) => object.description,
            RefOr::T(Schema::AllOf(parts)) => parts.description,
            _ => None,
        };
        let content = ContentBuilder::new().schema(Some(self.schema::<T>())).build();
        ResponseBuilder::new().description(description.unwrap_or_default()).content(content_type, content).build()
    }

    pub fn parameter(&mut self, place: ParameterIn, member: MemberSchema) {
        let is_required = member.is_required || place == ParameterIn::Path;
        let parameter = ParameterBuilder::new()
            .name(member.name)
            .parameter_in(place)
            .required(if is_required { Required::True } else { Required::False })
            .description(Some(member.description))
            .schema(Some(member.schema))
            .build();
        self.operation.parameters.get_or_insert_default().push(parameter.into());
    }

    /// Adds the members of an input as parameters of the query string.
    pub fn query<I: Input>(&mut self) {
        let mut members = vec![];
        I::members(&mut members);
        I::schemas(&mut self.schemas);
        for member in members {
            self.parameter(ParameterIn::Query, member);
        }
        self.problems(&["422"]);
    }

    /// Adds a paragraph to the operation's description.
    pub fn remark(&mut self, paragraph: &str) {
        let description = &mut self.operation.description;
        *description = Some(match description.take() {
            Some(before) => format!("{before}\n\n{paragraph}"),
            None => paragraph.to_owned(),
        });
    }
}

impl Describe for HttpRequest {}

impl<T: ?Sized> Describe for Data<T> {}

impl<T> Describe for Path<T> {}

impl Describe for Payload {}

impl Describe for actix_web::HttpResponse {}

impl<T: Describe, E> Describe for Result<T, E> {
    fn describe(doc: &mut OperationDoc) {
        T::describe(doc);
    }
}

macro_rules! describe_arguments {
    ($(($($argument:ident),*))*) => {$(
        impl<$($argument: Describe),*> Describe for ($($argument,)*) {
            fn describe(_doc: &mut OperationDoc) {
                $($argument::describe(_doc);)*
            }
        }
    )*};
}

describe_arguments! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }
