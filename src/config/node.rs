//! The name of this node.

use super::ConfigError;
use crate::domain::text::refuse_secrets;

/// Longest name, in bytes.
const LONGEST: usize = 100;
/// Where Linux shows the host's name.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Returns the name that is set, else that of the host.
pub fn name(set: Option<&str>) -> Result<String, ConfigError> {
    let Some(name) = set else { return Ok(host_name()) };
    refuse_secrets(name).map_err(|wrong| ConfigError::setting("node_name", wrong))?;
    if is_name(name) {
        Ok(name.to_owned())
    } else {
        Err(ConfigError::setting("node_name", "must be 1 to 100 visible ASCII characters"))
    }
}

fn host_name() -> String {
    let names = [std::fs::read_to_string(HOST_NAME).ok(), std::env::var("HOSTNAME").ok()];
    let mut names = names.into_iter().flatten().map(|name| name.trim().to_owned());
    names.find(|name| is_name(name)).unwrap_or_else(|| "localhost".to_owned())
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_called_as_set_else_as_its_host() {
        assert_eq!(name(Some("node-1.example")).unwrap(), "node-1.example");
        for wrong in ["", "a b", "é", &"x".repeat(101)] {
            assert!(name(Some(wrong)).unwrap_err().to_string().starts_with("setting node_name: must be"), "{wrong:?}");
        }
        assert!(is_name(&name(None).unwrap()));
    }
}
