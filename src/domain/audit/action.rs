//! The closed list of actions in audit events.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What is wrong with a text that is none.
type Wrong = &'static str;

fn unknown(_: &str) -> Wrong {
    "must be the name of an action, such as token.issue"
}

/// The action that an event records, done or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(parse_err_ty = Wrong, parse_err_fn = unknown)]
#[allow(missing_docs, reason = "each name is an object and a verb")]
pub enum Action {
    #[strum(serialize = "token.issue")]
    TokenIssue,
    #[strum(serialize = "token.introspect")]
    TokenIntrospect,
    #[strum(serialize = "token.revoke")]
    TokenRevoke,
    #[strum(serialize = "forward_auth")]
    ForwardAuth,
    #[strum(serialize = "client.create")]
    ClientCreate,
    #[strum(serialize = "client.list")]
    ClientList,
    #[strum(serialize = "client.read")]
    ClientRead,
    #[strum(serialize = "client.update")]
    ClientUpdate,
    #[strum(serialize = "client.rotate_secret")]
    ClientRotateSecret,
    #[strum(serialize = "client.revoke_tokens")]
    ClientRevokeTokens,
    #[strum(serialize = "client.disable")]
    ClientDisable,
    #[strum(serialize = "client.enable")]
    ClientEnable,
    #[strum(serialize = "client.revoke")]
    ClientRevoke,
    #[strum(serialize = "client.transfer")]
    ClientTransfer,
    #[strum(serialize = "key.create")]
    KeyCreate,
    #[strum(serialize = "key.list")]
    KeyList,
    #[strum(serialize = "key.read")]
    KeyRead,
    #[strum(serialize = "key.update")]
    KeyUpdate,
    #[strum(serialize = "key.rotate")]
    KeyRotate,
    #[strum(serialize = "key.disable")]
    KeyDisable,
    #[strum(serialize = "key.enable")]
    KeyEnable,
    #[strum(serialize = "key.revoke")]
    KeyRevoke,
    #[strum(serialize = "key.transfer")]
    KeyTransfer,
    #[strum(serialize = "key.verify")]
    KeyVerify,
    #[strum(serialize = "credential.revoke_all")]
    CredentialRevokeAll,
    #[strum(serialize = "credential.rotation_due")]
    CredentialRotationDue,
    #[strum(serialize = "customer.create")]
    CustomerCreate,
    #[strum(serialize = "customer.list")]
    CustomerList,
    #[strum(serialize = "customer.read")]
    CustomerRead,
    #[strum(serialize = "customer.update")]
    CustomerUpdate,
    #[strum(serialize = "customer.suspend")]
    CustomerSuspend,
    #[strum(serialize = "customer.resume")]
    CustomerResume,
    #[strum(serialize = "customer.delete")]
    CustomerDelete,
    #[strum(serialize = "user.create")]
    UserCreate,
    #[strum(serialize = "user.list")]
    UserList,
    #[strum(serialize = "user.read")]
    UserRead,
    #[strum(serialize = "user.update")]
    UserUpdate,
    #[strum(serialize = "user.disable")]
    UserDisable,
    #[strum(serialize = "user.enable")]
    UserEnable,
    #[strum(serialize = "role.create")]
    RoleCreate,
    #[strum(serialize = "role.list")]
    RoleList,
    #[strum(serialize = "role.read")]
    RoleRead,
    #[strum(serialize = "role.update")]
    RoleUpdate,
    #[strum(serialize = "role.delete")]
    RoleDelete,
    #[strum(serialize = "scope.create")]
    ScopeCreate,
    #[strum(serialize = "scope.list")]
    ScopeList,
    #[strum(serialize = "scope.read")]
    ScopeRead,
    #[strum(serialize = "scope.update")]
    ScopeUpdate,
    #[strum(serialize = "scope.delete")]
    ScopeDelete,
    #[strum(serialize = "signing_key.create")]
    SigningKeyCreate,
    #[strum(serialize = "signing_key.list")]
    SigningKeyList,
    #[strum(serialize = "signing_key.rotate")]
    SigningKeyRotate,
    #[strum(serialize = "signing_key.destroy")]
    SigningKeyDestroy,
    #[strum(serialize = "master_key.rotate")]
    MasterKeyRotate,
    #[strum(serialize = "audit.list")]
    AuditList,
    #[strum(serialize = "audit.verify")]
    AuditVerify,
    #[strum(serialize = "audit.probe")]
    AuditProbe,
    #[strum(serialize = "backup.write")]
    BackupWrite,
    #[strum(serialize = "backup.restore")]
    BackupRestore,
    #[strum(serialize = "api.authorize")]
    ApiAuthorize,
    #[strum(serialize = "api.call")]
    ApiCall,
    #[strum(serialize = "request.refuse")]
    RequestRefuse,
}

impl Action {
    /// Returns every action, in the order of the OpenAPI document.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter()
    }

    /// Returns the name in rows, events and responses, such as `token.issue`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
