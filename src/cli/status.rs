//! `status` and `history`.

use std::cell::OnceCell;
use std::path::Path;
use std::time::Duration;

use super::args::ProjectArgs;
use super::project::{self, from_journal};
use super::recipe::{Ready, Told};
use super::run::{nonce, options};
use crate::drivers::Failure;
use crate::exec::journal::{self, Ended, Past, Record};
use crate::exec::{find_tools, when};
use crate::report::{BackendLine, RunLine, Screen, StatusPage, Traffic, history_page, status_page};
use crate::site::{NothingKept, Site, short_id};
use crate::world::real::Real;

pub fn status(args: &ProjectArgs) -> u8 {
    let world = Real::new();
    let shown = project::find(&world, args).and_then(|dir| {
        let ready = known(&world, &dir, args)?;
        let failed = show(&world, &dir, &ready, args);
        failed.map_err(|failure| {
            super::print_failure(&failure, &ready.plan.secrets);
            Told(5)
        })
    });
    match shown {
        Ok(()) => 0,
        Err(Told(code)) => code,
    }
}

/// The application as the named recipe declares it, else as the newest journal does.
fn known(world: &Real, dir: &Path, args: &ProjectArgs) -> Result<Ready, Told> {
    if args.recipe.is_some() {
        let settings = super::recipe::settings(&args.with, &[]);
        return project::declared(world, args.recipe.as_deref(), &args.with, &settings);
    }
    let newest = journal::telling(world, dir).map_err(|failure| {
        super::print_failure(&failure, &[]);
        Told(5)
    })?;
    match newest {
        Some(past) => from_journal(&past, &args.with, project::Purpose::Look),
        None => {
            eprintln!("zdt: nothing was deployed from `{}` yet", dir.display());
            Err(Told(1))
        }
    }
}

fn show(world: &Real, dir: &Path, ready: &Ready, args: &ProjectArgs) -> Result<(), Failure> {
    let Some(deployment) = &ready.plan.deployment else {
        return Err(Failure::refused("no application is declared"));
    };
    let options = options(args.with.compose_command.as_deref());
    let tools = OnceCell::new();
    let named = deployment.compose.command.as_deref();
    let mut missing = None;
    let tools = tools.get_or_init(|| {
        find_tools(world, &options, named).or_else(|failure| {
            if named.is_none() || options.compose_command.is_some() {
                return Err(failure);
            }
            // The compose of the last run is gone; what there is to see is shown without it, too.
            let found = find_tools(world, &options, None).map_err(|_| failure.clone());
            missing = Some(failure.message);
            found
        })
    });
    let tools = tools.as_ref().map_err(Clone::clone)?;
    let site = Site::open(world, deployment, tools, &ready.templates, None, &NothingKept, &nonce)?;
    let unfinished = journal::unfinished(world, dir)?;
    let page = StatusPage {
        dir: dir.display().to_string(),
        next: unfinished.iter().flat_map(|_| next(dir)).collect(),
        unfinished: unfinished.as_ref().and_then(line_of),
        ..page(&site)
    };
    let page = StatusPage {
        drift: missing.into_iter().chain(page.drift).collect(),
        ..page
    };
    say!("{}", status_page(&page, Screen::of_stdout()).trim_end_matches('\n'));
    Ok(())
}

/// How the application stands, as far as it can be seen.
fn page(site: &Site) -> StatusPage {
    let traffic = site.traffic();
    let leaving = site.leaving_workers();
    // Health is asked through the proxy.
    let asked = traffic.is_ok() || site.deployment.proxy.is_none();
    let on = |name: &str| match traffic.as_ref().ok().and_then(|traffic| traffic.get(name)) {
        Some(true) => Traffic::Serves,
        Some(false) if leaving => Traffic::Draining,
        Some(false) => Traffic::None,
        None => Traffic::Unknown,
    };
    let backends = site.deployment.backends.iter().map(|backend| BackendLine {
        name: backend.name.clone(),
        stopped: site.container(&backend.name).is_ok_and(|found| found.stopped()),
        image: site
            .container(&backend.name)
            .ok()
            .map(|found| (found.image, short_id(&found.image_id).to_string())),
        healthy: asked.then(|| site.is_healthy(&backend.name)),
        traffic: on(&backend.name),
    });
    StatusPage {
        dir: String::new(),
        project: site.project().to_string(),
        backends: backends.collect(),
        proxy: traffic.as_ref().err().map(|failure| failure.message.clone()),
        drift: images(site).chain(site.drift()).collect(),
        unfinished: None,
        next: Vec::new(),
    }
}

/// Backends that run another image than zdt left them at.
fn images<'a>(site: &'a Site) -> impl Iterator<Item = String> + 'a {
    let state = site.state();
    site.deployment.backends.iter().filter_map(move |backend| {
        let known = state.backends.get(&backend.name)?;
        let container = site.container(&backend.name).ok()?;
        let id = short_id(&known.image_id);
        (known.image_id != container.image_id).then(|| format!("zdt left `{}` at {} ({id})", backend.name, known.image))
    })
}

fn next(dir: &Path) -> Vec<String> {
    let at = crate::world::quote(&dir.to_string_lossy());
    let verbs = ["resume", "rollback", "abandon"];
    verbs.iter().map(|verb| format!("zdt {verb} --dir {at}")).collect()
}

fn line_of(past: &Past) -> Option<RunLine> {
    let head = past.head.as_ref()?;
    let touches = |record: &Record| {
        matches!(
            record,
            Record::Keep { .. } | Record::Anew { .. } | Record::Undoing { .. }
        )
    };
    let back = head.back_to.is_some();
    let given = head
        .set
        .iter()
        .filter(|_| !back)
        .map(|(name, value)| format!("{name}={value}"));
    let secrets = head.secrets.iter().map(|name| format!("{name}=•••"));
    Some(RunLine {
        when: when(head.at),
        outcome: past.finished,
        untouched: past.finished == Some(Ended::RolledBack) && !past.records.iter().any(touches),
        took: Duration::from_secs(past.last.saturating_sub(head.at)),
        who: format!("{}@{}", head.user, head.host),
        recipe: head.recipe.clone(),
        params: given.chain(secrets).collect(),
    })
}

pub fn history(args: &ProjectArgs) -> u8 {
    let world = Real::new();
    let listed = project::find(&world, args).and_then(|dir| {
        journal::all(&world, &dir).map_err(|failure| {
            super::print_failure(&failure, &[]);
            Told(5)
        })
    });
    match listed {
        Ok(all) if all.is_empty() => say!("nothing was run here yet"),
        Ok(all) => {
            let runs: Vec<RunLine> = all.iter().rev().filter_map(line_of).collect();
            say!("{}", history_page(&runs, Screen::of_stdout()).trim_end_matches('\n'));
        }
        Err(Told(code)) => return code,
    }
    0
}
