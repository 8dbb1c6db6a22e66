//! Whole outputs compared with files; `ZDT_GOLDEN=1` writes them anew.

use std::fs;
use std::path::Path;

use super::{Sandbox, repository};

/// Compares a text with `tests/<path>`.
#[track_caller]
pub fn golden(path: &str, text: &str) {
    let file = repository().join("tests").join(path);
    if std::env::var_os("ZDT_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).expect("a folder can be made");
        fs::write(&file, text).expect("a file can be written");
        return;
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default();
    if wanted != text {
        let diff = similar::TextDiff::from_lines(wanted.as_str(), text);
        panic!("{} differs:\n{}", file.display(), diff.unified_diff());
    }
}

/// The text with this sandbox's own folder, project and port as `DIR`, `PROJECT`, `PORT`; the repository as `REPO`.
pub fn normal(sandbox: &Sandbox, text: &str) -> String {
    let pairs = [
        (sandbox.dir.display().to_string(), "DIR"),
        (sandbox.home().display().to_string(), "HOME"),
        (sandbox.project.clone(), "PROJECT"),
        (repository().display().to_string(), "REPO"),
        (sandbox.port.to_string(), "PORT"),
    ];
    pairs
        .iter()
        .fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}
