//! `ok/*.zdt` with the tree that must come out (`.tree`), `errors/*.zdt` with everything that must be said (`.txt`).
//! `ZDT_BLESS=1` writes the files anew.

use std::fs;
use std::path::{Path, PathBuf};

use zdt::diagnostic::{RenderStyle, render_all, summary};
use zdt::syntax::{Source, Sources, format, parse};

use crate::dump::dump;

#[test]
fn good_recipes_become_their_trees() {
    each("ok", "tree", |name, text| {
        let mut sources = Sources::default();
        let id = add(&mut sources, name, text);
        let (script, diagnostics) = parse(id, text);
        assert!(
            diagnostics.is_empty(),
            "{name}: {}",
            render_all(&diagnostics, &sources, &style(false))
        );
        dump(&script, &sources)
    });
}

#[test]
fn bad_recipes_get_all_their_errors() {
    each("errors", "txt", |name, text| {
        let mut sources = Sources::default();
        let id = add(&mut sources, name, text);
        let (_, diagnostics) = parse(id, text);
        assert!(!diagnostics.is_empty(), "{name} has no errors");
        format!(
            "{}\n{}\n---\n{}",
            render_all(&diagnostics, &sources, &style(false)),
            summary(&diagnostics),
            render_all(&diagnostics, &sources, &style(true))
        )
    });
}

#[test]
fn recipes_are_laid_out() {
    each("format", "formatted", |name, text| {
        let formatted = format(text).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "{name}: once is enough");
        formatted
    });
}

fn style(short: bool) -> RenderStyle {
    RenderStyle {
        color: false,
        width: 120,
        short,
    }
}

fn add(sources: &mut Sources, name: &str, text: &str) -> zdt::syntax::SourceId {
    sources.add(Source {
        name: name.to_owned(),
        dir: PathBuf::from("/recipes"),
        text: text.to_owned(),
    })
}

fn each(folder: &str, extension: &str, produce: impl Fn(&str, &str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == "zdt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {}", folder.display());
    let mut failures = Vec::new();
    for path in paths {
        let name = path.file_name().expect("a name").to_string_lossy();
        let text = fs::read_to_string(&path).expect("a recipe");
        let actual = produce(&name, &text);
        let golden = path.with_extension(extension);
        if std::env::var_os("ZDT_BLESS").is_some() {
            fs::write(&golden, &actual).expect("the golden file");
            continue;
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if expected != actual {
            let diff = similar::TextDiff::from_lines(&expected, &actual);
            failures.push(format!("{name}:\n{}", diff.unified_diff()));
        }
    }
    assert!(
        failures.is_empty(),
        "{}\nset ZDT_BLESS=1 if the new output is right",
        failures.join("\n")
    );
}
