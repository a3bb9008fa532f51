//! The command `sealwright audit verify`.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::session::Session;
use super::{CliError, output};
use crate::domain::audit::{Defect, Finding};

/// What the bar shows on a terminal.
const BAR: &str = "{wide_bar} {human_pos} of {human_len} events, {eta} left";

/// Checks the log, prints what was found, and fails if something is wrong.
pub async fn verify(json: bool, session: Session) -> Result<(), CliError> {
    let Session { services, caller, origin } = session;
    // Draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(BAR) {
        bar.set_style(style);
    }
    let progress = |position: i64, end: i64| {
        bar.set_length(end.unsigned_abs());
        bar.set_position(position.unsigned_abs());
    };
    let checked = services.insight.verify(&caller, origin, progress).await?;
    bar.finish_and_clear();
    let finding = checked.finding.as_ref();
    output::object(
        json,
        &json!({
            "is_intact": finding.is_none(),
            "verified": checked.verified,
            "erased": checked.erased,
            "sealed_until": checked.until,
            "unsealed": checked.unsealed,
            "defect": finding.map(|finding| finding.defect.as_str()),
            "position": finding.map(|finding| finding.position),
            "event": finding.and_then(|finding| finding.event.as_deref()),
        }),
    );
    match finding {
        None => Ok(()),
        Some(finding) => Err(CliError::Failed(told(finding))),
    }
}

fn told(Finding { defect, position, event }: &Finding) -> String {
    let event = event.as_deref().unwrap_or("that was there");
    match defect {
        Defect::Changed => format!("the event {event} at position {position} was changed"),
        Defect::Removed => format!("the event that was sealed at position {position} was removed"),
        Defect::Inserted => format!("the event {event} at position {position} was inserted"),
        Defect::Reordered => format!("the event {event} at position {position} was sealed at another"),
        Defect::SealBroken => format!("the seal of the events from position {position} on was changed or removed"),
    }
}
