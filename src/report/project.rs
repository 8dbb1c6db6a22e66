//! What `zdt status` and `zdt history` print: how an application stands, and what was done to it.

use std::time::Duration;

use super::blocks::{HEALTH, health, labelled};
use super::screen::{Screen, Sheet};
use super::text::{BETWEEN, blanks, clean, cut_front, pad, seconds, width, wrap};
use crate::exec::journal::Ended;

/// How an application stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPage {
    pub dir: String,
    pub project: String,
    pub backends: Vec<Backend>,
    /// Why the proxy could not be asked.
    pub proxy: Option<String>,
    /// Where it differs from what zdt left, a sentence each.
    pub drift: Vec<String>,
    pub unfinished: Option<RunLine>,
    /// Lines to type about that one.
    pub next: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    pub name: String,
    /// Its name and short id; `None`: no container.
    pub image: Option<(String, String)>,
    /// Its container is there and does not run.
    pub stopped: bool,
    /// `None`: nobody could be asked.
    pub healthy: Option<bool>,
    pub traffic: Traffic,
}

/// Whether users reach a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Serves,
    /// It gets nothing new; old requests may still be answered.
    Draining,
    None,
    Unknown,
}

/// One run, as `history` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    pub when: String,
    /// `None`: it is not finished.
    pub outcome: Option<Ended>,
    /// It failed before it touched anything, so there was nothing to roll back.
    pub untouched: bool,
    pub took: Duration,
    /// `user@host`
    pub who: String,
    pub recipe: String,
    /// `name=value`
    pub params: Vec<String>,
}

/// Below so many columns for the image its id is left out.
const IMAGE: usize = 20;
const ID: usize = 12;
const TRAFFIC: usize = "draining".len();

pub fn status_page(page: &StatusPage, screen: Screen) -> String {
    let sheet = screen.sheet();
    let style = sheet.style;
    let project = format!("project {}", clean(&page.project));
    let dir = cut_front(&clean(&page.dir), sheet.room(2 + width(&project)));
    let mut out = format!("{}  {project}\n", style.heading(&dir));
    out += &table(&page.backends, sheet);
    for line in page.proxy.iter() {
        out += &labelled("proxy:", line, 2, sheet);
    }
    for line in &page.drift {
        out += &labelled("drift:", line, 2, sheet);
    }
    if let Some(run) = &page.unfinished {
        let facts = [&[run.when.clone(), run.who.clone()][..], &what(run)].concat();
        out += &labelled("unfinished:", &facts.join(BETWEEN), 2, sheet);
    }
    // Never wrapped: they are there to be copied.
    for line in &page.next {
        out += &format!("    {}\n", style.command(&clean(line)));
    }
    out
}

fn table(backends: &[Backend], sheet: Sheet) -> String {
    let style = sheet.style;
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = longest(&mut backends.iter().map(|one| width(&one.name))).max("backend".len());
    let others = 2 + names + 2 + 2 + HEALTH + 2 + TRAFFIC;
    let ids = sheet.room(others + 2 + ID) >= IMAGE;
    let room = sheet.room(others + if ids { 2 + ID } else { 0 });
    let image = |one: &Backend| {
        let name = one.image.as_ref().map_or("no container", |(name, _)| name.as_str());
        cut_front(&clean(name), room)
    };
    let images = longest(&mut backends.iter().map(|one| width(&image(one)))).max("image".len());
    let id = |text: &str| match ids {
        true => format!("{}  ", pad(text, ID)),
        false => String::new(),
    };
    let head = format!(
        "  {}  {}  {}{}  traffic",
        pad("backend", names),
        pad("image", images),
        id("id"),
        pad("health", HEALTH)
    );
    let mut out = style.dim(&head) + "\n";
    for one in backends {
        let health = health(one.healthy, one.image.is_some(), one.stopped, sheet);
        let traffic = match one.traffic {
            Traffic::Serves => style.done("serves"),
            Traffic::Draining => style.warning("draining"),
            Traffic::None => style.warning("none"),
            Traffic::Unknown => style.warning("unknown"),
        };
        let known = one.image.as_ref().map_or("", |(_, id)| id.as_str());
        out += &format!(
            "  {}  {}  {}{health}  {traffic}\n",
            pad(&clean(&one.name), names),
            pad(&image(one), images),
            style.dim(&id(known)),
        );
    }
    out
}

/// One run a line, the newest first as they are given; where a line would not fit, what was run stands below.
pub fn history_page(runs: &[RunLine], screen: Screen) -> String {
    let sheet = screen.sheet();
    runs.iter().map(|run| line(run, sheet)).collect()
}

fn line(run: &RunLine, sheet: Sheet) -> String {
    let style = sheet.style;
    let word = pad(outcome(run), "interrupted".len());
    let took = pad(&seconds(run.took.as_secs()), 6);
    let painted = match run.outcome {
        Some(Ended::Done) => style.done(&word),
        Some(Ended::RolledBack | Ended::Refused | Ended::Interrupted | Ended::Abandoned) | None => style.warning(&word),
        Some(Ended::Failed) => style.failed(&word),
    };
    let head = format!("{}  {painted}  {took}  {}", style.dim(&run.when), clean(&run.who));
    let plain = width(&run.when) + 2 + width(&word) + 2 + width(&took) + 2 + width(&run.who);
    let mut what = what(run);
    if run.untouched {
        what.push("(nothing was changed)".to_string());
    }
    let what = what.join("  ");
    match plain + 2 + width(&what) <= sheet.room(0) {
        true => format!("{head}  {what}\n"),
        false => {
            let below = wrap(&what, sheet.room(2));
            let below = below.iter().map(|line| format!("{}{}\n", blanks(2), line.trim_end()));
            format!("{head}\n{}", below.collect::<String>())
        }
    }
}

/// The recipe, and what it was given.
fn what(run: &RunLine) -> Vec<String> {
    let params = run
        .params
        .iter()
        .map(|param| clean(param))
        .collect::<Vec<_>>()
        .join(" ");
    let all = [clean(&run.recipe), params];
    all.into_iter().filter(|text| !text.is_empty()).collect()
}

fn outcome(run: &RunLine) -> &'static str {
    match run.outcome {
        Some(Ended::Done) => "done",
        Some(Ended::RolledBack) if run.untouched => "failed",
        Some(Ended::RolledBack) => "rolled back",
        Some(Ended::Failed) => "failed",
        Some(Ended::Refused) => "refused",
        Some(Ended::Interrupted) => "interrupted",
        Some(Ended::Abandoned) => "abandoned",
        None => "unfinished",
    }
}
