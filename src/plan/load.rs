//! Follows `include` from the named text to all others. Pure: a closure reads the files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Script, StatementKind, Word};
use crate::syntax::{Source, SourceId, Sources, parse};

/// Includes deeper than this are a mistake.
const DEPTH: usize = 32;
/// All texts together; a recipe of ten thousand lines has half a megabyte.
const TOTAL: usize = 16 << 20;

/// All texts of a recipe, parsed.
#[derive(Debug, Default)]
pub struct Loaded {
    pub sources: Sources,
    /// In source order: `scripts[i]` belongs to `SourceId(i)`.
    pub scripts: Vec<Script>,
    /// Where the texts came from, for those that are files.
    pub paths: Vec<Option<PathBuf>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file as text, or says in one line why not.
pub type Read<'a> = &'a dyn Fn(&Path) -> Result<String, String>;

/// Parses `main` and everything it includes. `extra` files are included before it (`-f`).
pub fn load(main: Source, main_path: Option<PathBuf>, extra: &[PathBuf], read: Read<'_>) -> Loaded {
    let mut loader = Loader {
        loaded: Loaded::default(),
        seen: HashMap::new(),
        total: 0,
        read,
    };
    if let Some(path) = &main_path {
        loader.seen.insert(normal(path), ());
    }
    let id = loader.add(main, main_path);
    for path in extra {
        loader.include(path, &path.display().to_string(), None, 1);
    }
    loader.follow(id, 1);
    loader.loaded
}

struct Loader<'a> {
    loaded: Loaded,
    seen: HashMap<PathBuf, ()>,
    total: usize,
    read: Read<'a>,
}

impl Loader<'_> {
    fn add(&mut self, source: Source, path: Option<PathBuf>) -> SourceId {
        let text = source.text.clone();
        self.total += text.len();
        let id = self.loaded.sources.add(source);
        let (script, diagnostics) = parse(id, &text);
        self.loaded.scripts.push(script);
        self.loaded.paths.push(path);
        self.loaded.diagnostics.extend(diagnostics);
        id
    }

    fn follow(&mut self, id: SourceId, depth: usize) {
        let dir = self.loaded.sources.get(id).dir.clone();
        let parent = self.loaded.sources.get(id).name.clone();
        let words: Vec<Word> = self.loaded.scripts[id.0 as usize]
            .statements
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Include { path } => Some(path.clone()),
                _ => None,
            })
            .collect();
        for word in words {
            match word.literal() {
                Some(path) => {
                    let name = match Path::new(&parent).parent() {
                        Some(folder) if !parent.starts_with(['-', '<']) => folder.join(&path).display().to_string(),
                        _ => path.clone(),
                    };
                    self.include(&dir.join(&path), &name, Some(&word), depth);
                }
                None => self.loaded.diagnostics.push(
                    Diagnostic::error(Code::BAD_INCLUDE, "an included file must be named as it is")
                        .at(word.span, "nothing is looked up here")
                        .help("write the path without `$`"),
                ),
            }
        }
    }

    fn include(&mut self, path: &Path, name: &str, word: Option<&Word>, depth: usize) {
        let path = normal(path);
        if self.seen.insert(path.clone(), ()).is_some() {
            return;
        }
        let refuse = |message: String| {
            let diagnostic = Diagnostic::error(Code::BAD_INCLUDE, message);
            match word {
                Some(word) => diagnostic.at(word.span, ""),
                None => diagnostic,
            }
        };
        if depth > DEPTH {
            let message = format!("includes are nested more than {DEPTH} deep");
            return self.loaded.diagnostics.push(refuse(message));
        }
        match (self.read)(&path) {
            Ok(text) if self.total + text.len() > TOTAL => {
                let message = format!("all included files together are larger than {} MiB", TOTAL >> 20);
                self.loaded.diagnostics.push(refuse(message));
            }
            Ok(text) => {
                let dir = path.parent().map(PathBuf::from).unwrap_or_default();
                let name = name.to_string();
                let id = self.add(Source { name, dir, text }, Some(path));
                self.follow(id, depth + 1);
            }
            Err(why) => self
                .loaded
                .diagnostics
                .push(refuse(format!("cannot read `{name}`: {why}"))),
        }
    }
}

/// `a/./b/../c` as `a/c`, without asking the file system.
pub fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
