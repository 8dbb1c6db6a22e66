//! Commands that only print: recipes found here, a recipe's help, explanations, completions, the manual page, layout.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::args::{Cli, RunArgs};
use super::recipe::{self, Told};
use crate::report::{RecipeHelp, Screen, recipe_help};
use crate::syntax::ast::StatementKind;
use crate::world::real::Real;

/// Bare `zdt`: what could be run here.
pub fn list() -> u8 {
    let cwd = std::env::current_dir().unwrap_or_default();
    let world = Real::new();
    let found = super::find::recipes(&cwd);
    if found.is_empty() {
        say!("no recipe (*.zdt) here or in recipes/; `zdt --help` shows how zdt is used");
        return 1;
    }
    for name in &found {
        let tasks = recipe::read(&world, Some(name), &Default::default(), &cwd).map(|loaded| tasks(&loaded, true));
        match tasks {
            Ok(tasks) if tasks.is_empty() => say!("{name}  (declares only)"),
            Ok(tasks) => {
                say!("{name}");
                for (task, doc) in tasks {
                    say!(
                        "    {task:<14} {}",
                        doc.unwrap_or_default().lines().next().unwrap_or_default()
                    );
                }
            }
            Err(Told(_)) => say!("{name}  (cannot be read)"),
        }
    }
    say!("\nrun one: zdt RECIPE [TASK…] --set NAME=VALUE; its params: zdt RECIPE --help");
    0
}

/// Tasks with their documentation, the named file's own first.
fn tasks(loaded: &crate::plan::Loaded, own: bool) -> Vec<(String, Option<String>)> {
    let scripts = loaded.scripts.iter().take(if own { 1 } else { usize::MAX });
    let statements = scripts.flat_map(|script| &script.statements);
    statements
        .filter_map(|statement| match &statement.kind {
            StatementKind::Task { name, doc, .. } => Some((name.text.clone(), doc.clone())),
            _ => None,
        })
        .collect()
}

/// `zdt --help`, or a recipe's own.
pub fn help(args: &RunArgs) -> u8 {
    if args.recipe.is_none() && args.with.text.is_none() {
        let _ = Cli::command().print_help();
        return 0;
    }
    let world = Real::new();
    let settings = recipe::settings(&args.with, &[]);
    let loaded = match recipe::read(&world, args.recipe.as_deref(), &args.with, &settings.cwd) {
        Ok(loaded) => loaded,
        Err(Told(code)) => return code,
    };
    let tasks = tasks(&loaded, false);
    let doc = loaded.scripts.first().and_then(|script| script.doc.clone());
    let plan = match crate::plan::declared_only(loaded, &settings) {
        Ok(plan) => plan,
        Err((loaded, diagnostics)) => {
            recipe::print(&diagnostics, &loaded.sources, false);
            return 2;
        }
    };
    let help = RecipeHelp {
        name: &plan.name,
        doc: doc.as_deref(),
        params: &plan.params,
        tasks: &tasks,
    };
    say!("{}", recipe_help(&help, Screen::of_stdout()).trim_end_matches('\n'));
    0
}

pub fn explain(word: Option<&str>) -> u8 {
    let screen = Screen::of_stdout();
    let text = match word {
        None => Some(crate::report::topics(None, screen)),
        Some(word) => crate::report::explain(word, screen),
    };
    match text {
        Some(text) => {
            say!("{}", text.trim_end_matches('\n'));
            0
        }
        None => {
            eprint!("{}", crate::report::topics(word, Screen::of_stderr()));
            1
        }
    }
}

pub fn completions(shell: clap_complete::Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "zdt", &mut script);
    let _ = std::io::stdout().write_all(&script);
    0
}

pub fn man() -> u8 {
    match clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout()) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// `zdt fmt`: lays files out evenly, or tells which are not.
pub fn fmt(files: &[PathBuf], check: bool) -> u8 {
    let world = Real::new();
    let mut code = 0;
    if files.is_empty() {
        eprintln!("zdt: which files? `zdt fmt recipes/*.zdt`");
        return 1;
    }
    for file in files {
        code = code.max(fmt_one(&world, file, check));
    }
    code
}

fn fmt_one(world: &Real, file: &Path, check: bool) -> u8 {
    use crate::world::Files;
    let name = file.display();
    let path = crate::plan::normal(&std::env::current_dir().unwrap_or_default().join(file));
    let text = match recipe::read_text(world, &path) {
        Ok(text) => text,
        Err(why) => {
            eprintln!("zdt: cannot read `{name}`: {why}");
            return 2;
        }
    };
    let laid_out = match crate::syntax::format(&text) {
        Ok(laid_out) => laid_out,
        Err(diagnostics) => {
            let mut sources = crate::syntax::Sources::default();
            sources.add(crate::syntax::Source {
                name: name.to_string(),
                dir: PathBuf::new(),
                text,
            });
            recipe::print(&diagnostics, &sources, false);
            return 2;
        }
    };
    if laid_out == text {
        return 0;
    }
    if check {
        say!("{name}");
        return 1;
    }
    let mode = match world.kind(&path) {
        Ok(Some(crate::world::FileKind::File { mode, .. })) => mode & 0o777,
        _ => 0o644,
    };
    match world.write(&path, laid_out.as_bytes(), mode) {
        Ok(()) => {
            let _ = writeln!(std::io::stdout(), "{name}");
            0
        }
        Err(error) => {
            eprintln!("zdt: cannot write `{name}`: {error}");
            2
        }
    }
}
