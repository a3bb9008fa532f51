//! Measures the parts of a token request, and the whole without sockets: `cargo bench`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::future::join_all;
use sealwright::SharedServices;
use sealwright::app::{self, Purposes};
use sealwright::clock::Clock;
use sealwright::config::{Config, Flags};
use sealwright::domain::audience::Audience;
use sealwright::domain::audit::{Action, Disposition, Origin, Reason};
use sealwright::domain::caller::Caller;
use sealwright::domain::credential::{Changes, CredentialInput, NewCredential, NewKind};
use sealwright::domain::environment::Environment;
use sealwright::domain::ids::TokenKind;
use sealwright::domain::patch::Patch;
use sealwright::domain::signing_key::Algorithm;
use sealwright::domain::token::{AudClaim, Claims, CustomersClaim, TokenTyp};
use sealwright::parts::{
    AuditContext, Form, KeyPair, ProtocolRequest, TokenSigner, extract_credentials, install_provider, random,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const ISSUER: &str = "https://auth.example";
const SCOPE: &str = "orders:read orders:write";
/// Requests at once, where there are several.
const AT_ONCE: usize = 64;

/// The services on a database of their own, with one client.
struct Stage {
    runtime: Runtime,
    services: SharedServices,
    body: String,
    _folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        // On the disk of the build, not in memory: durability is part of the cost.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let flags = Flags { data_dir: Some(folder.path().join("data")), ..Flags::default() };
        let config = Config::load(&flags).unwrap();
        let (services, id, secret) = runtime.block_on(async {
            let services = app::open(&config, config.server.listen, Purposes::Serve, Clock::system()).await.unwrap();
            let changes = Changes {
                name: Some("bench".parse().unwrap()),
                scopes: Some(SCOPE.parse().unwrap()),
                rate_per_minute: Patch::Clear,
                burst_per_second: Patch::Clear,
                ..Changes::default()
            };
            let input = CredentialInput { changes, ..CredentialInput::default() };
            let environment = Some(Environment::Production);
            let new = NewCredential { kind: NewKind::Client, environment, owner: None, input };
            let issued = services.credentials.create(&Caller::System, new, None, origin()).await.unwrap();
            let secret = issued.secret.unwrap().expose().to_owned();
            (services, issued.credential.id.to_string(), secret)
        });
        let body = format!(
            "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=orders%3Aread+orders%3Awrite"
        );
        Self { runtime, services, body, _folder: folder }
    }

    async fn issue(&self) {
        let request = ProtocolRequest {
            environment: Environment::Production,
            authorization: vec![],
            query: "",
            body: Ok(self.body.as_bytes()),
            origin: origin(),
        };
        black_box(self.services.tokens.issue(request).await.issued.unwrap());
    }
}

fn origin() -> Arc<Origin> {
    let now = Clock::system().now();
    Arc::new(Origin {
        request_id: random::id(now).unwrap(),
        method: "POST".into(),
        path: "/api/oauth/token".to_owned(),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        user_agent: "bench".to_owned(),
        gateway_request_id: None,
        received_at: now,
        started: Instant::now(),
    })
}

fn sign(criterion: &mut Criterion) {
    install_provider();
    let audiences: [Audience; 1] = ["https://auth.example/resources".parse().unwrap()];
    let mut group = criterion.benchmark_group("sign");
    for algorithm in Algorithm::ALL {
        let pair = KeyPair::parse(algorithm, &KeyPair::generate(algorithm).unwrap()).unwrap();
        let (kid, _) = pair.public_jwk();
        let signer = TokenSigner::new(&kid, pair);
        let claims = Claims {
            iss: ISSUER,
            aud: AudClaim(&audiences),
            sub: "cli_0199c0de0000700080000000000000000",
            client_id: "cli_0199c0de0000700080000000000000000",
            exp: 2_000_003_600,
            iat: 2_000_000_000,
            jti: "tok_0199c0de0000700080000000000000000",
            scope: SCOPE,
            environment: "production",
            customers: CustomersClaim(&[]),
        };
        group.bench_function(algorithm.as_str(), |bencher| {
            bencher.iter(|| signer.sign(TokenTyp::AtJwt, black_box(&claims)).unwrap());
        });
    }
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let stage = Stage::new();
    criterion.bench_function("id", |bencher| bencher.iter(|| random::id::<TokenKind>(Clock::system().now()).unwrap()));
    criterion.bench_function("form and authentication", |bencher| {
        bencher.iter(|| {
            let form = Form::parse(black_box(stage.body.as_bytes())).unwrap();
            extract_credentials(&[], "", &form).unwrap()
        });
    });
}

fn audit(criterion: &mut Criterion) {
    let stage = Stage::new();
    let context = AuditContext::anonymous(Action::TokenIssue, Some(Environment::Production), origin());
    let append =
        || async { stage.services.recorder.record_event(&context, Disposition::Ok, Reason::Ok).await.unwrap() };
    criterion.bench_function("audit append, one at a time", |bencher| {
        bencher.iter(|| stage.runtime.block_on(append()));
    });
    criterion.bench_function("audit append, 64 at once", |bencher| {
        bencher.iter_custom(|count| at_once(&stage.runtime, count, append));
    });
}

fn token(criterion: &mut Criterion) {
    let stage = Stage::new();
    stage.runtime.block_on(stage.issue());
    criterion.bench_function("token, one at a time", |bencher| {
        bencher.iter(|| stage.runtime.block_on(stage.issue()));
    });
    criterion.bench_function("token, 64 at once", |bencher| {
        bencher.iter_custom(|count| at_once(&stage.runtime, count, || stage.issue()));
    });
}

/// The time of `count` runs of `work`, with [`AT_ONCE`] of them in progress together.
fn at_once<F: Future<Output = ()>>(runtime: &Runtime, count: u64, work: impl Fn() -> F) -> Duration {
    let left = std::cell::Cell::new(count);
    let start = Instant::now();
    runtime.block_on(join_all((0..AT_ONCE).map(|_| async {
        while left.get() > 0 {
            left.set(left.get() - 1);
            work().await;
        }
    })));
    start.elapsed()
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = sign, parts, audit, token
}
criterion_main!(benches);
