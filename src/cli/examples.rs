//! Examples in the help of each command.

use clap::{Command, CommandFactory as _};

use super::Arguments;

/// The examples of each command. A test parses all of them, and finds commands that have none.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("serve", &["sealwright serve --listen 127.0.0.1:8080", "sealwright serve --config /etc/sealwright.toml"]),
    ("quickstart", &["sealwright quickstart", "sealwright quickstart --exit --json"]),
    (
        "client create",
        &[
            "sealwright client create --name billing --scope orders:read,invoices:write",
            "sealwright client create --name orders --scope read --resource-for https://api.example.com",
        ],
    ),
    ("client list", &["sealwright client list --environment production --rotation-due"]),
    ("client show", &["sealwright client show cli_01 --json"]),
    (
        "client update",
        &["sealwright client update cli_01 --scope orders:read --allow-ip 203.0.113.0/24 --expires-in 90d"],
    ),
    ("client rotate-secret", &["sealwright client rotate-secret cli_01 --grace 24h"]),
    ("client revoke-tokens", &["sealwright client revoke-tokens cli_01"]),
    ("client disable", &["sealwright client disable cli_01"]),
    ("client enable", &["sealwright client enable cli_01"]),
    ("client revoke", &["sealwright client revoke cli_01", "sealwright client revoke cli_01 --yes"]),
    ("client transfer", &["sealwright client transfer cli_01 --owner ann@example.com"]),
    (
        "key create",
        &[
            "sealwright key create --name \"nightly export\" --scope orders:read --expires-in 90d",
            "sealwright key create --name acme --type client --customer acme --preset read-only",
        ],
    ),
    ("key list", &["sealwright key list --customer acme --status active"]),
    ("key show", &["sealwright key show key_01 --json"]),
    ("key update", &["sealwright key update key_01 --rate-per-minute 600 --metadata plan=gold"]),
    ("key rotate", &["sealwright key rotate key_01 --grace 24h"]),
    ("key find", &["sealwright key find < leaked.txt", "sealwright key find --last-four wXyZ"]),
    ("key verify", &["sealwright key verify - --scope orders:read < key.txt", "sealwright key verify --offline -"]),
    ("key disable", &["sealwright key disable key_01"]),
    ("key enable", &["sealwright key enable key_01"]),
    ("key revoke", &["sealwright key revoke key_01", "sealwright key revoke key_01 --yes"]),
    ("key transfer", &["sealwright key transfer key_01 --to-organisation"]),
    ("customer create", &["sealwright customer create --external-id acme --name Acme --metadata plan=gold"]),
    ("customer list", &["sealwright customer list --json"]),
    ("customer show", &["sealwright customer show acme"]),
    ("customer update", &["sealwright customer update acme --name \"Acme Corporation\""]),
    ("customer suspend", &["sealwright customer suspend acme"]),
    ("customer resume", &["sealwright customer resume acme"]),
    ("customer delete", &["sealwright customer delete acme --yes"]),
    ("user create", &["sealwright user create --email ann@example.com --role developer --password-file password.txt"]),
    ("user list", &["sealwright user list --role developer"]),
    ("user show", &["sealwright user show ann@example.com"]),
    ("user update", &["sealwright user update ann@example.com --role auditor"]),
    ("user disable", &["sealwright user disable ann@example.com"]),
    ("user enable", &["sealwright user enable ann@example.com"]),
    ("role create", &["sealwright role create support --scope orders:read,sealwright.keys:read"]),
    ("role list", &["sealwright role list"]),
    ("role show", &["sealwright role show developer"]),
    ("role update", &["sealwright role update support --scope orders:read"]),
    ("role delete", &["sealwright role delete support --yes"]),
    ("scope create", &["sealwright scope create orders:read --description \"Read orders\""]),
    ("scope list", &["sealwright scope list"]),
    ("scope show", &["sealwright scope show orders:read"]),
    ("scope update", &["sealwright scope update orders:read --description \"Read orders and their items\""]),
    ("scope delete", &["sealwright scope delete orders:read --yes"]),
    ("signing-key list", &["sealwright signing-key list --environment production"]),
    ("signing-key rotate", &["sealwright signing-key rotate --environment staging --lead 10m"]),
    ("signing-key destroy", &["sealwright signing-key destroy KID --yes"]),
    (
        "audit list",
        &[
            "sealwright audit list --since 24h --outcome refused",
            "sealwright audit list --credential key_01 --limit 1000",
        ],
    ),
    ("audit verify", &["sealwright audit verify", "sealwright audit verify --json"]),
    ("audit export", &["sealwright audit export --since 2026-01-01T00:00:00Z > events.jsonl"]),
    (
        "revoke-all",
        &["sealwright revoke-all --customer acme --dry-run", "sealwright revoke-all --environment staging --yes"],
    ),
    ("init", &["sealwright init --data-dir /var/lib/sealwright"]),
    ("config check", &["sealwright config check --config /etc/sealwright.toml"]),
    ("master-key rotate", &["sealwright master-key rotate"]),
    ("backup", &["sealwright backup --output sealwright-backup.jsonl"]),
    ("restore", &["sealwright restore --input sealwright-backup.jsonl"]),
    ("migrate", &["sealwright migrate"]),
    ("doctor", &["sealwright doctor --json"]),
    ("completions", &["sealwright completions bash > /etc/bash_completion.d/sealwright"]),
    ("man", &["sealwright man --output /usr/local/share/man/man1"]),
];

/// Creates the parser of the command line, with the examples.
pub fn command() -> Command {
    EXAMPLES.iter().fold(Arguments::command(), |command, (words, examples)| {
        let heading = if examples.len() == 1 { "Example" } else { "Examples" };
        let words: Vec<&str> = words.split(' ').collect();
        with_help(command, &words, format!("{heading}:\n  {}", examples.join("\n  ")))
    })
}

fn with_help(command: Command, words: &[&str], text: String) -> Command {
    match words {
        [] => command.after_help(text),
        [first, rest @ ..] => command.mut_subcommand(first, |inner| with_help(inner, rest, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a command line as a shell reads them, up to a redirection.
    fn words(line: &str) -> Vec<String> {
        let quoted = line.split('"').enumerate();
        let words = quoted.flat_map(|(at, part)| {
            let whole = at % 2 == 1;
            let split: Vec<&str> = if whole { vec![part] } else { part.split_whitespace().collect() };
            split.into_iter().map(str::to_owned).collect::<Vec<_>>()
        });
        words.take_while(|word| word != "<" && word != ">").collect()
    }

    fn leaves(command: &Command, before: &str, found: &mut Vec<String>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = format!("{before} {}", inner.get_name()).trim().to_owned();
            if inner.has_subcommands() {
                leaves(inner, &name, found);
            } else {
                found.push(name);
            }
        }
    }

    #[test]
    fn every_command_has_examples_that_are_commands_of_this_program() {
        let mut commands = Vec::new();
        leaves(&Arguments::command(), "", &mut commands);
        for name in &commands {
            assert!(EXAMPLES.iter().any(|(words, _)| words == name), "{name} has no example");
        }
        for (name, examples) in EXAMPLES {
            assert!(commands.iter().any(|command| command == name), "{name} is no command");
            for example in *examples {
                assert!(example.starts_with(&format!("sealwright {name}")), "{example} is an example of {name}");
                let parsed = command().try_get_matches_from(words(example));
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
