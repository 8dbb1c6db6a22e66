//! Which file an `include` of nginx's main file brings in.

use std::path::Path;

use super::dump::Dump;

/// The main file's text with the include that brings in our file replaced by one line a file,
/// ours by its candidate. `None` when no include does.
pub(super) fn with_candidate(main: &Path, text: &str, inside: &Path, next: &Path, installed: &Dump) -> Option<String> {
    let folder = main.parent()?;
    let mut found = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let pattern = line
            .trim_start()
            .strip_prefix("include")
            .and_then(|rest| rest.trim().split(';').next())
            .map(|pattern| folder.join(pattern.trim().trim_matches(['"', '\''])));
        match pattern {
            Some(pattern) if matches(&pattern, inside) => {
                found = true;
                for (path, _) in installed
                    .files
                    .iter()
                    .filter(|(path, _)| matches(&pattern, path) && path != inside)
                {
                    lines.push(format!("include {};", path.display()));
                }
                lines.push(format!("include {};", next.display()));
            }
            _ => lines.push(line.to_string()),
        }
    }
    found.then(|| lines.join("\n") + "\n")
}

/// Whether a path matches an include pattern with at most one `*` in its last part.
fn matches(pattern: &Path, path: &Path) -> bool {
    if pattern == path {
        return true;
    }
    let (Some(pattern_name), Some(name)) = (pattern.file_name(), path.file_name()) else {
        return false;
    };
    let (pattern_name, name) = (pattern_name.to_string_lossy(), name.to_string_lossy());
    let Some((head, tail)) = pattern_name.split_once('*') else {
        return false;
    };
    pattern.parent() == path.parent()
        && name.len() >= head.len() + tail.len()
        && name.starts_with(head)
        && name.ends_with(tail)
}
