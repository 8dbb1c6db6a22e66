//! What happens during a run, as a closed set of plain data. The executor emits; reports are written from it.

use std::time::Duration;

use serde::Serialize;

use crate::drivers::Failure;
use crate::plan::Policy;

/// Where facts of a dry run come from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactSource {
    /// The engine answered.
    Live,
    /// It did not; what zdt wrote down last.
    State,
    /// Neither: an application as the recipe describes it.
    Assumed,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// `zdt rollback` of an unfinished run: what was asked for is done.
    WentBack,
    /// Failed; the old version serves everywhere.
    RolledBack,
    /// Failed; something is left to do (`pause`, `none`, or a rollback that failed itself).
    Failed,
    /// Refused before or at a step, nothing changed.
    Refused,
    /// Interrupted before anything was touched, or stopped by a second signal.
    Interrupted,
}

impl Outcome {
    /// As `--log json` has it, and `$outcome` in a recipe.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::WentBack => "went_back",
            Outcome::RolledBack => "rolled_back",
            Outcome::Failed => "failed",
            Outcome::Refused => "refused",
            Outcome::Interrupted => "interrupted",
        }
    }
}

/// What a backend is found to be when a run ends badly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub backend: String,
    /// `None`: no container.
    pub image: Option<String>,
    /// Its container is there and does not run.
    pub stopped: bool,
    /// `None`: nobody could be asked.
    pub healthy: Option<bool>,
    /// In traffic; `None`: the proxy could not be asked.
    pub enabled: Option<bool>,
}

/// A command a dry run would give, or a file it would write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Command { line: String },
    File { path: String, diff: String },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First of all. `run` is the id in the journal (empty where none is kept).
    Started {
        recipe: String,
        run: String,
        /// `name=value` given by `--set`, masked.
        params: Vec<String>,
        /// `Some` for a dry run.
        dry: Option<FactSource>,
    },
    /// Checked before anything is touched.
    Preflight {
        /// `compose 2.40`, `engine 28.5`, …
        facts: Vec<String>,
        warnings: Vec<Finding>,
        #[serde(rename = "took_ms", serialize_with = "write_ms")]
        took: Duration,
    },
    /// A task, a turn of a loop, a call of a def. `depth` counts from 0.
    Group {
        title: String,
        depth: usize,
    },
    StepStarted {
        id: String,
        title: String,
        depth: usize,
    },
    /// What a running step waits for, or the last line of a program it runs.
    Progress {
        id: String,
        line: String,
    },
    StepDone {
        id: String,
        title: String,
        depth: usize,
        /// Facts, short: `generation 7 live · 0 connections left`.
        detail: String,
        #[serde(rename = "took_ms", serialize_with = "write_ms")]
        took: Duration,
    },
    StepFailed {
        id: String,
        title: String,
        depth: usize,
        #[serde(serialize_with = "write_failure")]
        failure: Failure,
        /// The recipe's place, ready to print: `recipes/upgrade.zdt:12`, and the line itself.
        place: String,
        source_line: String,
        #[serde(rename = "took_ms", serialize_with = "write_ms")]
        took: Duration,
    },
    /// A step of a dry run with what it would change; `note` says what is unknown or irreversible.
    Planned {
        id: String,
        title: String,
        depth: usize,
        note: String,
        changes: Vec<Change>,
    },
    /// A step that an earlier run of the same journal had already done (`resume`).
    Skipped {
        id: String,
        title: String,
        depth: usize,
    },
    /// `say`, and `warn`.
    Said {
        line: String,
        warning: bool,
    },
    /// Warnings of zdt itself.
    Warned {
        line: String,
    },
    /// The failure policy begins.
    Policy {
        #[serde(serialize_with = "write_policy")]
        policy: Policy,
        /// Why, when it is not the declared one (`irreversible`).
        reason: Option<String>,
    },
    /// One step of a rollback.
    Undone {
        title: String,
        detail: String,
        #[serde(rename = "took_ms", serialize_with = "write_ms")]
        took: Duration,
    },
    UndoFailed {
        title: String,
        #[serde(serialize_with = "write_failure")]
        failure: Failure,
    },
    /// Last of all.
    Ended {
        outcome: Outcome,
        #[serde(rename = "took_ms", serialize_with = "write_ms")]
        took: Duration,
        /// How everything stands; empty when all is well.
        standing: Vec<Standing>,
        /// Steps that cannot be undone and were done.
        irreversible: Vec<String>,
        /// Exact lines to type next.
        next: Vec<String>,
    },
}

impl Event {
    /// How deep it stands in the plan; `None` for what stands wherever the run is.
    pub fn depth(&self) -> Option<usize> {
        match self {
            Event::Group { depth, .. }
            | Event::StepStarted { depth, .. }
            | Event::StepDone { depth, .. }
            | Event::StepFailed { depth, .. }
            | Event::Planned { depth, .. }
            | Event::Skipped { depth, .. } => Some(*depth),
            Event::Started { .. } | Event::Preflight { .. } | Event::Policy { .. } | Event::Ended { .. } => Some(0),
            Event::Progress { .. }
            | Event::Said { .. }
            | Event::Warned { .. }
            | Event::Undone { .. }
            | Event::UndoFailed { .. } => None,
        }
    }
}

/// A finding of the preflight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `Z204`, for `zdt explain`.
    pub code: String,
    pub message: String,
    pub help: Option<String>,
}

/// Whoever listens: the terminal, a JSON log, a report, a test.
pub trait Sink: Sync {
    fn event(&self, event: &Event);
}

fn write_failure<S: serde::Serializer>(failure: &Failure, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct;
    let mut out = serializer.serialize_struct("Failure", 5)?;
    out.serialize_field("kind", &format!("{:?}", failure.kind).to_lowercase())?;
    out.serialize_field("message", &failure.message)?;
    out.serialize_field("notes", &failure.notes)?;
    out.serialize_field("help", &failure.help)?;
    out.serialize_field("code", &failure.code.map(|code| code.0))?;
    out.end()
}

fn write_policy<S: serde::Serializer>(policy: &Policy, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match policy {
        Policy::Rollback => "rollback",
        Policy::Pause => "pause",
        Policy::None => "none",
    })
}

/// Whole milliseconds.
fn write_ms<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
