//! Integers with bounds.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::domain::credential::{LIFETIME_MAX, LIFETIME_MIN};
use crate::domain::rate::LIMIT_MAX;
use crate::domain::time::Duration;
use crate::view::input::Field;

fn integer_schema(min: i64, max: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(min))
        .maximum(Some(max))
}

fn integer(value: &Value, min: i64, max: i64) -> Result<i64, String> {
    // A number such as 5.0 is an integer in JSON Schema, too.
    let whole = value.as_i64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).and_then(exact));
    let number = whole.ok_or_else(|| "must be an integer".to_owned())?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(format!("must be {min} to {max}")) }
}

/// A whole number as such; none where it is too large for its neighbours to be told apart.
fn exact(number: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    (number.abs() < LARGEST).then_some(number as i64)
}

/// Integers with bounds.
macro_rules! integers {
    ($($(#[$doc:meta])+ $name:ident -> $value:ty = $min:expr, $max:expr, $schema:expr, $made:expr;)*) => {$(
        $(#[$doc])+
        pub enum $name {}

        impl Field for $name {
            type Value = $value;

            fn schema() -> RefOr<Schema> {
                let schema: fn(ObjectBuilder) -> ObjectBuilder = $schema;
                schema(integer_schema($min, $max)).into()
            }

            fn read(value: Value) -> Result<$value, String> {
                let made: fn(i64) -> $value = $made;
                integer(&value, $min, $max).map(made)
            }

            fn parse(text: &str) -> Result<$value, String> {
                Self::read(text.parse::<i64>().map_err(|_| "must be an integer".to_owned())?.into())
            }
        }
    )*};
}

integers! {
    /// A rate limit.
    RateLimit -> u32 = 1, i64::from(LIMIT_MAX), |schema| schema, |limit| u32::try_from(limit).unwrap_or(LIMIT_MAX);
    /// How many seconds a client's tokens live.
    TokenLifetime -> Duration = LIFETIME_MIN, LIFETIME_MAX, |schema| schema, Duration::seconds;
    /// How many requests one use of a key counts as.
    Cost -> u32 = 1, COST_MAX, |schema| schema.default(Some(1.into())), |cost| u32::try_from(cost).unwrap_or(1);
    /// How many entries a page of a list has.
    PageLimit -> i64 = 1, PAGE_LIMIT_MAX, |schema| schema.default(Some(PAGE_LIMIT.into())), |limit| limit;
}

/// Largest cost of one use of a key.
const COST_MAX: i64 = 1_000;
/// Most entries of a page.
const PAGE_LIMIT_MAX: i64 = 1_000;
/// Entries of a page for a request that does not say.
pub const PAGE_LIMIT: i64 = 50;
