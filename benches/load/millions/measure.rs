//! Measures what is done with the database.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sealwright::SharedServices;
use sealwright::config::Config;
use sealwright::domain::audit::{Action, EventFilter, Outcome, Reason};
use sealwright::domain::caller::Caller;
use sealwright::domain::credential::{CredentialFilter, CredentialKind, Due, KeyType, Status};
use sealwright::domain::environment::Environment;
use sealwright::domain::key_code::KeyCode;
use sealwright::domain::scope::Scopes;
use sealwright::domain::time::Timestamp;
use sealwright::jobs;
use sealwright::parts::{KeyQuestion, ProtocolRequest, RequestAsked};

use super::seed::{SECRET, client, key, user};
use super::{Failure, Options, open, origin};

/// Entries of a page, and how often each is read.
const PAGE: usize = 50;
const ROUNDS: usize = 9;
/// Keys that are verified.
const KEYS: usize = 100_000;
/// Clients that are measured one by one.
const COLD: usize = 2_000;
/// Requests at once.
const AT_ONCE: usize = 64;

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Prints the median and the longest of some times.
fn print(name: &str, rows: usize, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{name}: {rows} rows, median {:.1} ms, longest {:.1} ms", millis(median), millis(longest));
}

/// Opens the database as a server does.
pub(crate) async fn start(config: &Config) -> Result<(), Failure> {
    for _ in 0..3 {
        let started = Instant::now();
        let services = open(config).await?;
        println!("start: {} ms", started.elapsed().as_millis());
        drop(services);
    }
    Ok(())
}

pub(crate) async fn lists(services: &SharedServices, options: &Options) -> Result<(), Failure> {
    use CredentialKind::{ApiKey, Client};
    let now = services.recorder.now();
    let all = CredentialFilter::all;
    let with = |kind, status| CredentialFilter { status: Some((status, now)), ..all(kind) };
    let due = |kind, is_due| CredentialFilter {
        due: Some(Due::at(now, services.credentials.rotation_age, is_due)),
        ..all(kind)
    };
    let named = |name: &str| CredentialFilter { name: Some(name.to_owned()), ..all(Client) };
    let owned = CredentialFilter { owner: Some(user(6).parse()?), ..all(Client) };
    let customer = CredentialFilter { customer: Some("customer-7".to_owned()), ..all(ApiKey) };
    let middle = client(options.credentials / 4 * 2).parse()?;
    let filters = [
        ("all clients", all(Client)),
        ("from the middle", CredentialFilter { before: Some(middle), ..all(Client) }),
        ("production", CredentialFilter { environment: Some(Environment::Production), ..all(ApiKey) }),
        ("development", CredentialFilter { environment: Some(Environment::Development), ..all(ApiKey) }),
        ("staging, which has none", CredentialFilter { environment: Some(Environment::Staging), ..all(ApiKey) }),
        ("of an owner", owned.clone()),
        ("of a customer", customer),
        ("active", with(ApiKey, Status::Active)),
        ("inactive", with(Client, Status::Inactive)),
        ("expired", with(ApiKey, Status::Expired)),
        ("revoked", with(Client, Status::Revoked)),
        ("named service-00042", named("service-00042")),
        ("named service-0", named("service-0")),
        ("named s", named("s")),
        ("named x, which has none", named("x")),
        ("internal", CredentialFilter { key_type: Some(KeyType::Internal), ..all(ApiKey) }),
        ("due", due(ApiKey, true)),
        ("not due", due(Client, false)),
        ("of an owner, inactive", CredentialFilter { status: Some((Status::Inactive, now)), ..owned }),
    ];
    for (name, filter) in filters {
        let (mut times, mut rows) = (vec![], 0);
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let listing = services.credentials.list(&Caller::System, filter.clone(), PAGE, origin()?).await?;
            times.push(started.elapsed());
            rows = listing.rows.len();
        }
        print(&format!("list, {name}"), rows, times);
    }
    Ok(())
}

pub(crate) async fn events(services: &SharedServices, options: &Options) -> Result<(), Failure> {
    let some = |text: &str| Some(text.to_owned());
    let all = EventFilter::default;
    let busy = client(0);
    let rare = client(options.credentials / 2);
    let middle = Timestamp::from_millis(1_690_000_000_000 + i64::try_from(options.events / 4)?);
    let filters = [
        ("all", all()),
        ("from the middle", EventFilter { until: Some(middle), ..all() }),
        ("of staging", EventFilter { environment: some("staging"), ..all() }),
        ("of development, which has none", EventFilter { environment: some("development"), ..all() }),
        ("refused", EventFilter { outcome: Some(Outcome::Refused), ..all() }),
        ("errors", EventFilter { outcome: Some(Outcome::Error), ..all() }),
        ("errors, from the middle", EventFilter { outcome: Some(Outcome::Error), until: Some(middle), ..all() }),
        ("key.update", EventFilter { action: Some(Action::KeyUpdate), ..all() }),
        ("of an action that never was", EventFilter { action: Some(Action::RoleDelete), ..all() }),
        ("of a reason", EventFilter { reason: Some(Reason::WrongSecret), ..all() }),
        ("of a busy client", EventFilter { credential: Some(busy.clone()), ..all() }),
        ("of a busy client, from the middle", EventFilter { credential: Some(busy), until: Some(middle), ..all() }),
        ("of a client", EventFilter { credential: Some(rare.clone()), ..all() }),
        ("of an actor", EventFilter { actor: Some(rare), ..all() }),
        ("of a user", EventFilter { actor: Some(user(7)), ..all() }),
        ("of a customer", EventFilter { customer: Some(format!("cus_{}", &user(7)[4..])), ..all() }),
        ("of a target", EventFilter { target: Some(format!("key_{}", &client(1)[4..])), ..all() }),
        ("of an address", EventFilter { address: "192.0.2.7".parse().ok(), ..all() }),
        ("of staging, refused", EventFilter { environment: some("staging"), outcome: Some(Outcome::Refused), ..all() }),
    ];
    for (name, mut filter) in filters {
        let (mut times, mut rows) = (vec![], 0);
        let whole = Instant::now();
        loop {
            let started = Instant::now();
            let listing = services.insight.list_events(&Caller::System, filter.clone(), PAGE, origin()?).await?;
            times.push(started.elapsed());
            rows += listing.rows.len();
            match listing.rest {
                Some(rest) if rows < PAGE => filter.before = Some(rest),
                _ => break,
            }
        }
        let (requests, took) = (times.len(), millis(whole.elapsed()));
        print(&format!("events of {}, {name}: {requests} requests in {took:.0} ms", options.events), rows, times);
    }
    Ok(())
}

/// Gives events their positions and indexes them, until nothing is left.
pub(crate) async fn index(services: &SharedServices) -> Result<(), Failure> {
    for lease in ["sequencer", "keys"] {
        services.leases.want(lease);
        while services.leases.held(lease).is_none() {
            services.leases.keep(Instant::now()).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let started = Instant::now();
    // On PostgreSQL the first call stops at a gap between serials, which the next one passes.
    for _ in 0..3 {
        jobs::sequence_once(services).await?;
        jobs::index_once(services).await?;
    }
    println!("positions and index: {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

pub(crate) async fn jobs(services: &SharedServices) -> Result<(), Failure> {
    for round in ["first", "second"] {
        let started = Instant::now();
        jobs::keep_keys_once(services).await?;
        println!("flagging what is due and what has expired, {round} time: {:.0} ms", millis(started.elapsed()));
    }
    Ok(())
}

/// Verifies many keys, twice each, and shows the memory of this program.
pub(crate) async fn keys(services: &SharedServices, options: &Options) -> Result<(), Failure> {
    println!("memory before any key: {} MiB", resident()?);
    // Two thirds of the keys are active.
    let count = usize::try_from(options.credentials / 2)?.min(KEYS);
    for round in ["once", "again"] {
        let (next, valid, started) = (Cell::new(0_u64), Cell::new(0_usize), Instant::now());
        join_all((0..AT_ONCE).map(|_| async {
            while next.get() < count as u64 {
                let n = next.replace(next.get() + 1);
                let (Ok(origin), Ok(key)) = (origin(), key(n * 2 + 1)) else { return };
                let question = KeyQuestion {
                    key: key.expose().to_owned().into(),
                    environment: Environment::Production,
                    scopes: Scopes::default(),
                    customer: None,
                    ip: origin.address,
                    cost: 1,
                    about: RequestAsked::default(),
                };
                let verified = services.access.verify_key(&Caller::System, question, &origin).await;
                valid.set(valid.get() + usize::from(verified.is_ok_and(|decision| decision.code == KeyCode::Valid)));
            }
        }))
        .await;
        #[allow(clippy::cast_precision_loss)]
        let rate = count as f64 / started.elapsed().as_secs_f64();
        println!("{count} keys {round}: {rate:.0}/s, {} valid, {} MiB", valid.get(), resident()?);
    }
    Ok(())
}

fn resident() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

/// Of twenty credentials these are clients that are active.
const ACTIVE: [usize; 6] = [0, 8, 10, 12, 16, 18];

fn active_clients(options: &Options) -> Result<usize, Failure> {
    Ok(usize::try_from(options.credentials / 20)? * ACTIVE.len())
}

/// Requests a token for the active client `n`, and returns whether it was issued and how long that took.
async fn token(services: &SharedServices, n: usize) -> Result<(bool, Duration), Failure> {
    let id = client((n / ACTIVE.len() * 20 + ACTIVE[n % ACTIVE.len()]) as u64);
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={SECRET}");
    let origin = origin()?;
    let begun = Instant::now();
    let request = ProtocolRequest {
        environment: Environment::Production,
        authorization: vec![],
        query: "",
        body: Ok(body.as_bytes()),
        origin,
    };
    Ok((services.tokens.issue(request).await.issued.is_ok(), begun.elapsed()))
}

/// Requests tokens one after another for clients that were not used in this process, and again for the same.
pub(crate) async fn cold(services: &SharedServices, options: &Options) -> Result<(), Failure> {
    let among = active_clients(options)?;
    for name in ["cold", "warm"] {
        let mut times = Vec::new();
        for n in 0..COLD {
            let (is_issued, took) = token(services, n * 7919 % among).await?;
            times.push(took);
            if !is_issued {
                return Err("a client was refused".into());
            }
        }
        times.sort_unstable();
        let [half, p99, longest] = [COLD / 2, COLD * 99 / 100, COLD - 1].map(|place| millis(times[place]));
        println!("{COLD} {name} clients one by one: median {half:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms");
    }
    Ok(())
}

pub(crate) async fn tokens(services: &SharedServices, options: &Options) -> Result<(), Failure> {
    let all = active_clients(options)?;
    let runs = [("64 clients", 64), ("64 clients", 64), ("all clients in rotation", all), ("the same again", all)];
    for (name, among) in runs {
        let (next, longest, refused) = (Cell::new(0_u64), Cell::new(Duration::ZERO), Cell::new(0));
        let started = Instant::now();
        join_all((0..AT_ONCE).map(|_| async {
            while next.get() < options.tokens {
                // Far apart, as clients are.
                let n = usize::try_from(next.replace(next.get() + 1)).unwrap_or(0) * 7919 % among;
                let Ok((is_issued, took)) = token(services, n).await else { return };
                refused.set(refused.get() + u64::from(!is_issued));
                longest.set(longest.get().max(took));
            }
        }))
        .await;
        let seconds = started.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss)]
        let rate = options.tokens as f64 / seconds;
        let (refused, longest) = (refused.get(), millis(longest.get()));
        println!(
            "tokens, {name}: {rate:.0} requests/s, {refused} refused, longest {longest:.0} ms, {} MiB",
            resident()?
        );
    }
    println!("Argon2 was needed {} times", services.tokens.authenticator.proven.argon2_checks());
    Ok(())
}
