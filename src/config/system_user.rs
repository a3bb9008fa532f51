//! Users of the operating system.

/// A user of the operating system, by number. Shown with the name that `/etc/passwd` has, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemUser(pub u32);

impl SystemUser {
    /// The user who may read and write everything.
    pub const ROOT: Self = Self(0);

    /// Returns the user whom the files of this process belong to.
    pub fn of_files() -> Self {
        Self(rustix::process::geteuid().as_raw())
    }

    /// Returns the user who started this process.
    pub fn of_process() -> Self {
        Self(rustix::process::getuid().as_raw())
    }
}

impl std::fmt::Display for SystemUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        match name(&users, self.0) {
            Some(name) => write!(f, "user {} ({name})", self.0),
            None => write!(f, "user {}", self.0),
        }
    }
}

/// Returns the name of a user in a file such as `/etc/passwd`.
fn name(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid) && !name.is_empty()).then_some(name)
    })
}

#[test]
fn users_have_the_names_of_the_file() {
    let users =
        "root:x:0:0:root:/root:/bin/sh\n\n# none\nsealwright:x:998:998::/var/lib/sealwright:/bin/false\n:x:5:5\n";
    for (uid, expected) in [(0, Some("root")), (998, Some("sealwright")), (5, None), (99, None)] {
        assert_eq!(name(users, uid), expected, "{uid}");
    }
}
