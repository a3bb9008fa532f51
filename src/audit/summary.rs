//! Summaries of refusals: one for each reason, with their number and what all of them have in common.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::audit::{Action, AuditEvent, Origin, Reason};

/// The actor of a summary of refusals of several actors.
const SEVERAL: &str = "several";

/// Summaries by their reasons, of which there are few.
#[derive(Debug, Default)]
pub struct Summaries(HashMap<Reason, AuditEvent>);

impl Summaries {
    /// Adds a refusal to the summary of its reason.
    pub fn add(&mut self, event: AuditEvent) {
        match self.0.get_mut(&event.reason) {
            Some(summary) => extend(summary, &event),
            None => {
                self.0.insert(event.reason, event);
            }
        }
    }

    /// Takes one refusal out of a summary, if it has not been drained.
    pub fn take_back(&mut self, reason: Reason) {
        if let Some(summary) = self.0.get_mut(&reason) {
            summary.count -= 1;
            if summary.count == 0 {
                self.0.remove(&reason);
            }
        }
    }

    /// Returns the summaries, and begins anew.
    pub fn drain(&mut self) -> Vec<AuditEvent> {
        self.0.drain().map(|(_, event)| event).collect()
    }
}

/// Adds an event to a summary. Id, time, status, duration and request id stay those of the first event.
fn extend(summary: &mut AuditEvent, event: &AuditEvent) {
    summary.count += event.count;
    if summary.actor != event.actor && &*summary.actor != SEVERAL {
        summary.actor = SEVERAL.into();
    }
    if summary.action != event.action {
        summary.action = Action::RequestRefuse;
    }
    keep_common(&mut summary.credential, event.credential.as_ref());
    keep_common(&mut summary.customer, event.customer.as_ref());
    keep_common(&mut summary.target, event.target.as_ref());
    keep_common(&mut summary.environment, event.environment.as_ref());
    keep_common(&mut summary.jti, event.jti.as_ref());
    if let Some(common) = common_origin(&summary.origin, &event.origin) {
        summary.origin = Arc::new(common);
    }
}

/// Clears a member of a summary that its events do not share.
fn keep_common<T: PartialEq>(summary: &mut Option<T>, event: Option<&T>) {
    if summary.as_ref() != event {
        *summary = None;
    }
}

/// Returns the origin of a summary after an event with another origin; `None` if that changes nothing.
fn common_origin(summary: &Origin, event: &Origin) -> Option<Origin> {
    let method = if summary.method == event.method { summary.method.clone() } else { Cow::Borrowed("") };
    let address = summary.address.filter(|address| event.address == Some(*address));
    let is_same = |one: &str, other: &str| one.is_empty() || one == other;
    let gateway = &summary.gateway_request_id;
    let is_unchanged = method == summary.method
        && address == summary.address
        && is_same(&summary.path, &event.path)
        && is_same(&summary.user_agent, &event.user_agent)
        && (gateway.is_none() || *gateway == event.gateway_request_id);
    let common = |one: &String, other: &String| if one == other { one.clone() } else { String::new() };
    (!is_unchanged).then(|| Origin {
        request_id: summary.request_id.clone(),
        method,
        path: common(&summary.path, &event.path),
        address,
        user_agent: common(&summary.user_agent, &event.user_agent),
        gateway_request_id: gateway.clone().filter(|id| event.gateway_request_id.as_ref() == Some(id)),
        received_at: summary.received_at,
        started: summary.started,
    })
}

#[cfg(test)]
pub mod samples {
    use super::*;
    use crate::domain::audit::Outcome;
    use crate::domain::ids::{EventId, RequestId};
    use crate::domain::time::Timestamp;

    /// A refused token request.
    pub fn refusal(address: &str, reason: Reason, now: Timestamp) -> AuditEvent {
        AuditEvent {
            id: EventId::floor(now),
            time: now,
            actor: "anonymous".into(),
            credential: None,
            customer: None,
            action: Action::TokenIssue,
            target: None,
            environment: None,
            outcome: Outcome::Refused,
            status: 401,
            reason,
            jti: None,
            duration_micros: 0,
            count: 1,
            origin: Arc::new(Origin {
                request_id: RequestId::floor(now),
                method: "POST".into(),
                path: "/api/oauth/token".into(),
                address: Some(address.parse().unwrap()),
                user_agent: "curl".into(),
                gateway_request_id: None,
                received_at: now,
                started: std::time::Instant::now(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::refusal;
    use super::*;
    use crate::domain::environment::Environment;
    use crate::domain::time::Timestamp;

    fn event(address: &str, reason: Reason) -> AuditEvent {
        refusal(address, reason, Timestamp::from_millis(1_000_000))
    }

    #[test]
    fn there_is_one_summary_for_each_reason_and_what_is_taken_back_does_not_count() {
        let mut summaries = Summaries::default();
        for number in 0..900 {
            summaries.add(event(&format!("10.0.{}.{}", number / 250, number % 250), Reason::WrongSecret));
            summaries.add(event("10.0.0.1", Reason::UnknownClient));
        }
        summaries.take_back(Reason::UnknownClient);
        summaries.take_back(Reason::InvalidScope);
        summaries.add(event("10.0.0.1", Reason::InvalidTarget));
        summaries.take_back(Reason::InvalidTarget);
        let mut counts: Vec<_> = summaries.drain().iter().map(|event| (event.reason.as_str(), event.count)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [("unknown_client", 899), ("wrong_secret", 900)]);
        assert!(summaries.drain().is_empty());
    }

    #[test]
    fn a_summary_shows_what_its_refusals_have_in_common() {
        let mut summaries = Summaries::default();
        let known = || AuditEvent { credential: Some("cli_1".into()), ..event("10.0.0.1", Reason::WrongSecret) };
        let staging = || AuditEvent { environment: Some(Environment::Staging), ..known() };
        (0..3).for_each(|_| summaries.add(staging()));
        let drained = summaries.drain();
        let [summary] = &drained[..] else { panic!("one summary") };
        assert_eq!((summary.credential.as_deref(), summary.environment), (Some("cli_1"), Some(Environment::Staging)));
        assert_eq!((summary.origin.path.as_str(), &*summary.actor), ("/api/oauth/token", "anonymous"));

        let other = AuditEvent { actor: "cli_1".into(), action: Action::ForwardAuth, ..known() };
        for event in [staging(), event("10.0.0.2", Reason::WrongSecret), other, staging()] {
            summaries.add(event);
        }
        let drained = summaries.drain();
        let [summary] = &drained[..] else { panic!("one summary") };
        assert_eq!((summary.credential.as_deref(), summary.environment), (None, None));
        assert_eq!((&*summary.actor, summary.action, summary.count), ("several", Action::RequestRefuse, 4));
        assert_eq!((summary.origin.address, &*summary.origin.method), (None, "POST"));
        assert_eq!((summary.origin.path.as_str(), summary.origin.user_agent.as_str()), ("/api/oauth/token", "curl"));
    }
}
