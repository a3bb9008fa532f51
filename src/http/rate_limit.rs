//! The `RateLimit-Policy` and `RateLimit` fields of responses (draft-ietf-httpapi-ratelimit-headers-10).

use std::fmt::Write as _;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::rate::{BucketStatus, RateLimitStatus};

static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Adds the fields; none, where there are no limits.
pub fn add_fields(headers: &mut HeaderMap, status: &RateLimitStatus) {
    let (mut policy, mut limit) = (String::new(), String::new());
    for bucket in status.buckets() {
        let separator = if policy.is_empty() { "" } else { ", " };
        let quota = bucket.quota;
        let _infallible =
            write!(policy, "{separator}\"{}\";q={};w={}", quota.name, quota.limit, quota.window_millis / 1_000);
        let _infallible =
            write!(limit, "{separator}\"{}\";r={};t={}", quota.name, bucket.remaining, available_after(bucket));
    }
    for (name, text) in [(&POLICY, policy), (&LIMIT, limit)] {
        if let Some(value) = HeaderValue::from_str(&text).ok().filter(|_| !text.is_empty()) {
            headers.insert(name.clone(), value);
        }
    }
}

/// Seconds until there is more to have: after a refusal when that is admitted (never later than `Retry-After`), else
/// when the bucket is full.
fn available_after(bucket: &BucketStatus) -> u64 {
    let millis = bucket.retry_after.filter(|millis| *millis > 0).map_or(bucket.reset_after, u64::from);
    millis.div_ceil(1_000)
}
