//! Which recipe is meant when none is named.

use std::path::Path;

/// `deploy.zdt` here or in the nearest folder above, else `recipes/site.zdt` here.
pub fn default_recipe(cwd: &Path) -> Option<String> {
    for (up, folder) in cwd.ancestors().enumerate() {
        if folder.join("deploy.zdt").is_file() {
            return Some(format!("{}deploy.zdt", "../".repeat(up)));
        }
    }
    cwd.join("recipes/site.zdt")
        .is_file()
        .then(|| "recipes/site.zdt".to_string())
}

/// Recipes in this folder and in `recipes/`, sorted.
pub fn recipes(cwd: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "recipes/"] {
        let entries = std::fs::read_dir(cwd.join(folder));
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".zdt") && entry.path().is_file() {
                found.push(format!("{folder}{name}"));
            }
        }
    }
    found.sort();
    found
}

/// What to type where no recipe can be read under this name.
pub fn instead(name: &str, cwd: &Path) -> String {
    let within = recipes(&cwd.join(name));
    if let Some(first) = within.first() {
        return format!("name a recipe in it: `{}/{first}`", name.trim_end_matches('/'));
    }
    if crate::verbs::find(name).is_some() {
        return format!("`{name}` is a verb: `zdt -f RECIPE -c '{name} …'`, and `zdt explain {name}`");
    }
    let found = recipes(cwd);
    let near = crate::near(stem(name), found.iter().map(|path| stem(path)));
    match near.and_then(|near| found.iter().find(|path| stem(path) == near)) {
        Some(path) if path != name => format!("did you mean `{path}`?"),
        _ => "a recipe is a text file (*.zdt); `zdt` alone lists those found here".to_string(),
    }
}

/// The command that a bare word was meant to be, where it names no file and no recipe found here.
pub fn command_meant(word: &str, cwd: &Path) -> Option<String> {
    let is_recipe = || cwd.join(word).exists() || recipes(cwd).iter().any(|path| stem(path) == word);
    if word.contains(['/', '.']) || is_recipe() {
        return None;
    }
    let commands = super::command();
    crate::near(word, commands.get_subcommands().map(clap::Command::get_name)).map(str::to_string)
}

/// `recipes/upgrade.zdt` as `upgrade`.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".zdt").unwrap_or(name)
}
