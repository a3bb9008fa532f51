//! Clients and their secrets.

use diesel::prelude::*;

use super::credentials::{CredentialFilter, filtered, limit_of, scopes_of};
use super::schema::{client_secrets, clients};
use super::{AnyConnection, StoreError, credential_customers, damaged, join, split};
use crate::domain::api_key::LastUse;
use crate::domain::audience::Audience;
use crate::domain::client::{Client, ClientSecret};
use crate::domain::ids::{ClientId, CustomerId, SecretId};
use crate::domain::network::Networks;
use crate::domain::rate::RateLimits;
use crate::domain::time::{Duration, Timestamp};

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = clients, treat_none_as_null = true, treat_none_as_default_value = false)]
struct ClientRow {
    id: String,
    environment: String,
    name: String,
    description: String,
    scopes: String,
    default_scopes: Option<String>,
    audiences: String,
    resource_for: String,
    allowed_ips: String,
    token_lifetime: i64,
    signing_algorithm: Option<String>,
    rate_per_minute: Option<i64>,
    burst_per_second: Option<i64>,
    state: String,
    expires_at: Option<i64>,
    owner: Option<String>,
    tokens_revoked_before: Option<i64>,
    created_at: i64,
    updated_at: i64,
    rotated_at: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = client_secrets, treat_none_as_default_value = false)]
struct SecretRow {
    id: String,
    client_id: String,
    hash: String,
    last_four: String,
    created_at: i64,
    ends_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl ClientRow {
    fn of(client: &Client) -> Self {
        Self {
            id: client.id.to_string(),
            environment: client.environment.to_string(),
            name: client.name.clone(),
            description: client.description.clone(),
            scopes: client.scopes.to_string(),
            default_scopes: client.default_scopes.as_ref().map(ToString::to_string),
            audiences: join(&client.audiences),
            resource_for: join(&client.resource_for),
            allowed_ips: join(client.allowed_ips.to_strings()),
            token_lifetime: client.token_lifetime.as_seconds(),
            signing_algorithm: client.signing_algorithm.map(|algorithm| algorithm.to_string()),
            rate_per_minute: client.limits.rate_per_minute.map(i64::from),
            burst_per_second: client.limits.burst_per_second.map(i64::from),
            state: client.state.as_str().to_owned(),
            expires_at: client.expires_at.map(Timestamp::millis),
            owner: client.owner.as_ref().map(ToString::to_string),
            tokens_revoked_before: client.tokens_revoked_before.map(Timestamp::millis),
            created_at: client.created_at.millis(),
            updated_at: client.updated_at.millis(),
            rotated_at: client.rotated_at.millis(),
        }
    }

    fn into_client(self, secrets: Vec<SecretRow>, customers: Vec<CustomerId>) -> Result<Client, StoreError> {
        let wrong = |column| damaged("clients", &self.id, column);
        let scopes = |text: &str, column| scopes_of(text).map_err(|_| wrong(column));
        let audiences = |text: &str, column| {
            split(text).map(|item| item.parse::<Audience>().map_err(|_| wrong(column))).collect::<Result<Vec<_>, _>>()
        };
        let limit = |value: Option<i64>, column| limit_of(value).map_err(|_| wrong(column));
        Ok(Client {
            id: self.id.parse().map_err(|_| wrong("id"))?,
            environment: self.environment.parse().map_err(|_| wrong("environment"))?,
            scopes: scopes(&self.scopes, "scopes")?,
            default_scopes: self.default_scopes.as_deref().map(|text| scopes(text, "default_scopes")).transpose()?,
            audiences: audiences(&self.audiences, "audiences")?,
            resource_for: audiences(&self.resource_for, "resource_for")?,
            allowed_ips: Networks::parse(split(&self.allowed_ips)).map_err(|_| wrong("allowed_ips"))?,
            token_lifetime: Duration::seconds(self.token_lifetime),
            signing_algorithm: self
                .signing_algorithm
                .as_deref()
                .map(|text| text.parse().map_err(|_| wrong("signing_algorithm")))
                .transpose()?,
            limits: RateLimits {
                rate_per_minute: limit(self.rate_per_minute, "rate_per_minute")?,
                burst_per_second: limit(self.burst_per_second, "burst_per_second")?,
            },
            state: self.state.parse().map_err(|_| wrong("state"))?,
            expires_at: self.expires_at.map(Timestamp::from_millis),
            owner: self.owner.as_deref().map(str::parse).transpose().map_err(|_| wrong("owner"))?,
            customers,
            tokens_revoked_before: self.tokens_revoked_before.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            rotated_at: Timestamp::from_millis(self.rotated_at),
            secrets: secrets.into_iter().map(SecretRow::into_secret).collect::<Result<_, _>>()?,
            name: self.name,
            description: self.description,
        })
    }
}

impl SecretRow {
    fn of(client: &ClientId, secret: &ClientSecret) -> Self {
        Self {
            id: secret.id.to_string(),
            client_id: client.to_string(),
            hash: secret.hash.clone(),
            last_four: secret.last_four.clone(),
            created_at: secret.created_at.millis(),
            ends_at: secret.ends_at.map(Timestamp::millis),
            last_used_at: secret.last_used_at.map(Timestamp::millis),
        }
    }

    fn into_secret(self) -> Result<ClientSecret, StoreError> {
        Ok(ClientSecret {
            id: self.id.parse().map_err(|_| damaged("client_secrets", &self.id, "id"))?,
            hash: self.hash,
            last_four: self.last_four,
            created_at: Timestamp::from_millis(self.created_at),
            ends_at: self.ends_at.map(Timestamp::from_millis),
            last_used_at: self.last_used_at.map(Timestamp::from_millis),
        })
    }
}

/// Stores a new client with its secrets.
///
/// # Errors
/// The database fails.
pub fn insert(connection: &mut AnyConnection, client: &Client) -> Result<(), StoreError> {
    diesel::insert_into(clients::table).values(ClientRow::of(client)).execute(connection)?;
    for secret in &client.secrets {
        insert_secret(connection, &client.id, secret)?;
    }
    credential_customers::set(connection, client.id.as_str(), &client.customers)
}

/// Stores every field of a client, but neither its secrets nor its customers.
///
/// # Errors
/// The database fails.
pub fn update(connection: &mut AnyConnection, client: &Client) -> Result<(), StoreError> {
    let row = ClientRow::of(client);
    diesel::update(clients::table.find(row.id.clone())).set(row).execute(connection)?;
    Ok(())
}

/// Stores a further secret.
///
/// # Errors
/// The database fails.
pub fn insert_secret(
    connection: &mut AnyConnection,
    client: &ClientId,
    secret: &ClientSecret,
) -> Result<(), StoreError> {
    diesel::insert_into(client_secrets::table).values(SecretRow::of(client, secret)).execute(connection)?;
    Ok(())
}

/// Sets when a secret ends.
///
/// # Errors
/// The database fails.
pub fn end_secret(connection: &mut AnyConnection, secret: &SecretId, ends_at: Timestamp) -> Result<(), StoreError> {
    diesel::update(client_secrets::table.find(secret.as_str()))
        .set(client_secrets::ends_at.eq(ends_at.millis()))
        .execute(connection)?;
    Ok(())
}

/// Notes when a secret was last used.
pub(super) fn note_use(connection: &mut AnyConnection, secret: &str, used: &LastUse) -> Result<(), StoreError> {
    diesel::update(client_secrets::table.find(secret))
        .set(client_secrets::last_used_at.eq(used.at.millis()))
        .execute(connection)?;
    Ok(())
}

/// Removes at most `limit` secrets that ended before `before`.
///
/// # Errors
/// The database fails.
pub fn remove_ended_secrets(
    connection: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<usize, StoreError> {
    let old: Vec<String> = client_secrets::table
        .filter(client_secrets::ends_at.lt(before.millis()))
        .limit(limit)
        .select(client_secrets::id)
        .load(connection)?;
    Ok(diesel::delete(client_secrets::table.filter(client_secrets::id.eq_any(old))).execute(connection)?)
}

/// The client, with all its secrets, newest first.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find(connection: &mut AnyConnection, id: &ClientId) -> Result<Option<Client>, StoreError> {
    let row: Option<ClientRow> =
        clients::table.find(id.as_str()).select(ClientRow::as_select()).first(connection).optional()?;
    // Asked for an unknown id, too: it costs what a known one costs.
    let secrets = client_secrets::table
        .filter(client_secrets::client_id.eq(id.as_str()))
        .order(client_secrets::id.desc())
        .select(SecretRow::as_select())
        .load(connection)?;
    let customers = credential_customers::of(connection, id.as_str())?;
    row.map(|row| row.into_client(secrets, customers)).transpose()
}

/// Clients, newest first, at most `limit`. A damaged row is logged and left out.
///
/// # Errors
/// The database fails.
pub fn list(connection: &mut AnyConnection, filter: &CredentialFilter, limit: i64) -> Result<Vec<Client>, StoreError> {
    let query = clients::table.select(ClientRow::as_select()).order(clients::id.desc()).limit(limit).into_boxed();
    let rows: Vec<ClientRow> = filtered!(query, clients, filter).load(connection)?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut secrets: std::collections::HashMap<String, Vec<SecretRow>> = std::collections::HashMap::new();
    let found: Vec<SecretRow> = client_secrets::table
        .filter(client_secrets::client_id.eq_any(ids))
        .order(client_secrets::id.desc())
        .select(SecretRow::as_select())
        .load(connection)?;
    for secret in found {
        secrets.entry(secret.client_id.clone()).or_default().push(secret);
    }
    let mut customers = credential_customers::of_each(connection, rows.iter().map(|row| row.id.as_str()))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let own = secrets.remove(&row.id).unwrap_or_default();
            let customers = customers.remove(&row.id).unwrap_or_default();
            row.into_client(own, customers).inspect_err(|error| log::error!("{error}")).ok()
        })
        .collect())
}
