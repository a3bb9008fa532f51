//! The OAuth protocol without HTTP and SQL: forms, client authentication, the grant.

pub mod client_authentication;
pub mod error;
pub mod extract_credential;
pub mod form;
pub mod grant;
