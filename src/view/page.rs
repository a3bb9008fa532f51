//! Lists by cursor.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::field::{PAGE_LIMIT, PageLimit};
use super::input::{Field, Input, MemberSchema, NamedSchema, Optional, Reader};

/// One page of a list.
#[derive(Serialize)]
pub struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of at most `limit` entries, each with its cursor. `rows` has one more where there is a next page.
    pub fn new(limit: i64, mut rows: impl Iterator<Item = (String, T)>) -> Self {
        let limit = usize::try_from(limit).unwrap_or(1);
        let (mut data, mut last) = (vec![], None);
        for (cursor, view) in rows.by_ref().take(limit) {
            data.push(view);
            last = Some(cursor);
        }
        let next_cursor = if rows.next().is_some() { last } else { None };
        Self { data, next_cursor }
    }
}

impl<T> Page<T> {
    /// The page of a part of a list, whose rest begins after `next_cursor`.
    pub const fn of(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { data, next_cursor }
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let cursor = ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::Array(vec![Type::String, Type::Null]))
            .description(Some(
                "What to send as `cursor` for the next page; null on the last one. A page with a cursor may have fewer \
                 entries than `limit`, or none, where looking for more takes too long.",
            ));
        ObjectBuilder::new()
            .description(Some("One page of a list."))
            .property("data", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .property("next_cursor", cursor)
            .required("data")
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<NamedSchema>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// What every list takes: filters, and which page of at most `limit` entries. The cursor of an entry is a `C`.
pub struct List<F, C: Field> {
    /// Which entries to list.
    pub filters: F,
    /// How many at most.
    pub limit: i64,
    /// The last entry of the page before.
    pub cursor: Option<C::Value>,
    kind: PhantomData<C>,
}

impl<F: Input, C: Field> Input for List<F, C> {
    const NAME: &'static str = F::NAME;
    const DOC: &'static [&'static str] = F::DOC;

    fn members(members: &mut Vec<MemberSchema>) {
        F::members(members);
        members.push(MemberSchema::of::<Optional<PageLimit>>("limit", &["How many entries at most."]));
        members.push(MemberSchema::of::<Optional<C>>("cursor", &["The `next_cursor` of the page before."]));
    }

    fn schemas(schemas: &mut Vec<NamedSchema>) {
        F::schemas(schemas);
    }

    fn take(reader: &mut Reader) -> Option<Self> {
        let filters = F::take(reader);
        let limit = reader.take::<Optional<PageLimit>>("limit");
        let cursor = reader.take::<Optional<C>>("cursor");
        Some(Self { filters: filters?, limit: limit?.unwrap_or(PAGE_LIMIT), cursor: cursor?, kind: PhantomData })
    }
}

pub struct Everything;

impl Input for Everything {
    const NAME: &'static str = "Everything";
    const DOC: &'static [&'static str] = &[];

    fn members(_members: &mut Vec<MemberSchema>) {}

    fn schemas(_schemas: &mut Vec<NamedSchema>) {}

    fn take(_reader: &mut Reader) -> Option<Self> {
        Some(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_the_last_entry_that_is_shown() {
        for (rows, limit, shown, cursor) in [
            (0, 2, 0, None),
            (1, 2, 1, None),
            (2, 2, 2, None),
            (3, 2, 2, Some("1")),
            (1, 1, 1, None),
            (2, 1, 1, Some("0")),
        ] {
            let page = Page::new(limit, (0..rows).map(|row| (row.to_string(), row)));
            assert_eq!((page.data.len(), page.next_cursor.as_deref()), (shown, cursor), "{rows} {limit}");
        }
    }
}
