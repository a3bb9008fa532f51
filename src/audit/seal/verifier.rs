//! Checks the audit log against its seals.

use super::digest::{Digest, Digests, START, Salt, content};
use crate::domain::audit::{Defect, Finding, RecordedEvent, Verification};
use crate::store::audit_chain::{self, Page};
use crate::store::audit_seals::{self, SealRow};
use crate::store::{AnyConnection, Store, StoreError};

/// Checks all sealed events, and tells `progress` the position that it has reached, and the last.
///
/// # Errors
/// The database cannot be read.
pub async fn verify(store: &Store, mut progress: impl FnMut(i64, i64)) -> Result<Verification, StoreError> {
    let ends = |connection: &mut AnyConnection| {
        // In this order: what is sealed has a position.
        let until = audit_seals::end(connection)?;
        Ok::<_, StoreError>((until, audit_chain::end(connection)?))
    };
    let (until, end) = store.read(ends).await?;
    let mut done = Verification { until, unsealed: end - until, ..Verification::default() };
    let (mut position, mut chain) = (0, START);
    while position < until && done.finding.is_none() {
        let Some((seal, page)) = store.read(move |connection| read(connection, position)).await? else { break };
        match check(&seal, position, &chain, &page) {
            Ok(checked) => {
                done.verified += checked.verified;
                done.erased += checked.erased;
                (position, chain) = (seal.last_position(), checked.chain);
                progress(position, until);
            }
            Err(finding) => done.finding = Some(finding),
        }
    }
    Ok(done)
}

/// Reads the seal that follows `position`, and its events.
fn read(connection: &mut AnyConnection, position: i64) -> Result<Option<(SealRow, Page)>, StoreError> {
    let Some(seal) = audit_seals::after(connection, position)? else { return Ok(None) };
    let page = audit_chain::read_after(connection, seal.position - 1, seal.events)?;
    Ok(Some((seal, page)))
}

/// A seal whose events are as they were.
struct Checked {
    verified: i64,
    erased: i64,
    chain: Digest,
}

/// The digests of a seal, with the salts.
fn entries(seal: &SealRow) -> Option<Vec<(Digests, Salt)>> {
    let count = usize::try_from(seal.events).ok()?;
    let (contents, persons) = (seal.contents.as_chunks().0, seal.persons.as_chunks().0);
    let salts = seal.salts.as_chunks().0;
    let fits = [(seal.contents.len(), 32), (seal.persons.len(), 32), (seal.salts.len(), 16)];
    if fits.into_iter().any(|(length, each)| length != count * each) {
        return None;
    }
    let digests = contents.iter().zip(persons).map(|(&content, &person)| Digests { content, person });
    Some(digests.zip(salts.iter().copied()).collect())
}

/// Compares the events that follow `position` with their seal, where the chain has the value `chain`.
fn check(seal: &SealRow, position: i64, chain: &Digest, page: &Page) -> Result<Checked, Finding> {
    let broken = || Finding { defect: Defect::SealBroken, position: position + 1, event: None };
    let sealed = entries(seal).filter(|_| seal.position == position + 1).ok_or_else(broken)?;
    let chain = sealed.iter().fold(*chain, |chain, (digests, _)| digests.follow(&chain));
    if seal.chain != chain {
        return Err(broken());
    }
    if let Some(stray) = page.strays.first() {
        return Err(Finding { defect: Defect::Inserted, position: seal.position, event: Some(stray.clone()) });
    }
    let mut checked = Checked { verified: 0, erased: 0, chain };
    let mut events = page.events.iter().peekable();
    for (place, (digests, salt)) in sealed.iter().enumerate() {
        let position = seal.position + i64::try_from(place).unwrap_or(i64::MAX);
        let event = events.next_if(|(at, _)| *at == position).map(|(_, event)| event);
        let finding = |defect| Finding { defect, position, event: event.map(|event| event.id.clone()) };
        match event {
            None if *digests == Digests::ABSENT => continue,
            None => return Err(finding(Defect::Removed)),
            Some(event) if content(event) != digests.content => {
                return Err(finding(defect_of(event, place, &sealed, page)));
            }
            Some(event) if is_erased(event, salt) => checked.erased += 1,
            Some(event) if Digests::of(event, salt) != *digests => return Err(finding(Defect::Changed)),
            Some(_) => {}
        }
        checked.verified += 1;
    }
    Ok(checked)
}

/// Returns whether what may name a person was erased, with the salt of its digest.
fn is_erased(event: &RecordedEvent, salt: &Salt) -> bool {
    *salt == Salt::default() && event.address.is_none() && event.user_agent.is_empty()
}

/// Tells why the event in this place is not the sealed one.
fn defect_of(event: &RecordedEvent, place: usize, sealed: &[(Digests, Salt)], page: &Page) -> Defect {
    let own = content(event);
    let place_of_own = sealed.iter().position(|(digests, _)| digests.content == own);
    let is_elsewhere = page.events.iter().any(|(_, other)| content(other) == sealed[place].0.content);
    match (place_of_own, is_elsewhere) {
        (Some(_), true) => Defect::Reordered,
        (Some(_), false) => Defect::Removed,
        (None, true) => Defect::Inserted,
        (None, false) => Defect::Changed,
    }
}
