//! Journals read back.

use std::path::{Path, PathBuf};

use super::folder;
use super::record::{Ended, Head, Record};
use crate::drivers::Failure;
use crate::world::World;

/// What reading a journal gives.
#[derive(Debug, Clone, Default)]
pub struct Past {
    pub head: Option<Head>,
    pub records: Vec<Record>,
    pub finished: Option<Ended>,
    /// Seconds since 1970 of the last record that has a time.
    pub last: u64,
    /// Its last line was cut.
    pub torn: bool,
}

impl Past {
    /// Why there is no way back, if the recipe has said so.
    pub fn irreversible(&self) -> Option<&str> {
        self.records.iter().find_map(|record| match record {
            Record::Irreversible { reason } => Some(reason.as_str()),
            _ => None,
        })
    }
}

/// Reads a journal; a line that was cut by a crash or a full disk is left out.
pub fn read(world: &dyn World, path: &Path) -> Result<Past, Failure> {
    let bytes = world
        .read(path)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    let mut past = Past {
        torn: bytes.last().is_some_and(|byte| *byte != b'\n'),
        ..Past::default()
    };
    for line in String::from_utf8_lossy(&bytes).lines() {
        let Ok(record) = serde_json::from_str::<Record>(line) else {
            continue;
        };
        match &record {
            Record::Run(head) => {
                past.last = head.at;
                past.head = Some((**head).clone());
            }
            Record::Begin { at, .. }
            | Record::End { at, .. }
            | Record::TakenOver { at, .. }
            | Record::Anew { at }
            | Record::Undoing { at } => past.last = *at,
            Record::Finish { at, outcome } => {
                past.last = *at;
                past.finished = Some(*outcome);
            }
            Record::Output { .. }
            | Record::Keep { .. }
            | Record::Wrote { .. }
            | Record::PutBack { .. }
            | Record::Irreversible { .. } => {}
        }
        past.records.push(record);
    }
    Ok(past)
}

/// Paths of all journals of a deployment, oldest first: their names begin with the time.
fn paths(world: &dyn World, dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = folder(dir);
    match world.list(&folder) {
        Ok(names) => Ok(names
            .iter()
            .filter(|name| name.ends_with(".jsonl"))
            .map(|name| folder.join(name))
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::new(format!("cannot list `{}`: {error}", folder.display()))),
    }
}

/// The runs of a deployment, read one by one, the newest first. A file without a head is none: its first write failed.
/// One that has all the rest is damaged, and may be of a run that is not finished.
fn runs(world: &dyn World, dir: &Path) -> Result<impl Iterator<Item = Result<Past, Failure>>, Failure> {
    let files = paths(world, dir)?.into_iter().rev();
    Ok(files.filter_map(move |path| match read(world, &path) {
        Ok(past) if past.head.is_some() => Some(Ok(past)),
        Ok(past) if past.records.is_empty() || past.finished.is_some() => None,
        Ok(_) => Some(Err(Failure::refused(format!(
            "the first line of `{}` is damaged, so what that run did cannot be known",
            path.display()
        ))
        .help(
            "see what runs (`docker compose ps`), put it right by hand, and move that file away",
        ))),
        Err(failure) => Some(Err(failure)),
    }))
}

/// All runs of a deployment, oldest first.
pub fn all(world: &dyn World, dir: &Path) -> Result<Vec<Past>, Failure> {
    let mut all: Vec<Past> = runs(world, dir)?.collect::<Result<_, _>>()?;
    all.reverse();
    Ok(all)
}

/// The newest run of a deployment.
pub fn newest(world: &dyn World, dir: &Path) -> Result<Option<Past>, Failure> {
    runs(world, dir)?.next().transpose()
}

/// The newest run that tells how the application is declared: not one that was refused, nor a rollback by command (it
/// repeats another's declarations) that came to nothing.
pub fn telling(world: &dyn World, dir: &Path) -> Result<Option<Past>, Failure> {
    let tells = |past: &Past| match past.finished {
        None | Some(Ended::Done) => true,
        Some(Ended::Refused) => false,
        Some(_) => past.head.as_ref().is_some_and(|head| head.back_to.is_none()),
    };
    match runs(world, dir)?.find(|past| past.as_ref().map_or(true, tells)) {
        Some(past) => past.map(Some),
        None => newest(world, dir),
    }
}

/// What a recipe has called irreversible since a run ended, or since one began (`before ID`).
pub fn irreversible_since(world: &dyn World, dir: &Path, run: &str) -> Result<Option<String>, Failure> {
    let (id, its_own) = match run.strip_prefix("before ") {
        Some(id) => (id, true),
        None => (run, false),
    };
    for past in runs(world, dir)? {
        let past = past?;
        let last = past.head.as_ref().is_some_and(|head| head.id == id);
        if last && !its_own {
            return Ok(None);
        }
        // Where it was undone all the same, the older version has served since.
        if let Some(reason) = past.irreversible().filter(|_| past.finished != Some(Ended::RolledBack)) {
            return Ok(Some(reason.to_string()));
        }
        if last {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The newest run that was begun and not finished. A run that began after it hides it from nobody.
pub fn unfinished(world: &dyn World, dir: &Path) -> Result<Option<Past>, Failure> {
    let open = |past: &Past| past.finished.is_none();
    runs(world, dir)?
        .find(|past| past.as_ref().map_or(true, open))
        .transpose()
}
