//! A model of decision 19. It explores every interleaving of two processes with caches, their followers of the change
//! log, a revoke, an enabling, another change, a pruned log and a restore. Whether a decision is stale is decided by
//! the product's own rule ([`Head::overtakes`]); the rest is what journal, caches and follower do, step by step.

use sealwright::domain::change::{Basis, ChangeKind, Head, Position};
use sealwright::domain::ids::TokenId;
use sealwright::domain::time::Timestamp;
use stateright::{Checker as _, Model, Property};

/// The object that requests are about. A token's revocation is a subject like any other, and the simplest to name.
fn subject() -> TokenId {
    TokenId::new(Timestamp::from_millis(1), &[1; 10])
}

/// The database: the object's state, the row `installation`, and the change log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Database {
    is_live: bool,
    incarnation: i64,
    sequence: i64,
    pruned_to: i64,
    /// Number, and whether the change was of the object.
    log: Vec<(i64, bool)>,
}

impl Database {
    fn head(&self) -> Head {
        let position = Position { incarnation: self.incarnation, sequence: self.sequence };
        Head { position, pruned_to: self.pruned_to }
    }

    fn change(&mut self, is_of_object: bool) {
        self.sequence += 1;
        self.log.push((self.sequence, is_of_object));
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// It has begun.
    Begun,
    /// It has taken the position that its process had applied.
    Positioned(i64, i64),
    /// It has read the database, and has not cached that yet; with the count of drops before.
    Read((i64, i64), bool, u8),
    /// It has decided.
    Decided((i64, i64), bool),
    /// Its event was refused as stale: the process follows the log before it begins again.
    Stale,
}

/// A request: where it is, and the states that the object had since it began (live, not live).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Request {
    step: Step,
    had: (bool, bool),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Process {
    applied: (i64, i64),
    cached: Option<bool>,
    drops: u8,
    request: Option<Request>,
    requests_left: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    database: Database,
    processes: [Process; 2],
    changes_left: u8,
    has_pruned: bool,
    has_restored: bool,
    /// A request ended with a state that the object did not have since it began.
    is_wrong: bool,
    ended: (bool, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// The request of a process takes its next step.
    Advance(usize),
    /// A process applies the change log.
    Follow(usize),
    /// Another process revokes the object, or enables it again.
    Set(bool),
    /// Something else changes.
    ChangeAnother,
    /// The change log is pruned.
    Prune,
    /// A copy is restored in which the object is live or not.
    Restore(bool),
}

/// The protocol; without the check in the commit it is the earlier one, which must fail.
struct Protocol {
    checks_at_commit: bool,
    /// How many requests each process gets.
    requests: [u8; 2],
}

impl Protocol {
    fn is_stale(&self, database: &Database, (incarnation, sequence): (i64, i64)) -> bool {
        let basis = Basis::at(Position { incarnation, sequence }).on_token(&subject());
        let object = subject();
        let changes = database.log.iter().filter(|(number, _)| *number > sequence).map(|(_, is_of_object)| {
            let name = if *is_of_object { object.as_str() } else { "tok_of_another" };
            (Some(ChangeKind::Token), name)
        });
        self.checks_at_commit && database.head().overtakes(&basis, changes)
    }

    fn advance(&self, state: &mut State, index: usize) {
        let State { database, processes, .. } = state;
        let process = &mut processes[index];
        let Some(request) = &mut process.request else {
            let had = (database.is_live, !database.is_live);
            process.request = Some(Request { step: Step::Begun, had });
            process.requests_left -= 1;
            return;
        };
        request.step = match request.step {
            Step::Begun => Step::Positioned(process.applied.0, process.applied.1),
            Step::Positioned(incarnation, sequence) => match process.cached {
                Some(is_live) => Step::Decided((incarnation, sequence), is_live),
                None => Step::Read((incarnation, sequence), database.is_live, process.drops),
            },
            Step::Read(position, is_live, drops) => {
                if drops == process.drops {
                    process.cached = Some(is_live);
                }
                Step::Decided(position, is_live)
            }
            Step::Decided(position, is_live) => {
                if self.is_stale(database, position) {
                    Step::Stale
                } else {
                    state.is_wrong |= !if is_live { request.had.0 } else { request.had.1 };
                    state.ended = (state.ended.0 || is_live, state.ended.1 || !is_live);
                    process.request = None;
                    return;
                }
            }
            Step::Stale => Step::Begun,
        };
        if request.step == Step::Begun {
            follow(database, process);
        }
    }
}

fn follow(database: &Database, process: &mut Process) {
    let from = Position { incarnation: process.applied.0, sequence: process.applied.1 };
    let head = database.head();
    let is_touched = database.log.iter().any(|(number, is_of_object)| *number > from.sequence && *is_of_object);
    if !head.continues(from) || is_touched {
        process.cached = None;
        process.drops += 1;
    }
    process.applied = (head.position.incarnation, head.position.sequence);
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let database = Database { is_live: true, incarnation: 1, sequence: 0, pruned_to: 0, log: vec![] };
        let process = |requests_left| Process { applied: (1, 0), requests_left, ..Process::default() };
        vec![State {
            database,
            processes: self.requests.map(process),
            changes_left: 2,
            has_pruned: false,
            has_restored: false,
            is_wrong: false,
            ended: (false, false),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, process) in state.processes.iter().enumerate() {
            if process.request.is_some() || process.requests_left > 0 {
                actions.push(Action::Advance(index));
            }
            let head = state.database.head().position;
            if process.applied != (head.incarnation, head.sequence) {
                actions.push(Action::Follow(index));
            }
        }
        if state.changes_left > 0 {
            actions.extend([Action::Set(!state.database.is_live), Action::ChangeAnother]);
        }
        if !state.has_pruned && !state.database.log.is_empty() {
            actions.push(Action::Prune);
        }
        if !state.has_restored {
            actions.extend([Action::Restore(true), Action::Restore(false)]);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Advance(index) => self.advance(&mut state, index),
            Action::Follow(index) => follow(&state.database, &mut state.processes[index]),
            Action::Set(is_live) => {
                state.database.is_live = is_live;
                state.database.change(true);
                state.changes_left -= 1;
            }
            Action::ChangeAnother => {
                state.database.change(false);
                state.changes_left -= 1;
            }
            Action::Prune => {
                state.database.pruned_to = state.database.sequence;
                state.database.log.clear();
                state.has_pruned = true;
            }
            Action::Restore(is_live) => {
                // A copy from the beginning: its numbers are lower, and are given again.
                state.database = Database { is_live, incarnation: 2, sequence: 0, pruned_to: 0, log: vec![] };
                state.has_restored = true;
            }
        }
        let is_live = state.database.is_live;
        for request in state.processes.iter_mut().filter_map(|process| process.request.as_mut()) {
            request.had = (request.had.0 || is_live, request.had.1 || !is_live);
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a request ends with a state that the object had since it began", |_, state: &State| {
                !state.is_wrong
            }),
            Property::sometimes("requests are accepted and refused", |_, state: &State| state.ended == (true, true)),
        ]
    }
}

fn explored(protocol: Protocol) -> usize {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    checker.unique_state_count()
}

#[test]
fn no_request_ends_with_what_was_changed_before_it_began() {
    for requests in [[1, 1], [2, 0]] {
        let states = explored(Protocol { checks_at_commit: true, requests });
        assert!(states > 100_000, "{requests:?}: {states} states");
    }
}

#[test]
fn without_the_check_in_the_commit_the_model_finds_the_fault() {
    let checker = Protocol { checks_at_commit: false, requests: [2, 0] }.checker().threads(2).spawn_bfs().join();
    assert!(checker.discovery("a request ends with a state that the object had since it began").is_some());
}
