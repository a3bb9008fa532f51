//! What the seals are made of: the digests of an event, and the chain over them.
//!
//! An event has two digests. One covers what happened. The other covers what may name a person, behind a random salt:
//! when that is erased, with its salt, the digest stays, tells nothing, and the chain still holds.
//!
//! Both cover JSON with sorted members and no white space (RFC 8785), so that other programs can compute them.

use serde::Serialize;

use crate::crypto::digest::sha256;
use crate::domain::audit::RecordedEvent;

/// A SHA-256, as its 32 bytes.
pub type Digest = [u8; 32];
/// What makes the digest of an address or a user agent impossible to guess.
pub type Salt = [u8; 16];

/// The value of the chain before the first event.
pub const START: Digest = [0; 32];
/// In place of the digests of an event that was not there any more when its position was sealed.
pub const ABSENT: Digest = [0; 32];

/// What happened. The members are in the order of their names.
#[derive(Serialize)]
struct Content<'e> {
    action: &'e str,
    actor: &'e str,
    count: i64,
    credential: Option<&'e str>,
    customer: Option<&'e str>,
    duration_micros: i64,
    environment: Option<&'e str>,
    gateway_request_id: Option<&'e str>,
    id: &'e str,
    jti: Option<&'e str>,
    method: &'e str,
    outcome: &'e str,
    path: &'e str,
    reason: &'e str,
    request_id: &'e str,
    status: i32,
    target: Option<&'e str>,
    time: String,
}

/// What may name a person.
#[derive(Serialize)]
struct Person<'e> {
    address: Option<&'e str>,
    user_agent: &'e str,
}

/// The two digests of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of what happened.
    pub content: Digest,
    /// Of what may name a person, behind the salt.
    pub person: Digest,
}

impl Digests {
    /// In place of an event that is not there.
    pub const ABSENT: Self = Self { content: ABSENT, person: ABSENT };

    /// Computes the digests of `event`.
    pub fn of(event: &RecordedEvent, salt: &Salt) -> Self {
        Self { content: content(event), person: person(event, salt) }
    }

    /// Returns the value of the chain after an event with these digests.
    pub fn follow(&self, chain: &Digest) -> Digest {
        sha256(&[*chain, self.content, self.person].concat())
    }
}

/// Returns the digest of what happened.
pub fn content(event: &RecordedEvent) -> Digest {
    let content = Content {
        action: &event.action,
        actor: &event.actor,
        count: event.count,
        credential: event.credential.as_deref(),
        customer: event.customer.as_deref(),
        duration_micros: event.duration_micros,
        environment: event.environment.as_deref(),
        gateway_request_id: event.gateway_request_id.as_deref(),
        id: &event.id,
        jti: event.jti.as_deref(),
        method: &event.method,
        outcome: &event.outcome,
        path: &event.path,
        reason: &event.reason,
        request_id: &event.request_id,
        status: event.status,
        target: event.target.as_deref(),
        time: event.time.to_string(),
    };
    sha256(&json(&content))
}

/// Returns the digest of what may name a person.
fn person(event: &RecordedEvent, salt: &Salt) -> Digest {
    let person = Person { address: event.address.as_deref(), user_agent: &event.user_agent };
    sha256(&[salt.as_slice(), &json(&person)].concat())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Texts and numbers: nothing that cannot be written.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    /// An event that differs from others in its id and its time only.
    pub fn event(number: i64) -> RecordedEvent {
        RecordedEvent {
            id: format!("evt_{number}"),
            time: Timestamp::from_millis(1_700_000_000_000 + number),
            actor: "cli_1".to_owned(),
            credential: Some("cli_1".to_owned()),
            customer: None,
            action: "token.issue".to_owned(),
            target: None,
            environment: Some("production".to_owned()),
            outcome: "success".to_owned(),
            status: 200,
            reason: "ok".to_owned(),
            method: "POST".to_owned(),
            path: "/api/oauth/token".to_owned(),
            address: Some("192.0.2.1".to_owned()),
            user_agent: "curl/8".to_owned(),
            request_id: "req_1".to_owned(),
            gateway_request_id: None,
            jti: None,
            duration_micros: 120,
            count: 1,
        }
    }

    #[test]
    fn digests_are_those_that_other_programs_compute() {
        // printf '%s' '{"action":…}' | sha256sum
        let content = r#"{"action":"token.issue","actor":"cli_1","count":1,"credential":"cli_1","customer":null,"#
            .to_owned()
            + r#""duration_micros":120,"environment":"production","gateway_request_id":null,"id":"evt_1","jti":null,"#
            + r#""method":"POST","outcome":"success","path":"/api/oauth/token","reason":"ok","request_id":"req_1","#
            + r#""status":200,"target":null,"time":"2023-11-14T22:13:20.001Z"}"#;
        let digests = Digests::of(&event(1), &[7; 16]);
        assert_eq!(digests.content, sha256(content.as_bytes()));
        let person = [&[7; 16], r#"{"address":"192.0.2.1","user_agent":"curl/8"}"#.as_bytes()].concat();
        assert_eq!(digests.person, sha256(&person));
    }

    type Change = fn(&mut RecordedEvent, String);

    #[test]
    fn each_member_counts_in_one_of_the_digests() {
        let salt = [7; 16];
        let base = Digests::of(&event(1), &salt);
        let changes: [(&str, bool, Change); 20] = [
            ("id", false, |event, text| event.id = text),
            ("time", false, |event, _| event.time = Timestamp::from_millis(5)),
            ("actor", false, |event, text| event.actor = text),
            ("credential", false, |event, text| event.credential = Some(text)),
            ("customer", false, |event, text| event.customer = Some(text)),
            ("action", false, |event, text| event.action = text),
            ("target", false, |event, text| event.target = Some(text)),
            ("environment", false, |event, text| event.environment = Some(text)),
            ("outcome", false, |event, text| event.outcome = text),
            ("status", false, |event, _| event.status = 401),
            ("reason", false, |event, text| event.reason = text),
            ("method", false, |event, text| event.method = text),
            ("path", false, |event, text| event.path = text),
            ("address", true, |event, text| event.address = Some(text)),
            ("user_agent", true, |event, text| event.user_agent = text),
            ("request_id", false, |event, text| event.request_id = text),
            ("gateway_request_id", false, |event, text| event.gateway_request_id = Some(text)),
            ("jti", false, |event, text| event.jti = Some(text)),
            ("duration_micros", false, |event, _| event.duration_micros = 121),
            ("count", false, |event, _| event.count = 2),
        ];
        for (member, is_of_person, change) in changes {
            let mut changed = event(1);
            change(&mut changed, "other".to_owned());
            let changed = Digests::of(&changed, &salt);
            assert_eq!(changed.content != base.content, !is_of_person, "{member}");
            assert_eq!(changed.person != base.person, is_of_person, "{member}");
            assert_ne!(changed.follow(&START), base.follow(&START), "{member}");
        }
        assert_ne!(Digests::of(&event(1), &[8; 16]).person, base.person, "the salt");
    }
}
