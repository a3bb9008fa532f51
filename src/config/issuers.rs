//! The three issuers: their identifiers, default audiences and algorithms.

use std::sync::Arc;

use super::ConfigError;
use super::error::Problems;
use super::settings::Settings;
use crate::domain::audience::{Audience, EnvironmentAudiences};
use crate::domain::environment::Environment;
use crate::domain::signing_key::Algorithm;
use crate::domain::token::TokenTyp;

/// The settings of the environments, before the public URL is known.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    default_audience: [Option<Audience>; 3],
    algorithm: [Algorithm; 3],
    token_typ: [TokenTyp; 3],
}

impl IssuerSettings {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let common = problems.take(algorithm("signing_algorithm", &settings.signing_algorithm, settings));
        let typ = problems.take(token_typ("token_typ", &settings.token_typ));
        let (mut default_audience, mut algorithms, mut typs) = ([None, None, None], [common; 3], [typ; 3]);
        for (name, environment) in &settings.environments {
            let known = name.parse::<Environment>();
            let known = known.map_err(|wrong| ConfigError::setting(format!("environments.{name}"), wrong));
            let Some(at) = problems.take(known).map(Environment::index) else { continue };
            let setting = |field: &str| format!("environments.{name}.{field}");
            if let Some(text) = &environment.default_audience {
                let audience = text.parse::<Audience>();
                default_audience[at] =
                    problems.take(audience.map_err(|wrong| ConfigError::setting(setting("default_audience"), wrong)));
            }
            if let Some(text) = &environment.signing_algorithm {
                algorithms[at] = problems.take(algorithm(&setting("signing_algorithm"), text, settings));
            }
            if let Some(text) = &environment.token_typ {
                typs[at] = problems.take(token_typ(&setting("token_typ"), text));
            }
        }
        problems.finish(move || Some(Self { default_audience, algorithm: all(algorithms)?, token_typ: all(typs)? }))
    }
}

/// Returns the values of the environments, if each has one.
fn all<T>([production, staging, development]: [Option<T>; 3]) -> Option<[T; 3]> {
    Some([production?, staging?, development?])
}

fn algorithm(setting: &str, text: &str, settings: &Settings) -> Result<Algorithm, ConfigError> {
    let algorithm: Algorithm = text.parse().map_err(|wrong| ConfigError::setting(setting, wrong))?;
    if !settings.signing_algorithms.iter().any(|enabled| enabled == text) {
        return Err(ConfigError::setting(setting, format_args!("{text} is not among signing_algorithms")));
    }
    Ok(algorithm)
}

fn token_typ(setting: &str, text: &str) -> Result<TokenTyp, ConfigError> {
    text.parse().map_err(|wrong| ConfigError::setting(setting, wrong))
}

/// The issuer of one environment.
#[derive(Clone, Debug)]
pub struct EnvironmentIssuer {
    /// The environment.
    pub environment: Environment,
    /// The issuer identifier (RFC 8414 §2), without a trailing slash.
    pub issuer: Arc<str>,
    /// The audiences for clients that name none.
    pub audiences: EnvironmentAudiences,
    /// The algorithm that signs tokens, unless the client has its own.
    pub algorithm: Algorithm,
    /// The `typ` of tokens, unless the client has its own.
    pub token_typ: TokenTyp,
}

/// The issuers of the three environments.
#[derive(Clone, Debug)]
pub struct Issuers([EnvironmentIssuer; 3]);

impl Issuers {
    /// Creates the issuers below `public_url`.
    ///
    /// # Errors
    /// The URL is too long for an audience or has characters that an audience must not have.
    pub fn new(public_url: &str, settings: &IssuerSettings) -> Result<Self, ConfigError> {
        let audience =
            |text: String| text.parse::<Audience>().map_err(|wrong| ConfigError::setting("public_url", wrong));
        let issuer = |environment: Environment| {
            let issuer = format!("{public_url}{}", environment.path_prefix());
            Ok::<_, ConfigError>(EnvironmentIssuer {
                environment,
                audiences: EnvironmentAudiences {
                    default: match &settings.default_audience[environment.index()] {
                        Some(audience) => audience.clone(),
                        None => audience(format!("{issuer}/resources"))?,
                    },
                    management: audience(format!("{issuer}/api/v1"))?,
                },
                algorithm: settings.algorithm[environment.index()],
                token_typ: settings.token_typ[environment.index()],
                issuer: issuer.into(),
            })
        };
        let [production, staging, development] = Environment::ALL;
        Ok(Self([issuer(production)?, issuer(staging)?, issuer(development)?]))
    }

    /// Returns the issuer of `environment`.
    pub fn of(&self, environment: Environment) -> &EnvironmentIssuer {
        &self.0[environment.index()]
    }

    /// Returns the path of the external base address, without a trailing slash; empty if it has none.
    pub fn path(&self) -> &str {
        let [production, ..] = &self.0;
        let authority = production.issuer.split_once("://").map_or("", |(_, authority)| authority);
        authority.find('/').map_or("", |at| &authority[at..])
    }

    /// Returns the audience of tokens for the management API of `environment`.
    pub fn management(&self, environment: Environment) -> &str {
        self.of(environment).audiences.management.as_str()
    }
}

/// Checks the external base address: http or https with a host and at most a path; no query, fragment or trailing
/// slash, so that it appears everywhere byte for byte the same (RFC 8414 §2, §3.3).
pub(super) fn public_url(text: &str, allow_insecure_http: bool) -> Result<String, ConfigError> {
    let wrong = |what: &str| ConfigError::setting("public_url", what);
    let text = text.trim_end_matches('/');
    let url = url::Url::parse(text).map_err(|_| wrong("must be a URL such as https://auth.example.com"))?;
    let Some(host) = url.host() else { return Err(wrong("must have a host")) };
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have no query and no fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must have no user and no password"));
    }
    if url.path().contains('%') {
        return Err(wrong("must have no percent-encoded characters"));
    }
    let loopback = match host {
        url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback || allow_insecure_http => {}
        "http" => return Err(wrong("must be https unless its host is loopback or allow_insecure_http = true")),
        _ => return Err(wrong("must be https")),
    }
    if url.as_str().trim_end_matches('/') != text.trim_end_matches('/') {
        return Err(ConfigError::setting(
            "public_url",
            format_args!("must be written as {}", url.as_str().trim_end_matches('/')),
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_url_is_https_or_loopback_and_canonical() {
        for (text, insecure, expected) in [
            ("https://auth.example.com", false, Some("https://auth.example.com")),
            ("https://auth.example.com/", false, Some("https://auth.example.com")),
            ("https://example.com/auth", false, Some("https://example.com/auth")),
            ("http://127.0.0.1:8080", false, Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", false, Some("http://[::1]:8080")),
            ("http://localhost:8080", false, Some("http://localhost:8080")),
            ("http://auth.example.com", false, None),
            ("http://auth.example.com", true, Some("http://auth.example.com")),
            ("https://auth.example.com?x", false, None),
            ("https://auth.example.com#x", false, None),
            ("https://u:p@auth.example.com", false, None),
            ("https://AUTH.example.com", false, None),
            ("https://auth.example.com:443", false, None),
            ("https://example.com/a%20b", false, None),
            ("ftp://auth.example.com", false, None),
            ("auth.example.com", false, None),
        ] {
            assert_eq!(public_url(text, insecure).ok().as_deref(), expected, "{text}");
        }
    }
}
