//! Parts of lists.

/// The next entries of a list, and where the rest begins.
#[derive(Clone, Debug)]
pub struct Listing<T, C> {
    /// The entries, in the order of the list. They may be fewer than were asked for where finding more takes too long.
    pub rows: Vec<T>,
    /// The position after which the rest begins; `None` if there is no more.
    pub rest: Option<C>,
}

impl<T, C> Listing<T, C> {
    /// A list that has nothing.
    pub const fn empty() -> Self {
        Self { rows: vec![], rest: None }
    }

    /// Cuts `rows` to `limit`; if there were more, the rest begins after the last of those. `rest` is where the search
    /// was cut, if it was.
    pub fn cut(mut rows: Vec<T>, limit: usize, rest: Option<C>, position: impl FnOnce(&T) -> Option<C>) -> Self {
        if rows.len() <= limit {
            return Self { rows, rest };
        }
        rows.truncate(limit);
        let rest = rows.last().and_then(position);
        Self { rows, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_begins_after_the_last_entry_or_where_the_search_was_cut() {
        for (found, limit, searched, rows, rest) in [
            (0, 2, None, 0, None),
            (2, 2, None, 2, None),
            (3, 2, None, 2, Some(1)),
            (1, 2, Some(9), 1, Some(9)),
            (3, 2, Some(9), 2, Some(1)),
        ] {
            let listing = Listing::cut((0..found).collect(), limit, searched, |row| Some(*row));
            assert_eq!((listing.rows.len(), listing.rest), (rows, rest), "{found} {limit} {searched:?}");
        }
    }
}
