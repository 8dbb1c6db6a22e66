//! What stands in a journal, as plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::exec::Outcome;
use crate::plan::Mask;
use crate::site::{Before, Good, Resource};

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// First of all: everything a resumed run needs to plan the same again.
    Run(Box<Head>),
    /// Written before a step touches anything.
    Begin {
        node: String,
        at: u64,
    },
    /// Written after it.
    End {
        node: String,
        at: u64,
        ok: bool,
        detail: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
        /// It was refused before it did anything, so it counts as not begun.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        refused: bool,
    },
    /// A command's output, taken once.
    Output {
        key: String,
        text: String,
    },
    Keep {
        resource: Resource,
        before: Before,
    },
    /// A step has written a file whole: its hash, for whoever wants to know whether somebody has changed it since.
    Wrote {
        path: PathBuf,
        hash: String,
    },
    /// The backends that this run made serve: a rollback goes back to here, and no further.
    Anew {
        at: u64,
    },
    /// A rollback has put a backend's old version back: the hash of its definition, which another compose may hash
    /// otherwise than the one that made the container before.
    PutBack {
        backend: String,
        definition: Option<String>,
    },
    /// A rollback begins: what steps have done is not to be relied on any more.
    Undoing {
        at: u64,
    },
    /// From here on a rollback is a pause.
    Irreversible {
        reason: String,
    },
    /// Another zdt took over (`resume`, `rollback`).
    TakenOver {
        at: u64,
        pid: u32,
        by: String,
    },
    /// Last of all.
    Finish {
        at: u64,
        outcome: Ended,
    },
}

impl Record {
    /// The record with secrets hidden in what programs and messages say. Everything else is what a resumed run or a
    /// rollback goes by, and no secret's value comes into it; but where a secret is a common word, that word does.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        match self {
            Record::End {
                node,
                at,
                ok,
                detail,
                notes,
                refused,
            } => Record::End {
                node,
                at,
                ok,
                detail: mask.text(&detail),
                notes: mask.texts(&notes),
                refused,
            },
            Record::Irreversible { reason } => Record::Irreversible {
                reason: mask.text(&reason),
            },
            Record::Run(_)
            | Record::Begin { .. }
            | Record::Keep { .. }
            | Record::Output { .. }
            | Record::Wrote { .. }
            | Record::PutBack { .. }
            | Record::Anew { .. }
            | Record::Undoing { .. }
            | Record::TakenOver { .. }
            | Record::Finish { .. } => self,
        }
    }
}

/// How a run ended, for `history`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Done,
    RolledBack,
    Failed,
    Refused,
    Interrupted,
    Abandoned,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub id: String,
    /// Seconds since 1970.
    pub at: u64,
    pub user: String,
    pub host: String,
    pub pid: u32,
    pub zdt: String,
    pub recipe: String,
    /// All texts, the named one first.
    pub sources: Vec<Kept>,
    /// Templates by path.
    pub templates: BTreeMap<PathBuf, String>,
    /// `--set`, without secret ones.
    pub set: Vec<(String, String)>,
    /// Hashes of what it takes from the environment (`${env.NAME}`), which may be secret.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What `~` stands for.
    #[serde(default)]
    pub home: Option<String>,
    /// Params that must be given again.
    pub secrets: Vec<String>,
    pub tasks: Vec<String>,
    /// Files given by `-f`.
    #[serde(default)]
    pub files: Vec<PathBuf>,
    pub cwd: PathBuf,
    /// The compose command named on the command line: whoever goes on uses the same.
    #[serde(default)]
    pub compose_command: Option<String>,
    pub allow_downtime: bool,
    /// The plan's node ids, to be sure that a resumed run plans the same.
    pub plan: Vec<String>,
    /// It is a `zdt rollback` to this set of images, and runs no tasks.
    #[serde(default)]
    pub back_to: Option<Good>,
}

/// A recipe's text as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub name: String,
    pub dir: PathBuf,
    pub path: Option<PathBuf>,
    pub text: String,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Ended::Done,
            Outcome::RolledBack | Outcome::WentBack => Ended::RolledBack,
            Outcome::Failed => Ended::Failed,
            Outcome::Refused => Ended::Refused,
            Outcome::Interrupted => Ended::Interrupted,
        }
    }
}
