//! `POST /api/v1/keys/verify`.

use crate::domain::reference::CustomerReference;
use crate::domain::secret_text::SecretText;
use crate::http::SharedState;
use crate::http::call::Call;
use crate::http::middleware::bounded;
use crate::http::permission::KeysVerify;
use crate::http::response::{ApiResult, Shown};
use crate::service::access::{KeyQuestion, RequestAsked};
use crate::view::verification::{Verdict, Verification};

impl From<Verification> for KeyQuestion {
    fn from(input: Verification) -> Self {
        Self {
            key: SecretText::into_inner(input.key),
            environment: input.environment,
            scopes: input.scopes.unwrap_or_default(),
            customer: input.customer.as_ref().map(CustomerReference::to_string),
            ip: input.ip,
            cost: input.cost.unwrap_or(1),
            about: bounded(RequestAsked {
                method: input.method,
                path: input.path,
                user_agent: input.user_agent,
                request_id: input.request_id,
            }),
        }
    }
}

pub async fn verify(call: Call<KeysVerify, Verification>, state: SharedState) -> ApiResult<Shown<Verdict<'static>>> {
    let used = state.services.access.verify_key(&call.caller, call.input.into(), &call.origin).await?;
    state.metrics.count_verification(used.code);
    Shown::borrowed(&Verdict::new(
        used.code,
        used.key.as_deref(),
        (&used.scopes, &used.customers),
        used.rate_limit.as_ref(),
    ))
}
