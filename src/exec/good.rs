//! Sets of images that served everywhere: what `zdt rollback` can go back to, kept from pruning by names of zdt's own.

use std::collections::BTreeMap;

use super::runner::Runner;
use crate::drivers::Failure;
use crate::site::{Before, Good, Resource, Site};

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
