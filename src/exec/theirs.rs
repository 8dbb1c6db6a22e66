//! nginx's file as somebody else had written it, where the run has put zdt's own in its place: it comes back last of all,
//! and from then on nobody can be asked who is in traffic.

use std::path::PathBuf;

use super::before::before_image;
use super::runner::Runner;
use crate::drivers::Failure;
use crate::drivers::nginx::Generation;
use crate::site::Site;

pub(super) struct Theirs {
    text: Vec<u8>,
    mode: u32,
}

impl Theirs {
    /// Among the before-images of files (path, name of the content, mode).
    pub fn among(
        runner: &Runner,
        site: &Site,
        files: &[(PathBuf, Option<String>, u32)],
    ) -> Result<Option<Self>, Failure> {
        let config = site.deployment.proxy.as_ref().map(|proxy| &proxy.config);
        let Some((path, Some(stored), mode)) = files.iter().find(|(path, ..)| Some(path) == config) else {
            return Ok(None);
        };
        let text = before_image(runner, site, stored, path)?;
        let theirs = Generation::read(&String::from_utf8_lossy(&text)).is_none();
        Ok(theirs.then_some(Self { text, mode: *mode }))
    }

    /// It is in its place, and nginx does not go by zdt's: it may answer nobody on the port that zdt asks.
    pub fn rules(&self, site: &Site) -> bool {
        let config = site.deployment.proxy.as_ref().map(|proxy| &proxy.config);
        let now = config.and_then(|config| site.world.read(config).ok());
        now.as_ref() == Some(&self.text) && site.proxy_now().is_ok_and(|proxy| !site.is_zdts(&proxy))
    }

    /// `None`: it rules already.
    pub fn back(&self, site: &Site) -> Option<Result<String, Failure>> {
        let ruled = self.rules(site);
        let given = match ruled {
            true => site.has_no_config(),
            false => site.give_back(&self.text, self.mode),
        };
        match (ruled, given) {
            (true, Ok(())) => None,
            (_, given) => Some(given.map(|()| "as before".to_string())),
        }
    }
}
