//! Code samples of the OpenAPI document, one file each.

use serde::Serialize;

/// The address in the samples, which the service replaces by its own.
pub const ADDRESS: &str = "https://auth.example.com";

/// One sample, as `x-codeSamples` has it.
#[derive(Serialize)]
pub struct Sample {
    lang: &'static str,
    label: &'static str,
    source: &'static str,
}

macro_rules! samples {
    ($verb:literal) => {
        [
            Sample { lang: "Bash", label: "curl", source: include_str!(concat!("samples/", $verb, ".sh")) },
            Sample { lang: "Python", label: "Python", source: include_str!(concat!("samples/", $verb, ".py")) },
            Sample {
                lang: "JavaScript",
                label: "JavaScript",
                source: include_str!(concat!("samples/", $verb, ".mjs")),
            },
            Sample { lang: "Go", label: "Go", source: include_str!(concat!("samples/", $verb, ".go")) },
            Sample { lang: "Java", label: "Java", source: include_str!(concat!("samples/", $verb, ".java")) },
            Sample { lang: "Rust", label: "Rust", source: include_str!(concat!("samples/", $verb, ".rs")) },
        ]
    };
}

/// Asks for a token.
pub const TOKEN: [Sample; 6] = samples!("token");
/// Makes a client.
pub const CREATE_CLIENT: [Sample; 6] = samples!("create_client");
