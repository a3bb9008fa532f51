//! Lists with bounds.

use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, Schema};

use super::address;
use crate::domain::audience::{AUDIENCES_MAX, AUDIENCES_TEXT_MAX, Audience};
use crate::domain::credential::CUSTOMERS_MAX;
use crate::domain::network::Networks;
use crate::domain::reference::CustomerReference;
use crate::domain::scope::{SCOPES_MAX, Scope, Scopes};
use crate::domain::text::recordable;
use crate::view::input::Field;
use crate::view::text::string;

/// Longest part of an invalid entry that an error repeats, in bytes.
const SHOWN_MAX: usize = 60;

/// A list whose entries have the schema `items`.
fn list(items: RefOr<Schema>, min: usize, max: usize) -> RefOr<Schema> {
    let array = ArrayBuilder::new().items(items).max_items(Some(max));
    if min > 0 { array.min_items(Some(min)).into() } else { array.into() }
}

/// The strings of a JSON array.
fn strings(value: Value) -> Result<Vec<String>, String> {
    serde_json::from_value(value).map_err(|_| "must be a list of strings".to_owned())
}

/// Parses every entry; an error names the entry, without what may be a secret in it.
fn parsed<T: std::str::FromStr<Err = &'static str>>(list: &[String]) -> Result<Vec<T>, String> {
    let parse = |entry: &String| entry.parse().map_err(|what| format!("{what}: {}", recordable(entry, SHOWN_MAX)));
    list.iter().map(parse).collect()
}

fn scopes(value: Value) -> Result<Scopes, String> {
    let list = strings(value)?;
    if list.len() > SCOPES_MAX {
        return Err(format!("must have at most {SCOPES_MAX} scopes"));
    }
    Scopes::new(parsed::<Scope>(&list)?).map_err(str::to_owned)
}

fn scope_list(min: usize) -> RefOr<Schema> {
    list(<Scope as PartialSchema>::schema(), min, SCOPES_MAX)
}

/// Scopes that are granted: at least one.
pub enum GrantedScopes {}

impl Field for GrantedScopes {
    type Value = Scopes;

    fn schema() -> RefOr<Schema> {
        scope_list(1)
    }

    fn read(value: Value) -> Result<Scopes, String> {
        let scopes = scopes(value)?;
        if scopes.is_empty() { Err("must name at least one scope".to_owned()) } else { Ok(scopes) }
    }
}

pub enum AnyScopes {}

impl Field for AnyScopes {
    type Value = Scopes;

    fn schema() -> RefOr<Schema> {
        scope_list(0)
    }

    fn read(value: Value) -> Result<Scopes, String> {
        scopes(value)
    }
}

/// Audiences of a client, each once.
pub enum Audiences {}

impl Field for Audiences {
    type Value = Vec<Audience>;

    fn schema() -> RefOr<Schema> {
        list(<Audience as PartialSchema>::schema(), 0, AUDIENCES_MAX)
    }

    fn read(value: Value) -> Result<Vec<Audience>, String> {
        let list = strings(value)?;
        if list.len() > AUDIENCES_MAX {
            return Err(format!("must have at most {AUDIENCES_MAX} entries"));
        }
        let mut audiences: Vec<Audience> = Vec::with_capacity(list.len());
        for audience in parsed(&list)? {
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        if audiences.iter().map(|audience| audience.as_str().len()).sum::<usize>() > AUDIENCES_TEXT_MAX {
            return Err(format!("must have at most {AUDIENCES_TEXT_MAX} characters in all"));
        }
        Ok(audiences)
    }
}

pub enum AllowedNetworks {}

impl Field for AllowedNetworks {
    type Value = Networks;

    fn schema() -> RefOr<Schema> {
        let (v4, v6) = (address::v4(), address::v6());
        let prefixes = ("(/(3[0-2]|[12]?[0-9]))?", "(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?");
        let entry = string(&format!("^({v4}{}|{v6}{})$", prefixes.0, prefixes.1)).examples(["203.0.113.7"]);
        list(entry.into(), 0, 100)
    }

    fn read(value: Value) -> Result<Networks, String> {
        Networks::parse(strings(value)?.iter().map(String::as_str)).map_err(str::to_owned)
    }
}

/// The customers that a credential is tied to.
pub enum Customers {}

impl Field for Customers {
    type Value = Vec<CustomerReference>;

    fn schema() -> RefOr<Schema> {
        list(<CustomerReference as PartialSchema>::schema(), 0, CUSTOMERS_MAX)
    }

    fn read(value: Value) -> Result<Vec<CustomerReference>, String> {
        let list = strings(value)?;
        if list.len() > CUSTOMERS_MAX {
            return Err(format!("must have at most {CUSTOMERS_MAX} entries"));
        }
        parsed(&list)
    }
}
