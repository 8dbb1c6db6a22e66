//! Before a run goes on where another stopped.

use super::Event;
use super::rollback::{self, Back};
use super::runner::Runner;
use crate::drivers::Failure;
use crate::plan::Node;
use crate::site::{Resource, Stopped};
use crate::verbs::{Containers, Verb};

/// What becomes of containers that should serve and were stopped while nobody looked.
fn stopped(runner: &Runner) -> Stopped {
    let steps = runner.plan.steps();
    let stops = |(node, verb): &(&Node, &dyn Verb)| {
        verb.containers() == Containers::Stopped && runner.journal.is_begun(&node.id)
    };
    match steps.iter().any(|(_, verb)| verb.needs().proxy) {
        true if steps.iter().any(stops) => Stopped::StartProxy,
        true => Stopped::Start,
        false => Stopped::Leave,
    }
}

/// Where the engine died meanwhile: what should serve runs again. `false`: an interrupt.
pub fn bring_back(runner: &Runner) -> Result<bool, Failure> {
    let tell = |line: String| runner.sink.event(&Event::Warned { line });
    Ok(runner.site()?.bring_back(stopped(runner), &tell))
}

/// Backends out of traffic get back to one container each, and that runs: steps that are done are not done again.
pub fn settle(runner: &Runner) -> Result<(), Failure> {
    let site = runner.site()?;
    let tell = |line: String| runner.sink.event(&Event::Warned { line });
    let anothers = || site.proxy_now().is_ok_and(|proxy| site.is_anothers(&proxy));
    if site.proxy_runs()? && (site.installed().is_none() || anothers()) {
        // zdt died before nginx read zdt's file for the first time, or after a rollback had given somebody else's back:
        // nobody can be asked who is in traffic.
        return Ok(());
    }
    for (resource, _) in runner.journal.touched() {
        if let Resource::Backend(name) = resource
            && site.deployment.backend(&name).is_some()
            && (!site.proxy_runs()? || site.traffic()?.get(&name) == Some(&false))
        {
            let removed = site.settle(&name)?;
            if !removed.is_empty() {
                let what = removed.join(", ");
                tell(format!("removed what an aborted recreate left of {name}: {what}"));
            }
            if stopped(runner) == Stopped::Start
                && let Some(line) = site.start_stopped(&name)?
            {
                tell(line);
            }
        }
    }
    Ok(())
}

/// A rollback that was stopped in its middle is finished first: the steps it undid are done again from where they
/// began, and half of them on top of the other half undone would be refused.
pub fn undone_wholly(runner: &Runner) -> Result<bool, Failure> {
    if !runner.journal.has_undone() {
        return Ok(true);
    }
    match rollback::rollback(runner)? {
        Back::Everything | Back::NothingBefore => Ok(true),
        Back::NotEverything => Ok(false),
    }
}
