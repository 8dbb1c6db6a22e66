//! What ARCHITECTURE.md says about the sources holds: which way imports point, who prints, who starts processes, how
//! long a file may be. The sources are read as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LONGEST: usize = 400;

/// Stage, and the stages it may import.
const ALLOWED: &[(&str, &[&str])] = &[
    ("syntax", &["diagnostic"]),
    ("diagnostic", &["syntax"]),
    ("template", &[]),
    ("tcp", &[]),
    ("world", &["tcp"]),
    ("plan", &["syntax", "diagnostic", "verbs"]),
    ("drivers", &["world", "diagnostic"]),
    ("site", &["plan", "template", "drivers", "world", "diagnostic"]),
    ("verbs", &["plan", "site", "drivers", "world"]),
    (
        "exec",
        &["plan", "verbs", "site", "drivers", "world", "syntax", "diagnostic"],
    ),
    ("probe", &["report", "tcp"]),
    ("report", &["exec", "plan", "verbs", "drivers", "diagnostic", "probe"]),
];

struct File {
    /// `exec/journal.rs`
    name: String,
    /// Without unit tests and comments.
    code: String,
    lines: usize,
}

fn files() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
                let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                files.push(File {
                    name: path
                        .strip_prefix(&src)
                        .expect("below src")
                        .to_string_lossy()
                        .into_owned(),
                    code: code.map(|line| format!("{line}\n")).collect(),
                    lines: text.lines().count(),
                });
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(files.len() > 100, "the sources were not found");
    files
}

impl File {
    fn stage(&self) -> &str {
        let first = self.name.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The stages that `crate::…` paths in it name.
    fn imports(&self) -> BTreeSet<String> {
        let paths = self.code.split("crate::").skip(1);
        let names = paths.map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect::<String>()
        });
        names.filter(|name| !name.is_empty() && name != self.stage()).collect()
    }
}

fn fail_with(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn imports_point_one_way() {
    let mut found = Vec::new();
    for file in files() {
        let Some((stage, allowed)) = ALLOWED.iter().find(|(stage, _)| *stage == file.stage()) else {
            continue;
        };
        for import in file.imports() {
            // Small helpers of the crate itself (`crate::near`, `crate::count`) are nobody's.
            let helper = matches!(import.as_str(), "near" | "count");
            if !helper && !allowed.contains(&import.as_str()) {
                found.push(format!("src/{} imports {import}, and {stage} may not", file.name));
            }
        }
    }
    fail_with(found);
}

#[test]
fn a_path_never_opens_several_stages_at_once() {
    // `use crate::{a, b}` would hide imports from the test above.
    let hidden = files().into_iter().filter(|file| file.code.contains("crate::{"));
    fail_with(
        hidden
            .map(|file| format!("src/{} has `crate::{{`", file.name))
            .collect(),
    );
}

#[test]
fn one_layer_prints() {
    let printing = ["print!", "println!", "eprint!", "eprintln!", "stdout()", "stderr()"];
    let may = |name: &str| name.starts_with("report/") || name.starts_with("cli/") || name == "probe/command.rs";
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !may(&file.name)) {
        for word in printing.iter().filter(|word| file.code.contains(**word)) {
            found.push(format!("src/{} has `{word}`", file.name));
        }
    }
    fail_with(found);
}

#[test]
fn one_place_starts_processes() {
    let starting = ["process::Command", "subprocess::", "Exec::cmd"];
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !file.name.starts_with("world/real/")) {
        for word in starting.iter().filter(|word| file.code.contains(**word)) {
            found.push(format!("src/{} has `{word}`", file.name));
        }
    }
    fail_with(found);
}

#[test]
fn files_are_short() {
    let long = files().into_iter().filter(|file| file.lines > LONGEST);
    fail_with(
        long.map(|file| format!("src/{} has {} lines, {LONGEST} is the most", file.name, file.lines))
            .collect(),
    );
}

#[test]
fn the_architecture_names_every_folder() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let stages: BTreeSet<String> = files().iter().map(|file| file.stage().to_string()).collect();
    let missing = stages
        .into_iter()
        .filter(|stage| !matches!(stage.as_str(), "lib" | "main") && !text.contains(&format!("| `{stage}` |")));
    fail_with(
        missing
            .map(|stage| format!("ARCHITECTURE.md does not tell of `{stage}`"))
            .collect(),
    );
}
