//! Runs a plan: journal, failure policy, rollback, resume.

mod before;
mod bounded;
mod event;
mod good;
pub mod journal;
mod lock;
mod options;
mod overlay;
mod policy;
pub mod preflight;
pub mod recall;
pub mod rehearsal;
mod resume;
pub mod rollback;
mod runner;
mod session;
mod standing;
mod target;
mod theirs;
mod traces;
mod when;

pub use bounded::Bounded;
pub use event::{Change, Event, FactSource, Finding, Outcome, Sink, Standing};
pub use lock::lock;
pub use options::{OpenStep, Options, find_tools};
pub use runner::{Runner, Stopped};
pub use session::{Finished, Mode, Session};
pub use when::when;
