//! Back to the before-images: not a list of inverse steps but a fresh way from the world as it is now, with the same
//! discipline (drain, recreate, await, enable), last touched first.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::runner::Runner;
use super::theirs::{Theirs, before_image};
use super::{Event, Standing, resume};
use crate::drivers::{Failure, FailureKind};
use crate::plan::Backend;
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
    let theirs = Theirs::among(runner, site, &target.files)?;
    let nobody = target.backends.is_empty() && (!target.new.is_empty() || runner.journal.began_anew());
    if nobody && theirs.is_none() {
        return Ok(Back::NothingBefore);
    }
    site.env_fits()?;
    site.watch.set(false);
    if !resume::bring_back(runner)? {
        return Err(Failure::interrupted());
    }
    // A journal that cannot be written (a full disk) is no reason to leave users without a backend.
    if let Err(failure) = runner.journal.undoing() {
        let line = failure.message;
        runner.sink.event(&Event::Warned { line });
    }
    let whole = Cell::new(true);
    let step = |title: String, result: Result<String, Failure>, start: Duration| match result {
        Ok(detail) => {
            let took = runner.world.now().saturating_sub(start);
            runner.sink.event(&Event::Undone { title, detail, took });
        }
        Err(failure) => {
            runner.sink.event(&Event::UndoFailed { title, failure });
            whole.set(false);
        }
    };
    for (name, id) in &target.tags {
        let start = runner.world.now();
        if site.engine.image_id(name)?.as_deref() != Some(id) {
            step(
                format!("tag {name}"),
                site.engine.tag(id, name).map(|()| "as before".to_string()),
                start,
            );
        }
    }
    // A healthy one of the old version that only was drained serves again before anything else is tried.
    for (name, ran) in &target.backends {
        let start = runner.world.now();
        if wants(&target, name) && untouched(runner, site, name, ran) {
            step(format!("enable {name}"), back_in_traffic(site, name, ran), start);
        }
    }
    // Once theirs rules again, only the containers can be looked at.
    let given = theirs.as_ref().is_some_and(|theirs| theirs.rules(site));
    let as_before = |name: &str, ran: &Ran| as_before(site, name, ran, (!given).then_some(wants(&target, name)));
    // Whoever serves well goes last: until then the others have come back. What failed is tried once more at the end.
    let traffic = site.traffic().unwrap_or_default();
    let mut left: Vec<&(String, Ran)> = target.backends.iter().collect();
    left.sort_by_cached_key(|(name, _)| traffic.get(name) == Some(&true) && site.is_healthy(name));
    for last in [false, true] {
        let mut failed = Vec::new();
        for one in left {
            let (name, ran) = one;
            if runner.world.pending().is_some() {
                return Err(Failure::interrupted());
            }
            if as_before(name, ran) {
                continue;
            }
            let start = runner.world.now();
            match backend(runner, site, &target, name, ran) {
                Err(_) if !last => failed.push(one),
                done => {
                    step(format!("{name} back to {}", ran.image), done, start);
                }
            }
        }
        left = failed;
    }
    let start = runner.world.now();
    // What the run has made needs the files it was made from.
    for (path, stored, mode) in target.files.iter().filter(|_| !nobody) {
        if let Some(done) = file(runner, site, &target.backends, (path, stored.as_deref(), *mode)) {
            step(format!("file {}", path.display()), done, start);
        }
    }
    let start = runner.world.now();
    // An unreachable proxy has been told of above, by every backend that could not be put back.
    if theirs.is_none() && site.installed_is_live().is_ok_and(|live| !live) {
        let done = site.install_live().map(|()| "as it is live".to_string());
        step("proxy configuration".to_string(), done, start);
    }
    let mut backends = target.backends.iter();
    let served = backends.all(|(name, ran)| as_before(name, ran));
    if !served || !whole.get() {
        return Ok(Back::NotEverything);
    }
    let start = runner.world.now();
    if let Some(done) = theirs.and_then(|theirs| theirs.back(site)) {
        step("the proxy's own configuration".to_string(), done, start);
    }
    Ok(match whole.get() {
        true if nobody => Back::NothingBefore,
        true => Back::Everything,
        false => Back::NotEverything,
    })
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

/// How every backend stands, for the end of a run that went wrong and for `status`.
pub fn standing(site: &Site) -> Vec<Standing> {
    let proxied = site.deployment.proxy.is_some();
    let traffic = match proxied {
        // Where the file is somebody else's, nobody can be asked, though an old worker may still answer.
        true => site.installed().and_then(|_| site.traffic().ok()),
        false => Some(BTreeMap::new()),
    };
    let standing = |backend: &Backend| {
        let container = site.container(&backend.name).ok();
        let asked = container.is_some() && traffic.is_some();
        let enabled = traffic
            .as_ref()
            .map(|traffic| traffic.get(&backend.name) == Some(&true));
        Standing {
            backend: backend.name.clone(),
            enabled: enabled.or(container.is_none().then_some(false)),
            image: container.map(|container| container.image),
            healthy: asked.then(|| site.is_healthy(&backend.name)),
        }
    };
    site.deployment.backends.iter().map(standing).collect()
}
