//! The machine of a run.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use super::{Options, Result};

pub(crate) fn cores() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

/// An address of loopback that nothing listens on now.
pub(crate) fn free_address() -> Result<String> {
    // Below the ports that the system gives to connections by itself, of which wrk takes many.
    for _ in 0..100 {
        let address = format!("127.0.0.1:{}", fastrand::u16(20_000..32_000));
        if TcpListener::bind(&address).is_ok() {
            return Ok(address);
        }
    }
    Err("no port is free".into())
}

/// One line on cores, disk and options, to be kept with the figures.
pub(crate) fn describe(options: &Options, folder: &Path) -> Result<String> {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let disk = Command::new("df").arg("--output=fstype").arg(folder).output()?;
    let disk = String::from_utf8_lossy(&disk.stdout).lines().last().unwrap_or_default().to_owned();
    let (cores, model) = (cores()?, model.map_or("unknown", |(_, model)| model));
    let Options { connections, seconds, .. } = options;
    let mut parts = vec![format!("{cores} cores ({model}), {disk}, {connections} connections, turns of {seconds} s")];
    parts.extend(options.settings().map(|(name, value)| format!("{name}={value}")));
    Ok(parts.join(", "))
}
