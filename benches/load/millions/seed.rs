//! Fills the database: few credentials by the use cases, millions as their copies.

use std::time::Instant;

use sealwright::SharedServices;
use sealwright::domain::caller::Caller;
use sealwright::domain::credential::{Brand, Changes, CredentialInput, KeyType, NewCredential, NewKind, RawApiKey};
use sealwright::domain::customer::NewCustomer;
use sealwright::domain::environment::Environment;
use sealwright::domain::patch::Patch;
use sealwright::domain::user::NewUser;
use sealwright::parts::sha256;

use super::sql::Database;
use super::{Failure, Options, origin};

/// The secret of all clients.
pub(crate) const SECRET: &str = "sws_0000000000000000000000000000000000000000000";
/// Users who own a third of the credentials.
const USERS: u64 = 1_000;
/// When the first credential was created; the others follow every tenth of a second.
const FIRST: u64 = 1_600_000_000_000;
/// Events in each millisecond, and when the first happened.
const EVENTS: (u64, u64) = (2, 1_690_000_000_000);
/// Rows that are made before they are inserted.
const STEP: u64 = 100_000;
/// Events that one statement makes.
const EVENT_STEP: u64 = 1_000_000;

/// The digits of the id of row `n`.
fn digits(n: u64) -> String {
    format!("{:012x}7{n:019x}", FIRST + n * 100)
}

/// The id of client `n`, an even number.
pub(crate) fn client(n: u64) -> String {
    format!("cli_{}", digits(n))
}

/// The value of key `n`, an odd number.
pub(crate) fn key(n: u64) -> Result<RawApiKey, Failure> {
    Ok(RawApiKey::compose(&"sw".parse::<Brand>()?, Environment::Production, &digits(n)))
}

pub(crate) fn user(n: u64) -> String {
    format!("usr_{}", digits(n))
}

fn new(kind: NewKind) -> Result<NewCredential, Failure> {
    let mut changes = Changes {
        name: Some("original".parse()?),
        scopes: Some("orders:read orders:write".parse()?),
        ..Changes::default()
    };
    if kind == NewKind::Client {
        (changes.rate_per_minute, changes.burst_per_second) = (Patch::Clear, Patch::Clear);
    }
    let input = CredentialInput { changes, ..CredentialInput::default() };
    Ok(NewCredential { kind, environment: Some(Environment::Production), owner: None, input })
}

/// Makes the credentials of an empty database, and what belongs to them.
pub(crate) async fn credentials(
    options: &Options,
    services: &SharedServices,
    to: &mut Database,
) -> Result<(), Failure> {
    let (caller, started) = (Caller::System, Instant::now());
    let customer = NewCustomer { external_id: "original".parse()?, name: "original".parse()?, metadata: Patch::Keep };
    let customer = services.directory.create_customer(&caller, customer, None, origin()?).await?;
    let user =
        NewUser { email: "original@example.com".parse()?, name: None, role: "developer".parse()?, password: None };
    let user = services.directory.create_user(&caller, user, None, origin()?).await?;
    let client = services.credentials.create(&caller, new(NewKind::Client)?, None, origin()?).await?.tied.credential;
    let kind = NewKind::ApiKey(KeyType::Partner);
    let key = services.credentials.create(&caller, new(kind)?, None, origin()?).await?.tied.credential;

    let users = (0..USERS).map(|n| format!("('{}', 'user-{n}@example.com')", self::user(n)));
    to.copy("users", user.id.as_str(), &["id", "email"], &users.collect::<Vec<_>>())?;
    for start in (0..options.customers).step_by(usize::try_from(STEP)?) {
        let rows =
            (start..options.customers.min(start + STEP)).map(|n| format!("('cus_{}', 'customer-{n}')", digits(n)));
        to.execute("BEGIN")?;
        to.copy("customers", customer.id.as_str(), &["id", "external_id"], &rows.collect::<Vec<_>>())?;
        to.execute("COMMIT")?;
    }
    for start in (0..options.credentials).step_by(usize::try_from(STEP)?) {
        let numbers = start..options.credentials.min(start + STEP);
        to.execute("BEGIN")?;
        of_kind(to, client.id.as_str(), numbers.clone().step_by(2), &|_| "NULL".to_owned())?;
        let key_type = |n: u64| if n % 50_000 == 1 { "'internal'" } else { "'partner'" }.to_owned();
        of_kind(to, key.id.as_str(), numbers.clone().skip(1).step_by(2), &key_type)?;
        secrets(to, services, numbers.clone())?;
        ties(to, numbers, options.customers)?;
        to.execute("COMMIT")?;
        println!("{} credentials after {} s", start + STEP, started.elapsed().as_secs());
    }
    to.execute("ANALYZE")
}

/// Makes the events that a database lacks which has `stored`.
pub(crate) fn events(options: &Options, to: &mut Database, stored: u64) -> Result<(), Failure> {
    let started = Instant::now();
    for start in (stored..options.events).step_by(usize::try_from(EVENT_STEP)?) {
        let end = options.events.min(start + EVENT_STEP);
        some_events(to, options, start..end)?;
        println!("{end} events after {} s", started.elapsed().as_secs());
    }
    if stored < options.events { to.execute("ANALYZE") } else { Ok(()) }
}

/// Makes credentials of one kind. One in 1,000 is disabled, one in 10 revoked, one in 20 expired, one in 3 due for
/// rotation; one in 100,000 is in development, and disabled.
fn of_kind(
    to: &mut Database,
    original: &str,
    numbers: impl Iterator<Item = u64>,
    key_type: &dyn Fn(u64) -> String,
) -> Result<(), Failure> {
    let prefix = &original[..4];
    let rows = numbers.map(|n| {
        let state = if n % 1_000 == 2 || n % 1_000 == 3 {
            "disabled"
        } else if n % 10 == 4 {
            "revoked"
        } else {
            "enabled"
        };
        let expires_at = if n % 20 == 5 || n % 20 == 6 { "1600000000000" } else { "NULL" };
        let owner = if n % 3 == 0 { format!("'{}'", user(n % USERS)) } else { "NULL".to_owned() };
        let environment = if matches!(n % 100_000, 2 | 3) { "development" } else { "production" };
        let rotated = if n % 3 == 1 { "1600000000000" } else { "4000000000000" };
        format!(
            "('{prefix}{}', 'service-{:05}', '{state}', CAST({expires_at} AS BIGINT), CAST({owner} AS TEXT), \
             '{environment}', {rotated}, CAST({} AS TEXT))",
            digits(n),
            n % 50_000,
            key_type(n)
        )
    });
    let own = ["id", "name", "state", "expires_at", "owner", "environment", "rotated_at", "key_type"];
    to.copy("credentials", original, &own, &rows.collect::<Vec<_>>())
}

fn secrets(to: &mut Database, services: &SharedServices, numbers: std::ops::Range<u64>) -> Result<(), Failure> {
    let digester = &services.credentials.secrets.digester;
    let rows: Result<Vec<String>, Failure> = numbers
        .map(|n| {
            let digits = digits(n);
            let (id, digest, hash, keyed) = if n % 2 == 0 {
                let keyed = digester.digest(&client(n), SECRET).to_bytes();
                (client(n), "NULL".to_owned(), "'$argon2id$none'", to.bytes(&keyed))
            } else {
                let digest = to.bytes(&sha256(key(n)?.expose().as_bytes()));
                (format!("key_{digits}"), digest, "NULL", "NULL".to_owned())
            };
            Ok(format!("('sec_{digits}', '{id}', {digest}, {hash}, {keyed}, 'sw_live_0000', '0000', 0)"))
        })
        .collect();
    for rows in rows?.chunks(500) {
        to.execute(&format!(
            "INSERT INTO credential_secrets \
                 (id, credential, digest, hash, keyed_digest, prefix, last_four, created_at) \
             VALUES {}",
            rows.join(", ")
        ))?;
    }
    Ok(())
}

fn ties(to: &mut Database, numbers: std::ops::Range<u64>, customers: u64) -> Result<(), Failure> {
    let rows: Vec<String> = numbers
        .filter(|n| n % 4 < 2)
        .map(|n| {
            let kind = if n % 2 == 0 { "cli" } else { "key" };
            format!("('cus_{}', '{kind}_{}')", digits(n / 4 % customers), digits(n))
        })
        .collect();
    for rows in rows.chunks(500) {
        to.execute(&format!("INSERT INTO credential_customers (customer, credential) VALUES {}", rows.join(", ")))?;
    }
    Ok(())
}

/// Makes events of clients, a quarter of them of the first. One in 100 is of staging, one in 5,000 is a user's change
/// of a key, one in 1,000 is refused, one in a million is an error; half of them concern a customer.
fn some_events(to: &mut Database, options: &Options, numbers: std::ops::Range<u64>) -> Result<(), Failure> {
    let (per_milli, first) = EVENTS;
    let Options { credentials, customers, .. } = options;
    let id = to.event_id(&format!("({first} + n / {per_milli})"));
    let number = format!("CASE n % 4 WHEN 0 THEN 0 ELSE n * 7919 % {credentials} / 2 * 2 END");
    let client = to.id("cli_", FIRST, &number);
    let key = to.id("key_", FIRST, &format!("(n * 7919 % {credentials} / 2 * 2 + 1)"));
    let user = to.id("usr_", FIRST, &format!("(n / 5000 % {USERS})"));
    let customer = to.id("cus_", FIRST, &format!("(n * 31 % {customers})"));
    to.execute(&format!(
        "INSERT INTO audit_log (id, time, actor, credential, customer, target, action, environment, outcome, status, \
             reason, method, path, address, user_agent, request_id, duration_micros, count) \
         WITH RECURSIVE number (n) AS \
             (SELECT CAST({start} AS BIGINT) UNION ALL SELECT n + 1 FROM number WHERE n + 1 < {end}) \
         SELECT {id}, {first} + n / {per_milli}, \
             CASE n % 5000 WHEN 0 THEN {user} ELSE {client} END, \
             CASE n % 5000 WHEN 0 THEN NULL ELSE {client} END, \
             CASE n % 2 WHEN 0 THEN {customer} END, \
             CASE n % 5000 WHEN 0 THEN {key} END, \
             CASE n % 5000 WHEN 0 THEN 'key.update' ELSE 'token.issue' END, \
             CASE n % 100 WHEN 1 THEN 'staging' ELSE 'production' END, \
             CASE WHEN n % 1000000 = 7 THEN 'error' WHEN n % 1000 = 7 THEN 'refused' ELSE 'success' END, \
             200, CASE n % 1000 WHEN 7 THEN 'wrong_secret' ELSE 'ok' END, 'POST', '/api/oauth/token', \
             '192.0.2.' || n % 250, 'bench', 'req', 100, 1 FROM number",
        start = numbers.start,
        end = numbers.end
    ))
}
