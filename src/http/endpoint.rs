//! One entry of the route table: a path, and for each method its operation and its handler. The entry feeds both
//! actix-web and the OpenAPI document: what a handler takes and returns describes itself.

use std::future::ready;

use actix_web::http::Method;
use actix_web::web::{self, Data};
use actix_web::{FromRequest, Handler, Resource, Responder, Route};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::OperationBuilder;

use super::describe::{Describe, OperationDoc};
use super::error;
use super::middleware::PathKind;
use super::oauth::Issuer;
use super::reference::samples::Sample;

/// The part of an operation's description that its handler's signature does not give.
#[derive(Clone, Copy)]
pub struct Op {
    id: &'static str,
    summary: &'static str,
    description: &'static str,
    samples: &'static [Sample],
}

/// An operation: its id, what it does in a few words, and what else there is to know.
pub const fn op(id: &'static str, summary: &'static str, description: &'static str) -> Op {
    Op { id, summary, description, samples: &[] }
}

impl Op {
    /// The same with code samples.
    pub const fn with_samples(self, samples: &'static [Sample]) -> Self {
        Self { samples, ..self }
    }
}

/// A path and its operations; other methods get 405 and `Allow`.
pub struct Endpoint {
    path: String,
    tag: &'static str,
    kind: PathKind,
    issuer: Option<Issuer>,
    handlers: Vec<Handled>,
}

struct Handled {
    method: Method,
    route: Route,
    /// None for `HEAD`, which goes with `GET`.
    documented: Option<Documented>,
}

/// What is said of an operation, and what its handler's signature adds.
type Documented = (Op, fn(&mut OperationDoc));

impl Endpoint {
    /// A path whose errors are RFC 9457 problems, in the part of the document that `tag` names.
    pub fn at(tag: &'static str, path: impl Into<String>) -> Self {
        Self { path: path.into(), tag, kind: PathKind::Problem, issuer: None, handlers: vec![] }
    }

    /// The same below an issuer.
    pub fn below(self, issuer: Issuer) -> Self {
        Self { issuer: Some(issuer), ..self }
    }

    /// The same with errors of RFC 6749.
    pub fn with_oauth_errors(self) -> Self {
        Self { kind: PathKind::OAuth, ..self }
    }

    /// Handles `GET`, and `HEAD` likewise.
    pub fn get<H, Args>(mut self, op: Op, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + Describe + 'static,
        Args: FromRequest + Describe + 'static,
    {
        let route = web::head().to(handler.clone());
        self.handlers.push(Handled { method: Method::HEAD, route, documented: None });
        self.on(Method::GET, op, handler)
    }

    pub fn post<H, Args>(self, op: Op, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + Describe + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::POST, op, handler)
    }

    pub fn patch<H, Args>(self, op: Op, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + Describe + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::PATCH, op, handler)
    }

    pub fn delete<H, Args>(self, op: Op, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + Describe + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::DELETE, op, handler)
    }

    fn on<H, Args>(mut self, method: Method, op: Op, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + Describe + 'static,
        Args: FromRequest + Describe + 'static,
    {
        let route = web::method(method.clone()).to(handler);
        let describe: fn(&mut OperationDoc) = |doc| {
            H::Output::describe(doc);
            Args::describe(doc);
        };
        self.handlers.push(Handled { method, route, documented: Some((op, describe)) });
        self
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The issuer below which it is.
    pub fn issuer(&self) -> Option<Issuer> {
        self.issuer
    }

    /// Its operations, as the document has them.
    pub fn operations(&self) -> impl Iterator<Item = OperationDoc> {
        self.handlers.iter().filter_map(|handled| {
            let (op, describe) = handled.documented?;
            let mut operation =
                OperationBuilder::new().operation_id(Some(op.id)).summary(Some(op.summary)).tag(self.tag).build();
            if !op.description.is_empty() {
                operation.description = Some(op.description.to_owned());
            }
            if !op.samples.is_empty() {
                let samples = serde_json::to_value(op.samples).unwrap_or_default();
                operation.extensions = Some(ExtensionsBuilder::new().add("x-codeSamples", samples).build());
            }
            let mut doc =
                OperationDoc { operation, method: handled.method.clone(), path: self.path.clone(), schemas: vec![] };
            describe(&mut doc);
            Some(doc)
        })
    }

    pub fn into_resource(self) -> Resource {
        let kind = self.kind;
        let allow = self.handlers.iter().map(|handled| handled.method.as_str()).collect::<Vec<_>>().join(", ");
        let mut resource = web::resource(self.path);
        if let Some(issuer) = self.issuer {
            resource = resource.app_data(Data::new(issuer));
        }
        self.handlers
            .into_iter()
            .fold(resource, |resource, handled| resource.route(handled.route))
            .default_service(web::to(move || ready(error::method_not_allowed(kind, &allow))))
    }
}
