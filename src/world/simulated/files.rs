//! Files in memory, with the manners of real ones: no parent, no file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Simulated;
use super::faults::{Hit, Kind};
use crate::world::{FileKind, Files, Lock};

/// All files and folders of the simulated machine.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
}

#[derive(Debug, Clone)]
enum Node {
    File { content: Arc<Vec<u8>>, mode: u32 },
    Folder,
}

impl Tree {
    /// Puts a file there, whatever folders that takes.
    pub(super) fn plant(&mut self, path: &Path, content: &[u8], mode: u32) {
        if let Some(parent) = path.parent() {
            self.folders(parent);
        }
        let content = Arc::new(content.to_vec());
        self.nodes.insert(path.to_path_buf(), Node::File { content, mode });
    }

    pub(super) fn folders(&mut self, path: &Path) {
        for folder in path.ancestors() {
            self.nodes.entry(folder.to_path_buf()).or_insert(Node::Folder);
        }
    }

    pub(super) fn file(&self, path: &Path) -> Option<&Arc<Vec<u8>>> {
        match self.nodes.get(path) {
            Some(Node::File { content, .. }) => Some(content),
            Some(Node::Folder) | None => None,
        }
    }

    pub(super) fn text(&self, path: &Path) -> Option<String> {
        let content = self.file(path)?;
        Some(String::from_utf8_lossy(content).into_owned())
    }

    /// The names in a folder, sorted; `None` when it is none.
    pub(super) fn names(&self, path: &Path) -> Option<Vec<String>> {
        if !matches!(self.nodes.get(path), Some(Node::Folder)) && path != Path::new("/") {
            return None;
        }
        let below = self.nodes.range(path.to_path_buf()..);
        let below = below.map(|(node, _)| node).skip_while(|node| *node == path);
        let children = below
            .take_while(|node| node.starts_with(path))
            .filter(|node| node.parent() == Some(path));
        let mut names: Vec<String> = children
            .filter_map(|node| Some(node.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        Some(names)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        self.nodes.get(path).map(|node| match node {
            Node::File { content, mode } => FileKind::File {
                mode: *mode,
                len: content.len() as u64,
            },
            Node::Folder => FileKind::Folder,
        })
    }

    fn write(&mut self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.parent(path)?;
        match self.nodes.get(path) {
            Some(Node::Folder) => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Some(Node::File { .. }) | None => {
                self.plant(path, content, mode);
                Ok(())
            }
        }
    }

    fn append(&mut self, path: &Path, more: &[u8]) -> io::Result<()> {
        match self.nodes.get_mut(path) {
            Some(Node::File { content, .. }) => {
                Arc::make_mut(content).extend_from_slice(more);
                Ok(())
            }
            Some(Node::Folder) => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            None => self.write(path, more, 0o600),
        }
    }

    fn parent(&self, path: &Path) -> io::Result<()> {
        match path.parent().map(|parent| (parent, self.nodes.get(parent))) {
            Some((_, Some(Node::Folder))) => Ok(()),
            Some((parent, None)) if parent == Path::new("/") => Ok(()),
            Some((_, Some(Node::File { .. }))) => Err(io::Error::from(io::ErrorKind::NotADirectory)),
            Some((_, None)) | None => Err(missing(path)),
        }
    }
}

fn missing(path: &Path) -> io::Error {
    let text = format!("`{}`: no such file or directory", path.display());
    io::Error::new(io::ErrorKind::NotFound, text)
}

impl Files for Simulated {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.file_call(path, Kind::Read, None, |tree| {
            match (tree.file(path), tree.kind(path)) {
                (Some(content), _) => Ok(content.to_vec()),
                (None, Some(_)) => Err(io::Error::from(io::ErrorKind::IsADirectory)),
                (None, None) => Err(missing(path)),
            }
        })
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.file_call(path, Kind::Write, Some(content), |tree| tree.write(path, content, mode))
    }

    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let torn = |tree: &mut Tree| tree.append(path, &content[..content.len() / 2]);
        self.file_call_torn(
            path,
            Kind::Append,
            Some(content),
            |tree| tree.append(path, content),
            torn,
        )
    }

    fn create_dir_all(&self, path: &Path, _mode: u32) -> io::Result<()> {
        self.file_call(path, Kind::Folder, None, |tree| {
            match path.ancestors().find_map(|path| tree.file(path)) {
                Some(_) => Err(io::Error::from(io::ErrorKind::NotADirectory)),
                None => {
                    tree.folders(path);
                    Ok(())
                }
            }
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.file_call(path, Kind::Remove, None, |tree| {
            if tree.kind(path) == Some(FileKind::Folder) {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            tree.nodes.remove(path);
            Ok(())
        })
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        self.file_call(path, Kind::Read, None, |tree| Ok(tree.kind(path)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.file_call(path, Kind::Read, None, |tree| {
            tree.names(path).ok_or_else(|| missing(path))
        })
    }

    /// Free unless [`Simulated::hold_lock`] says otherwise: when a lock ends cannot be seen here.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        if self.lock().held.contains(path) {
            return Ok(None);
        }
        self.file_call(path, Kind::Read, None, |tree| tree.append(path, b""))?;
        Ok(Some(Lock { file: None }))
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        let free = self.lock().settings.free_space;
        self.file_call(path, Kind::Read, None, |_| Ok(free))
    }
}

impl Simulated {
    fn file_call<T>(
        &self,
        path: &Path,
        kind: Kind,
        content: Option<&[u8]>,
        work: impl Fn(&mut Tree) -> io::Result<T>,
    ) -> io::Result<T> {
        self.file_call_torn(path, kind, content, &work, &work)
    }

    fn file_call_torn<T>(
        &self,
        path: &Path,
        kind: Kind,
        content: Option<&[u8]>,
        work: impl Fn(&mut Tree) -> io::Result<T>,
        torn: impl Fn(&mut Tree) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.lock();
        let hit = state.call(kind, || path.display().to_string(), content);
        match hit {
            Hit::None | Hit::Interrupt => work(&mut state.files),
            Hit::Error | Hit::Hang => Err(io::Error::other("simulated fault")),
            Hit::ErrorAfter => {
                work(&mut state.files)?;
                Err(io::Error::other("simulated fault, after the work was done"))
            }
            Hit::Crash { events, torn: half } => {
                if half {
                    let _ = torn(&mut state.files);
                } else if events > 0 {
                    let _ = work(&mut state.files);
                }
                state.faults.die();
                drop(state);
                self.crash();
                Err(io::Error::other("crashed"))
            }
        }
    }
}
