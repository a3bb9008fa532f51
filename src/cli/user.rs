//! The commands `sealwright user …`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;
use zeroize::Zeroizing;

use super::listing::{self, Paging};
use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::ids::UserId;
use crate::domain::user::{User, UserFilter};
use crate::service::SharedServices;
use crate::service::error::ServiceError;
use crate::view::user::{UserCreate, UserFilters, UserUpdate, UserView};

#[derive(Subcommand)]
pub enum Command {
    /// Create a user, and ask for the password
    Create {
        /// E-mail address to sign in with
        #[arg(long)]
        email: String,
        /// Name of the user's role
        #[arg(long)]
        role: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// File whose first line is the password, instead of asking for it
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List users, newest first
    List {
        /// Only the user with this e-mail address
        #[arg(long)]
        email: Option<String>,
        /// Only users with this role
        #[arg(long)]
        role: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a user
    Show {
        /// The user's id or e-mail address
        id: String,
    },
    /// Update a user; fields without an option stay as they are
    Update {
        /// The user's id or e-mail address
        id: String,
        /// E-mail address to sign in with
        #[arg(long)]
        email: Option<String>,
        /// Name of the user's role
        #[arg(long)]
        role: Option<String>,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// File whose first line is the new password
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Disable a user: all credentials of the user are refused
    #[command(visible_alias = "deactivate")]
    Disable {
        /// The user's id or e-mail address
        id: String,
    },
    /// Enable a user: the user's credentials are accepted again
    #[command(visible_alias = "activate")]
    Enable {
        /// The user's id or e-mail address
        id: String,
    },
}

fn view(user: &User) -> Value {
    output::shown(&UserView::from(user))
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { email, role, name, password_file } => {
            let password = match password_file {
                Some(file) => password_of(&file)?,
                None => output::new_password()?,
            };
            let members = Members::default().text("email", Some(email)).text("role", Some(role)).text("name", name);
            let new = members.text("password", Some(password.to_string())).read::<UserCreate>()?.into();
            session::run(flags, "user create", async move |session| {
                let Session { services, caller, origin } = session;
                output::object(json, &view(&services.directory.create_user(&caller, new, None, origin).await?));
                Ok(())
            })
        }
        Command::List { email, role, paging } => list(flags, json, email, role, paging),
        Command::Show { id } => session::run(flags, "user show", async move |session| {
            let Session { services, caller, origin } = session;
            let id = id_of(&services, &id).await?;
            output::object(json, &view(&services.directory.user(&caller, &id, origin).await?));
            Ok(())
        }),
        Command::Update { id, email, role, name, password_file } => {
            let password = password_file.map(|file| password_of(&file)).transpose()?;
            let members = Members::default().text("email", email).text("role", role).text("name", name);
            let members = members.text("password", password.map(|password| password.to_string()));
            let changes = members.read::<UserUpdate>()?.into();
            session::run(flags, "user update", async move |session| {
                let Session { services, caller, origin } = session;
                let id = id_of(&services, &id).await?;
                output::object(json, &view(&services.directory.update_user(&caller, &id, changes, origin).await?));
                Ok(())
            })
        }
        Command::Disable { id } => set_active(flags, json, "user disable", id, false),
        Command::Enable { id } => set_active(flags, json, "user enable", id, true),
    }
}

fn list(
    flags: &Flags,
    json: bool,
    email: Option<String>,
    role: Option<String>,
    paging: Paging,
) -> Result<(), CliError> {
    let members = Members::default().text("email", email).text("role", role);
    let filter: UserFilter = members.read::<UserFilters>()?.into();
    session::run(flags, "user list", async move |session| {
        let Session { services, caller, origin } = session;
        let columns = &["id", "email", "name", "role", "status"];
        let position = |cursor: &str| cursor.parse::<UserId>().ok();
        listing::print(json, &paging, columns, position, async |before, count| {
            let filter = UserFilter { before, ..filter.clone() };
            let wanted = listing::and_one(count);
            let found = services.directory.list_users(&caller, filter, wanted, origin.clone()).await?;
            Ok(listing::part(found, count, |user| user.id.clone(), view))
        })
        .await
    })
}

fn set_active(flags: &Flags, json: bool, command: &str, id: String, is_active: bool) -> Result<(), CliError> {
    session::run(flags, command, async move |session| {
        let Session { services, caller, origin } = session;
        let id = id_of(&services, &id).await?;
        output::object(json, &view(&services.directory.set_user_active(&caller, &id, is_active, origin).await?));
        Ok(())
    })
}

/// Returns the id of a user whom `name` names by id or e-mail address.
async fn id_of(services: &SharedServices, name: &str) -> Result<String, CliError> {
    if name.parse::<UserId>().is_ok() {
        return Ok(name.to_owned());
    }
    let found =
        services.credentials.user_named(&session::caller(), name.to_owned()).await.map_err(|error| match error {
            ServiceError::Invalid(_) => ServiceError::NotFound("user"),
            other => other,
        });
    Ok(found?.to_string())
}

fn password_of(file: &Path) -> Result<Zeroizing<String>, CliError> {
    let text = std::fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|error| CliError::Usage(format!("--password-file {}: {error}", file.display())))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
