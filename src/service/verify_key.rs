//! `POST /api/v1/keys/verify`: an API asks whether a key that it was shown may be used.

use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use super::use_key::{KeyCode, KeyUse, Passing, Wanted};
use crate::clock;
use crate::domain::api_key::KeyText;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::scope::Scopes;

/// Largest cost of one request.
pub const COST_MAX: u32 = 1_000;

/// A question about a key.
#[derive(Debug)]
pub struct KeyQuestion {
    /// What was presented as a key.
    pub key: Zeroizing<String>,
    /// The environment of the API that is called.
    pub environment: Environment,
    /// What is needed, all of it.
    pub scopes: Scopes,
    /// The customer whose data it is about, by either id.
    pub customer: Option<String>,
    /// Where the key is used from.
    pub ip: Option<IpAddr>,
    /// How many requests it counts as.
    pub cost: u32,
    /// The request that the key came with, for the audit event.
    pub about: RequestAsked,
}

/// A request that a gateway or an API asks about, as far as it says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RequestAsked {
    /// Its method.
    pub method: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// Its id there.
    pub request_id: Option<String>,
}

impl RequestAsked {
    /// The origin of that request: it came in here as `asked`, and from `address`.
    pub fn origin(self, asked: &Arc<Origin>, address: Option<IpAddr>) -> Arc<Origin> {
        if self == Self::default() && address == asked.address {
            return Arc::clone(asked);
        }
        Arc::new(Origin {
            request_id: asked.request_id.clone(),
            method: self.method.map_or_else(|| asked.method.clone(), Into::into),
            path: self.path.unwrap_or_else(|| asked.path.clone()),
            address,
            user_agent: self.user_agent.unwrap_or_else(|| asked.user_agent.clone()),
            gateway_request_id: self.request_id,
            received_at: asked.received_at,
            started: asked.started,
        })
    }
}

impl Services {
    /// Decides whether a key may be used. Its audit event is stored before this returns.
    ///
    /// # Errors
    /// It cannot be known, or the event of a use is not stored.
    pub async fn verify_key(
        &self,
        caller: &Caller,
        mut question: KeyQuestion,
        origin: &Arc<Origin>,
    ) -> Result<KeyUse, ServiceError> {
        let about = std::mem::take(&mut question.about);
        let mut trail = Trail::of(caller, "key.verify", about.origin(origin, question.ip.or(origin.address)));
        trail.credential = None;
        trail.environment = Some(question.environment);
        let decided = self.decide_verification(caller, &question, &mut trail).await;
        match &decided {
            Ok(used) if used.code == KeyCode::Valid => self
                .witness(&trail, 200, used.reason)
                .await
                .map_err(|error| ServiceError::Unavailable(error.to_string()))?,
            Ok(used) => self.witness_refusal(&trail, 200, used.reason).await,
            Err(error) => self.witness_refusal(&trail, error.status(), error.code()).await,
        }
        decided
    }

    async fn decide_verification(
        &self,
        caller: &Caller,
        question: &KeyQuestion,
        trail: &mut Trail,
    ) -> Result<KeyUse, ServiceError> {
        // The checksum first: what fails it was never a key, and costs no query.
        let Some(text) = KeyText::parse(&question.key) else { return Ok(KeyUse::not_found("malformed_key")) };
        let wanted = Wanted {
            passing: if caller.sees(question.environment) {
                Passing::Of(question.environment)
            } else {
                Passing::OfNone
            },
            among: caller.customers(),
            address: question.ip,
            customer: question.customer.as_deref(),
            cost: question.cost,
            scopes: &question.scopes,
        };
        let used = self.use_key(&text, &wanted, clock::now()).await?;
        if let Some(known) = &used.known {
            trail.about_key(known, used.customer.as_ref());
        }
        Ok(used)
    }
}
