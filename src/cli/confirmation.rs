//! Final acts: revoke, destroy, delete. Each says what it ends, and asks. `--yes` answers; where there is no terminal
//! to ask on, it is required.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use super::CliError;
use super::session::Session;
use crate::domain::audit::{EventFilter, Outcome, RecordedEvent};
use crate::domain::credential::{Credential, CredentialKind};
use crate::domain::time::{Duration, Timestamp};

/// Uses that are counted; beyond, it is said that there were more.
const COUNTED_MAX: usize = 10_000;
/// The time for which uses are counted.
const LATELY: Duration = Duration::seconds(86_400);

/// The option that answers the question of a final act.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Confirmation {
    /// Do it without asking; required where there is no terminal
    #[arg(long)]
    yes: bool,
}

/// What a final act says before it is done.
pub struct Question {
    /// What it ends, in sentences.
    pub about: String,
    /// The question.
    pub question: &'static str,
}

impl Confirmation {
    /// Asks, unless `--yes` has answered. The question is made only then: an emergency does not wait for it.
    ///
    /// # Errors
    /// What the act is about does not exist, there is no terminal, or the reply is not yes. Nothing has been done then.
    pub async fn ask(self, question: impl Future<Output = Result<Question, CliError>>) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        let Question { about, question } = question.await?;
        // Nobody answers a question that cannot be seen.
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(CliError::Unconfirmed(format!("{about} Nothing was done: add --yes")));
        }
        let mut stderr = std::io::stderr();
        let _closed = write!(stderr, "{about} {question} [y/N] ").and_then(|()| stderr.flush());
        let mut reply = String::new();
        if std::io::stdin().read_line(&mut reply).is_ok() && matches!(reply.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(CliError::Unconfirmed("nothing was done".to_owned()))
        }
    }
}

/// The start of the last day, in which uses are counted.
pub fn lately(now: Timestamp) -> Timestamp {
    now.minus(LATELY)
}

/// Counts the successful events of the last day that pass `filter` and `is_counted`: as a number, or `at least` one
/// where there are too many.
///
/// # Errors
/// The audit log cannot be read.
pub async fn count_lately(
    session: &Session,
    filter: EventFilter,
    is_counted: impl Fn(&RecordedEvent) -> bool,
) -> Result<String, CliError> {
    let Session { services, caller, origin } = session;
    let since = Some(lately(services.recorder.now()));
    let filter = EventFilter { outcome: Some(Outcome::Success), since, ..filter };
    let found = services.insight.list_events(caller, filter, COUNTED_MAX, Arc::clone(origin)).await?;
    let count = found.rows.iter().filter(|event| is_counted(event)).count();
    Ok(if found.rest.is_some() { format!("at least {count}") } else { count.to_string() })
}

/// What revoking a credential ends: which it is, and how often it was used in the last day.
///
/// # Errors
/// There is no such credential, or the audit log cannot be read.
pub async fn revocation(session: &Session, kind: CredentialKind, id: &str) -> Result<Question, CliError> {
    let Session { services, caller, origin } = session;
    let Credential { id, name, .. } = services.credentials.get(caller, kind, id, Arc::clone(origin)).await?.credential;
    let filter = EventFilter { credential: Some(id.to_string()), ..EventFilter::default() };
    // Other events are about it: changes by operators, for example.
    let is_use = |event: &RecordedEvent| event.credential.as_deref() == Some(id.as_str());
    let uses = count_lately(session, filter, is_use).await?;
    let about = format!("Uses of the {} {id} ({name}) in the last day: {uses}.", kind.noun());
    Ok(Question { about, question: "Revoke it permanently?" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_yes_the_question_is_not_even_made() {
        let runtime = crate::cli::session::runtime().unwrap();
        let question = async { Err(CliError::Failed("the question was made".to_owned())) };
        assert!(runtime.block_on(Confirmation { yes: true }.ask(question)).is_ok());
    }
}
