# The commands of the project. The workflows and .ci/run call the same ones.

# List the commands
default:
    @just --list --unsorted

# Check format, lints, documentation, layers and style, in a minute and without a database
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
    cargo test --locked --test architecture --test tidy

# Check and test everything, on SQLite and PostgreSQL; `just test --help` shows the options
test *ARGUMENTS:
    scripts/test {{ ARGUMENTS }}

# Run the tests whose names contain NAME without the checks, such as `just only api::clients`
only NAME *ARGUMENTS:
    scripts/test --only-tests -- {{ NAME }} {{ ARGUMENTS }}

# Measure the whole service under load; needs wrk, and minutes of an idle machine
bench *ARGUMENTS='all':
    cargo run --release --locked --example load -- {{ ARGUMENTS }}

# Measure the parts of a token request
bench-parts *ARGUMENTS:
    cargo bench --locked --bench token {{ ARGUMENTS }}

# Check the dependencies; needs cargo-deny, and the network for the advisories
deny *CHECKS='advisories licenses bans sources':
    cargo deny --locked check -D unnecessary-skip -D license-not-encountered {{ CHECKS }}

# Write what the tools can write: format and lints with a known fix
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --locked --fix --allow-dirty --allow-staged
