//! What a dry run shows, in the words of [`crate::deeds`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::deeds::{shown_command, shown_file};

/// The changes of all steps, those of files before the command that follows them.
pub fn planned(events: &[Value]) -> String {
    let mut text = String::new();
    let mut files = BTreeMap::new();
    let steps = events.iter().filter(|event| event["event"] == "planned");
    for change in steps.filter_map(|step| step["changes"].as_array()).flatten() {
        let word = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("no text in {change}"))
                .to_string()
        };
        if let Some(file) = change.get("file") {
            let before = files.insert(word(&file["path"]), word(&file["diff"]));
            assert_eq!(before, None, "a file is written twice between two commands");
            continue;
        }
        let line = word(&change["command"]["line"]);
        // Folders are made by zdt itself; they show when a file is written into them.
        if !line.starts_with("mkdir ") {
            text += &shown(std::mem::take(&mut files));
            text += &shown_command(&line);
        }
    }
    text + &shown(files)
}

fn shown(files: BTreeMap<String, String>) -> String {
    files.iter().map(|(path, diff)| shown_file(path, diff)).collect()
}
