//! Changes that processes tell one another, and what a decision is based on.

use std::sync::Arc;

use super::credential::{Credential, CredentialId};
use super::environment::Environment;
use super::ids::{CustomerId, TokenId};
use super::role::RoleName;

/// The kind of object that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ChangeKind {
    /// A client, an API key, or a secret of one; the subject is the credential's id.
    Credential,
    /// A customer; the subject is its id.
    Customer,
    /// An epoch was made; the subject is its number.
    Epoch,
    /// All rows and events of an epoch are written, which changes what no credential may do; the subject is its number.
    ExpandedEpoch,
    /// A user; the subject is its id.
    User,
    /// A role; the subject is its name.
    Role,
    /// Signing keys; the subject is the environment.
    SigningKeys,
    /// The master keys that values are sealed under.
    MasterKeys,
    /// A scope was registered or removed; the subject is its name.
    Scope,
    /// A token was revoked; the subject is its `jti`.
    Token,
}

/// A state of the database, as far as its changes are announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The random number of the installation, which is another one after each restore.
    pub incarnation: i64,
    /// The number of the last change.
    pub sequence: i64,
}

/// The end of the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The state after the last change.
    pub position: Position,
    /// Entries up to this one may have been removed.
    pub pruned_to: i64,
}

impl Head {
    /// Returns `true` if the log from `position` on is complete. Otherwise nothing that was read at `position` may be
    /// used any more: the database was restored, or the log was pruned further.
    pub const fn continues(&self, position: Position) -> bool {
        position.incarnation == self.position.incarnation
            && position.sequence <= self.position.sequence
            && position.sequence >= self.pruned_to
    }

    /// Returns `true` if a decision must be made again: since the state that it is based on, something has changed that
    /// it looked at, or what has changed cannot be told any more. `changes` are those after its position.
    pub fn overtakes<'c>(
        &self,
        basis: &Basis,
        mut changes: impl Iterator<Item = (Option<ChangeKind>, &'c str)>,
    ) -> bool {
        !basis.is_empty()
            && basis.position() != self.position
            && (!self.continues(basis.position()) || changes.any(|(kind, subject)| basis.is_touched_by(kind, subject)))
    }
}

/// What a decision is based on: the state that its process had applied before its first look-up, and the objects that
/// it looked at.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    position: Position,
    subjects: Vec<(ChangeKind, Arc<str>)>,
    signing_keys: SigningKeys,
}

/// The signing keys that a decision looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SigningKeys {
    /// None.
    #[default]
    None,
    /// Those of one environment.
    Of(Environment),
    /// Those of all environments.
    All,
}

impl Basis {
    /// A decision that has looked at nothing yet.
    pub fn at(position: Position) -> Self {
        Self { position, ..Self::default() }
    }

    /// The same, based on a credential, its owner and its customers.
    #[must_use]
    pub fn on_credential(mut self, credential: &Credential) -> Self {
        self.subjects.push((ChangeKind::Credential, Arc::clone(credential.id.shared())));
        self.subjects.extend(credential.owner.iter().map(|owner| (ChangeKind::User, Arc::clone(owner.shared()))));
        self.on_customers(credential.customers.iter())
    }

    /// The same, based on a credential that does not exist. Its refusal is compared with changes as that of one that
    /// does, which time must not tell apart.
    #[must_use]
    pub fn on_missing(mut self, id: &CredentialId) -> Self {
        self.subjects.push((ChangeKind::Credential, Arc::clone(id.shared())));
        self
    }

    /// The same, based on customers that a token names.
    #[must_use]
    pub fn on_customers<'c>(mut self, customers: impl Iterator<Item = &'c CustomerId>) -> Self {
        self.subjects.extend(customers.map(|customer| (ChangeKind::Customer, Arc::clone(customer.shared()))));
        self
    }

    /// The same, based on the role of an owner, if there is one.
    #[must_use]
    pub fn on_role(mut self, role: Option<&RoleName>) -> Self {
        self.subjects.extend(role.map(|role| (ChangeKind::Role, role.as_str().into())));
        self
    }

    /// The same, based on a token that was not revoked, or was.
    #[must_use]
    pub fn on_token(mut self, jti: &TokenId) -> Self {
        self.subjects.push((ChangeKind::Token, Arc::clone(jti.shared())));
        self
    }

    /// The same, based on the signing keys of an environment.
    #[must_use]
    pub fn on_signing_keys(mut self, environment: Environment) -> Self {
        self.signing_keys = match self.signing_keys {
            SigningKeys::None => SigningKeys::Of(environment),
            SigningKeys::Of(own) if own == environment => SigningKeys::Of(own),
            SigningKeys::Of(_) | SigningKeys::All => SigningKeys::All,
        };
        self
    }

    /// The same, based on the signing keys of all environments.
    #[must_use]
    pub const fn on_all_signing_keys(mut self) -> Self {
        self.signing_keys = SigningKeys::All;
        self
    }

    /// The same, based also on what `later` is, a part of the decision that was made after this one.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        if self.is_empty() {
            return later;
        }
        self.subjects.extend(later.subjects);
        match later.signing_keys {
            SigningKeys::None => self,
            SigningKeys::Of(environment) => self.on_signing_keys(environment),
            SigningKeys::All => self.on_all_signing_keys(),
        }
    }

    /// Returns the state before the first look-up.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Returns `true` if no change can touch the decision: it looked at nothing.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.signing_keys == SigningKeys::None
    }

    /// Returns `true` if a change of this kind and subject may have changed the decision. `None` is a kind that only a
    /// newer release knows.
    pub fn is_touched_by(&self, kind: Option<ChangeKind>, subject: &str) -> bool {
        match kind {
            // An epoch may have ended any credential; a kind that a newer release writes may be anything.
            None | Some(ChangeKind::Epoch) => true,
            Some(ChangeKind::ExpandedEpoch) => false,
            Some(ChangeKind::SigningKeys) => match self.signing_keys {
                SigningKeys::None => false,
                SigningKeys::Of(own) => own.as_str() == subject,
                SigningKeys::All => true,
            },
            Some(kind) => self.subjects.iter().any(|(own, id)| *own == kind && **id == *subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::samples;
    use crate::domain::ids::UserId;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_decision_is_touched_by_changes_of_what_it_is_based_on() {
        let at = Timestamp::from_millis(1);
        let (owner, customer, jti) =
            (UserId::new(at, &[1; 10]), CustomerId::new(at, &[2; 10]), TokenId::new(at, &[3; 10]));
        let mut client = samples::client();
        (client.owner, client.customers) = (Some(owner.clone()), vec![customer.clone()]);
        let basis = Basis::at(Position { incarnation: 1, sequence: 2 })
            .on_credential(&client)
            .on_role(Some(&"support".parse().unwrap()))
            .and(Basis::default().on_token(&jti).on_signing_keys(Environment::Staging));
        assert_eq!(basis.position().sequence, 2);
        for (kind, subject, expected) in [
            (Some(ChangeKind::Credential), client.id.as_str(), true),
            (Some(ChangeKind::Credential), "cli_other", false),
            (Some(ChangeKind::User), owner.as_str(), true),
            (Some(ChangeKind::Customer), customer.as_str(), true),
            (Some(ChangeKind::Customer), owner.as_str(), false),
            (Some(ChangeKind::Role), "support", true),
            (Some(ChangeKind::Role), "owner", false),
            (Some(ChangeKind::Token), jti.as_str(), true),
            (Some(ChangeKind::SigningKeys), "staging", true),
            (Some(ChangeKind::SigningKeys), "production", false),
            (Some(ChangeKind::MasterKeys), "", false),
            (Some(ChangeKind::Epoch), "3", true),
            (Some(ChangeKind::ExpandedEpoch), "3", false),
            (None, "", true),
        ] {
            assert_eq!(basis.is_touched_by(kind, subject), expected, "{kind:?} {subject}");
        }
        let both = basis.clone().and(Basis::default().on_signing_keys(Environment::Production));
        for subject in ["staging", "production"] {
            assert!(both.is_touched_by(Some(ChangeKind::SigningKeys), subject), "{subject}");
        }
        assert!(Basis::default().is_empty() && !basis.is_empty());
        assert_eq!(Basis::default().and(basis.clone()).position(), basis.position(), "nothing was looked at before");
    }
}
