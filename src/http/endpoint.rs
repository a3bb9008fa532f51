//! A path, what answers at it, and what its handlers' signatures say of themselves in the OpenAPI document.

use std::future::ready;

use actix_web::http::Method;
use actix_web::web::{self, Data};
use actix_web::{FromRequest, Handler, Resource, Responder, Route};
use utoipa::openapi::path::Operation;

use super::describe::Describe;
use super::envelope::PathKind;
use super::error;
use super::oauth::Issuer;

/// A path and its handlers by method; other methods get 405 and `Allow`.
pub struct Endpoint {
    path: String,
    kind: PathKind,
    issuer: Option<Issuer>,
    answers: Vec<Answers>,
}

struct Answers {
    method: Method,
    route: Route,
    describe: fn(&mut Operation),
}

impl Endpoint {
    /// A path whose errors are RFC 9457 problems.
    pub fn at(path: impl Into<String>) -> Self {
        Self { path: path.into(), kind: PathKind::Problem, issuer: None, answers: vec![] }
    }

    /// A path below an issuer.
    pub fn below(issuer: Issuer, path: impl Into<String>) -> Self {
        Self { issuer: Some(issuer), ..Self::at(path) }
    }

    /// The same with errors of RFC 6749.
    pub fn with_oauth_errors(self) -> Self {
        Self { kind: PathKind::OAuth, ..self }
    }

    /// Answers `GET`, and `HEAD` likewise.
    pub fn get<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::GET, handler.clone()).on(Method::HEAD, handler)
    }

    /// Answers `POST`.
    pub fn post<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::POST, handler)
    }

    /// Answers `PATCH`.
    pub fn patch<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::PATCH, handler)
    }

    /// Answers `DELETE`.
    pub fn delete<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + 'static,
        Args: FromRequest + Describe + 'static,
    {
        self.on(Method::DELETE, handler)
    }

    fn on<H, Args>(mut self, method: Method, handler: H) -> Self
    where
        H: Handler<Args>,
        H::Output: Responder + 'static,
        Args: FromRequest + Describe + 'static,
    {
        let route = web::method(method.clone()).to(handler);
        self.answers.push(Answers { method, route, describe: Args::describe });
        self
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The methods that the document has operations for: all but `HEAD`, which goes with `GET`.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.answers.iter().map(|answers| &answers.method).filter(|method| **method != Method::HEAD)
    }

    /// Adds what the signature of the handler of `method` says to its operation.
    pub fn describe(&self, method: &Method, operation: &mut Operation) {
        // The protocol's endpoints have errors of their own.
        if self.kind == PathKind::Problem
            && let Some(answers) = self.answers.iter().find(|answers| answers.method == *method)
        {
            (answers.describe)(operation);
        }
    }

    /// What actix-web takes.
    pub fn into_resource(self) -> Resource {
        let kind = self.kind;
        let allow = self.answers.iter().map(|answers| answers.method.as_str()).collect::<Vec<_>>().join(", ");
        let mut resource = web::resource(self.path);
        if let Some(issuer) = self.issuer {
            resource = resource.app_data(Data::new(issuer));
        }
        self.answers
            .into_iter()
            .fold(resource, |resource, answers| resource.route(answers.route))
            .default_service(web::to(move || ready(error::method_not_allowed(kind, &allow))))
    }
}
