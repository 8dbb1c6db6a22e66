//! What `zdt explain` prints, and the table of verbs in the README. All of it comes from where codes and verbs are defined.

use super::screen::Screen;
use super::text::{blanks, width, wrap};
use crate::diagnostic::{self, CODES, CodeDoc};
use crate::plan::{DECLARATIONS, Declaration, KeySpec};
use crate::verbs::{self, Spec, VERBS};

/// Prose is set no wider than this: longer lines are hard to read.
const PROSE: usize = 88;

/// The text for a code (`Z101`, or its name) or a verb; `None` when there is no such thing.
pub fn explain(word: &str, screen: Screen) -> Option<String> {
    let named = || CODES.iter().copied().flatten().find(|doc| doc.name == word);
    let declared = DECLARATIONS.iter().find(|one| one.name == word);
    match (verbs::find(word), declared) {
        (Some(spec), _) => Some(verb(spec, screen)),
        (None, Some(one)) => Some(declaration(one, screen)),
        (None, None) => diagnostic::explain(word).or_else(named).map(|doc| code(doc, screen)),
    }
}

/// What `word` may have been meant to be; where nothing is near, and without one, everything that can be explained.
pub fn topics(word: Option<&str>, screen: Screen) -> String {
    let style = screen.sheet().style;
    let mut out = String::new();
    if let Some(word) = word {
        let word = super::text::clean(word);
        let codes = CODES.iter().copied().flatten().map(|doc| doc.code.0);
        let upper = word.to_ascii_uppercase();
        let near = crate::near(&word, verbs::names().chain(DECLARATIONS.iter().map(|one| one.name)))
            .or_else(|| crate::near(&upper, codes));
        match near {
            Some(near) => return format!("`{word}` is not known; did you mean `{near}`?\n"),
            None => out += &format!("`{word}` is not known\n\n"),
        }
    }
    let declared = DECLARATIONS.iter().map(|one| (one.name, one.summary));
    out += &format!("{}\n{}\n", style.heading("declarations"), list(declared, screen));
    let verbs = VERBS.iter().map(|spec| (spec.name, spec.summary));
    out += &format!("{}\n{}", style.heading("verbs"), list(verbs, screen));
    let codes = CODES.iter().copied().flatten();
    let codes = codes.map(|doc| (doc.code.0, doc.summary));
    out += &format!("\n{}\n{}", style.heading("codes"), list(codes, screen));
    out
}

/// The verbs as a table in Markdown.
pub fn verbs_table() -> String {
    let escaped = |text: &str| text.replace('|', "\\|");
    let rows = VERBS.iter().map(|spec| {
        let keys = spec.keys.iter().map(|key| format!("`{}=`", key.name));
        let keys = keys.collect::<Vec<_>>().join(" ");
        format!("| `{}` | {} | {keys} |\n", escaped(spec.usage), escaped(spec.summary))
    });
    "| verb | what it does | keys |\n|---|---|---|\n".to_string() + &rows.collect::<String>()
}

fn code(doc: &CodeDoc, screen: Screen) -> String {
    let title = format!("{} {}", doc.code, doc.name);
    let style = screen.sheet().style;
    let summary = lines(doc.summary, screen);
    format!("{}\n{summary}\n{}", style.heading(&title), lines(doc.doc, screen))
}

fn declaration(one: &Declaration, screen: Screen) -> String {
    let style = screen.sheet().style;
    let summary = lines(one.summary, screen);
    format!(
        "{}\n{summary}\n{}\n{}",
        style.heading(one.usage),
        style.heading("keys"),
        keys(one.keys, screen)
    )
}

fn keys(keys: &[KeySpec], screen: Screen) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("{}={}", key.name, key.default)).collect();
    let docs = keys.iter().map(|key| key.doc);
    list(names.iter().map(String::as_str).zip(docs), screen)
}

fn verb(spec: &Spec, screen: Screen) -> String {
    let style = screen.sheet().style;
    let summary = lines(spec.summary, screen);
    let mut out = format!("{}\n{summary}\n{}", style.heading(spec.usage), lines(spec.doc, screen));
    if spec.keys.is_empty() {
        return out;
    }
    let note = if spec.raw { " (before the first word)" } else { "" };
    out += &format!("\n{}{note}\n", style.heading("keys"));
    out += &keys(spec.keys, screen);
    out
}

/// Names and what they are, in two columns; where there is no room for two, one below the other.
pub(super) fn list<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>, screen: Screen) -> String {
    let entries: Vec<(&str, &str)> = entries.collect();
    let sheet = screen.sheet();
    let total = sheet.room(0).min(PROSE);
    let names = entries.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let beside = names + 4;
    let (at, below) = if beside * 2 > total { (4, true) } else { (beside, false) };
    let mut out = String::new();
    for (name, text) in entries {
        let lines = wrap(text, total.saturating_sub(at));
        let indented = |lines: &[String]| {
            let lines = lines.iter().filter(|line| !line.is_empty());
            lines.map(|line| format!("{}{line}\n", blanks(at))).collect::<String>()
        };
        out += &match below {
            true => format!("  {}\n{}", sheet.style.command(name), indented(&lines)),
            false => {
                let gap = blanks(names - width(name) + 2);
                let first = format!("  {}{gap}{}", sheet.style.command(name), lines[0]);
                format!("{}\n{}", first.trim_end(), indented(&lines[1..]))
            }
        };
    }
    out
}

/// Prose set anew for the screen; what is indented is an example and stays as it is.
pub(super) fn lines(text: &str, screen: Screen) -> String {
    let room = screen.sheet().room(0).min(PROSE);
    let mut out = String::new();
    let mut paragraph = String::new();
    let flush = |paragraph: &mut String, out: &mut String| {
        if !paragraph.is_empty() {
            wrap(paragraph, room)
                .iter()
                .for_each(|line| *out += &format!("{line}\n"));
            paragraph.clear();
        }
    };
    for line in text.trim_end().lines() {
        let starts_anew = line.is_empty() || line.starts_with([' ', '-', '|']);
        if starts_anew {
            flush(&mut paragraph, &mut out);
        }
        if line.is_empty() || line.starts_with([' ', '|']) {
            out += &format!("{line}\n");
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim_end());
        }
    }
    flush(&mut paragraph, &mut out);
    out
}
