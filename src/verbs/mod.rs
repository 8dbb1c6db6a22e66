//! The verbs: one file each (or a small family), holding arguments, needs, effect, undo and documentation.
//! A test finds what is missing in a new one; the table below is the only place it must be added to.

mod await_;
mod check;
mod containers;
mod drain;
mod enable;
mod files;
mod pull;
mod recreate;
mod run;
mod stage;
mod talk;
mod up;

use std::fmt::Debug;

pub use stage::{Console, Stage};

use crate::drivers::Failure;
use crate::plan::{Args, KeySpec};

/// How a verb is found, read and explained.
pub struct Spec {
    pub name: &'static str,
    /// `drain BACKEND…`
    pub usage: &'static str,
    /// One line, lower case.
    pub summary: &'static str,
    /// The rest: what it guarantees, what it needs; printed by `zdt explain`.
    pub doc: &'static str,
    pub keys: &'static [KeySpec],
    /// Keys only before the first word; all after it is argv.
    pub raw: bool,
    pub parse: fn(&mut Args) -> Option<Box<dyn Verb>>,
}

/// A step with all its arguments read.
pub trait Verb: Debug + Send + Sync {
    /// As shown: the verb and what it works on.
    fn title(&self) -> String;

    /// What must hold before it.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// What holds after it, so that no preflight asks for it.
    fn gives(&self) -> Needs {
        Needs::default()
    }

    fn undo(&self) -> Undo;

    /// What it does to backends' containers: half of that leaves one that nobody may trust.
    fn containers(&self) -> Containers;

    /// Whether what it found is known to this process only, so that a resumed run looks again.
    fn looks(&self) -> bool {
        false
    }

    /// Does it; gives facts for the line's end.
    fn run(&self, stage: &Stage) -> Result<String, Failure>;
}

/// Facts a step needs or brings about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// An engine and compose that answer.
    pub engine: bool,
    /// The project's containers exist.
    pub containers: bool,
    /// Backends whose image can be changed.
    pub new_images: Vec<String>,
    /// The proxy runs and answers on its private server.
    pub proxy: bool,
    /// Images that must be on the engine.
    pub images: Vec<String>,
    /// Images that must be on the engine or in a registry.
    pub pulls: Vec<String>,
    /// A question that a person must answer.
    pub question: Option<String>,
    /// Programs that must be on this machine.
    pub programs: Vec<String>,
    /// The longest a drain may take.
    pub longest_drain: std::time::Duration,
    /// What an `up` would start, where its image is known.
    pub starts: Vec<Start>,
    /// Given: from here on something else may listen on this machine.
    pub ports: bool,
    /// The compose file is there, or has a template. Given: it may have been written.
    pub compose_file: bool,
}

/// Services that are brought up: those named, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub services: Vec<String>,
    /// Of backends that have no container yet.
    pub image: Option<String>,
}

/// What a rollback does about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// It changes nothing.
    Nothing,
    /// Its before-images bring it back.
    BeforeImage,
    /// Nobody can; listed when it matters.
    Never,
}

/// What becomes of backends' containers in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Containers {
    Kept,
    /// Made, replaced, started or restarted.
    Changed,
    Stopped,
}

/// Every verb, in the order of the documentation.
pub static VERBS: &[&Spec] = &[
    &drain::SPEC,
    &enable::SPEC,
    &up::SPEC,
    &pull::SPEC,
    &recreate::SPEC,
    &containers::START,
    &containers::STOP,
    &containers::RESTART,
    &containers::DOWN,
    &run::EXEC,
    &await_::SPEC,
    &await_::SLEEP,
    &files::RENDER,
    &files::COPY,
    &files::MKDIR,
    &run::RUN,
    &run::SH,
    &talk::SAY,
    &talk::WARN,
    &talk::CONFIRM,
    &talk::IRREVERSIBLE,
    &talk::FAIL,
    &check::ASSERT,
    &check::EXPECT,
];

pub fn find(name: &str) -> Option<&'static Spec> {
    VERBS.iter().copied().find(|spec| spec.name == name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|spec| spec.name)
}

const fn key(name: &'static str, default: &'static str, doc: &'static str) -> KeySpec {
    KeySpec { name, default, doc }
}

/// `allow=downtime`.
const ALLOW: KeySpec = key("allow", "nothing", "`downtime`: go on although users may lose service");

fn allow(args: &mut Args) -> crate::site::Allow {
    let read = |text: &str| match text {
        "downtime" => Ok(crate::site::Allow::Downtime),
        _ => Err(format!("`{text}` cannot be allowed; `downtime` can")),
    };
    args.key_as("allow", read).unwrap_or_default()
}

fn allowed(allow: crate::site::Allow) -> &'static str {
    match allow {
        crate::site::Allow::Nothing => "",
        crate::site::Allow::Downtime => " allow=downtime",
    }
}
