//! What is documented works: the README's recipes plan, its command lines parse, its links lead somewhere, its table of
//! verbs is the one of this zdt; and every recipe in `recipes/` plans.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zdt::diagnostic::{RenderStyle, render_all};
use zdt::plan::{Plan, Settings, build, load};
use zdt::syntax::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The README's fenced blocks of a language.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let after = readme.split(&fence).skip(1);
    after
        .map(|rest| rest.split("```").next().expect("a fence that ends").to_string())
        .collect()
}

/// Plans a text as if it were a file in `folder`; what is wrong is given as zdt would print it.
fn plan(name: &str, folder: &Path, text: String, set: &[(&str, &str)], tasks: &[&str]) -> Result<Plan, String> {
    let source = Source {
        name: name.to_string(),
        dir: folder.to_path_buf(),
        text,
    };
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let loaded = load(source, Some(folder.join(name)), &[], &read);
    let settings = Settings {
        set: set.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
        tasks: tasks.iter().map(|task| task.to_string()).collect(),
        env: BTreeMap::from([("HOME".to_string(), "/home/someone".to_string())]),
        cwd: folder.to_path_buf(),
    };
    let style = RenderStyle {
        color: false,
        width: 100,
        short: true,
    };
    match build(loaded, &settings) {
        Ok((plan, warnings)) if warnings.is_empty() => Ok(plan),
        Ok((plan, warnings)) => Err(render_all(&warnings, &plan.sources, &style)),
        Err((loaded, diagnostics)) => Err(render_all(&diagnostics, &loaded.sources, &style)),
    }
}

#[test]
fn recipes_of_the_readme_plan() {
    let recipes = blocks(&text("README.md"), "zdt");
    assert!(recipes.len() >= 2, "{} recipes found", recipes.len());
    for recipe in recipes {
        let folder = root().join("recipes");
        let planned = plan("readme.zdt", &folder, recipe.clone(), &[("version", "0.0.2")], &[]);
        let planned = planned.unwrap_or_else(|why| panic!("{why}\n{recipe}"));
        assert!(!planned.steps().is_empty(), "{recipe}");
    }
}

#[test]
fn every_recipe_plans() {
    let mut names: Vec<PathBuf> = std::fs::read_dir(root().join("recipes"))
        .expect("recipes/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zdt"))
        .collect();
    names.sort();
    assert!(names.len() >= 5);
    for path in names {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let recipe = text(&format!("recipes/{name}"));
        let set: &[(&str, &str)] = match recipe.contains("param version") {
            true => &[("version", "0.0.2")],
            false => &[],
        };
        let tasks: Vec<&str> = recipe
            .lines()
            .filter_map(|line| line.strip_prefix("task "))
            .filter_map(|rest| rest.split([' ', '{']).next())
            .collect();
        for task in tasks {
            if let Err(why) = plan(&name, &root().join("recipes"), recipe.clone(), set, &[task]) {
                panic!("task {task} of {why}");
            }
        }
    }
}

/// `ZDT_BLESS=1` writes the table anew.
#[test]
fn the_table_of_verbs_is_current() {
    let readme = text("README.md");
    let (head, rest) = readme.split_once("<!-- verbs").expect("the mark before the table");
    let (note, rest) = rest.split_once("-->\n").expect("the mark's end");
    let (table, tail) = rest.split_once("<!-- /verbs -->").expect("the mark after the table");
    let wanted = zdt::report::verbs_table();
    if std::env::var_os("ZDT_BLESS").is_some() {
        let whole = format!("{head}<!-- verbs{note}-->\n{wanted}<!-- /verbs -->{tail}");
        std::fs::write(root().join("README.md"), whole).expect("README.md is written");
        return;
    }
    assert_eq!(table, wanted, "ZDT_BLESS=1 cargo test --test readme writes it anew");
}

#[test]
fn links_lead_to_files() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        let content = text(document);
        let links = content.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http") && !link.starts_with('#')) {
            assert!(
                root().join(link).exists(),
                "{document} links to {link}, which is not there"
            );
        }
    }
}

/// Command lines: an indented line that begins with `zdt`, or `` `zdt …` `` in a text. Behind two blanks stands a comment.
fn command_lines(document: &str) -> Vec<String> {
    let indented = document.lines().filter_map(|line| line.strip_prefix("    "));
    let shown = indented.filter_map(|line| {
        let line = line
            .strip_prefix("cargo run --release -- ")
            .map_or(line.to_string(), |rest| format!("zdt {rest}"));
        line.starts_with("zdt ")
            .then(|| line.split("   ").next().unwrap_or_default().to_string())
    });
    let inline = document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with("zdt "));
    shown.chain(inline.map(str::to_string)).collect()
}

/// Words as a shell would split them; documents use single quotes only.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_string)),
            _ => words.push(part.to_string()),
        }
    }
    words
}

#[test]
fn command_lines_parse() {
    let lines = command_lines(&text("README.md"));
    assert!(lines.len() >= 12, "{lines:?}");
    for line in lines.iter().filter(|line| !line.contains('…') || line.contains('\'')) {
        if let Err(error) = zdt::cli::command().try_get_matches_from(words(line)) {
            panic!("{line}\n{error}");
        }
    }
}
