//! The command line of the load program.

use clap::{Parser, ValueEnum};

/// Measure the hot paths under load, against bare handlers and against themselves
///
/// Everything runs on loopback and in a folder below the target folder, which is removed at the end. Needs wrk. The
/// exit status is 1 if a request that should succeed did not.
#[derive(Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// What to measure
    #[arg(required = true)]
    commands: Vec<What>,
    /// Seconds of a turn
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// Turns of each side
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) turns: u64,
    /// Connections of the load generator
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(2..=4096))]
    pub(crate) connections: u64,
    /// Tokens of `memory`, and keys of `unknown-keys`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=999_999_999))]
    pub(crate) tokens: u64,
    /// Unused clients of `million-clients`, and unused keys of `million-keys`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=999_999_999))]
    pub(crate) copies: u64,
    /// Keys of `million-keys` that are used in rotation
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=999_999_999))]
    pub(crate) keys: u64,
    /// The algorithm of `ratio`'s signatures
    #[arg(long, default_value = "ES256")]
    pub(crate) algorithm: String,
    /// A setting of the server, such as LOG=warn; repeatable
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Use the programs as they were built before
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The token endpoint against a bare handler that signs the same claims, turn by turn
    Ratio,
    /// The server's memory over a million tokens
    Memory,
    /// The time from starting the program until it is ready, on an existing database
    Start,
    /// Start and speed with a million clients in the database
    MillionClients,
    /// `POST /api/v1/keys/verify` against a bare handler that hashes the key and gives the same response
    Verify,
    /// `GET /api/v1/forward-auth` likewise
    ForwardAuth,
    /// Both with a million keys in the database, and another one in each request
    MillionKeys,
    /// The server's memory over a million different keys that do not exist
    UnknownKeys,
    /// Good clients while wrong secrets come in, against the same clients while none do
    Flood,
    /// Token requests while another process changes the same clients a hundred times a second
    Changes,
    /// All of these
    All,
}

impl What {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl Options {
    /// The commands in the order of the command line, `all` being all others.
    pub(crate) fn commands(&self) -> Vec<What> {
        let each = self.commands.iter().flat_map(|what| match what {
            What::All => What::value_variants(),
            one => std::slice::from_ref(one),
        });
        each.copied().filter(|what| *what != What::All).collect()
    }

    /// The settings as variables of the environment.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (String, &str)> {
        let algorithm = ("SIGNING_ALGORITHM", self.algorithm.as_str());
        let others = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        std::iter::once(algorithm).chain(others).map(|(name, value)| (format!("SEALWRIGHT_{name}"), value))
    }

    pub(crate) fn is_built_first(&self) -> bool {
        !self.no_build
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
