//! The files in a container, as its nginx sees them: its own layer, its mounts, its image.

use std::path::PathBuf;
use std::sync::Arc;

use super::model::View;
use crate::world::simulated::container::Container;
use crate::world::simulated::engine::Engine;
use crate::world::simulated::files::Tree;
use crate::world::simulated::image::ImageKind;

pub(crate) const MAIN_FILE: &str = "/etc/nginx/nginx.conf";

const MAIN_TEXT: &str = "\
user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;
events {
    worker_connections  1024;
}
http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
";
const TYPES: &str = "types {\n    text/html  html htm shtml;\n}\n";

/// A container's files: its own layer, its mounts, its image.
pub(crate) struct Inside<'a> {
    tree: &'a Tree,
    container: &'a Container,
    nginx: bool,
}

impl<'a> Inside<'a> {
    pub(crate) fn new(tree: &'a Tree, engine: &'a Engine, index: usize) -> Self {
        let container = &engine.containers[index];
        let nginx = matches!(engine.kind(container), Some(ImageKind::Nginx { .. }));
        Self { tree, container, nginx }
    }

    /// The place on the machine that a path in the container is mounted from.
    fn outside(&self, path: &str) -> Option<PathBuf> {
        let mounts = self.container.spec.mounts.iter().filter_map(|mount| {
            let rest = path.strip_prefix(mount.target.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then_some((mount, rest))
        });
        let (mount, rest) = mounts.max_by_key(|(mount, _)| mount.target.len())?;
        Some(format!("{}{rest}", mount.source.trim_end_matches('/')).into())
    }
}

impl View for Inside<'_> {
    fn read(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        if let Some(content) = self.container.layer.get(path) {
            return Some(Arc::clone(content));
        }
        if let Some(outside) = self.outside(path) {
            return self.tree.file(&outside).cloned();
        }
        match path {
            MAIN_FILE if self.nginx => Some(Arc::new(MAIN_TEXT.into())),
            "/etc/nginx/mime.types" if self.nginx => Some(Arc::new(TYPES.into())),
            _ => None,
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let outside = self.outside(folder).and_then(|path| self.tree.names(&path));
        let mut names = outside.unwrap_or_default();
        let own = self
            .container
            .layer
            .keys()
            .filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
        names.extend(own.filter(|rest| !rest.contains('/')).map(str::to_string));
        names.sort();
        names.dedup();
        names
    }
}
