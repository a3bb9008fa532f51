//! Databases that are made once in a run of the tests, by the program itself, and copied for each test.

use std::path::Path;
use std::sync::OnceLock;

use super::{Database, Kind, TestClient, binary, run_json};

/// What the copies have from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The schema, and a signing key of each algorithm in each environment.
    Keys,
    /// Those, and in each environment a client that may do anything.
    Owners,
}

/// A database that is only ever copied.
pub struct Template {
    /// On which it is.
    pub kind: Kind,
    database: Database,
    owners: Vec<(&'static str, TestClient)>,
}

impl Template {
    /// The template of this run, made where it is the first that is asked for.
    pub fn of(kind: Kind, content: Content) -> &'static Self {
        static ALL: [OnceLock<Template>; 4] = [const { OnceLock::new() }; 4];
        let index = match (kind, content) {
            (Kind::Sqlite, Content::Keys) => 0,
            (Kind::Postgres, Content::Keys) => 1,
            (Kind::Sqlite, Content::Owners) => 2,
            (Kind::Postgres, Content::Owners) => 3,
        };
        ALL[index].get_or_init(|| Self::make(kind, content))
    }

    fn make(kind: Kind, content: Content) -> Self {
        let database = match content {
            Content::Keys => Database::empty(kind),
            Content::Owners => Database::without_credentials(kind),
        };
        let command = |arguments: &[&str]| {
            let mut command = binary();
            command.env("SEALWRIGHT_DATA_DIR", database.data_dir());
            if let Some(url) = database.url() {
                command.env("SEALWRIGHT_DATABASE_URL", url);
            }
            run_json(command.args(arguments).arg("--json"))
        };
        let owners = match content {
            Content::Keys => {
                command(&["init"]);
                vec![]
            }
            Content::Owners => ["staging", "development", "production"]
                .map(|environment| {
                    let scopes = ["--scope", "sealwright.admin", "--scope", "admin"];
                    let limits = ["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"];
                    let named = ["client", "create", "--name", "owner", "--environment", environment];
                    let made = command(&[&named[..], &scopes, &limits].concat());
                    let text = |name: &str| made[name].as_str().unwrap().to_owned();
                    (environment, TestClient { id: text("client_id"), secret: text("client_secret") })
                })
                .into(),
        };
        Self { kind, database, owners }
    }

    /// Copies the data folder: the master key, and SQLite's file, which nobody has open.
    pub fn copy_files(&self, folder: &Path) {
        std::fs::create_dir(folder).unwrap();
        for entry in std::fs::read_dir(self.database.data_dir()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }

    /// Its name on the server of PostgreSQL, if it is there.
    pub fn name(&self) -> Option<&str> {
        self.database.url().map(|url| url.rsplit_once('/').unwrap().1)
    }

    /// The client that may do anything in an environment.
    pub fn owner(&self, environment: &str) -> Option<&TestClient> {
        self.owners.iter().find(|(of, _)| *of == environment).map(|(_, client)| client)
    }
}
