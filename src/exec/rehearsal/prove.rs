//! A plan broken on purpose: is it unsafe by itself, and does any single failure leave users without a backend?

use super::facts::{Stage, assume_running, empty, files, stage};
use super::{play, simulated_options};
use crate::drivers::Failure;
use crate::exec::overlay::Overlay;
use crate::exec::{Event, FactSource, Options, Sink};
use crate::plan::Plan;
use crate::site::Templates;
use crate::world::World;
use crate::world::simulated::{Fault, Nth};

/// A sink that hears only why a step failed.
#[derive(Default)]
struct Reason(std::sync::Mutex<Option<Event>>);

impl Sink for Reason {
    fn event(&self, event: &Event) {
        if matches!(event, Event::StepFailed { .. }) {
            let mut slot = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            slot.get_or_insert(event.clone());
        }
    }
}

/// Before a real run: the step at which the plan itself is unsafe, if there is one. The walk begins with everything
/// healthy and in traffic; only if that is refused the engine is asked how things really are, so that a site that
/// is down can receive its fix. What the simulated world merely cannot play refuses nothing.
pub fn unsafe_step(
    real: &dyn World,
    plan: &Plan,
    templates: &Templates,
    options: &Options,
) -> Result<Option<Event>, Failure> {
    for live in [false, true] {
        let Ok(stage) = stage(real, plan, templates, options, live) else {
            return Ok(None);
        };
        let reason = Reason::default();
        let overlay = Overlay::new(real, &stage.world);
        let walked = play(&overlay, plan, templates, &simulated_options(options), &reason);
        let failed = reason.0.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let known = |event: &Event| matches!(event, Event::StepFailed { failure, .. } if failure.code.is_some());
        match (walked, failed) {
            (Ok(_), Some(event)) if known(&event) => {
                if live {
                    return Ok(Some(event));
                }
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// One single failure that would leave users without a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// `docker kill … fails`, as the simulated world tells it.
    pub what: String,
    pub outage: String,
}

/// How many failures were tried, and the first that hurts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub tried: usize,
    pub hole: Option<Hole>,
}

/// Breaks the walk at every call that changes something, in every way, one at a time, and watches the users.
pub fn prove(real: &dyn World, plan: &Plan, templates: &Templates, options: &Options) -> Result<Proof, Failure> {
    let mut stage = Stage {
        source: FactSource::Assumed,
        world: empty(),
    };
    if plan.deployment.is_some() {
        for (path, content) in files(real, plan) {
            stage.world = stage.world.file(path, content);
        }
        assume_running(real, &stage.world, plan, templates, options)?;
    }
    let mut options = simulated_options(options);
    options.dry = false;
    let before = stage.world.mutation_count();
    let run = |fault: Option<(usize, Fault)>| -> (usize, Option<Hole>) {
        let world = stage.world.clone().crash_by_error(true);
        if let Some((nth, fault)) = fault {
            world.fail_at(Nth::Mutating(before + nth), fault);
        }
        world.start_watching();
        let overlay = Overlay::new(real, &world);
        let _ = play(&overlay, plan, templates, &options, &Reason::default());
        let hole = world.outages().into_iter().next().map(|outage| Hole {
            what: fault.map_or("nothing fails".to_string(), |(nth, fault)| {
                format!("{fault:?} at change {nth}")
            }),
            outage: format!("no backend of `{}` serves after {}", outage.upstream, outage.cause),
        });
        (world.mutation_count() - before, hole)
    };
    let (changes, hole) = run(None);
    let mut tried = 1;
    if hole.is_some() {
        return Ok(Proof { tried, hole });
    }
    let kinds = [
        Fault::Error,
        Fault::ErrorAfter,
        Fault::Hang,
        Fault::Crash,
        Fault::CrashAfter { events: 1 },
        Fault::Interrupt,
    ];
    for nth in 1..=changes {
        for fault in kinds {
            let (_, hole) = run(Some((nth, fault)));
            tried += 1;
            if hole.is_some() {
                return Ok(Proof { tried, hole });
            }
        }
    }
    Ok(Proof { tried, hole: None })
}
