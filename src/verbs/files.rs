//! `render`, `copy`, `mkdir`.

use std::path::{Path, PathBuf};

use super::{Containers, Needs, Spec, Stage, Undo, Verb, key};
use crate::drivers::Failure;
use crate::plan::{Args, Text};
use crate::site::template;
use crate::world::FileKind;

pub static RENDER: Spec = Spec {
    name: "render",
    usage: "render TEMPLATE FILE",
    summary: "writes a file from a handlebars template, with the recipe's params as values",
    doc: "Names that are not params are errors. The file is replaced in one step; it comes back in a rollback.",
    keys: &[],
    raw: false,
    parse: |args| {
        let from = args.need("a template and a file: `render TEMPLATE FILE`")?;
        let to = args.need("the file to write: `render TEMPLATE FILE`")?;
        let (from, to) = (place(args, &from), place(args, &to));
        Some(Box::new(Render { from, to }))
    },
};

pub static COPY: Spec = Spec {
    name: "copy",
    usage: "copy FROM TO",
    summary: "copies a file or a folder; keeps what is there",
    doc: "An existing file stays as it is unless `overwrite=true`. Folders are copied with all they hold.",
    keys: &[key("overwrite", "false", "replace files that are there")],
    raw: false,
    parse: |args| {
        let from = args.need("what and where to: `copy FROM TO`")?;
        let to = args.need("where to: `copy FROM TO`")?;
        let overwrite = args.flag("overwrite");
        let (from, to) = (place(args, &from), place(args, &to));
        Some(Box::new(Copy { from, to, overwrite }))
    },
};

pub static MKDIR: Spec = Spec {
    name: "mkdir",
    usage: "mkdir FOLDER…",
    summary: "makes folders, with those above them",
    doc: "One that is there already is left as it is.",
    keys: &[],
    raw: false,
    parse: |args| {
        let folders: Vec<Place> = args.rest().iter().map(|item| place(args, item)).collect();
        if folders.is_empty() {
            args.report(args.error(args.span(), "`mkdir` needs a folder"));
        }
        Some(Box::new(Mkdir { folders }))
    },
};

/// A path whose text may be known only at run time, and the folder it is relative to.
#[derive(Debug)]
struct Place {
    text: Text,
    base: PathBuf,
}

fn place(args: &Args, item: &crate::plan::Item) -> Place {
    Place {
        text: item.text.clone(),
        base: args.scope.sources.dir(item.span).to_path_buf(),
    }
}

impl Place {
    fn now(&self, stage: &Stage) -> PathBuf {
        crate::plan::normal(&self.base.join(stage.text(&self.text)))
    }
}

/// Permission bits of files zdt copies or renders for an application: readable for its containers.
const MODE: u32 = 0o644;

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {what} `{}`: {error}", path.display()))
}

/// Keeps the file as it was, and what it becomes, where a deployment keeps anything at all.
fn keep(stage: &Stage, path: &Path, content: &[u8]) -> Result<(), Failure> {
    match stage.site() {
        Ok(site) => {
            site.keep_file(path)?;
            site.wrote_whole(path, content)
        }
        Err(_) => Ok(()),
    }
}

#[derive(Debug)]
struct Render {
    from: Place,
    to: Place,
}

impl Verb for Render {
    fn title(&self) -> String {
        format!("render {} {}", self.from.text.shown(), self.to.text.shown())
    }

    fn gives(&self) -> Needs {
        Needs {
            compose_file: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::BeforeImage
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let (from, to) = (self.from.now(stage), self.to.now(stage));
        let bytes = stage.world.read(&from).map_err(|error| failed("read", &from, &error))?;
        let values = stage
            .site()
            .map(|site| site.deployment.values.clone())
            .unwrap_or_default();
        let text = template(&from, &String::from_utf8_lossy(&bytes))?.render(&serde_json::Value::Object(values))?;
        if stage.world.read(&to).is_ok_and(|current| current == text.as_bytes()) {
            return Ok("unchanged".to_string());
        }
        keep(stage, &to, text.as_bytes())?;
        stage
            .world
            .write(&to, text.as_bytes(), MODE)
            .map_err(|error| failed("write", &to, &error))?;
        Ok("written".to_string())
    }
}

#[derive(Debug)]
struct Copy {
    from: Place,
    to: Place,
    overwrite: bool,
}

impl Verb for Copy {
    fn title(&self) -> String {
        let overwrite = if self.overwrite { " overwrite=true" } else { "" };
        format!("copy {} {}{overwrite}", self.from.text.shown(), self.to.text.shown())
    }

    fn gives(&self) -> Needs {
        Needs {
            compose_file: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::BeforeImage
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let mut counts = (0, 0);
        self.copy(stage, &self.from.now(stage), &self.to.now(stage), &mut counts, 0)?;
        Ok(match counts {
            (0, 0) => "nothing to copy".to_string(),
            (0, kept) => format!("{} kept as it is", crate::count(kept, "file")),
            (copied, 0) => format!("{} copied", crate::count(copied, "file")),
            (copied, kept) => format!("{} copied, {kept} kept", crate::count(copied, "file")),
        })
    }
}

impl Copy {
    fn copy(
        &self,
        stage: &Stage,
        from: &Path,
        to: &Path,
        counts: &mut (usize, usize),
        depth: usize,
    ) -> Result<(), Failure> {
        let world = stage.world;
        let kind = world.kind(from).map_err(|error| failed("look at", from, &error))?;
        match kind {
            Some(FileKind::Folder) if depth < 32 => {
                world
                    .create_dir_all(to, 0o755)
                    .map_err(|error| failed("create", to, &error))?;
                for name in world.list(from).map_err(|error| failed("list", from, &error))? {
                    self.copy(stage, &from.join(&name), &to.join(&name), counts, depth + 1)?;
                }
                Ok(())
            }
            Some(FileKind::File { mode, .. }) => {
                let there = world.kind(to).map_err(|error| failed("look at", to, &error))?;
                if there.is_some() && !self.overwrite {
                    counts.1 += 1;
                    return Ok(());
                }
                let content = world.read(from).map_err(|error| failed("read", from, &error))?;
                keep(stage, to, &content)?;
                world
                    .write(to, &content, mode & 0o755)
                    .map_err(|error| failed("write", to, &error))?;
                counts.0 += 1;
                Ok(())
            }
            None => Err(Failure::refused(format!("there is no `{}`", from.display()))),
            Some(FileKind::Folder | FileKind::Symlink | FileKind::Other) => Err(Failure::refused(format!(
                "`{}` is neither a file nor a folder of usual depth; links are not followed",
                from.display()
            ))),
        }
    }
}

#[derive(Debug)]
struct Mkdir {
    folders: Vec<Place>,
}

impl Verb for Mkdir {
    fn title(&self) -> String {
        let folders: Vec<String> = self.folders.iter().map(|folder| folder.text.shown()).collect();
        format!("mkdir {}", folders.join(" "))
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        for folder in &self.folders {
            let path = folder.now(stage);
            stage
                .world
                .create_dir_all(&path, 0o755)
                .map_err(|error| failed("create", &path, &error))?;
        }
        Ok(String::new())
    }
}
