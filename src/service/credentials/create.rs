//! Creates a credential with its first secret.

use std::sync::Arc;

use super::ownership::{require_within, resolved};
use super::{Credentials, Issued, Target, Verb, action, require};
use crate::crypto::random;
use crate::domain::audit::{Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::credential::{
    Changes, ClientDetails, Credential, CredentialId, CredentialKind, Details, KeyDetails, KeyType, RawSecret, State,
};
use crate::domain::environment::Environment;
use crate::domain::network::Networks;
use crate::domain::patch::Patch;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;
use crate::domain::text::Description;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::{FieldError, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{change_log, credentials};

/// The settings of a credential as a caller names them.
#[derive(Clone, Debug, Default)]
pub struct CredentialInput {
    /// The fields that are values by themselves; its customers are not set.
    pub changes: Changes,
    /// Customers, by either of their ids.
    pub customers: Patch<Vec<String>>,
}

/// A credential to create.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// What it is to be.
    pub kind: NewKind,
    /// Its environment; the caller's own unless named.
    pub environment: Option<Environment>,
    /// Its owner, by id or e-mail address; the caller's own owner unless named.
    pub owner: Option<String>,
    /// Its settings.
    pub input: CredentialInput,
}

/// What a new credential is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKind {
    /// A client.
    Client,
    /// An API key of this type.
    ApiKey(KeyType),
}

impl NewKind {
    const fn kind(self) -> CredentialKind {
        match self {
            Self::Client => CredentialKind::Client,
            Self::ApiKey(_) => CredentialKind::ApiKey,
        }
    }

    fn new_id(self, now: Timestamp) -> Result<CredentialId, ServiceError> {
        Ok(match self {
            Self::Client => CredentialId::Client(random::id(now)?),
            Self::ApiKey(_) => CredentialId::ApiKey(random::id(now)?),
        })
    }

    fn details(self) -> Details {
        match self {
            Self::Client => Details::Client(ClientDetails::default()),
            Self::ApiKey(key_type) => Details::ApiKey(KeyDetails { key_type }),
        }
    }

    fn default_limits(self) -> RateLimits {
        match self {
            Self::Client => RateLimits::default(),
            Self::ApiKey(key_type) => key_type.default_limits(),
        }
    }

    /// The scopes of a credential for which none are named: its type's default, cut to what the caller has. None where they
    /// must be named.
    fn default_scopes(self, caller: &Caller) -> Option<Scopes> {
        let Self::ApiKey(key_type) = self else { return None };
        let default = key_type.default_scopes()?;
        let cut = caller.scopes().map_or_else(|| default.clone(), |own| default.cut_to(own));
        (!cut.is_empty()).then_some(cut)
    }
}

impl Credentials {
    /// Creates a credential; its secret is returned this once. Environment, owner and customers are the caller's own unless
    /// named.
    ///
    /// # Errors
    /// Invalid fields, or the caller may not give these scopes.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewCredential,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<Issued, ServiceError> {
        let (kind, now) = (new.kind.kind(), self.recorder.now());
        let action = action(kind, Verb::Create);
        let context = AuditContext::of(caller, action, Arc::clone(&origin));
        match self.idempotency.find(repeat.as_ref(), now).await {
            Ok(None) => {}
            Ok(Some(replay)) => {
                let target = Target { caller, kind, id: "", action, origin };
                return self.replayed(target, replay, |caller, credential| caller.may_make(credential, None)).await;
            }
            Err(error) => return Err(self.recorder.refused(&context, error).await),
        }
        let (credential, secret) = match self.prepare(caller, new, now).await {
            Ok(prepared) => prepared,
            Err(error) => return Err(self.recorder.refused(&context, error).await),
        };
        let idempotency = Arc::clone(&self.idempotency);
        let (stored, raw) = (credential.clone(), secret.clone());
        self.recorder
            .change(context.on_credential(&credential), Disposition::Created, move |transaction, _, now| {
                credentials::insert(transaction.connection, &stored)?;
                transaction.announce(now, change_log::Kind::Credential, stored.id.as_str())?;
                let revealed = stored.secrets.first().map(|secret| (&secret.id, raw.expose()));
                idempotency.keep(transaction, repeat.as_ref(), (action, stored.id.as_str()), revealed, now)
            })
            .await?;
        Ok(Issued { credential, secret: Some(secret) })
    }

    /// Everything that is decided before the transaction; Argon2 runs last.
    async fn prepare(
        &self,
        caller: &Caller,
        new: NewCredential,
        now: Timestamp,
    ) -> Result<(Credential, RawSecret), ServiceError> {
        let mut wrong = Vec::new();
        let environment = new.environment.or(caller.environment());
        let scopes = new.input.changes.scopes.clone().or_else(|| new.kind.default_scopes(caller));
        let name = new.input.changes.name.clone();
        let missing = [
            ("environment", environment.is_none()),
            ("name", name.is_none()),
            ("scopes", scopes.is_none()),
        ];
        wrong.extend(missing.iter().filter(|(_, is_missing)| *is_missing).map(|(field, _)| is_required(field)));
        let customers = resolved(self.customers_named(caller, new.input.customers).await, &mut wrong)?;
        let owner = resolved(self.owner_of_new(caller, new.owner).await, &mut wrong)?;
        let (Some(environment), Some(name), Some(scopes), true) = (environment, name, scopes, wrong.is_empty()) else {
            return Err(ServiceError::Invalid(wrong));
        };
        let mut credential = Credential {
            id: new.kind.new_id(now)?,
            environment,
            name,
            description: Description::default(),
            scopes,
            allowed_ips: Networks::default(),
            limits: new.kind.default_limits(),
            state: State::Enabled,
            expires_at: None,
            owner: owner.flatten(),
            customers: customers.flatten().unwrap_or_else(|| caller.customers().to_vec()),
            created_at: now,
            updated_at: now,
            rotated_at: now,
            earlier_use: None,
            secrets: vec![],
            details: new.kind.details(),
        };
        let applied = credential.apply(new.input.changes, &self.algorithms);
        applied.map_err(|(field, what)| ServiceError::invalid(field, what))?;
        require_within(caller, &credential.customers)?;
        let reaches = caller.reaches(credential.kind().write_permission(), credential.ownership());
        require(reaches && caller.may_make(&credential, None))?;
        let (stored, raw) = self.secrets.create(&credential.id, environment, now).await?;
        credential.secrets.push(stored);
        Ok((credential, raw))
    }
}

fn is_required(field: &str) -> FieldError {
    FieldError::new(field, "is required")
}
