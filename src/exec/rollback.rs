//! Back to the before-images: not a list of inverse steps but a fresh way from the world as it is now, with the same
//! discipline (drain, recreate, await, enable), last touched first.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::before::{before_image, file};
use super::runner::Runner;
use super::target::{Kept, Target};
use super::theirs::Theirs;
use super::{Event, resume};
use crate::drivers::engine::Container;
use crate::drivers::{Failure, FailureKind};
use crate::plan::declared::HEALTHY_LIMIT;
use crate::site::{Expect, Ran, Site};
use crate::verbs::Containers;

/// So long one that was sick before may take to be well, before it is left as it was.
const SICK_LIMIT: Duration = Duration::from_secs(3);

/// How a rollback ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// Everything touched is as it was, and serves.
    Everything,
    /// There was no old version.
    NothingBefore,
    /// Something is left; it was told.
    NotEverything,
}

/// Undoes what the journal says was touched.
pub fn rollback(runner: &Runner) -> Result<Back, Failure> {
    let target = Target::of(runner.journal.touched());
    let site = runner.site()?;
    let (theirs, lost) = match Theirs::among(runner, site, &target.files) {
        Ok(theirs) => (theirs, None),
        Err(failure) => (None, Some(failure)),
    };
    let nobody = target.backends.is_empty() && (!target.new.is_empty() || runner.journal.began_anew());
    if nobody && theirs.is_none() {
        return Ok(Back::NothingBefore);
    }
    site.watch.set(false);
    if !resume::bring_back(runner)? {
        return Err(Failure::interrupted());
    }
    // A journal that cannot be written (a full disk) is no reason to leave users without a backend.
    let undoing = runner.journal.undoing();
    let way = Way {
        runner,
        site,
        target: &target,
        theirs: theirs.as_ref(),
        whole: Cell::new(true),
    };
    way.warned(undoing);
    if let Some(failure) = lost {
        way.step("the proxy's own configuration".to_string(), || Err(failure));
    }
    way.tags()?;
    way.backends()?;
    if !nobody {
        way.newcomers();
        // What the run has made needs the files it was made from.
        way.files();
    }
    way.proxy();
    Ok(match (way.whole.get(), nobody) {
        (false, _) => Back::NotEverything,
        (true, true) => Back::NothingBefore,
        (true, false) => Back::Everything,
    })
}

/// One way back, and whether all of it went well so far.
struct Way<'a, 'r> {
    runner: &'a Runner<'r>,
    site: &'r Site<'r>,
    target: &'a Target,
    theirs: Option<&'a Theirs>,
    whole: Cell<bool>,
}

impl Way<'_, '_> {
    /// Does one thing and tells it.
    fn step(&self, title: String, undo: impl FnOnce() -> Result<String, Failure>) {
        let start = self.runner.world.now();
        let done = undo();
        let took = self.runner.world.now().saturating_sub(start);
        self.told(title, done, took);
    }

    fn told(&self, title: String, done: Result<String, Failure>, took: Duration) {
        self.runner.sink.event(&match done {
            Ok(detail) => Event::Undone { title, detail, took },
            Err(failure) => {
                self.whole.set(false);
                Event::UndoFailed { title, failure }
            }
        });
    }

    fn warn(&self, line: String) {
        self.runner.sink.event(&Event::Warned { line });
    }

    /// What the way back can do without is told, and no more.
    fn warned(&self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            self.warn(failure.message);
        }
    }

    fn tags(&self) -> Result<(), Failure> {
        let engine = &self.site.engine;
        for (name, id) in &self.target.tags {
            if engine.image_id(name)?.as_deref() != Some(id) {
                self.step(format!("tag {name}"), || {
                    engine.tag(id, name).map(|()| "as before".to_string())
                });
            }
        }
        Ok(())
    }

    /// Their file rules again: nobody can be asked who is in traffic, only the containers be looked at.
    fn given(&self) -> bool {
        self.theirs.is_some_and(|theirs| theirs.rules(self.site))
    }

    /// A container of the old image and the old definition, or of what this way back has made of that.
    fn is_old(&self, name: &str, container: &Container, ran: &Ran) -> bool {
        let now = &container.config_hash;
        let defined = || ran.definition.is_none() || *now == ran.definition;
        let image = container.image_id == ran.image_id;
        image && (defined() || self.runner.journal.is_put_back(name, now) || self.given())
    }

    fn as_before(&self, name: &str, ran: &Ran) -> bool {
        let Ok(container) = self.site.container(name) else {
            return false;
        };
        // One that was sick before may be down at this moment.
        (container.running() || !ran.well) && self.is_old(name, &container, ran) && self.in_place(name)
    }

    fn in_place(&self, name: &str) -> bool {
        let wanted = Some(self.target.wants(name));
        let is = |traffic: BTreeMap<String, bool>| traffic.get(name).copied() == wanted;
        self.site.deployment.proxy.is_none() || self.given() || self.site.traffic().is_ok_and(is)
    }

    /// It still runs as it did and nothing that was aborted can have hit it.
    fn untouched(&self, name: &str, ran: &Ran) -> bool {
        let off = self
            .site
            .traffic()
            .is_ok_and(|traffic| traffic.get(name) == Some(&false));
        let same = self
            .site
            .container(name)
            .is_ok_and(|container| container.running() && self.is_old(name, &container, ran));
        off && same && !aborted(self.runner)
    }

    fn backends(&self) -> Result<(), Failure> {
        let (runner, site) = (self.runner, self.site);
        // A healthy one of the old version that only was drained serves again before anything else is tried. Where that
        // fails, it is one of those that are brought back below.
        for (name, ran) in &self.target.backends {
            if self.target.wants(name) && self.untouched(name, ran) {
                let start = runner.world.now();
                if let Ok(done) = back_in_traffic(site, name, ran) {
                    let took = runner.world.now().saturating_sub(start);
                    self.told(format!("enable {name}"), Ok(done), took);
                }
            }
        }
        // Whoever serves well goes last: until then the others have come back. What failed is tried once more at the end.
        let traffic = site.traffic().unwrap_or_default();
        let mut left: Vec<&(String, Ran)> = self.target.backends.iter().collect();
        left.sort_by_cached_key(|(name, _)| traffic.get(name) == Some(&true) && site.is_healthy(name));
        for last in [false, true] {
            let mut failed = Vec::new();
            for one in left {
                let (name, ran) = one;
                if runner.world.pending().is_some() {
                    return Err(Failure::interrupted());
                }
                if self.as_before(name, ran) {
                    continue;
                }
                let start = runner.world.now();
                match self.backend(name, ran) {
                    Err(_) if !last => failed.push(one),
                    done => {
                        let took = runner.world.now().saturating_sub(start);
                        self.told(format!("{name} back to {}", ran.image), done, took);
                    }
                }
            }
            left = failed;
        }
        Ok(())
    }

    /// One backend: out of traffic if it is in, the old container, healthy, back in. What can be asked comes first.
    fn backend(&self, name: &str, ran: &Ran) -> Result<String, Failure> {
        let site = self.site;
        let proxied = site.deployment.proxy.is_some();
        if self.given() {
            return started_again(site, name, ran);
        }
        site.env_fits()?;
        if site.engine.image_id(&ran.image_id)?.is_none() {
            return Err(Failure::new(format!(
                "the old image of `{name}` ({}) is gone",
                ran.image
            )));
        }
        let definition = self.definition();
        for (path, stored, _) in &definition {
            if let Some(stored) = stored {
                before_image(self.runner, site, stored, path)?;
            }
        }
        if proxied {
            site.keep_out(name)?;
        }
        let removed = site.settle(name)?;
        if site.engine.image_id(&ran.image)?.as_deref() != Some(&ran.image_id) {
            site.engine.tag(&ran.image_id, &ran.image)?;
        }
        // The old definition, not the old image in a new definition.
        for (path, stored, mode) in definition {
            let back = file(
                self.runner,
                site,
                &self.target.backends,
                (path, stored.as_deref(), *mode),
            );
            back.transpose()?;
        }
        // Somebody may have written the new image into `.env` before zdt saw it.
        site.env_ruled(name, &ran.image)?;
        site.recreate_as_written(name, &ran.image_id)?;
        let definition = site.container(name)?.config_hash;
        self.warned(self.runner.journal.put_back(name, definition));
        let well = well_again(site, name, ran)?;
        if proxied && self.target.wants(name) {
            enable(site, name, well)?;
        }
        let how = if well { "healthy, " } else { sick(well) };
        Ok(match removed.is_empty() {
            true => format!("{how}serves{}", site.without()),
            false => format!("{how}serves{}; removed {}", site.without(), removed.join(", ")),
        })
    }

    /// The files that containers are made from.
    fn definition(&self) -> Vec<&Kept> {
        let compose = &self.site.deployment.compose.file;
        let files = self.target.files.iter();
        files
            .filter(|(path, ..)| path == compose || path.file_name().is_some_and(|file| file == ".env"))
            .collect()
    }

    /// Backends that the run made beside those that were there: nobody's requests went to them before.
    fn newcomers(&self) {
        let site = self.site;
        for name in &self.target.new {
            let serves = || site.traffic().is_ok_and(|traffic| traffic.get(name) == Some(&true));
            if self.target.wants(name) || self.given() || !serves() {
                continue;
            }
            // All that was there before is back, whatever becomes of this.
            let start = self.runner.world.now();
            match site.keep_out(name) {
                Ok(()) => {
                    let took = self.runner.world.now().saturating_sub(start);
                    let detail = "it was not there before; its container stays".to_string();
                    self.told(format!("drain {name}"), Ok(detail), took);
                }
                Err(failure) => self.warn(format!("`{name}` is new and stays in traffic: {}", failure.message)),
            }
        }
    }

    fn files(&self) {
        for (path, stored, mode) in &self.target.files {
            let ran = &self.target.backends;
            let start = self.runner.world.now();
            if let Some(done) = file(self.runner, self.site, ran, (path, stored.as_deref(), *mode)) {
                let took = self.runner.world.now().saturating_sub(start);
                self.told(format!("file {}", path.display()), done, took);
            }
        }
    }

    /// What rules agrees with what lies there; where all is as before, the file of somebody else comes back last.
    fn proxy(&self) {
        let site = self.site;
        // An unreachable proxy has been told of above, by every backend that could not be put back.
        if self.theirs.is_none() && site.installed_is_live().is_ok_and(|live| !live) {
            self.step("proxy configuration".to_string(), || {
                site.install_live().map(|()| "as it is live".to_string())
            });
        }
        let mut backends = self.target.backends.iter();
        if !backends.all(|(name, ran)| self.as_before(name, ran)) {
            self.whole.set(false);
        }
        let start = self.runner.world.now();
        if let (true, Some(theirs)) = (self.whole.get(), self.theirs)
            && let Some(done) = theirs.back(site)
        {
            let took = self.runner.world.now().saturating_sub(start);
            self.told("the proxy's own configuration".to_string(), done, took);
        }
    }
}

/// A change of containers was begun and its end not recorded.
fn aborted(runner: &Runner) -> bool {
    let journal = runner.journal;
    runner.plan.steps().iter().any(|(node, verb)| {
        verb.containers() != Containers::Kept && journal.is_begun(&node.id) && !journal.is_done(&node.id)
    })
}

fn back_in_traffic(site: &Site, name: &str, ran: &Ran) -> Result<String, Failure> {
    let well = well_again(site, name, ran)?;
    enable(site, name, well)?;
    Ok(format!("{}serves{}", sick(well), site.without()))
}

/// Waits for its health. One that was sick before need not be well now: a moment's look is enough.
fn well_again(site: &Site, name: &str, ran: &Ran) -> Result<bool, Failure> {
    match site.await_healthy(
        name,
        &Expect::default(),
        if ran.well { HEALTHY_LIMIT } else { SICK_LIMIT },
    ) {
        Ok(_) => Ok(true),
        Err(failure) if ran.well || failure.kind == FailureKind::Interrupted => Err(failure),
        Err(_) => Ok(false),
    }
}

fn enable(site: &Site, name: &str, well: bool) -> Result<(), Failure> {
    match well {
        true => site.enable(&[name.to_string()]).map(drop),
        false => site.enable_as_it_was(name),
    }
}

fn sick(well: bool) -> &'static str {
    if well { "" } else { "as sick as before; " }
}

/// Where somebody else's configuration rules again, a container that has stopped can be started and no more.
fn started_again(site: &Site, name: &str, ran: &Ran) -> Result<String, Failure> {
    match site.start_stopped(name)? {
        // Its health could be asked of zdt's private server only.
        Some(line) => Ok(line),
        None => Err(Failure::new(format!(
            "`{name}` does not run {}, and somebody else's nginx configuration rules, which cannot be told to drain it",
            ran.image
        ))),
    }
}
