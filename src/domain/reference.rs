//! References to users and customers in requests and commands: by id, or by e-mail address or external id.

use super::customer::ExternalId;
use super::ids::{CustomerId, UserId};
use super::text::checked_text;
use super::user::EmailAddress;

checked_text! {
    /// A user, by id or e-mail address.
    UserReference by user;
    /// A customer, by id or external id.
    CustomerReference by customer;
}

fn user(text: &str) -> Result<String, &'static str> {
    if text.parse::<UserId>().is_ok() {
        return Ok(text.to_owned());
    }
    let address = text.parse::<EmailAddress>().map_err(|_| "must be the id or the e-mail address of a user")?;
    Ok(address.to_string())
}

fn customer(text: &str) -> Result<&str, &'static str> {
    let is_one = text.parse::<CustomerId>().is_ok() || text.parse::<ExternalId>().is_ok();
    if is_one { Ok(text) } else { Err("must be the id or the external id of a customer") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_ids_or_what_people_know() {
        let id = "0".repeat(32);
        for (text, is_user, is_customer) in [
            (&*format!("usr_{id}"), true, true),
            (&*format!("cus_{id}"), false, true),
            ("ann@example.com", true, true),
            ("acme", false, true),
            ("", false, false),
            ("any", false, false),
            ("cus_1", false, false),
            ("a b@example.com", false, false),
            ("a\0@example.com", false, false),
        ] {
            assert_eq!(text.parse::<UserReference>().is_ok(), is_user, "{text:?}");
            assert_eq!(text.parse::<CustomerReference>().is_ok(), is_customer, "{text:?}");
        }
        assert_eq!("Ann@Example.com".parse::<UserReference>().unwrap().as_str(), "ann@example.com");
    }
}
