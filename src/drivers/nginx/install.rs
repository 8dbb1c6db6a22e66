//! From a rendered text to a proved reload: validate a candidate, replace the file, signal, prove; or put back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dump::Dump;
use super::include::with_candidate;
use super::workers::{Limits, Old, Wait, leaving, more, old, one_reload, wait_gone, whole, workers};
use super::{Generation, Nginx, candidate};
use crate::drivers::Failure;
use crate::drivers::engine::{Container, Process};
use crate::world::{Command, FileKind};

/// The name under which the main file is copied into the container for a check, next to the real one so that its
/// relative includes mean the same (nginx takes them from the folder of the file named by `-c`).
const MAIN_COPY: &str = "nginx.conf.zdt-next";

/// The same on this machine, for a moment.
pub const MAIN_CANDIDATE: &str = ".zdt-main.zdt-next";

/// It reads the configuration and sends a signal.
const RELOAD_LIMIT: Duration = Duration::from_secs(60);

/// How long workers that live for a moment only may need for their last requests.
const LAST_REQUESTS: Duration = Duration::from_secs(30);

/// How often a proof is looked for that the next step waits for. The nonce answers 1 to 9 ms after the signal (measured,
/// field notes).
const LOOK: Duration = Duration::from_millis(10);
/// How often it is looked for where a drain takes a tenth of a second anyway.
const LOOK_WITH_THE_DRAIN: Duration = Duration::from_millis(25);
/// The engine starts a container again sooner, the first times that it ends.
const RESTART: Duration = Duration::from_secs(1);
/// So often a proof is looked for on many connections at once. A machine so idle that this did not help gives all of
/// them to the old workers until those leave.
const WIDE_LOOKS: usize = 3;

/// How soon a proof is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The next step waits for it.
    Now,
    /// The old workers are waited for as well, and by their end nobody else can answer.
    WithTheDrain,
}

/// A reload that was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Workers from before the signal: a drain waits for their end.
    pub old_workers: Vec<Old>,
    /// All workers as the proof saw them.
    pub seen: Vec<Process>,
    /// There were more new ones than one reload makes: somebody else reloaded at the same moment, perhaps with the file
    /// of before, and no old worker of that was there to be counted.
    pub more: bool,
    /// When the master was told, on the world's clock.
    pub told: Duration,
    pub took: Duration,
}

impl Nginx<'_> {
    /// Checks `text` with the running master's own arguments, without touching the installed file.
    pub fn validate(&self, container: &Container, text: &str, mode: u32, installed: &Dump) -> Result<(), Failure> {
        let inside = self.inside(container)?;
        let next = candidate(&self.config);
        self.write(&next, text, mode)?;
        let checked = self.validate_candidate(container, &inside, installed);
        let removed = self.world.remove(&next);
        checked?;
        removed.map_err(|error| Failure::new(format!("cannot remove `{}`: {error}", next.display())))
    }

    fn validate_candidate(&self, container: &Container, inside: &Path, installed: &Dump) -> Result<(), Failure> {
        let Some((main, main_text)) = installed.main() else {
            return Err(Failure::new(format!(
                "`nginx -T` in `{}` printed no configuration",
                container.name
            )));
        };
        let next_inside = candidate(inside);
        let checked = if main == inside {
            next_inside
        } else {
            let text = with_candidate(main, main_text, inside, &next_inside, installed).ok_or_else(|| {
                Failure::refused(format!(
                    "`{}` does not include `{}`, so what zdt writes would never rule",
                    main.display(),
                    inside.display()
                ))
                .help("include the folder it is in from the http block")
            })?;
            self.copy_in(container, &main.with_file_name(MAIN_COPY), &text)?
        };
        let mut args = vec![
            "exec".to_string(),
            container.id.clone(),
            "nginx".to_string(),
            "-t".to_string(),
        ];
        args.extend(without_config_option(Self::master_args(container)));
        args.extend(["-c".to_string(), checked.to_string_lossy().into_owned()]);
        let command = Command::new(self.engine.docker(), args);
        let output = self.world.run(&command)?;
        if output.success() {
            return Ok(());
        }
        let named = |path: &Path| path.to_string_lossy().into_owned();
        let said = output.stderr.replace(&named(&candidate(inside)), &named(inside));
        Err(
            Failure::new("nginx refuses the new configuration; the installed one stays as it is")
                .lines(&said.replace(".zdt-next", ""), 6),
        )
    }

    /// Puts a text into the container (its own file system, not a volume).
    fn copy_in(&self, container: &Container, to: &Path, text: &str) -> Result<PathBuf, Failure> {
        let copy = Some((container.id.clone(), text.to_string()));
        if *self.copied.borrow() == copy {
            return Ok(to.to_path_buf());
        }
        let local = self.config.with_file_name(MAIN_CANDIDATE);
        self.write(&local, text, 0o600)?;
        let target = format!("{}:{}", container.id, to.display());
        let from = local.to_string_lossy();
        let copied = self.engine.ask(&["cp", &from, &target]);
        let removed = self.world.remove(&local);
        copied.map_err(|failure| Failure {
            message: format!(
                "cannot put a copy of the main file into `{}` to check it",
                container.name
            ),
            ..failure
        })?;
        removed.map_err(|error| Failure::new(format!("cannot remove `{}`: {error}", local.display())))?;
        *self.copied.borrow_mut() = copy;
        Ok(to.to_path_buf())
    }

    /// Installs a validated text, reloads and proves it. Without a proof in time the previous file is put back
    /// and proved, and the step failed.
    pub fn apply(
        &self,
        container: &Container,
        text: &str,
        mode: u32,
        generation: &Generation,
        proof: Proof,
    ) -> Result<Applied, Failure> {
        let previous = self.previous()?;
        self.install_and_prove(container, text, mode, generation, proof)
            .map_err(|failure| self.put_back(container, previous, failure))
    }

    /// The installed file with its mode; `None` where there is none.
    fn previous(&self) -> Result<Option<(Vec<u8>, u32)>, Failure> {
        let mode = match self.world.kind(&self.config) {
            Ok(Some(FileKind::File { mode, .. })) => mode & 0o777,
            _ => 0o600,
        };
        match self.world.read(&self.config) {
            Ok(bytes) => Ok(Some((bytes, mode))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::new(format!(
                "cannot read `{}`: {error}",
                self.config.display()
            ))),
        }
    }

    /// After a reload that was not proved; says in `failure` what rules now.
    fn put_back(&self, container: &Container, previous: Option<(Vec<u8>, u32)>, failure: Failure) -> Failure {
        let Some((previous, mode)) = previous else {
            // nginx has its configuration in memory only, and must not read again what is not there.
            return match self.world.remove(&self.config) {
                Ok(()) => failure.note("zdt's file is removed again; nginx goes on with what it has in memory"),
                Err(second) => failure.note(format!("zdt's file could not be removed again: {second}")),
            };
        };
        if let Err(second) = self.world.write(&self.config, &previous, mode) {
            return failure.note(format!("the previous file could not be put back: {second}"));
        }
        let text = String::from_utf8_lossy(&previous).into_owned();
        let (back, told) = match Generation::read(&text) {
            Some(before) => {
                let proved = self.install_and_prove(container, &text, mode, &before, Proof::WithTheDrain);
                let alone = proved.and_then(|applied| self.gone(container, applied));
                (alone, "the previous configuration is back and live")
            }
            None => (
                self.reload(container),
                "the previous file is back, and nginx was told to reload",
            ),
        };
        match back {
            Ok(()) => failure.note(told),
            Err(second) => failure.note(format!(
                "the previous file is back, but not proved to rule alone: {second}"
            )),
        }
    }

    /// A file that somebody else wrote, in the place of zdt's; nginx is told to reload. Where it does not take that file,
    /// zdt's comes back: nginx must be able to start with what lies there.
    pub fn give_back(&self, container: &Container, theirs: &[u8], mode: u32) -> Result<(), Failure> {
        let previous = self.previous()?;
        self.world
            .write(&self.config, theirs, mode)
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", self.config.display())))?;
        self.reload(container)
            .map_err(|failure| self.put_back(container, previous, failure))
    }

    /// Workers of a configuration that was taken back may have lived for a moment: only when they are gone does the
    /// previous one rule alone.
    fn gone(&self, container: &Container, back: Applied) -> Result<(), Failure> {
        let limits = Limits {
            wait: LAST_REQUESTS,
            leaving: None,
        };
        match wait_gone(self.world, self.engine, container, &back, limits, &|| Ok(()))? {
            Wait::Gone { .. } => Ok(()),
            Wait::Interrupted => Err(Failure::interrupted()),
            Wait::CalledOff(failure) => Err(failure),
            Wait::TimedOut { left, .. } => Err(Failure::new(format!(
                "{} of the one taken back still answers requests",
                crate::count(left, "worker")
            ))),
        }
    }

    /// Asks the master to read its files again. Not by `docker kill -s HUP`: the engine takes any signal it passes on for
    /// a stop by hand, and a container with `restart: unless-stopped` then stays down at its next start (measured, 28.5).
    fn reload(&self, container: &Container) -> Result<(), Failure> {
        let mut args = vec!["exec", &container.id, "nginx"];
        let master = Self::master_args(container);
        args.extend(master.iter().map(String::as_str));
        args.extend(["-s", "reload"]);
        self.engine.change(&args, RELOAD_LIMIT).map(drop)
    }

    fn install_and_prove(
        &self,
        container: &Container,
        text: &str,
        mode: u32,
        generation: &Generation,
        proof: Proof,
    ) -> Result<Applied, Failure> {
        let start = self.world.now();
        self.write(&self.config, text, mode)?;
        // Only now: whoever else reloads from here on reads this file.
        let before = whole(self.world, self.engine, container)?;
        let ages = match before.iter().any(leaving) {
            true => self.engine.ages(container).unwrap_or_default(),
            false => BTreeMap::new(),
        };
        let told = self.world.now();
        self.reload(container)?;
        let seen = self.prove(container, generation, &before, proof)?;
        Ok(Applied {
            old_workers: old(&before, &ages, one_reload(self.engine.is_here(container))),
            more: more(&before, &seen),
            seen,
            told,
            took: self.world.now().saturating_sub(start),
        })
    }

    /// The nonce answers on a fresh connection and new workers are there.
    fn prove(
        &self,
        container: &Container,
        generation: &Generation,
        before: &[Process],
        proof: Proof,
    ) -> Result<Vec<Process>, Failure> {
        let (mut wide, pause) = match proof {
            Proof::Now => (WIDE_LOOKS, LOOK),
            Proof::WithTheDrain => (0, LOOK_WITH_THE_DRAIN),
        };
        let start = self.world.now();
        let mut last = String::from("nothing yet");
        let mut down = None;
        while self.world.now().saturating_sub(start) < self.proof_limit {
            let answer = match wide {
                0 => self.live(container),
                _ => self.live_now(container, generation),
            };
            wide = wide.saturating_sub(1);
            match answer {
                Ok(Some(live)) if live.nonce == generation.nonce => {
                    let now = workers(self.engine, container)?;
                    let is_new = |worker: &&Process| !before.iter().any(|old| old.pid == worker.pid);
                    if now.iter().filter(is_new).any(|worker| !leaving(worker)) {
                        return Ok(now);
                    }
                    last = "no new workers".into();
                }
                Ok(Some(live)) => last = format!("generation {} still answers", short(&live.nonce)),
                Ok(None) => last = "another server answers under the private name".into(),
                Err(error) => last = error.to_string(),
            }
            // Restarted by somebody it is back at once; stopped it will not answer.
            let now = self.world.now();
            down = match self.engine.runs(container) {
                true => None,
                false => down.or(Some(now)),
            };
            if down.is_some_and(|since| now.saturating_sub(since) >= RESTART) {
                return Err(Failure::new(format!(
                    "the proxy's container `{}` is not running",
                    container.name
                )));
            }
            // Interrupts wait: a reload that was signalled must be known to be live or not.
            self.world.pause(pause);
        }
        let mut failure = Failure::new(format!("the reload is not proved after {:?}: {last}", self.proof_limit));
        failure.notes = self.last_words(container);
        Err(failure)
    }

    /// Why the master kept its old configuration: its complaints, else the last lines it wrote. The workers' own lines
    /// (an access log, their ends) come between, hundreds a second on a busy site.
    fn last_words(&self, container: &Container) -> Vec<String> {
        let lines = self.engine.logs(&container.id, 5_000);
        let complains = |line: &&String| {
            ["[emerg]", "[alert]", "[crit]"]
                .iter()
                .any(|level| line.contains(level))
        };
        let mut said: Vec<String> = lines.iter().filter(complains).cloned().collect();
        if said.is_empty() {
            said = lines;
        }
        said.split_off(said.len().saturating_sub(5))
    }

    fn write(&self, path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
        self.world
            .write(path, text.as_bytes(), mode)
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", path.display())))
    }
}

/// The first characters of a nonce, enough to tell two apart on a screen.
pub fn short(nonce: &str) -> &str {
    &nonce[..nonce.len().min(6)]
}

fn without_config_option(args: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "-c" {
            args.next();
        } else {
            kept.push(arg);
        }
    }
    kept
}
