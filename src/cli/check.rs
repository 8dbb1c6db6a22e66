//! `zdt check`: read, resolve, and prove by breaking the plan in the simulated world at every call.

use super::args::RecipeArgs;
use super::recipe::{self, Ready, Told};
use super::run::options;
use crate::exec::{Event, rehearsal};
use crate::world::real::Real;

pub fn run(named: Option<String>, tasks: &[String], with: &RecipeArgs, short: bool) -> u8 {
    let world = Real::new();
    let settings = recipe::settings(with, tasks);
    let named = named.or_else(|| super::find::default_recipe(&settings.cwd).filter(|_| with.text.is_none()));
    let ready = recipe::read(&world, named.as_deref(), with, &settings.cwd)
        .and_then(|loaded| recipe::ready(&world, loaded, settings, short));
    match ready {
        Ok(ready) => prove(&world, &ready, with),
        Err(Told(code)) => code,
    }
}

fn prove(world: &Real, ready: &Ready, with: &RecipeArgs) -> u8 {
    let options = options(with.compose_command.as_deref());
    let secrets = &ready.plan.secrets;
    let steps = crate::count(ready.plan.steps().len(), "step");
    match rehearsal::unsafe_step(world, &ready.plan, &ready.templates, &options) {
        Ok(Some(Event::StepFailed { failure, place, .. })) => {
            eprintln!("{place}:");
            super::print_failure(&failure, secrets);
            return 2;
        }
        Ok(_) => {}
        Err(failure) => {
            super::print_failure(&failure, secrets);
            return 5;
        }
    }
    match rehearsal::prove(world, &ready.plan, &ready.templates, &options) {
        Ok(proof) => match proof.hole {
            None => {
                let tried = crate::count(proof.tried, "run");
                say!(
                    "{}: {steps}; {tried} with one failure each: users always had a backend",
                    ready.plan.name
                );
                0
            }
            Some(hole) => {
                eprintln!("{}: a single failure leaves users without a backend", ready.plan.name);
                eprintln!("  {}: {}", hole.what, hole.outage);
                2
            }
        },
        Err(failure) => {
            super::print_failure(&failure, secrets);
            5
        }
    }
}
