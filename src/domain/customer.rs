//! Customers: the tenants of the company's own platform, and which of them a credential serves.

use std::sync::Arc;

use super::ids::CustomerId;
use super::metadata::{Metadata, MetadataChanges};
use super::patch::Patch;
use super::text::{Name, checked_text};
use super::time::Timestamp;

/// Longest external id, in bytes.
const EXTERNAL_ID_MAX: usize = 128;

/// The word of the command line for no customer.
pub const ANY: &str = "any";

/// A customer: a tenant of the company's platform.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its id here, for decisions of Sealwright's own.
    pub id: CustomerId,
    /// Its id on the company's platform, which is what APIs see. Fixed at creation, and never given again.
    pub external_id: ExternalId,
    /// Its name, for people.
    pub name: Name,
    /// Pairs of text that the company keeps with it.
    pub metadata: Metadata,
    /// Whether it is suspended: credentials do not serve it meanwhile.
    pub is_suspended: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

checked_text! {
    /// A customer's id on the company's own platform: 1 to 128 bytes of visible ASCII, so that several fit into one
    /// header field or claim, separated by spaces. Customers are named by either id, so an external id must not look
    /// like an id of Sealwright.
    ExternalId by external_id;
}

fn external_id(text: &str) -> Result<&str, &'static str> {
    if text.is_empty() || text.len() > EXTERNAL_ID_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("must be 1 to 128 visible ASCII characters without a space");
    }
    // The command line has a word for no customer.
    if text.starts_with("cus_") || text == ANY {
        return Err("must not be any, nor begin with cus_");
    }
    Ok(text)
}

/// A customer as decisions about requests know it: what is cached, without the texts that people and APIs read.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id here.
    pub id: CustomerId,
    /// Its id on the company's platform.
    pub external_id: ExternalId,
    /// Whether it is suspended.
    pub is_suspended: bool,
}

impl From<Customer> for Tenant {
    fn from(Customer { id, external_id, is_suspended, .. }: Customer) -> Self {
        Self { id, external_id, is_suspended }
    }
}

/// The customers that a credential serves at this moment. An enum and not a list, so that a credential whose last
/// customer is left out never looks like one that is tied to none.
#[derive(Clone, Debug, Default)]
pub enum Served {
    /// It is tied to no customer, and serves all.
    #[default]
    All,
    /// It serves these, of which there is at least one.
    Only(Vec<Arc<Tenant>>),
}

/// All customers that a credential is tied to are suspended, these: it is refused.
#[derive(Clone, Debug)]
pub struct AllSuspended(pub Vec<Arc<Tenant>>);

/// Why a token serves no customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServesNone {
    /// Its client is not tied any more to any of the customers that the token was issued for.
    Changed,
    /// They are suspended.
    Suspended,
}

/// The credential does not serve the customer that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherCustomer;

impl Served {
    /// Decides whom a credential serves that is or `is_tied` to customers, of which these are known. A suspended
    /// customer does not count.
    ///
    /// # Errors
    /// None of its customers counts.
    pub fn of(is_tied: bool, customers: Vec<Arc<Tenant>>) -> Result<Self, AllSuspended> {
        if !is_tied {
            return Ok(Self::All);
        }
        let (suspended, left): (Vec<_>, Vec<_>) = customers.into_iter().partition(|customer| customer.is_suspended);
        if left.is_empty() { Err(AllSuspended(suspended)) } else { Ok(Self::Only(left)) }
    }

    /// Decides whom a token serves that was issued for the external ids `claimed`. `known` are the customers that its
    /// client `is_tied` to or, if to none, those that the token names. A token never reaches further than when it was
    /// issued.
    ///
    /// # Errors
    /// There is no such customer.
    pub fn of_token(claimed: &[String], is_tied: bool, mut known: Vec<Arc<Tenant>>) -> Result<Self, ServesNone> {
        if !claimed.is_empty() {
            known.retain(|customer| claimed.iter().any(|name| name == customer.external_id.as_str()));
            if known.is_empty() {
                return Err(ServesNone::Changed);
            }
        }
        Self::of(is_tied || !claimed.is_empty(), known).map_err(|AllSuspended(_)| ServesNone::Suspended)
    }

    /// Finds the customer that a request is about, named by id or external id. `None` if none is named, or if the
    /// credential is tied to none and so may be used for any.
    ///
    /// # Errors
    /// It does not serve that customer.
    pub fn find(&self, named: Option<&str>) -> Result<Option<Arc<Tenant>>, OtherCustomer> {
        let (Self::Only(customers), Some(named)) = (self, named) else { return Ok(None) };
        let is_named =
            |customer: &&Arc<Tenant>| customer.id.as_str() == named || customer.external_id.as_str() == named;
        customers.iter().find(is_named).cloned().map(Some).ok_or(OtherCustomer)
    }

    /// Returns the customers; none if it serves all.
    pub fn customers(&self) -> &[Arc<Tenant>] {
        match self {
            Self::All => &[],
            Self::Only(customers) => customers,
        }
    }

    /// Returns the customers by value; none if it serves all.
    pub fn into_customers(self) -> Vec<Arc<Tenant>> {
        match self {
            Self::All => vec![],
            Self::Only(customers) => customers,
        }
    }

    /// Returns their ids, which Sealwright's own decisions use; none if it serves all.
    pub fn ids(&self) -> Vec<CustomerId> {
        self.customers().iter().map(|customer| customer.id.clone()).collect()
    }
}

/// A filter of customers to list. All conditions must apply.
#[derive(Clone, Debug, Default)]
pub struct CustomerFilter {
    /// The one with this external id.
    pub external_id: Option<String>,
    /// Only these; all, if empty.
    pub among: Vec<CustomerId>,
    /// Created before the customer with this id.
    pub before: Option<CustomerId>,
}

/// A customer to create.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// Its id on the company's platform.
    pub external_id: ExternalId,
    /// Its name, for people.
    pub name: Name,
    /// Its metadata.
    pub metadata: Patch<MetadataChanges>,
}

/// Changes to a customer; `None` and [`Patch::Keep`] leave a field as it is.
#[derive(Clone, Debug, Default)]
pub struct CustomerChanges {
    /// Its name, for people.
    pub name: Option<Name>,
    /// Pairs of its metadata; cleared is none.
    pub metadata: Patch<MetadataChanges>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(external_id: &str, is_suspended: bool) -> Arc<Tenant> {
        let id = CustomerId::new(Timestamp::from_millis(1), &[external_id.as_bytes()[0]; 10]);
        Arc::new(Tenant { id, external_id: external_id.parse().unwrap(), is_suspended })
    }

    fn names(customers: &[Arc<Tenant>]) -> Vec<String> {
        customers.iter().map(|customer| customer.external_id.to_string()).collect()
    }

    #[test]
    fn a_suspended_customer_does_not_count_and_the_last_one_takes_the_credential_with_it() {
        type Case<'c> = (bool, &'c [(&'c str, bool)], Result<&'c [&'c str], &'c [&'c str]>);
        let cases: [Case<'_>; 6] = [
            (false, &[], Ok(&[])),
            (true, &[("acme", false)], Ok(&["acme"])),
            (true, &[("acme", true)], Err(&["acme"])),
            (true, &[("acme", true), ("globex", false)], Ok(&["globex"])),
            (true, &[("acme", true), ("globex", true)], Err(&["acme", "globex"])),
            // A customer that cannot be found does not make the credential free.
            (true, &[], Err(&[])),
        ];
        for (is_tied, customers, expected) in cases {
            let found = customers.iter().map(|(name, is_suspended)| customer(name, *is_suspended)).collect();
            let served = Served::of(is_tied, found);
            assert_eq!(matches!(served, Ok(Served::All)), !is_tied, "{customers:?}");
            let found = served.as_ref().map(|served| names(served.customers())).map_err(|AllSuspended(all)| names(all));
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            assert_eq!(found, expected.map(owned).map_err(owned), "{customers:?}");
        }
    }

    #[test]
    fn a_request_names_one_of_the_customers_by_either_id() {
        let (acme, globex) = (customer("acme", false), customer("globex", false));
        let id = globex.id.to_string();
        let served = Served::of(true, vec![acme, globex]).unwrap();
        for (named, expected) in [
            (None, Ok(None)),
            (Some("acme"), Ok(Some("acme"))),
            (Some(&*id), Ok(Some("globex"))),
            (Some("Acme"), Err(OtherCustomer)),
            (Some(""), Err(OtherCustomer)),
        ] {
            let found = served.find(named).map(|found| found.map(|customer| customer.external_id.to_string()));
            assert_eq!(found, expected.map(|name| name.map(str::to_owned)), "{named:?}");
        }
        assert!(matches!(Served::All.find(Some("acme")), Ok(None)));
    }
}
