//! A plan walked through the simulated world before anything real is touched: the dry run shows what it saw, a real
//! run is refused where the walk is, `check` breaks it at every call.

mod facts;
mod prove;
mod tell;

use std::path::Path;

use super::overlay::Overlay;
use super::session::{Mode, Session};
use super::{Finished, Options, Sink};
use crate::drivers::Failure;
use crate::exec::journal::Head;
use crate::plan::Plan;
use crate::site::Templates;
use crate::verbs::Console;
use crate::world::World;
use crate::world::simulated::Simulated;
pub use facts::{Stage, stage};
pub use prove::{Hole, Proof, prove, unsafe_step};
use tell::Teller;

/// Nobody is asked in a rehearsal.
pub struct Nobody;

impl Console for Nobody {
    fn confirm(&self, _: &str) -> Option<bool> {
        Some(true)
    }

    fn is_there(&self) -> bool {
        true
    }
}

/// The simulated world is asked on this machine, whatever engine the real one is.
fn simulated_options(options: &Options) -> Options {
    Options {
        docker_host: None,
        dry: true,
        yes: true,
        open_step: Default::default(),
        ..options.clone()
    }
}
/// Walks the plan. Every step is told to `sink` as [`Event::Planned`] with what it would change.
pub fn walk(
    real: &dyn World,
    simulated: &Simulated,
    plan: &Plan,
    templates: &Templates,
    options: &Options,
    sink: &dyn Sink,
) -> Result<Finished, Failure> {
    let overlay = Overlay::new(real, simulated);
    overlay.differences(true);
    let teller = Teller {
        overlay: &overlay,
        lasting: plan
            .steps()
            .iter()
            .filter(|(_, verb)| verb.undo() == crate::verbs::Undo::Never)
            .map(|(node, _)| node.id.clone())
            .collect(),
        sink,
    };
    play(&overlay, plan, templates, &simulated_options(options), &teller)
}

fn play(
    overlay: &Overlay,
    plan: &Plan,
    templates: &Templates,
    options: &Options,
    sink: &dyn Sink,
) -> Result<Finished, Failure> {
    let count = std::cell::Cell::new(0);
    let nonce = || {
        count.set(count.get() + 1);
        format!("{NONCE}{}", count.get())
    };
    let session = Session {
        world: overlay,
        plan,
        templates,
        options,
        sink,
        console: &Nobody,
        nonce: &nonce,
    };
    session.run(Mode::Fresh(Box::new(Head::of_rehearsal(plan))))
}

/// Stands for a nonce, which is random in a real run.
const NONCE: &str = "nonce";
impl Head {
    /// A journal's head for a walk that leaves no journal.
    pub fn of_rehearsal(plan: &Plan) -> Self {
        Self {
            id: "rehearsal".to_string(),
            recipe: plan.name.clone(),
            ..Self::default()
        }
    }
}

/// The container paths of a change are the plan's own: nothing of zdt's notes is shown.
pub fn hidden(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == ".zdt") || path.to_string_lossy().ends_with(".zdt-next")
}
