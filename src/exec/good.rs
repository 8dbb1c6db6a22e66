//! Sets of images that served everywhere: what `zdt rollback` can go back to, kept from pruning by names of zdt's own.

use std::collections::BTreeMap;

use super::Event;
use super::runner::Runner;
use crate::drivers::Failure;
use crate::plan::declared::HEALTHY_LIMIT;
use crate::site::{Allow, Before, Expect, Good, Resource, Site};

/// How many sets of images `zdt rollback` can choose from.
const GOOD: usize = 5;

/// The images of a run that ended well are what a later `zdt rollback` can go back to.
pub fn remember_good(runner: &Runner) -> Result<(), Failure> {
    let Some(site) = runner.site.get() else {
        return Ok(());
    };
    let touched = runner.journal.touched();
    let mut resources = touched.iter().map(|(resource, _)| resource);
    let backends = runner.journal.began_anew() || resources.any(|one| matches!(one, Resource::Backend(_)));
    if !backends {
        return Ok(());
    }
    let run = runner.journal.run().to_string();
    let mut images = BTreeMap::new();
    for container in site.containers()? {
        let backends = site.deployment.backends.iter();
        for backend in backends.filter(|backend| backend.service == container.service) {
            site.keep_image(&container.image_id)?;
            let image = (container.image.clone(), container.image_id.clone());
            images.insert(backend.name.clone(), image);
        }
    }
    site.remember(|state| {
        // What is not declared any more is nobody's to bring back.
        state.backends.retain(|name, _| site.deployment.backend(name).is_some());
        state.good.push(Good { run, images });
        let more = state.good.len().saturating_sub(GOOD);
        state.good.drain(..more);
    })
}

/// What ran well before a run that ended well can be gone back to, too, though no run has made it.
pub fn remember_before(runner: &Runner) -> Result<(), Failure> {
    let Some(site) = runner.site.get() else {
        return Ok(());
    };
    let mut images = BTreeMap::new();
    for container in site.containers()? {
        let backends = site.deployment.backends.iter();
        for backend in backends.filter(|backend| backend.service == container.service) {
            let image = (container.image.clone(), container.image_id.clone());
            images.insert(backend.name.clone(), image);
        }
    }
    let now = images.clone();
    for (resource, before) in runner.journal.touched() {
        match (resource, before) {
            (Resource::Backend(name), Before::Backend(Some(ran))) if ran.well => {
                images.insert(name, (ran.image, ran.image_id));
            }
            (Resource::Backend(_), _) => return Ok(()),
            _ => {}
        }
    }
    let ids =
        |images: &BTreeMap<String, (String, String)>| images.values().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    let known = site
        .state()
        .good
        .last()
        .is_some_and(|last| ids(&last.images) == ids(&images));
    if known || ids(&images) == ids(&now) {
        return Ok(());
    }
    let run = format!("before {}", runner.journal.run());
    site.remember(|state| state.good.push(Good { run, images }))
}

/// Who went back to a set has left all later ones: the next rollback goes further back, not forward again.
pub fn forget_after(site: &Site, target: &Good) -> Result<(), Failure> {
    site.remember(|state| {
        if let Some(at) = state.good.iter().rposition(|good| good.run == target.run) {
            state.good.truncate(at + 1);
        }
    })
}

/// The before-images of a finished run need no names any more, nor do those of one that was killed while it tidied up;
/// the sets of images to go back to keep theirs.
pub fn drop_keep_tags(runner: &Runner) {
    let Some(site) = runner.site.get() else { return };
    let good = site.state().good;
    let ids = good.iter().flat_map(|good| good.images.values());
    site.keep_only(&ids.map(|(_, id)| id.clone()).collect());
}

/// Every backend to the images of `good`, with the discipline of an upgrade; on resume those that are not there yet.
pub fn to_good(runner: &Runner, good: &Good) -> Result<(), Failure> {
    let site = runner.site()?;
    site.env_fits()?;
    // Each backend has an image of its own to go back to.
    site.goes_on.set(false);
    // Whoever serves well goes last, as in the way back from a failure.
    let traffic = site.traffic().unwrap_or_default();
    let declared = |name: &str| site.deployment.backend(name).is_some();
    let gone = good.images.keys().filter(|name| !declared(name));
    let gone = gone.map(|name| format!("`{name}` is not declared any more: whatever runs of it stays as it is"));
    let backends = site.deployment.backends.iter().map(|backend| &backend.name);
    let new = backends.filter(|name| !good.images.contains_key(*name));
    let new = new.map(|name| format!("`{name}` is newer than this set of images, and stays as it is"));
    for line in gone.chain(new) {
        runner.sink.event(&Event::Warned { line });
    }
    let mut all: Vec<_> = good.images.iter().filter(|(name, _)| declared(name)).collect();
    all.sort_by_cached_key(|(name, _)| traffic.get(*name) == Some(&true) && site.is_healthy(name));
    for (name, (image, id)) in all {
        let node = format!("rollback/{name}");
        // One that was begun may run the right image and still be out of traffic.
        let journal = runner.journal;
        let whole = !journal.is_begun(&node) || (journal.is_done(&node) && !journal.is_undone(&node));
        if whole && site.container(name)?.image_id == *id {
            continue;
        }
        if runner.world.pending().is_some() {
            return Err(Failure::interrupted());
        }
        let start = runner.world.now();
        let names = [name.clone()];
        if site.engine.image_id(id)?.is_none() {
            return Err(Failure::refused(format!(
                "the image `{image}` that `{name}` ran before is gone from this engine"
            ))
            .help("pull or load it again, or run an upgrade to another version"));
        }
        let named = site.engine.image_id(image)?;
        if named.as_deref() != Some(id) {
            let tag = Resource::Tag(image.clone());
            if !site.keeper.has(&tag) {
                site.keeper.keep(tag, Before::Tag(named))?;
            }
            site.engine.tag(id, image)?;
            site.forget_image(image);
        }
        let begun = runner.journal.begin(&node)?;
        let done = (|| {
            let proxied = site.deployment.proxy.is_some();
            if proxied {
                site.keep_out(name)?;
            }
            site.recreate(&names, Some(image), Allow::Nothing)?;
            site.await_healthy(name, &Expect::default(), HEALTHY_LIMIT)?;
            if proxied {
                site.enable(&names)?;
            }
            Ok(())
        })();
        begun.end(done.as_ref().map(|()| ""))?;
        done?;
        runner.sink.event(&Event::Undone {
            title: format!("{name} back to {image}"),
            detail: "healthy, serves".to_string(),
            took: runner.world.now().saturating_sub(start),
        });
    }
    Ok(())
}
