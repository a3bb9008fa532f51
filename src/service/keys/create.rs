//! Makes an API key with its first string.

use std::sync::Arc;

use super::{KeyInput, Repeat};
use crate::clock;
use crate::crypto::random;
use crate::domain::api_key::{ApiKey, KeyText, KeyType};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::State;
use crate::domain::ids::ApiKeyId;
use crate::domain::network::Networks;
use crate::domain::permission::KEYS_WRITE;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::service::Services;
use crate::service::belonging::{NewPlace, environment_of_new, require_within};
use crate::service::error::{FieldError, ServiceError};
use crate::service::input::{Patch, field_errors};
use crate::service::trail::Trail;
use crate::store::{api_keys, change_log};

impl Services {
    /// Makes a key; its string is returned this once. Environment and owner are the caller's own unless named; `kind` is
    /// `partner` unless named.
    ///
    /// # Errors
    /// What is wrong with the input, or the caller may not give these scopes.
    pub async fn create_key(
        &self,
        caller: &Caller,
        place: NewPlace<'_>,
        kind: Option<&str>,
        input: KeyInput,
        repeat: Repeat,
        origin: Arc<Origin>,
    ) -> Result<(ApiKey, KeyText), ServiceError> {
        let now = clock::now();
        let mut trail = Trail::of(caller, "key.create", origin);
        let (key, text) = match self.prepare_key(caller, place, kind, input, now).await {
            Ok(prepared) => prepared,
            Err(error) => {
                self.witness_refusal(&trail, error.status(), error.code()).await;
                return Err(error);
            }
        };
        trail.target = Some(Arc::clone(key.id.shared()));
        trail.environment = Some(key.environment);
        trail.of_customers(&key.customers, None);
        let kept = repeat.map(|(request, render)| (request, render(&key, &text, now)));
        let vault = Arc::clone(&self.vault);
        let stored = key.clone();
        self.change(trail, 201, move |transaction, _, now| {
            api_keys::insert(transaction.connection, &stored)?;
            transaction.announce(now, change_log::Kind::ApiKey, stored.id.as_str())?;
            if let Some((request, rendered)) = kept {
                request.keep(transaction, &vault, now, &rendered)?;
            }
            Ok(())
        })
        .await?;
        Ok((key, text))
    }

    /// Everything that is decided before the transaction.
    async fn prepare_key(
        &self,
        caller: &Caller,
        place: NewPlace<'_>,
        kind: Option<&str>,
        mut input: KeyInput,
        now: Timestamp,
    ) -> Result<(ApiKey, KeyText), ServiceError> {
        let id: ApiKeyId = random::id(now)?;
        let mut wrong = Vec::new();
        let environment = environment_of_new(caller, place.environment, &mut wrong);
        if environment.is_none() && wrong.is_empty() {
            wrong.push(FieldError::new("environment", "is required"));
        }
        if input.name == Patch::Keep {
            wrong.push(FieldError::new("name", "is required"));
        }
        let kind = kind.map_or(Ok(KeyType::Partner), str::parse);
        let kind = kind.map_err(|what| wrong.push(FieldError::new("type", what))).unwrap_or(KeyType::Partner);
        let customers = self.customers_of_new(caller, std::mem::take(&mut input.customers), &mut wrong).await?;
        let owner = self.owner_of_new(caller, place.owner, &mut wrong).await?;
        let names_scopes = input.scopes != Patch::Keep || input.preset != Patch::Keep;
        let patch = input.read(now).map_err(|error| wrong.extend(field_errors(error))).unwrap_or_default();
        let default = default_scopes(caller, kind);
        if !names_scopes && default.is_none() {
            wrong.push(FieldError::new("scopes", "is required for a key of this type"));
        }
        let (Some(environment), true) = (environment, wrong.is_empty()) else {
            return Err(ServiceError::Invalid(wrong));
        };
        let (string, text) = self.make_key_string(environment, now)?;
        let blank = ApiKey {
            id,
            environment,
            name: String::new(),
            description: String::new(),
            kind,
            scopes: default.unwrap_or_default(),
            allowed_ips: Networks::default(),
            limits: kind.default_limits(),
            state: State::Enabled,
            expires_at: None,
            owner,
            customers,
            created_at: now,
            updated_at: now,
            rotated_at: now,
            last_use: None,
            strings: vec![string],
        };
        let key = patch.apply(blank)?;
        require_within(caller, &key.customers)?;
        if !caller.reaches(KEYS_WRITE, key.place()) || !caller.holds(&key.scopes) {
            return Err(ServiceError::ScopeExceedsCaller);
        }
        Ok((key, text))
    }
}

/// SPEC §1: no scopes named, the type's default, cut to what the caller has.
fn default_scopes(caller: &Caller, kind: KeyType) -> Option<Scopes> {
    let default = kind.default_scopes()?;
    let cut = caller.scopes().map_or_else(|| default.clone(), |own| default.cut_to(own));
    (!cut.is_empty()).then_some(cut)
}
