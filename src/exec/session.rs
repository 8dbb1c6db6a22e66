//! One run from its beginning to its end: lock, preflight, journal, nodes, failure policy, `on failure`, `finally`.

use std::cell::{Cell, OnceCell, RefCell};
use std::time::Duration;

use super::journal::{self, Ended, Head, Journal, Past};
use super::options::Options;
use super::runner::{Runner, Stopped};
use super::standing::standing;
use super::traces::{Made, Missing};
use super::{Bounded, Event, Outcome, Sink, preflight};
use super::{good, resume};
use crate::drivers::Failure;
use crate::plan::Plan;
use crate::site::{Site, Templates, Tools};
use crate::verbs::Console;
use crate::world::{Interrupt, World};

/// Who runs what, and where it is told.
pub struct Session<'a> {
    pub world: &'a dyn World,
    pub plan: &'a Plan,
    pub templates: &'a Templates,
    pub options: &'a Options,
    pub sink: &'a dyn Sink,
    pub console: &'a dyn Console,
    pub nonce: &'a dyn Fn() -> String,
}

/// What kind of run it is.
pub enum Mode<'a> {
    /// From the first step.
    Fresh(Box<Head>),
    /// From where another stopped.
    Resume(&'a Past),
    /// Only back to the before-images of a run that was not finished.
    Rollback(&'a Past),
}

/// A run's end, for the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub outcome: Outcome,
    pub interrupt: Option<Interrupt>,
}

impl Session<'_> {
    /// Runs it. An `Err` is a refusal before anything was touched.
    pub fn run(&self, mode: Mode) -> Result<Finished, Failure> {
        let result = self.begin_to_end(mode);
        let (Err(failure), Some(interrupt)) = (&result, self.world.pending()) else {
            return result;
        };
        // Whatever was looked at when it came: it was the interrupt that ended it.
        let line = failure.message.clone();
        self.sink.event(&Event::Warned { line });
        Ok(Finished {
            outcome: Outcome::Interrupted,
            interrupt: Some(interrupt),
        })
    }

    fn begin_to_end(&self, mode: Mode) -> Result<Finished, Failure> {
        let start = self.world.now();
        let world = Bounded::new(self.world);
        let tools = OnceCell::new();
        let dir = self.plan.deployment.as_ref().map(|deployment| deployment.dir());
        let back_to = match &mode {
            Mode::Fresh(head) => head.back_to.clone(),
            Mode::Resume(past) | Mode::Rollback(past) => past.head.as_ref().and_then(|head| head.back_to.clone()),
        };
        let early = preflight::tools(self, &tools, back_to.is_some() || !matches!(mode, Mode::Fresh(_)))?;
        let fresh = matches!(mode, Mode::Fresh(_));
        if fresh {
            preflight::somebody(self)?;
            preflight::folder(self, &tools)?;
        }
        let missing = dir.as_ref().map(|dir| Missing::of(self.world, dir));
        let held = match &dir {
            Some(dir) => Some(super::lock::lock(self.world, dir, self.options.lock_wait)?),
            None => None,
        };
        let made = dir.as_ref().zip(missing);
        let made = made.and_then(|(dir, missing)| missing.made(self.world, dir));
        if let (true, Some(dir)) = (fresh, &dir) {
            self.refuse_unfinished(dir)?;
        }
        if let (Mode::Resume(past) | Mode::Rollback(past), Some(dir)) = (&mode, &dir) {
            self.refuse_another(dir, past)?;
        }
        let secrets = &self.plan.secrets;
        let journal = match &mode {
            Mode::Fresh(head) => Journal::create(self.world, dir.as_deref(), head, secrets)?,
            Mode::Resume(past) => self.reopen(dir.as_deref(), past, "resume")?,
            Mode::Rollback(past) => self.reopen(dir.as_deref(), past, "rollback")?,
        };
        let resumed = !fresh;
        let site = OnceCell::new();
        let runner = Runner {
            world: &world,
            bound: &world,
            plan: self.plan,
            sink: self.sink,
            journal: &journal,
            templates: self.templates,
            lock: held.as_ref(),
            options: self.options,
            console: self.console,
            nonce: self.nonce,
            tools: &tools,
            site: &site,
            outputs: RefCell::new(journal.outputs()),
            resumed,
            looked: Cell::default(),
        };
        if early && let Err(failure) = runner.site().and_then(Site::sweep) {
            let line = failure.message;
            self.sink.event(&Event::Warned { line });
        }
        if early && resumed && !resume::bring_back(&runner)? {
            return Err(Failure::interrupted());
        }
        if early && matches!(mode, Mode::Resume(_)) {
            resume::settle(&runner)?;
        }
        if early && !matches!(mode, Mode::Rollback(_)) {
            let checked = preflight::facts(&runner, start);
            if let Err(failure) = checked {
                if !resumed {
                    journal.finish(match self.world.pending() {
                        Some(_) => Ended::Interrupted,
                        None => Ended::Refused,
                    })?;
                    self.leave_nothing(&runner, made.as_ref());
                }
                return Err(failure);
            }
        }
        let finished = match mode {
            Mode::Rollback(_) => {
                self.world.acknowledge();
                let undoable = !journal.touched_nothing() || self.irreversible(&runner).is_empty();
                self.only_back(&runner).map(|outcome| match outcome {
                    Outcome::RolledBack if undoable => Outcome::WentBack,
                    // All that was done cannot be undone.
                    Outcome::RolledBack => Outcome::Failed,
                    other => other,
                })
            }
            Mode::Fresh(_) | Mode::Resume(_) => match &back_to {
                Some(good) => self.to_good(&runner, good),
                None => self.forward(&runner),
            },
        };
        let finished = self.close(&runner, finished, start)?;
        if finished.outcome != Outcome::Done && self.irreversible(&runner).is_empty() {
            self.leave_nothing(&runner, made.as_ref());
        }
        Ok(finished)
    }

    /// A run that touched nothing takes its own traces away where there were none before.
    fn leave_nothing(&self, runner: &Runner, made: Option<&Made>) {
        if let (Some(made), false, true) = (made, self.options.dry, runner.journal.touched_nothing()) {
            made.remove(self.world, runner.journal.run());
        }
    }

    fn reopen(&self, dir: Option<&std::path::Path>, past: &Past, by: &str) -> Result<Journal<'_>, Failure> {
        let dir = dir.ok_or_else(|| Failure::refused("the recipe declares no application any more"))?;
        if by == "resume" {
            let known = past.head.as_ref().map(|head| head.plan.clone()).unwrap_or_default();
            let now: Vec<String> = self.plan.steps().iter().map(|(node, _)| node.id.clone()).collect();
            if known != now {
                return Err(Failure::refused(
                    "this zdt plans the interrupted run differently, so it cannot go on with it",
                )
                .help("`zdt rollback`, or `zdt abandon` and run the recipe again"));
            }
        }
        Journal::reopen(self.world, dir, past, &self.plan.secrets, by)
    }

    fn refuse_unfinished(&self, dir: &std::path::Path) -> Result<(), Failure> {
        let Some(past) = journal::unfinished(self.world, dir)? else {
            return Ok(());
        };
        let head = past.head.as_ref();
        let what = head
            .map(|head| format!("{} of {}", head.recipe, super::when(head.at)))
            .unwrap_or_default();
        let at = crate::world::quote(&dir.to_string_lossy());
        Err(Failure::refused(format!("an earlier run is not finished: {what}"))
            .note(format!("zdt status --dir {at}      what is serving now"))
            .note(format!("zdt resume --dir {at}      finish it"))
            .note(format!("zdt rollback --dir {at}    undo it"))
            .note(format!("zdt abandon --dir {at}     leave everything as it is")))
    }

    /// What was read before the lock was taken must still hold: another zdt may have ended that run in between.
    fn refuse_another(&self, dir: &std::path::Path, past: &Past) -> Result<(), Failure> {
        let now = journal::unfinished(self.world, dir)?;
        match now.is_some_and(|now| now.records.len() == past.records.len() && now.last == past.last) {
            true => Ok(()),
            false => Err(Failure::refused("another zdt has gone on with that run meanwhile")
                .help("`zdt status` shows how it stands")),
        }
    }

    /// The nodes, and what follows when one fails.
    fn forward(&self, runner: &Runner) -> Result<Outcome, Failure> {
        if runner.resumed && !resume::undone_wholly(runner)? {
            return Ok(Outcome::Failed);
        }
        if let Err(stopped) = runner.nodes(&runner.plan.nodes, 0, None) {
            return self.after(runner, stopped);
        }
        match self.fallen(runner) {
            None => {
                if let (false, Err(failure)) = (self.options.dry, good::remember_before(runner)) {
                    let line = failure.message;
                    self.sink.event(&Event::Warned { line });
                }
                Ok(Outcome::Done)
            }
            Some(failure) => {
                let title = "a last look".to_string();
                self.sink.event(&Event::UndoFailed {
                    title,
                    failure: failure.clone(),
                });
                let node = String::new();
                self.after(runner, Stopped { node, failure })
            }
        }
    }

    /// A backend that was found healthy in this run and has been restarted since.
    fn fallen(&self, runner: &Runner) -> Option<Failure> {
        let site = runner.site.get()?;
        let mut backends = site.deployment.backends.iter();
        backends.find_map(|backend| {
            let why = site.still_awaited(&backend.name).err()?;
            Some(Failure::new(format!("`{}` does not hold: {why}", backend.name)))
        })
    }

    fn close(&self, runner: &Runner, outcome: Result<Outcome, Failure>, start: Duration) -> Result<Finished, Failure> {
        let outcome = outcome?;
        if let Err(stopped) = runner.nodes(&runner.plan.finally, 0, None) {
            let line = format!("`finally` failed: {}", stopped.failure.message);
            self.sink.event(&Event::Warned { line });
        }
        let touched = !runner.journal.touched_nothing();
        let left = matches!(outcome, Outcome::Failed | Outcome::Interrupted);
        let open = left && touched && !runner.journal.is_finished();
        // What was done is done, also when it cannot be written down any more.
        let mut unwritten = Vec::new();
        if let (true, false, Some(site)) = (touched, open, runner.site.get()) {
            unwritten.extend(site.write_down().or_else(|_| site.write_down()).err());
        }
        if outcome == Outcome::Done {
            unwritten.extend(good::remember_good(runner).err());
        }
        if !open {
            match runner.journal.finish(outcome.into()) {
                Ok(()) => good::drop_keep_tags(runner),
                Err(failure) => unwritten.push(failure.help("`zdt resume` closes it")),
            }
        }
        for failure in unwritten {
            let help = failure.help.map(|help| format!("; {help}")).unwrap_or_default();
            let line = format!("{}{help}", failure.message);
            self.sink.event(&Event::Warned { line });
        }
        let standing = match outcome {
            _ if self.options.dry => Vec::new(),
            Outcome::Done => Vec::new(),
            _ => runner.site.get().map(standing).unwrap_or_default(),
        };
        self.sink.event(&Event::Ended {
            outcome,
            took: self.world.now().saturating_sub(start),
            standing,
            irreversible: match outcome {
                Outcome::Done => Vec::new(),
                _ => self.irreversible(runner),
            },
            next: match open && !self.options.dry {
                true => self.next(outcome, runner.journal.irreversible().is_some()),
                false => Vec::new(),
            },
        });
        Ok(Finished {
            outcome,
            interrupt: self.world.pending(),
        })
    }

    /// What to type about a run that is not finished: after a failure the way back first.
    pub fn next(&self, outcome: Outcome, irreversible: bool) -> Vec<String> {
        let Some(deployment) = &self.plan.deployment else {
            return Vec::new();
        };
        let dir = deployment.dir();
        let at = crate::world::quote(&dir.to_string_lossy());
        let line = |verb: &str| format!("zdt {verb} --dir {at}");
        let back = line("rollback") + if irreversible { " --allow irreversible" } else { "" };
        match outcome {
            Outcome::Failed if !irreversible => vec![back, line("resume"), line("abandon")],
            _ => vec![line("resume"), back, line("abandon")],
        }
    }
}

/// The cell types a session fills while it runs.
pub type FoundTools = OnceCell<Tools>;
