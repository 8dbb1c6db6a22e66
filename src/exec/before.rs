//! Before-images of files: read, and put back.

use std::path::Path;

use super::runner::Runner;
use crate::drivers::Failure;
use crate::site::{Ran, Site, state_dir};

/// The content that was kept of a file.
pub(super) fn before_image(runner: &Runner, site: &Site, stored: &str, of: &Path) -> Result<Vec<u8>, Failure> {
    let image = state_dir(&site.deployment.dir()).join("images").join(stored);
    let content = runner.world.read(&image);
    content.map_err(|error| {
        Failure::new(format!(
            "the before-image of `{}` cannot be read: {error}",
            of.display()
        ))
    })
}

/// A file back to its before-image; `None` when it is as it was, or is the proxy's (rendered anew with each reload).
pub(super) fn file(
    runner: &Runner,
    site: &Site,
    ran: &[(String, Ran)],
    (path, stored, mode): (&Path, Option<&str>, u32),
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
