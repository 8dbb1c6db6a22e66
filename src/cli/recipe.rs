//! From a named recipe to a plan with its templates, or to messages and an exit code.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::args::RecipeArgs;
use crate::diagnostic::{Diagnostic, RenderStyle, Severity, render_all, summary};
use crate::exec::recall;
pub use crate::exec::recall::Ready;
use crate::plan::{Loaded, Plan, Settings, build, load};
use crate::syntax::{Source, Sources};
use crate::world::Files;
use crate::world::real::Real;

/// Something that ends the command with messages already printed.
pub struct Told(pub u8);

/// The environment and the current folder, read once.
pub fn settings(with: &RecipeArgs, tasks: &[String]) -> Settings {
    Settings {
        set: with.set.clone(),
        tasks: tasks.to_vec(),
        env: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        cwd: std::env::current_dir().unwrap_or_default(),
    }
}

/// Reads a text file for the loader; says in one line why not.
pub fn read_text(world: &Real, path: &Path) -> Result<String, String> {
    let bytes = world.read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_string(),
        _ if path.is_dir() => "it is a folder".to_string(),
        _ => error.to_string().replace(&format!("`{}` is", path.display()), "it is"),
    })?;
    String::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8 text (at byte {})", error.utf8_error().valid_up_to()))
}

/// Reads and parses the recipe and all it includes.
pub fn read(world: &Real, recipe: Option<&str>, with: &RecipeArgs, cwd: &Path) -> Result<Loaded, Told> {
    let absolute = |path: &Path| crate::plan::normal(&cwd.join(path));
    let extra: Vec<PathBuf> = with.files.iter().map(|path| absolute(path)).collect();
    let (source, path) = match (&with.text, recipe) {
        (Some(_), Some(recipe)) => {
            eprintln!("zdt: both -c and the recipe `{recipe}` are given; one of them is run");
            return Err(Told(1));
        }
        (Some(text), None) => (named("-c", cwd, text.clone()), None),
        (None, Some("-")) => {
            let mut text = String::new();
            if let Err(error) = std::io::stdin().lock().take(16 << 20).read_to_string(&mut text) {
                eprintln!("zdt: cannot read the recipe from standard input: {error}");
                return Err(Told(2));
            }
            (named("<stdin>", cwd, text), None)
        }
        (None, Some(recipe)) => {
            let path = absolute(Path::new(recipe));
            match read_text(world, &path) {
                Ok(text) => {
                    let dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
                    let name = recipe.to_string();
                    (Source { name, dir, text }, Some(path))
                }
                Err(why) => {
                    eprintln!("zdt: cannot read the recipe `{recipe}`: {why}");
                    eprintln!("help: {}", super::find::instead(recipe, cwd));
                    return Err(Told(2));
                }
            }
        }
        (None, None) => {
            eprintln!("zdt: no recipe is named");
            return Err(Told(1));
        }
    };
    Ok(load(source, path, &extra, &|path| read_text(world, path)))
}

fn named(name: &str, dir: &Path, text: String) -> Source {
    Source {
        name: name.to_string(),
        dir: dir.to_path_buf(),
        text,
    }
}

/// Plans a recipe and reads its templates; prints what is wrong.
pub fn ready(world: &Real, loaded: Loaded, settings: Settings, short: bool) -> Result<Ready, Told> {
    let paths = loaded.paths.clone();
    let (plan, warnings) = match build(loaded, &settings) {
        Ok(built) => built,
        Err((loaded, diagnostics)) => {
            print(&diagnostics, &loaded.sources, short);
            return Err(Told(2));
        }
    };
    if !warnings.is_empty() {
        print(&warnings, &plan.sources, short);
    }
    with_templates(plan, paths, settings, &|path| read_text(world, path))
}

/// Adds a plan's templates, read by `read`; prints what is wrong with them.
pub fn with_templates(
    plan: Plan,
    paths: Vec<Option<PathBuf>>,
    settings: Settings,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Ready, Told> {
    recall::with_templates(plan, paths, settings, read).map_err(|unplanned| {
        print(&unplanned.diagnostics, &unplanned.sources, false);
        Told(2)
    })
}

/// Prints findings on standard error.
pub fn print(diagnostics: &[Diagnostic], sources: &Sources, short: bool) {
    let stderr = std::io::stderr();
    let style = RenderStyle {
        color: super::color(stderr.is_terminal()),
        width: super::width(),
        short,
    };
    let errors = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    eprint!("{}", render_all(diagnostics, sources, &style));
    if errors && !short {
        eprintln!("{}; nothing was changed", summary(diagnostics));
    }
}
