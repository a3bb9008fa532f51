//! The doctor's look at the data folder: whether it is there, whom its files belong to, and who may use them.

use super::{Findings, Verdict};
use crate::cli::folder::{self, Work, absolute};
use crate::config::data_folder::Part;
use crate::config::{Config, DatabaseConfig, SystemUser};

/// Checks the data folder, and returns whether the database can be looked at.
pub(super) fn check_folder(config: &Config, findings: &mut Findings) -> bool {
    if let Some(missing) = folder::missing(config, Work::Uses).or_else(|| folder::missing_folder(config)) {
        findings.add("data folder", Verdict::Error, missing);
        return matches!(config.database, DatabaseConfig::Postgres { .. });
    }
    let parts = config.parts();
    let Some(owner) = owner(&parts) else {
        findings.add("data folder", Verdict::Good, "not used: database and master key are elsewhere");
        return true;
    };
    let wrong: Vec<(Verdict, String)> =
        parts.iter().flat_map(|part| [wrong_owner(part, owner, config), wrong_mode(part)]).flatten().collect();
    if wrong.is_empty() {
        findings.add("data folder", Verdict::Good, format!("{} belongs to {owner}", absolute(&config.data_dir)));
    }
    for (verdict, finding) in wrong {
        findings.add("data folder", verdict, finding);
    }
    may_look(config, &parts, owner, findings)
}

/// Returns whom the installation belongs to: the owner of the folder, or whoever may use a folder of root.
fn owner(parts: &[Part]) -> Option<SystemUser> {
    let (owner, user) = (parts.first()?.owner, SystemUser::of_files());
    Some(if owner == SystemUser::ROOT { user } else { owner })
}

fn wrong_owner(part: &Part, owner: SystemUser, config: &Config) -> Option<(Verdict, String)> {
    // A master key of root that the server's group may read is as somebody wanted it.
    let is_granted = Some(&*part.path) == config.master_key.path() && part.mode & 0o040 != 0;
    (part.is_of_another(owner) && !is_granted).then(|| {
        let path = absolute(&part.path);
        let finding = format!(
            "{path} belongs to {}, the installation to {owner}, who may be unable to use it: `chown {} {path}`",
            part.owner, owner.0
        );
        (Verdict::Error, finding)
    })
}

fn wrong_mode(part: &Part) -> Option<(Verdict, String)> {
    let path = absolute(&part.path);
    let finding = |what: &str, mode: &str| format!("{path} has mode {:04o}: {what}; `chmod {mode} {path}`", part.mode);
    let (others, group) = (part.mode & 0o007, part.mode & 0o070);
    if part.is_folder && others & 0o002 != 0 {
        Some((Verdict::Error, finding("every user can replace what is in it", "0700")))
    } else if part.is_folder && group & 0o020 != 0 {
        Some((Verdict::Warning, finding("its group can replace what is in it", "0700")))
    } else if !part.is_folder && others != 0 {
        Some((Verdict::Error, finding("every user can read or change it", "0600")))
    } else if !part.is_folder && group & 0o020 != 0 {
        Some((Verdict::Warning, finding("its group can change it", "0600")))
    } else {
        None
    }
}

/// Looking at a SQLite database may leave files beside it. Those of root get the owner of the database; those of
/// another user would stop the server.
fn may_look(config: &Config, parts: &[Part], owner: SystemUser, findings: &mut Findings) -> bool {
    let user = SystemUser::of_files();
    let is_sqlite = matches!(config.database, DatabaseConfig::Sqlite { .. });
    if user != SystemUser::ROOT && is_sqlite && parts.iter().any(|part| part.is_of_another(user)) {
        let finding = format!("not checked: this command runs as {user}, and the installation belongs to {owner}");
        findings.add("database", Verdict::Error, finding);
        return false;
    }
    if let Some((_, whose)) = folder::of_another(config, Work::Makes) {
        findings.add("data folder", Verdict::Warning, format!("{whose}: `serve` refuses that, unless it has --force"));
    }
    true
}
