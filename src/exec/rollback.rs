//! Back to the before-images: not a list of inverse steps but a fresh way from the world as it is now, with the same
//! discipline (drain, recreate, await, enable), last touched first.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::runner::Runner;
use super::theirs::{Theirs, before_image};
use super::{Event, resume};
use crate::drivers::{Failure, FailureKind};
use crate::plan::declared::HEALTHY_LIMIT;
use crate::site::{Before, Expect, Ran, Resource, Site};
use crate::verbs::Containers;

/// So long one that was sick before may take to be well, before it is left as it was.
const SICK_LIMIT: Duration = Duration::from_secs(3);

/// What there is to go back to.
#[derive(Debug, Default)]
struct Target {
    /// Last touched first.
    backends: Vec<(String, Ran)>,
    /// Backends that did not exist before.
    new: Vec<String>,
    traffic: Option<BTreeMap<String, bool>>,
    /// Content names by path.
    files: Vec<(std::path::PathBuf, Option<String>, u32)>,
    tags: Vec<(String, String)>,
}

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
    let target = target(runner.journal.touched());
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
    if let Err(failure) = runner.journal.undoing() {
        let line = failure.message;
        runner.sink.event(&Event::Warned { line });
    }
    let way = Way {
        runner,
        site,
        target: &target,
        theirs: theirs.as_ref(),
        whole: Cell::new(true),
    };
    if let Some(failure) = lost {
        way.step("the proxy's own configuration".to_string(), || Err(failure));
    }
    way.tags()?;
    way.backends()?;
    if !nobody {
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

    fn as_before(&self, name: &str, ran: &Ran) -> bool {
        // Once their file rules again, only the containers can be looked at.
        let given = self.theirs.is_some_and(|theirs| theirs.rules(self.site));
        as_before(self.site, name, ran, (!given).then_some(wants(self.target, name)))
    }

    fn backends(&self) -> Result<(), Failure> {
        let (runner, site) = (self.runner, self.site);
        // A healthy one of the old version that only was drained serves again before anything else is tried.
        for (name, ran) in &self.target.backends {
            if wants(self.target, name) && untouched(runner, site, name, ran) {
                self.step(format!("enable {name}"), || back_in_traffic(site, name, ran));
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
                match backend(runner, site, self.target, name, ran) {
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

fn target(touched: Vec<(Resource, Before)>) -> Target {
    let mut target = Target::default();
    for (resource, before) in touched {
        match (resource, before) {
            (Resource::Backend(name), Before::Backend(Some(ran))) => target.backends.push((name, ran)),
            (Resource::Backend(name), Before::Backend(None)) => target.new.push(name),
            (Resource::Traffic, Before::Traffic(traffic)) => target.traffic = Some(traffic),
            (Resource::File(path), Before::File { stored, mode }) => target.files.push((path, stored, mode)),
            (Resource::Tag(name), Before::Tag(Some(id))) => target.tags.push((name, id)),
            // A kind of resource with another kind of image: nothing zdt ever wrote.
            (Resource::Backend(_) | Resource::Traffic | Resource::File(_) | Resource::Tag(_), _) => {}
        }
    }
    target
}

/// Whether a backend was in traffic before the run.
fn wants(target: &Target, name: &str) -> bool {
    target
        .traffic
        .as_ref()
        .is_none_or(|traffic| traffic.get(name).copied().unwrap_or(false))
}

/// A change of containers was begun and its end not recorded.
fn aborted(runner: &Runner) -> bool {
    let journal = runner.journal;
    runner.plan.steps().iter().any(|(node, verb)| {
        verb.containers() != Containers::Kept && journal.is_begun(&node.id) && !journal.is_done(&node.id)
    })
}

/// It still runs the old image and nothing that was aborted can have hit it.
fn untouched(runner: &Runner, site: &Site, name: &str, ran: &Ran) -> bool {
    let off = site.traffic().is_ok_and(|traffic| traffic.get(name) == Some(&false));
    let same = site
        .container(name)
        .is_ok_and(|container| container.running() && container.image_id == ran.image_id);
    off && same && !aborted(runner)
}

/// `on`: whether it is to be in traffic; `None` where nobody can be asked.
fn as_before(site: &Site, name: &str, ran: &Ran, on: Option<bool>) -> bool {
    let Ok(container) = site.container(name) else {
        return false;
    };
    let in_place = || match (&site.deployment.proxy, on) {
        (Some(_), Some(on)) => site.traffic().is_ok_and(|traffic| traffic.get(name) == Some(&on)),
        _ => true,
    };
    // One that was sick before may be down at this moment.
    (container.running() || !ran.well) && container.image_id == ran.image_id && in_place()
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

/// One backend: out of traffic if it is in, the old container, healthy, back in.
fn backend(runner: &Runner, site: &Site, target: &Target, name: &str, ran: &Ran) -> Result<String, Failure> {
    let proxied = site.deployment.proxy.is_some();
    site.env_fits()?;
    if proxied {
        site.keep_out(name)?;
    }
    let removed = site.settle(name)?;
    if site.engine.image_id(&ran.image_id)?.is_none() {
        return Err(Failure::new(format!(
            "the old image of `{name}` ({}) is gone",
            ran.image
        )));
    }
    if site.engine.image_id(&ran.image)?.as_deref() != Some(&ran.image_id) {
        site.engine.tag(&ran.image_id, &ran.image)?;
    }
    // The old definition, not the old image in a new definition.
    let compose = &site.deployment.compose.file;
    for (path, stored, mode) in &target.files {
        if (path == compose || path.file_name().is_some_and(|file| file == ".env"))
            && let Some(done) = file(runner, site, &target.backends, (path, stored.as_deref(), *mode))
        {
            done?;
        }
    }
    // Somebody may have written the new image into `.env` before zdt saw it.
    site.env_ruled(name, &ran.image)?;
    site.recreate_as_written(name, &ran.image_id)?;
    let well = well_again(site, name, ran)?;
    if proxied && wants(target, name) {
        enable(site, name, well)?;
    }
    let how = if well { "healthy, " } else { sick(well) };
    Ok(match removed.is_empty() {
        true => format!("{how}serves{}", site.without()),
        false => format!("{how}serves{}; removed {}", site.without(), removed.join(", ")),
    })
}

/// A file back to its before-image; `None` when it is as it was, or is the proxy's (rendered anew with each reload).
fn file(
    runner: &Runner,
    site: &Site,
    ran: &[(String, Ran)],
    (path, stored, mode): (&std::path::Path, Option<&str>, u32),
) -> Option<Result<String, Failure>> {
    if site.deployment.proxy.as_ref().is_some_and(|proxy| proxy.config == path) {
        return None;
    }
    let world = runner.world;
    let name = path.display();
    let now = world.read(path).ok();
    let mut content = match stored.map(|stored| before_image(runner, site, stored, path)) {
        Some(Ok(content)) => Some(content),
        Some(Err(failure)) => return Some(Err(failure)),
        None => None,
    };
    if path == site.env_path() && site.templates.compose.is_none() && now.is_some() {
        let before = content.map(|content| String::from_utf8_lossy(&content).into_owned());
        let images: Vec<_> = ran
            .iter()
            .map(|(name, ran)| (name.as_str(), ran.image.as_str()))
            .collect();
        match site.env_back(before.as_deref(), &images) {
            Ok(text) => content = text.map(String::into_bytes),
            Err(failure) => return Some(Err(failure)),
        }
    }
    let Some(content) = content else {
        now.as_ref()?;
        let removed = world.remove(path);
        return Some(
            removed
                .map(|()| "removed".into())
                .map_err(|error| Failure::new(format!("cannot remove `{name}`: {error}"))),
        );
    };
    if now.as_deref() == Some(&content) {
        return None;
    }
    let written = world.write(path, &content, mode);
    Some(
        written
            .map(|()| "as before".into())
            .map_err(|error| Failure::new(format!("cannot write `{name}`: {error}"))),
    )
}
