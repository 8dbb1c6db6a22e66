//! What a verb may use while it runs. It exists only inside a journaled step.

use std::path::Path;
use std::time::Duration;

use crate::drivers::Failure;
use crate::plan::{Mask, Outputs, Text};
use crate::site::Site;
use crate::world::{Command, Lock, Output, World};

/// The person at the terminal, or nobody.
pub trait Console: Sync {
    /// `None`: there is nobody to ask.
    fn confirm(&self, question: &str) -> Option<bool>;

    /// Somebody is there to be asked.
    fn is_there(&self) -> bool;
}

/// The surroundings of one step.
pub struct Stage<'a, 's> {
    pub world: &'a dyn World,
    /// The deployment, or why there is none.
    pub site: &'a dyn Fn() -> Result<&'s Site<'s>, Failure>,
    pub outputs: &'a Outputs,
    pub mask: &'a Mask,
    /// The end set by a `timeout` block, on the world's clock.
    pub end: Option<Duration>,
    pub lock: Option<&'a Lock>,
    pub console: &'a dyn Console,
    /// `--yes`.
    pub yes: bool,
    /// This program's own file.
    pub zdt: Option<&'a Path>,
    /// Nothing is really done: the world is a simulated one.
    pub dry: bool,
    /// A line, and whether it is a warning.
    pub say: &'a (dyn Fn(&str, bool) + Sync),
    pub progress: &'a (dyn Fn(&str) + Sync),
    /// From here on a rollback becomes a pause.
    pub irreversible: &'a dyn Fn(&str) -> Result<(), Failure>,
}

impl<'s> Stage<'_, 's> {
    pub fn site(&self) -> Result<&'s Site<'s>, Failure> {
        (self.site)()
    }

    pub fn text(&self, text: &Text) -> String {
        text.now(self.outputs)
    }

    /// What a program said, for a line of the report: a secret is hidden before it could be cut in two.
    pub fn brief(&self, said: &str, room: usize) -> String {
        self.mask.text(said.trim()).chars().take(room).collect()
    }

    /// The step's own limit, or what is left of the block around it.
    pub fn limit(&self, own: Duration) -> Duration {
        match self.end {
            Some(end) => own.min(end.saturating_sub(self.world.now())),
            None => own,
        }
    }

    /// Runs a program of the user's; a non-zero exit is a failure with its last lines. It finds this very zdt as `$ZDT`.
    pub fn program(&self, command: Command) -> Result<Output, Failure> {
        let progress = self.progress;
        let mut watched = Command {
            on_line: Some(progress),
            ..command
        };
        let own = self.zdt.map(|path| path.to_string_lossy().into_owned());
        watched.env.extend(own.map(|path| ("ZDT".to_string(), path)));
        let output = self.world.run(&watched)?;
        if output.success() {
            Ok(output)
        } else {
            Err(crate::drivers::said(&watched, &output))
        }
    }

    /// Tries again until `attempt` succeeds or `limit` is over; the last reason becomes the failure.
    pub fn until(
        &self,
        limit: Duration,
        what: &str,
        mut attempt: impl FnMut() -> Result<String, String>,
    ) -> Result<String, Failure> {
        let start = self.world.now();
        loop {
            let why = match attempt() {
                Ok(done) => return Ok(done),
                Err(why) => why,
            };
            if self.world.now().saturating_sub(start) >= limit {
                let limit = crate::plan::types::show_duration(limit);
                return Err(Failure::new(format!("{what} is not there after {limit}: {why}")));
            }
            if !self.world.pause(PAUSE) {
                return Err(Failure::interrupted());
            }
        }
    }
}

/// Between two looks at something that costs next to nothing to ask.
const PAUSE: Duration = Duration::from_millis(100);
