//! Creates a credential with its first secret.

use std::sync::Arc;

use super::ownership::{Named, customers_error};
use super::{Credentials, Issued, Target, Verb, action, require, require_valid, tie};
use crate::crypto::random;
use crate::domain::audit::{Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::credential::{
    ChangeNumbers, Credential, CredentialId, CredentialKind, NewCredential, RawSecret, State,
};
use crate::domain::field_error::merge;
use crate::domain::metadata::Metadata;
use crate::domain::network::Networks;
use crate::domain::text::Description;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::{FieldError, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{AnyConnection, credentials};

fn new_id(kind: CredentialKind, now: Timestamp) -> Result<CredentialId, ServiceError> {
    Ok(match kind {
        CredentialKind::Client => CredentialId::Client(random::id(now)?),
        CredentialKind::ApiKey => CredentialId::ApiKey(random::id(now)?),
    })
}

impl Credentials {
    /// Creates a credential and returns its secret, which is never returned again. Environment, owner and customers are
    /// the caller's own unless named.
    ///
    /// # Errors
    /// Fields are invalid, or the caller may not grant these scopes.
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
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            let target = Target { caller, kind, id: "", action, origin };
            let may: fn(&Caller, &Credential) -> bool = |caller, credential| caller.may_make(credential, None);
            return self.replayed(target, replay, (Disposition::Created, may)).await;
        }
        let named = Named { owner: new.owner.clone(), customers: new.input.customers.clone() };
        let (credential, secret) = match self.prepare(caller, new, named.clone(), now).await {
            Ok(prepared) => prepared,
            Err(error) => return Err(self.recorder.refused(&context, error).await),
        };
        let idempotency = Arc::clone(&self.idempotency);
        let (mut stored, raw) = (credential, secret.clone());
        let tied = self
            .recorder
            .change(caller, context.on_credential(&stored), Disposition::Created, move |transaction, _, caller, now| {
                let (ownership, wrong) = named.resolve(transaction.connection, caller)?;
                require_valid(wrong)?;
                (stored.owner, stored.customers) = ownership;
                require_creatable(caller, &stored)?;
                let sequence = transaction.sequence();
                stored.numbers = ChangeNumbers { created: sequence, owner: sequence, customers: sequence };
                credentials::insert(transaction.connection, &stored)?;
                transaction.announce(now, ChangeKind::Credential, stored.id.as_str())?;
                let revealed = stored.secrets.first().map(|secret| (&secret.id, raw.expose()));
                idempotency.keep(transaction, repeat.as_ref(), (action, stored.id.as_str()), revealed, now)?;
                tie::tied(transaction.connection, caller, stored)
            })
            .await?;
        Ok(Issued { tied, secret: Some(secret) })
    }

    /// Checks what can be checked before the transaction, and creates the secret. Argon2 runs last.
    async fn prepare(
        &self,
        caller: &Caller,
        new: NewCredential,
        named: Named,
        now: Timestamp,
    ) -> Result<(Credential, RawSecret), ServiceError> {
        let own = caller.clone();
        let resolve = move |connection: &mut AnyConnection| named.resolve(connection, &own);
        let ((owner, customers), mut wrong) = self.recorder.store().read(resolve).await?;
        let environment = new.environment.or(caller.environment());
        let scopes = new.input.changes.scopes.clone().or_else(|| new.kind.default_scopes(caller));
        let name = new.input.changes.name.clone();
        let missing = [("environment", environment.is_none()), ("name", name.is_none()), ("scopes", scopes.is_none())];
        wrong.extend(missing.iter().filter(|(_, is_missing)| *is_missing).map(|(field, _)| is_required(field)));
        let (Some(environment), Some(name), Some(scopes)) = (environment, name, scopes) else {
            return Err(ServiceError::Invalid(wrong));
        };
        let mut credential = Credential {
            id: new_id(new.kind.kind(), now)?,
            environment,
            name,
            description: Description::default(),
            scopes,
            allowed_ips: Networks::default(),
            limits: new.kind.default_limits(),
            state: State::Enabled,
            expires_at: None,
            owner,
            customers,
            metadata: Metadata::default(),
            created_at: now,
            updated_at: now,
            rotated_at: now,
            earlier_use: None,
            secrets: vec![],
            details: new.kind.details(),
            // Known once the change has its number.
            numbers: ChangeNumbers::default(),
        };
        merge(&mut wrong, credential.apply(new.input.changes, &self.algorithms, now));
        merge(&mut wrong, customers_error(caller, &credential.customers));
        require_valid(wrong)?;
        require_creatable(caller, &credential)?;
        let (stored, raw) = self.secrets.create(&credential.id, environment, now).await?;
        credential.secrets.push(stored);
        Ok((credential, raw))
    }
}

/// Checks that the caller may create a credential: within its reach, and with scopes that it may grant.
fn require_creatable(caller: &Caller, credential: &Credential) -> Result<(), ServiceError> {
    if !caller.sees(credential.environment) {
        return Err(ServiceError::BeyondReach);
    }
    let reaches = caller.reaches(credential.kind().write_permission(), credential.ownership());
    require(reaches && caller.may_make(credential, None))
}

fn is_required(field: &str) -> FieldError {
    FieldError::new(field, "is required")
}
