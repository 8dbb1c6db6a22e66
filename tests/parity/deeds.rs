//! What a run does to the outside, in its order: commands that change something, and before each the lines of files
//! that changed since the one before. The same text, whether it was seen, simulated or planned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use similar::TextDiff;

/// Files of the application's folder without zdt's own notes, by path.
pub type Files = BTreeMap<PathBuf, String>;

pub struct Deeds {
    known: Files,
    text: String,
}

impl Deeds {
    /// Nothing is done yet, and the files are these.
    pub fn from(files: Files) -> Self {
        Self {
            known: files,
            text: String::new(),
        }
    }

    /// A command that finds the files like this.
    pub fn command(&mut self, line: &str, files: Files) {
        self.files(files);
        self.text += &shown_command(line);
    }

    fn files(&mut self, files: Files) {
        for path in self.known.keys().filter(|path| !files.contains_key(*path)) {
            self.text += &format!("removed {}\n", path.display());
        }
        for (path, new) in &files {
            let old = self.known.get(path).map_or("", String::as_str);
            if old != new {
                self.text += &shown_file(&path.display().to_string(), &difference(old, new));
            }
        }
        self.known = files;
    }

    /// Everything is done, and the files are these.
    pub fn end(mut self, files: Files) -> String {
        self.files(files);
        self.text
    }
}

/// A changed file, as a dry run shows it.
pub fn shown_file(path: &str, difference: &str) -> String {
    format!("{path}\n{difference}")
}

/// A command as typed, without its quotes: the shim sees words only.
pub fn shown_command(line: &str) -> String {
    format!("$ {}\n", line.replace('\'', ""))
}

fn difference(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = diff.unified_diff();
    let hunks = lines.context_radius(2).iter_hunks();
    hunks.map(|hunk| hunk.to_string()).collect()
}

/// Whether it is a file of the application, and not a note of zdt or a candidate that is only checked.
pub fn is_own(dir: &Path, path: &Path) -> bool {
    let Ok(rest) = path.strip_prefix(dir) else {
        return false;
    };
    !rest.starts_with(".zdt") && !path.to_string_lossy().ends_with(".zdt-next")
}
