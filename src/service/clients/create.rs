//! Makes a client with its first secret.

use std::sync::Arc;

use super::{ClientInput, Repeat};
use crate::clock;
use crate::crypto::client_secret::ClientSecretText;
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::{Client, LIFETIME_MAX};
use crate::domain::credential::State;
use crate::domain::ids::ClientId;
use crate::domain::network::Networks;
use crate::domain::permission::CLIENTS_WRITE;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;
use crate::domain::time::{Duration, Timestamp};
use crate::service::Services;
use crate::service::belonging::{NewPlace, environment_of_new};
use crate::service::error::{FieldError, ServiceError};
use crate::service::input::{Patch, field_errors};
use crate::service::trail::Trail;
use crate::store::{change_log, clients};

impl Services {
    /// Makes a client; its secret is returned this once. Environment and owner are the caller's own unless named.
    ///
    /// # Errors
    /// What is wrong with the input, or the caller may not give these scopes.
    pub async fn create_client(
        &self,
        caller: &Caller,
        place: NewPlace<'_>,
        input: ClientInput,
        repeat: Repeat,
        origin: Arc<Origin>,
    ) -> Result<(Client, ClientSecretText), ServiceError> {
        let now = clock::now();
        let id: ClientId = random::id(now)?;
        let mut trail = Trail::of(caller, "client.create", origin);
        let prepared = match self.prepare_client(caller, place, input, id.clone(), now).await {
            Ok(client) => self.make_secret(&id, now).await.map(|secret| (client, secret)),
            Err(error) => Err(error),
        };
        let (mut client, (secret, text)) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.witness_refusal(&trail, error.status(), error.code()).await;
                return Err(error);
            }
        };
        client.secrets.push(secret);
        trail.target = Some(id.as_str().into());
        trail.environment = Some(client.environment);
        trail.of_customers(&client.customers, None);
        let kept = repeat.map(|(request, render)| (request, render(&self.issuers, &client, &text, now)));
        let vault = Arc::clone(&self.vault);
        let stored = client.clone();
        self.change(trail, 201, move |transaction, _, now| {
            clients::insert(transaction.connection, &stored)?;
            transaction.announce(now, change_log::Kind::Client, stored.id.as_str())?;
            if let Some((request, rendered)) = kept {
                request.keep(transaction, &vault, now, &rendered)?;
            }
            Ok(())
        })
        .await?;
        self.clients.memory().forget(id.as_str());
        Ok((client, text))
    }

    /// Everything that is decided before Argon2 and the transaction.
    async fn prepare_client(
        &self,
        caller: &Caller,
        place: NewPlace<'_>,
        mut input: ClientInput,
        id: ClientId,
        now: Timestamp,
    ) -> Result<Client, ServiceError> {
        let mut wrong = Vec::new();
        let environment = environment_of_new(caller, place.environment, &mut wrong);
        let missing = [
            ("environment", environment.is_none() && wrong.is_empty()),
            ("name", input.name == Patch::Keep),
            ("scopes", input.scopes == Patch::Keep),
        ];
        let customers = self.customers_of_new(caller, std::mem::take(&mut input.customers), &mut wrong).await?;
        let owner = self.owner_of_new(caller, place.owner, &mut wrong).await?;
        let patch = input.read(now).map_err(|error| wrong.extend(field_errors(error))).unwrap_or_default();
        for (field, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            wrong.push(FieldError::new(field, "is required"));
        }
        let (Some(environment), true) = (environment, wrong.is_empty()) else {
            return Err(ServiceError::Invalid(wrong));
        };
        let blank = Client {
            id,
            environment,
            name: String::new(),
            description: String::new(),
            scopes: Scopes::default(),
            default_scopes: None,
            audiences: vec![],
            resource_for: vec![],
            allowed_ips: Networks::default(),
            token_lifetime: Duration::seconds(LIFETIME_MAX),
            signing_algorithm: None,
            limits: RateLimits::default(),
            state: State::Enabled,
            expires_at: None,
            owner,
            customers,
            tokens_revoked_before: None,
            created_at: now,
            updated_at: now,
            rotated_at: now,
            secrets: vec![],
        };
        let client = self.patched(blank, patch)?;
        if !caller.reaches(CLIENTS_WRITE, client.place()) || !caller.may_make(&client, None) {
            return Err(ServiceError::ScopeExceedsCaller);
        }
        Ok(client)
    }
}
