//! What commands print that create a credential or rotate its secret.

use super::credential::view;
use super::output;
use crate::domain::credential::{CredentialKind, RawSecret};
use crate::service::Services;
use crate::service::credentials::Issued;

/// Prints the secret of a credential, which is not shown again, and what to do with it; `show` has the rest.
pub fn print_secret(json: bool, services: &Services, issued: &Issued) {
    let credential = &issued.tied.credential;
    let secret = issued.secret.as_ref().map(RawSecret::expose);
    let Some(value) = secret.filter(|_| !json) else {
        return output::object(json, &view(services, &issued.tied, secret));
    };
    match credential.kind() {
        CredentialKind::Client => {
            output::line(&format!("client_secret  {value}"));
            output::remark("Store it where the client reads it: it is not shown again.");
            output::line(&format!("client_id      {}", credential.id));
        }
        CredentialKind::ApiKey => {
            output::line(&format!("key  {value}"));
            output::remark("Store it where its user reads it: it is not shown again. It is sent as X-API-Key.");
            output::line(&format!("id   {}", credential.id));
        }
    }
    output::remark(&format!("Its settings: sealwright {} show {}", credential.kind().noun(), credential.id));
}
