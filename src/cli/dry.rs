//! `--dry-run`: every command and every changed line, and nothing is changed.

use super::args::RunArgs;
use super::recipe::Ready;
use super::run::{exit_code, options};
use crate::drivers::Failure;
use crate::exec::{Event, Finished, rehearsal};
use crate::world::real::Real;

pub fn run(world: &Real, ready: &Ready, args: &RunArgs, found: Option<&str>) -> u8 {
    exit_code(walk(world, ready, args, found), &ready.plan.secrets)
}

fn walk(world: &Real, ready: &Ready, args: &RunArgs, found: Option<&str>) -> Result<Finished, Failure> {
    let mut options = options(args.with.compose_command.as_deref());
    options.allow_downtime = args.allow.is_some();
    let sink = super::sink(args.log.as_deref(), &ready.plan.secrets, None);
    let stage = rehearsal::stage(world, &ready.plan, &ready.templates, &options, true)?;
    sink.event(&Event::Started {
        recipe: match found {
            Some(found) => format!("{found} (found here)"),
            None => ready.plan.name.clone(),
        },
        run: String::new(),
        params: super::run::given(ready),
        dry: Some(stage.source),
    });
    rehearsal::walk(
        world,
        &stage.world,
        &ready.plan,
        &ready.templates,
        &options,
        sink.as_ref(),
    )
}
