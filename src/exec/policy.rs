//! What follows a step that failed, and the two ways back: the declared policy, a rollback of what was touched, a return
//! to an earlier set of images.

use super::good;
use super::journal::Ended;
use super::rollback::{self, Back};
use super::runner::{Runner, Stopped};
use super::session::Session;
use super::{Event, Outcome};
use crate::drivers::{Failure, FailureKind};
use crate::plan::{OUTCOME, Policy};
use crate::site::{Good, Resource};
use crate::verbs::Undo;

impl Session<'_> {
    pub(super) fn after(&self, runner: &Runner, stopped: Stopped) -> Result<Outcome, Failure> {
        if self.options.dry {
            // What a failure would bring is not planned: nothing has happened.
            return Ok(match stopped.failure.kind {
                FailureKind::Refused => Outcome::Refused,
                FailureKind::Interrupted => Outcome::Interrupted,
                FailureKind::Failed => Outcome::Failed,
            });
        }
        let touched = !runner.journal.touched_nothing();
        // What a first interrupt asks for is the failure policy, whether it has come or comes now.
        self.world.acknowledge();
        let irreversible = self.irreversible(runner);
        let outcome = if !touched && irreversible.is_empty() {
            match stopped.failure.kind {
                FailureKind::Interrupted => Outcome::Interrupted,
                FailureKind::Refused => Outcome::Refused,
                // Nothing was touched, so everything is as it was.
                FailureKind::Failed => Outcome::RolledBack,
            }
        } else if !touched {
            // All that was done cannot be undone, and is listed; there is nothing to go back to.
            Outcome::Failed
        } else {
            self.policy(runner)?
        };
        let told = (OUTCOME.to_string(), outcome.word().to_string());
        runner.outputs.borrow_mut().extend([told]);
        if let Err(second) = runner.nodes(&runner.plan.on_failure, 0, None) {
            let line = format!("`on failure` failed itself: {}", second.failure.message);
            self.sink.event(&Event::Warned { line });
        }
        Ok(outcome)
    }

    fn policy(&self, runner: &Runner) -> Result<Outcome, Failure> {
        let declared = self
            .plan
            .deployment
            .as_ref()
            .map(|deployment| deployment.policy)
            .unwrap_or_default();
        let reason = runner.journal.irreversible();
        let policy = match (&reason, declared) {
            (Some(_), Policy::Rollback) => Policy::Pause,
            (_, declared) => declared,
        };
        // Names of images alone are no way back worth a word.
        let touched = runner.journal.touched();
        if policy != Policy::Rollback || touched.iter().any(|(one, _)| !matches!(one, Resource::Tag(_))) {
            self.sink.event(&Event::Policy { policy, reason });
        }
        match policy {
            Policy::Pause | Policy::None => Ok(Outcome::Failed),
            Policy::Rollback => self.only_back(runner),
        }
    }

    pub(super) fn only_back(&self, runner: &Runner) -> Result<Outcome, Failure> {
        match rollback::rollback(runner) {
            Ok(Back::Everything) => Ok(Outcome::RolledBack),
            Ok(Back::NothingBefore) => {
                runner.journal.finish(Ended::Failed)?;
                Ok(Outcome::Failed)
            }
            Ok(Back::NotEverything) => Ok(Outcome::Failed),
            Err(failure) if failure.kind == FailureKind::Interrupted => Ok(Outcome::Interrupted),
            Err(failure) => {
                let title = "rollback".to_string();
                self.sink.event(&Event::UndoFailed { title, failure });
                Ok(Outcome::Failed)
            }
        }
    }

    pub(super) fn to_good(&self, runner: &Runner, good: &Good) -> Result<Outcome, Failure> {
        match good::to_good(runner, good).and_then(|()| good::forget_after(runner.site()?, good)) {
            Ok(()) => Ok(Outcome::Done),
            Err(failure) => {
                let title = "rollback".to_string();
                self.sink.event(&Event::UndoFailed {
                    title,
                    failure: failure.clone(),
                });
                self.world.acknowledge();
                match runner.journal.touched_nothing() {
                    true if failure.kind == FailureKind::Interrupted => Ok(Outcome::Interrupted),
                    true if failure.kind == FailureKind::Failed => Ok(Outcome::RolledBack),
                    true => Ok(Outcome::Refused),
                    false => self.only_back(runner).map(|outcome| match (outcome, failure.kind) {
                        (Outcome::RolledBack, FailureKind::Refused) => Outcome::Refused,
                        (outcome, _) => outcome,
                    }),
                }
            }
        }
    }

    /// Steps that were begun and that nobody can undo.
    pub(super) fn irreversible(&self, runner: &Runner) -> Vec<String> {
        let steps = self.plan.steps();
        let done = steps
            .iter()
            .filter(|(node, verb)| verb.undo() == Undo::Never && runner.journal.is_begun(&node.id));
        done.map(|(_, verb)| verb.title()).collect()
    }
}
