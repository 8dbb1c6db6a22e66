//! From trees to a checked plan: names looked up, loops unrolled, types demanded, every verb's arguments read.
//! Pure: what it needs of the environment comes in as [`Settings`]. Only a plan without errors can be run.

mod args;
mod build;
mod declare;
pub mod declared;
mod gather;
mod load;
mod mask;
mod scope;
mod text;
pub mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub use args::{Args, Item, KeySpec};
pub use build::{RESERVED, build, declared as declared_only};
pub use declare::{DECLARATIONS, Declaration};
pub use declared::{Backend, ComposeDecl, Deployment, MinServing, Policy, ProxyDecl};
pub use load::{Loaded, load, normal};
pub use mask::Mask;
pub use scope::Scope;
pub use text::{Outputs, Text, Value};

use crate::syntax::{Sources, Span};
use crate::verbs::Verb;

/// What the outside gives a recipe. Recorded in the journal, so that a resumed run plans the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `--set name=value`, in order.
    pub set: Vec<(String, String)>,
    /// Tasks to run; empty for the recipe's default.
    pub tasks: Vec<String>,
    /// Environment for `${env.NAME}` and `~`.
    pub env: BTreeMap<String, String>,
    /// Where relative paths of `--set` begin.
    pub cwd: PathBuf,
}

/// A recipe ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The recipe as it was named.
    pub name: String,
    pub sources: Sources,
    pub params: Vec<Param>,
    /// Values that must never be shown.
    pub secrets: Vec<String>,
    /// Variables of the environment that it is made from.
    pub env: BTreeSet<String>,
    pub deployment: Option<Deployment>,
    pub nodes: Vec<Node>,
    pub on_failure: Vec<Node>,
    pub finally: Vec<Node>,
}

/// A param of the recipe, with the value it got (masked where secret).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    pub kind: types::ParamType,
    pub secret: bool,
    pub doc: Option<String>,
    /// `None`: required and not given.
    pub value: Option<String>,
    /// It was given by `--set`.
    pub given: bool,
}

/// One place in the tree of a plan.
#[derive(Debug)]
pub struct Node {
    /// Stable: `upgrade/for[app_1]/drain`.
    pub id: String,
    pub span: Span,
    pub kind: NodeKind,
}

#[derive(Debug)]
pub enum NodeKind {
    /// A task, one turn of a loop, a call of a `def`; `title` is shown.
    Group {
        title: String,
        children: Vec<Node>,
    },
    Step(Box<dyn Verb>),
    /// Runs a program and keeps its trimmed output under `key`.
    Ask {
        key: String,
        words: Vec<Text>,
    },
    If {
        /// Its words, for people.
        shown: String,
        condition: Condition,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Retry {
        times: usize,
        every: Duration,
        children: Vec<Node>,
    },
    Timeout {
        limit: Duration,
        children: Vec<Node>,
    },
}

/// A condition that only the run can decide, or partly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Known(bool),
    Equal(Text, Text),
    Exists(Text, PathBuf),
    Succeeds(Vec<Text>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

/// What became of a run, for whoever writes `on failure`: the name of its value, `$outcome`.
pub const OUTCOME: &str = "outcome";

impl Plan {
    /// The steps that a run comes to if all goes well, whatever its conditions say.
    pub fn certain(&self) -> Vec<&dyn Verb> {
        let mut found = Vec::new();
        let certain = |node: &&Node| !matches!(node.kind, NodeKind::If { .. });
        gather(&self.nodes, &certain, &mut found);
        found.into_iter().map(|(_, verb)| verb).collect()
    }

    /// All steps, in order, with what surrounds them left out.
    pub fn steps(&self) -> Vec<(&Node, &dyn Verb)> {
        let mut found = Vec::new();
        for list in [&self.nodes, &self.on_failure, &self.finally] {
            gather(list, &|_| true, &mut found);
        }
        found
    }
}

fn gather<'a>(nodes: &'a [Node], wanted: &dyn Fn(&&Node) -> bool, found: &mut Vec<(&'a Node, &'a dyn Verb)>) {
    for node in nodes.iter().filter(wanted) {
        match &node.kind {
            NodeKind::Step(verb) => found.push((node, verb.as_ref())),
            NodeKind::Group { children, .. }
            | NodeKind::Retry { children, .. }
            | NodeKind::Timeout { children, .. } => gather(children, wanted, found),
            NodeKind::If { then, otherwise, .. } => {
                gather(then, wanted, found);
                gather(otherwise, wanted, found);
            }
            NodeKind::Ask { .. } => {}
        }
    }
}
