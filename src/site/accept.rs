//! The proxy's next configuration: its text from the template, and whether the nginx that runs would take it.

use super::{Site, hash, traffic::MODE};
use crate::drivers::Failure;
use crate::drivers::engine::Container;
use crate::drivers::nginx::dump::Dump;
use crate::drivers::nginx::{Generation, private, values};

impl Site<'_> {
    /// Has the running nginx check a configuration, without installing it. What differs only in who is in traffic was
    /// accepted before, where all addresses are numbers.
    pub(super) fn accept_config(
        &self,
        proxy: &Container,
        containers: &[Container],
        text: &str,
        generation: &Generation,
    ) -> Result<(), Failure> {
        let shape = format!("{} {}", proxy.id, shape(text, generation));
        let servers = self.servers(containers, self.nginx_version(proxy)?)?;
        let pinned = servers.iter().all(|server| server.pinned());
        if pinned && self.accepted.borrow().contains(&shape) {
            return Ok(());
        }
        let dump = self.dump(proxy)?;
        if !(pinned && self.shape_of_installed(proxy, &dump)?.as_ref() == Some(&shape)) {
            self.nginx()?.validate(proxy, text, MODE, &dump)?;
        }
        self.accepted.borrow_mut().insert(shape);
        Ok(())
    }

    /// The shape of the file that `nginx -T` has just read, and found good.
    fn shape_of_installed(&self, proxy: &Container, dump: &Dump) -> Result<Option<String>, Failure> {
        let inside = self.nginx()?.inside(proxy)?;
        let text = dump
            .files
            .iter()
            .find(|(path, _)| *path == inside)
            .map(|(_, text)| text);
        Ok(text.and_then(|text| Some(format!("{} {}", proxy.id, shape(text, &Generation::read(text)?)))))
    }

    /// The configuration's text for one generation.
    pub(super) fn proxy_text(
        &self,
        proxy: Option<&Container>,
        containers: &[Container],
        generation: &Generation,
    ) -> Result<String, Failure> {
        let version = match proxy {
            Some(proxy) => self.nginx_version(proxy)?,
            None => None,
        };
        let servers = self.servers(containers, version)?;
        let nginx = self.nginx()?;
        let block = private::block(&nginx.private, nginx.listen, generation, &servers);
        let mut all = serde_json::Value::Object(self.deployment.values.clone());
        super::render::merge(&mut all, values(version, &generation.traffic, &servers, &block));
        let template = self.templates.proxy.as_ref();
        let template = template.ok_or_else(|| Failure::refused("the proxy's template was not read"))?;
        let text = template.render(&all)?;
        if Generation::read(&text).as_ref() != Some(generation) {
            return Err(
                Failure::refused("the proxy's template does not include the private server")
                    .help("put `{{{private_server}}}` at the end of it, outside of any server block"),
            );
        }
        Ok(text)
    }
}

/// A configuration without what a drain or an enable changes in it.
fn shape(text: &str, generation: &Generation) -> String {
    hash(
        text.replace(&generation.line(), "")
            .replace(" max_fails=0;", ";")
            .replace(" down;", ";")
            .trim_end(),
    )
}
