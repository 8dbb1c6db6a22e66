//! What `zdt RECIPE --help` prints: the recipe in the words of its own doc comments.

use super::explain::{lines, list};
use super::screen::Screen;
use super::text::clean;
use crate::plan::Param;

/// What there is to say about a recipe.
pub struct RecipeHelp<'a> {
    /// As it was named on the command line.
    pub name: &'a str,
    /// The comment at its top.
    pub doc: Option<&'a str>,
    pub params: &'a [Param],
    /// Names and doc comments, the default task first.
    pub tasks: &'a [(String, Option<String>)],
}

pub fn recipe_help(help: &RecipeHelp, screen: Screen) -> String {
    let style = screen.sheet().style;
    let heading = |text: &str| format!("\n{}\n", style.heading(text));
    let mut out = style.heading(&clean(help.name)) + "\n";
    if let Some(doc) = help.doc {
        let clean: Vec<String> = doc.lines().map(clean).collect();
        out += &lines(&clean.join("\n"), screen);
    }
    out += &heading("usage");
    out += &format!("  {}\n", style.command(&usage(help)));
    if !help.params.is_empty() {
        out += &heading("params");
        let params: Vec<(String, String)> = help.params.iter().map(param).collect();
        out += &list(pairs(&params), screen);
    }
    if !help.tasks.is_empty() {
        out += &heading("tasks");
        let tasks: Vec<(String, String)> = help.tasks.iter().enumerate().map(task).collect();
        out += &list(pairs(&tasks), screen);
    }
    out
}

fn pairs(entries: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    entries.iter().map(|(name, text)| (name.as_str(), text.as_str()))
}

/// The shortest line that could work: what is required stands in it.
fn usage(help: &RecipeHelp) -> String {
    let task = if help.tasks.len() > 1 { " [TASK…]" } else { "" };
    let mut line = format!("zdt {}{task}", clean(help.name));
    for param in help.params.iter().filter(|param| param.value.is_none()) {
        line += &format!(" --set {}=…", param.name);
    }
    if help.params.iter().any(|param| param.value.is_some()) {
        line += " [--set NAME=VALUE]…";
    }
    line + " [--dry-run]"
}

/// What it is for, its type, and what it is when not given; a secret is never shown, not even as a default.
fn param(param: &Param) -> (String, String) {
    let kind = param.kind.name();
    let value = match &param.value {
        None => "required".to_string(),
        Some(_) if param.secret => "with a default".to_string(),
        Some(value) if value.is_empty() => "empty".to_string(),
        Some(value) => format!("default {}", clean(value)),
    };
    let secret = if param.secret { "secret " } else { "" };
    let text = format!("{} ({secret}{kind}, {value})", one_line(param.doc.as_deref()));
    (param.name.clone(), text.trim().to_string())
}

fn task((index, (name, doc)): (usize, &(String, Option<String>))) -> (String, String) {
    let doc = one_line(doc.as_deref());
    let text = match (index, doc.is_empty()) {
        (0, true) => "(the default)".to_string(),
        (0, false) => format!("{doc} (the default)"),
        (_, _) => doc,
    };
    (name.clone(), text)
}

fn one_line(doc: Option<&str>) -> String {
    let lines = doc.unwrap_or_default().lines().map(|line| clean(line.trim()));
    lines.collect::<Vec<_>>().join(" ").trim().to_string()
}
