//! Tests that rest on many rounds. `scripts/test` runs them in a step of its own, by this module's name.

mod changes;
mod immediate;
mod kill;
mod many_clients;
mod random_input;
mod revoke_all;
