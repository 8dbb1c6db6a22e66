//! `resume`, `rollback`, `abandon`: what to do about a run that was not finished, or one that was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::args::{ProjectArgs, RecipeArgs};
use super::recipe::{self, Ready, Told};
use super::run::{Terminal, exit_code, given, head, in_session, nonce, options, started, with_files};
use crate::drivers::Failure;
use crate::exec::journal::{self, Ended, Journal, Past, Record};
use crate::exec::{Mode, OpenStep, Options, Session, recall};
use crate::plan::{Settings, declared_only};
use crate::site::{Before, Good, Resource, State};
use crate::world::real::Real;

/// What a rollback may do that is otherwise refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Users may lose service.
    pub downtime: bool,
    /// What a recipe calls `irreversible` lies on the way.
    pub irreversible: bool,
}

/// What to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Resume(OpenStep),
    Rollback(Allowed),
    /// What a rollback would do.
    WouldGoBack,
    Abandon,
}

pub fn run(args: &ProjectArgs, what: What) -> u8 {
    let world = Real::new();
    let done = find(&world, args).and_then(|dir| match what {
        What::Abandon => abandon(&world, &dir, args),
        What::Resume(open_step) => go_on(&world, &dir, args, Some(open_step), Allowed::default()),
        What::WouldGoBack => would_go_back(&world, &dir),
        What::Rollback(allowed) => go_on(&world, &dir, args, None, allowed),
    });
    done.unwrap_or_else(|Told(code)| code)
}

/// The application's folder: `--dir`, the recipe's, or the nearest with `.zdt` from here upwards.
pub fn find(world: &Real, args: &ProjectArgs) -> Result<PathBuf, Told> {
    let settings = recipe::settings(&args.with, &[]);
    if let Some(dir) = &args.dir {
        let dir = crate::plan::normal(&settings.cwd.join(dir));
        if !dir.join(".zdt").is_dir() {
            eprintln!(
                "zdt: `{}` has no `.zdt`: nothing was deployed from there",
                dir.display()
            );
            return Err(Told(1));
        }
        return Ok(dir);
    }
    if args.recipe.is_none()
        && let Some(dir) = settings.cwd.ancestors().find(|dir| dir.join(".zdt").is_dir())
    {
        return Ok(dir.to_path_buf());
    }
    let named = args
        .recipe
        .clone()
        .or_else(|| super::find::default_recipe(&settings.cwd));
    if named.is_none() {
        eprintln!("zdt: which application? name a recipe, or its folder with --dir");
        return Err(Told(1));
    }
    let plan = declared(world, named.as_deref(), &args.with, &settings)?.plan;
    match plan.deployment {
        Some(deployment) => Ok(deployment.dir()),
        None => {
            eprintln!("zdt: `{}` declares no application (`compose …`)", plan.name);
            Err(Told(1))
        }
    }
}

/// A recipe's declarations and templates, without its tasks.
pub fn declared(world: &Real, named: Option<&str>, with: &RecipeArgs, settings: &Settings) -> Result<Ready, Told> {
    let loaded = recipe::read(world, named, with, &settings.cwd)?;
    let paths = loaded.paths.clone();
    let plan = declared_only(loaded, settings).map_err(|(loaded, diagnostics)| {
        recipe::print(&diagnostics, &loaded.sources, false);
        Told(2)
    })?;
    recipe::with_templates(plan, paths, settings.clone(), &|path| recipe::read_text(world, path))
}

/// What a journal's recipe is planned again for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    GoOn,
    GoBack,
    /// Its declarations only.
    Look,
}

/// The recipe of a journal, planned again from the texts kept there.
pub fn from_journal(past: &Past, with: &RecipeArgs, purpose: Purpose) -> Result<Ready, Told> {
    let whole = purpose != Purpose::Look;
    let Some(head) = &past.head else {
        eprintln!("zdt: the journal has no beginning that can be read");
        return Err(Told(4));
    };
    let given: Vec<&String> = with.set.iter().map(|(name, _)| name).collect();
    let missing: Vec<String> = head
        .secrets
        .iter()
        .filter(|name| !given.contains(name))
        .map(|name| format!("--set {name}=…"))
        .collect();
    if whole && !missing.is_empty() {
        eprintln!(
            "zdt: secrets are not kept on disk; give them again: {}",
            missing.join(" ")
        );
        return Err(Told(1));
    }
    let other = with
        .set
        .iter()
        .find(|one| !head.secrets.contains(&one.0) && !head.set.contains(one));
    if let (true, Some((name, value))) = (whole, other) {
        eprintln!(
            "zdt: `--set {name}={value}` is not what that run was begun with; only its secrets are given again\n\
             help: finish it, undo it or abandon it; then run the recipe with what you want"
        );
        return Err(Told(1));
    }
    if head.sources.is_empty() {
        eprintln!("zdt: the journal holds no recipe");
        return Err(Told(4));
    }
    let mut settings = recipe::settings(with, &head.tasks);
    let mut unset = Vec::new();
    let mut other = recall::other_env(head, &settings);
    if purpose == Purpose::GoBack {
        // What its steps said is over; where and what the application is must be as it was.
        let declared = recall::recall(head, settings.clone(), false);
        other.retain(|name| declared.as_ref().map_or(true, |ready| ready.plan.env.contains(name)));
        for name in head.env.keys() {
            settings.env.entry(name.clone()).or_insert_with(|| {
                unset.push(name.clone());
                String::new()
            });
        }
    }
    if whole && !other.is_empty() {
        eprintln!(
            "zdt: the environment is another than when that run began: {}\nhelp: export it as it was; `zdt abandon` forgets the run",
            other.join(", ")
        );
        return Err(Told(1));
    }
    recall::recall(head, settings, whole).map_err(|unplanned| {
        if !unset.is_empty() {
            let names = unset.join(" and ");
            eprintln!("zdt: that run was planned with {names} in the environment: export it, as it was");
        }
        recipe::print(&unplanned.diagnostics, &unplanned.sources, false);
        Told(2)
    })
}

fn tell(failure: &Failure) -> Told {
    super::print_failure(failure, &[]);
    Told(5)
}

fn unfinished(world: &Real, dir: &Path) -> Result<Option<Past>, Told> {
    journal::unfinished(world, dir).map_err(|failure| tell(&failure))
}

fn go_on(world: &Real, dir: &Path, args: &ProjectArgs, resume: Option<OpenStep>, allowed: Allowed) -> Result<u8, Told> {
    let options = Options {
        allow_downtime: allowed.downtime,
        lock_wait: args.lock_wait,
        open_step: resume.unwrap_or_default(),
        ..options(args.with.compose_command.as_deref())
    };
    if let Err(error) = world.install_signals() {
        eprintln!("zdt: cannot listen to signals: {error}");
        return Err(Told(5));
    }
    // Whoever is at work may end what is read of now.
    drop(crate::exec::lock(world, dir, args.lock_wait).map_err(|failure| tell(&failure))?);
    match unfinished(world, dir)? {
        Some(past) => {
            let purpose = if resume.is_some() {
                Purpose::GoOn
            } else {
                Purpose::GoBack
            };
            let ready = from_journal(&past, &args.with, purpose)?;
            let before = past.head.as_ref().is_some_and(|head| head.allow_downtime);
            let options = Options {
                allow_downtime: allowed.downtime || before,
                ..options
            };
            // Who says `rollback` again after one that was cut off wants it finished, not undone.
            let going_back = past.head.as_ref().is_some_and(|head| head.back_to.is_some());
            if let (None, false, Some(reason)) = (resume, allowed.irreversible, past.irreversible()) {
                return Err(tell(&no_way_back(reason).help(
                    "`zdt resume` goes on; `zdt rollback --allow irreversible` goes back all the same",
                )));
            }
            let mode = match resume.is_some() || going_back {
                true => Mode::Resume(&past),
                false => Mode::Rollback(&past),
            };
            Ok(session(world, &ready, args, &options, mode, resume.is_none()))
        }
        None if resume.is_some() => {
            eprintln!("zdt: there is no unfinished run in `{}`", dir.display());
            Ok(0)
        }
        None => back_to_good(world, dir, args, &options, allowed),
    }
}

fn session(world: &Real, ready: &Ready, args: &ProjectArgs, options: &Options, mode: Mode, back: bool) -> u8 {
    let sink = super::sink(args.log.as_deref(), &ready.plan.secrets, None);
    let (what, params) = headline(ready, &mode, back);
    started(sink.as_ref(), what, params, "");
    let session = Session {
        world,
        plan: &ready.plan,
        templates: &ready.templates,
        options,
        sink: sink.as_ref(),
        console: &Terminal,
        nonce: &nonce,
    };
    exit_code(in_session(world, &session, mode), &ready.plan.secrets)
}

/// What the first line says is done.
fn headline(ready: &Ready, mode: &Mode, back: bool) -> (String, Vec<String>) {
    let name = &ready.plan.name;
    match mode {
        Mode::Fresh(head) => (head.recipe.clone(), Vec::new()),
        Mode::Resume(_) if !back => (format!("resume of {name}"), given(ready)),
        Mode::Resume(_) | Mode::Rollback(_) => (format!("rollback of {name}"), given(ready)),
    }
}

/// The images that a rollback would bring back, for each backend.
fn would_go_back(world: &Real, dir: &Path) -> Result<u8, Told> {
    let state = State::load(world, dir).map_err(|failure| tell(&failure))?;
    let mut images: BTreeMap<String, String> = BTreeMap::new();
    let mut reason = None;
    let past = unfinished(world, dir)?;
    let going = past.as_ref().and_then(|past| past.head.as_ref()?.back_to.clone());
    if let Some(good) = going {
        images.extend(good.images.into_iter().map(|(name, (image, _))| (name, image)));
        say!("it would finish the rollback that was cut off");
    } else if let Some(past) = past {
        for record in &past.records {
            match record {
                Record::Keep {
                    resource: Resource::Backend(name),
                    before: Before::Backend(Some(ran)),
                } => {
                    images.entry(name.clone()).or_insert(ran.image.clone());
                }
                Record::Anew { .. } => images.clear(),
                _ => {}
            }
        }
        reason = past.irreversible().map(str::to_string);
        let recipe = past.head.map(|head| head.recipe).unwrap_or_default();
        say!("it would undo {recipe}, which is not finished");
    } else {
        let Some(good) = earlier(&state) else {
            return Ok(no_earlier_set(dir));
        };
        reason = journal::irreversible_since(world, dir, &good.run).map_err(|failure| tell(&failure))?;
        images.extend(
            good.images
                .iter()
                .filter(|(name, _)| state.backends.contains_key(*name))
                .map(|(name, (image, _))| (name.clone(), image.clone())),
        );
        say!("it would go back to the set of images that ran before");
    }
    let longest = images.keys().map(String::len).max().unwrap_or_default();
    for (name, image) in &images {
        match state.backends.get(name).filter(|known| known.image != *image) {
            Some(known) => say!("  {name:<longest$}  {} → {image}", known.image),
            None => say!("  {name:<longest$}  {image}"),
        }
    }
    if let Some(reason) = reason {
        say!("it would be refused without `--allow irreversible`: {reason}");
    }
    Ok(0)
}

/// The newest set of images that served before and differs from what runs now, in backends that there still are.
fn earlier(state: &State) -> Option<&Good> {
    let now: BTreeMap<&String, &String> = state
        .backends
        .iter()
        .map(|(name, known)| (name, &known.image_id))
        .collect();
    let differs = |good: &&Good| {
        good.images
            .iter()
            .any(|(name, (_, id))| now.get(name).is_some_and(|now| *now != id))
    };
    state.good.iter().rev().find(differs)
}

fn no_way_back(reason: &str) -> Failure {
    Failure::refused(format!("what was done since has no way back: {reason}"))
}

fn no_earlier_set(dir: &Path) -> u8 {
    eprintln!(
        "zdt: there is no earlier set of images to go back to in `{}`",
        dir.display()
    );
    5
}

/// Without an unfinished run: to an earlier set of images.
fn back_to_good(world: &Real, dir: &Path, args: &ProjectArgs, options: &Options, allowed: Allowed) -> Result<u8, Told> {
    let state = State::load(world, dir).map_err(|failure| tell(&failure))?;
    let Some(good) = earlier(&state) else {
        return Ok(no_earlier_set(dir));
    };
    let reason = journal::irreversible_since(world, dir, &good.run).map_err(|failure| tell(&failure))?;
    if let (false, Some(reason)) = (allowed.irreversible, reason) {
        return Err(tell(
            &no_way_back(&reason).help("`zdt rollback --allow irreversible` goes back all the same"),
        ));
    }
    let past = match args.recipe {
        Some(_) => None,
        None => journal::telling(world, dir).map_err(|failure| tell(&failure))?,
    };
    let mut files = Vec::new();
    let ready = match &past {
        Some(past) => from_journal(past, &args.with, Purpose::Look)?,
        None => {
            let settings = recipe::settings(&args.with, &[]);
            files = with_files(&args.with, &settings.cwd);
            declared(world, args.recipe.as_deref(), &args.with, &settings)?
        }
    };
    let mut head = head(world, &ready, options);
    let images: BTreeSet<&str> = good.images.values().map(|(image, _)| image.as_str()).collect();
    head.recipe = format!("rollback to {}", images.into_iter().collect::<Vec<_>>().join(", "));
    head.back_to = Some(good.clone());
    head.files = files;
    if let Some(past) = past.and_then(|past| past.head) {
        (head.set, head.files) = (past.set, past.files);
        head.compose_command = head.compose_command.or(past.compose_command);
    }
    Ok(session(world, &ready, args, options, Mode::Fresh(Box::new(head)), true))
}

fn abandon(world: &Real, dir: &Path, args: &ProjectArgs) -> Result<u8, Told> {
    let _lock = crate::exec::lock(world, dir, args.lock_wait).map_err(|failure| tell(&failure))?;
    let Some(past) = unfinished(world, dir)? else {
        say!("there is no unfinished run in {}", dir.display());
        return Ok(0);
    };
    let journal = Journal::reopen(world, dir, &past, &[], "abandon").map_err(|failure| tell(&failure))?;
    journal.finish(Ended::Abandoned).map_err(|failure| tell(&failure))?;
    say!("abandoned; everything stays as it is (`zdt status` shows how)");
    Ok(0)
}
