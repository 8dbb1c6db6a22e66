//! What every case stands on: an application with users, a recipe, and what must hold in the end.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use zdt::probe::Summary;

use crate::common::{Load, Run, Running, Sandbox, Shim, Traffic, await_fact, repository};

/// The application at 0.0.1, and its users.
pub struct Ground {
    pub sandbox: Sandbox,
    traffic: Option<Traffic>,
    _turn: Option<MutexGuard<'static, ()>>,
}

/// One case at a time: two of them measure each other on a small machine.
static TURN: Mutex<()> = Mutex::new(());

/// How an upgrade's steps differ from the shipped recipe.
pub struct Steps {
    pub drain: &'static str,
    pub healthy: &'static str,
    /// Between `recreate` and `await`.
    pub extra: &'static str,
}

pub const USUAL: Steps = Steps {
    drain: "timeout=30s",
    healthy: "timeout=60s contains=@$version",
    extra: "",
};

impl Ground {
    #[track_caller]
    pub fn new(name: &str) -> Ground {
        Self::on(Sandbox::named(name).build())
    }

    /// Provisions a sandbox at 0.0.1 and lets the users in.
    #[track_caller]
    pub fn on(sandbox: Sandbox) -> Ground {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Ground {
            _turn: Some(turn),
            ..Self::beside(sandbox)
        }
    }

    /// The same without waiting for its turn.
    #[track_caller]
    pub fn beside(sandbox: Sandbox) -> Ground {
        sandbox.provision("0.0.1");
        let traffic = Traffic::with(&sandbox, load());
        Ground {
            sandbox,
            traffic: Some(traffic),
            _turn: None,
        }
    }

    /// The shipped upgrade with other words in its steps; gives the recipe's path.
    pub fn recipe(&self, steps: &Steps) -> PathBuf {
        self.recipe_for(&repository().join("recipes/app.zdt"), steps)
    }

    /// The shipped application with another template for its proxy; gives the file to include.
    pub fn app_with_proxy(&self, template: &str) -> PathBuf {
        let template = self.sandbox.write("default.conf.hbs", template);
        let docker = repository().join("docker");
        let app = std::fs::read_to_string(repository().join("recipes/app.zdt")).expect("it is shipped");
        let app = app
            .replace("../docker/nginx/default.conf.hbs", &template.display().to_string())
            .replace("../docker", &docker.display().to_string());
        self.sandbox.write("app.zdt", &app)
    }

    /// The same for an application of the test's own.
    pub fn recipe_for(&self, app: &Path, steps: &Steps) -> PathBuf {
        let text = format!(
            "include {}\nparam version\ntask upgrade {{\n    pull $repo:$version\n    for app in $backends {{\n        \
             drain $app {}\n        recreate $app image=$repo:$version\n        {}\n        \
             await healthy $app {}\n        enable $app\n    }}\n}}\n",
            app.display(),
            steps.drain,
            steps.extra,
            steps.healthy
        );
        self.sandbox.write("recipe.zdt", &text)
    }

    /// The words of an upgrade by that recipe.
    pub fn words(recipe: &Path, version: &str) -> Vec<String> {
        let set = format!("version={version}");
        vec![recipe.display().to_string(), "--set".to_string(), set]
    }

    pub fn start(&self, recipe: &Path, version: &str) -> Running {
        let words = Self::words(recipe, version);
        self.sandbox.start(&refs(&words))
    }

    pub fn start_behind(&self, shim: &Shim, recipe: &Path, version: &str) -> Running {
        let words = Self::words(recipe, version);
        self.sandbox.start_behind(shim, &refs(&words))
    }

    /// `zdt resume|rollback|status --dir …`.
    #[track_caller]
    pub fn project(&self, verb: &str) -> Run {
        self.sandbox.plain(&[verb, "--dir", &self.dir()])
    }

    pub fn dir(&self) -> String {
        self.sandbox.dir.display().to_string()
    }

    /// Requests and failures so far.
    pub fn count(&self) -> (u64, u64) {
        let summary = self.traffic.as_ref().expect("users are there").snapshot();
        (summary.requests, summary.failed)
    }

    /// Waits until every kind of request has been answered once more.
    pub fn await_answers(&self) {
        let traffic = self.traffic.as_ref().expect("users are there");
        let good = || -> Vec<u64> { traffic.snapshot().streams.iter().map(|stream| stream.ok).collect() };
        let before = good();
        await_fact("every kind of request is answered again", || {
            good()
                .iter()
                .zip(&before)
                .all(|(now, before)| now > before)
                .then_some(())
        });
    }

    /// Asserts that nobody lost a request up to now.
    #[track_caller]
    pub fn nothing_lost(&self, when: &str) {
        let summary = self.traffic.as_ref().expect("users are there").snapshot();
        assert_eq!(summary.failed, 0, "{when}\n{}", zdt::probe::report(&summary));
    }

    /// The end of a case: nobody lost anything, and `version` serves everywhere with nothing left over.
    #[track_caller]
    pub fn ends(mut self, version: &str) -> Summary {
        settled(&self.sandbox, version);
        let summary = self.traffic.take().expect("users are there").assert_no_failures();
        said(&summary);
        summary
    }

    /// The same where requests may fail.
    #[track_caller]
    pub fn ends_with_losses(mut self, version: &str) -> Summary {
        settled(&self.sandbox, version);
        let summary = self.traffic.take().expect("users are there").stop();
        said(&summary);
        summary
    }
}

fn said(summary: &Summary) {
    let outage = summary.longest_outage.as_ref().map(|outage| outage.lasted);
    println!(
        "{} requests, {} failed, longest outage {outage:?}",
        summary.requests, summary.failed
    );
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

pub fn load() -> Load {
    Load {
        rate: 110.0,
        posts: 10.0,
        ..Load::default()
    }
}

/// One version everywhere and in traffic, by the engine, the proxy and zdt alike; nothing half made; a finished journal.
#[track_caller]
pub fn settled(sandbox: &Sandbox, version: &str) {
    serves(sandbox, version);
    no_names_left(sandbox);
}

/// The same of a run that was killed while it tidied up: the next one removes the names it put on images.
#[track_caller]
pub fn serves(sandbox: &Sandbox, version: &str) {
    sandbox.assert_version(version);
    sandbox.assert_all_enabled();
    for fact in sandbox.containers() {
        assert_eq!(fact.name, format!("{}-{}-1", sandbox.project, fact.service));
    }
    nothing_left(sandbox);
    let status = sandbox
        .plain(&["status", "--dir", &sandbox.dir.display().to_string()])
        .ok();
    let serving = status
        .stdout
        .lines()
        .filter(|line| line.ends_with("  healthy    serves"));
    assert_eq!(serving.count(), 2, "{}", status.stdout);
    for word in ["drift", "unfinished"] {
        assert!(!status.stdout.contains(word), "{}", status.stdout);
    }
    let last = journal(sandbox).pop().expect("there is a journal");
    assert_eq!(last["record"], "finish", "{last}");
}

/// No candidate and no temporary file.
#[track_caller]
fn nothing_left(sandbox: &Sandbox) {
    let mut folders = vec![sandbox.dir.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("it can be read").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let odd = name.ends_with(".zdt-next") || name.ends_with(".tmp");
            assert!(!odd, "left over: {}", entry.path().display());
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
}

/// Images have names of zdt's own where they are in a set to go back to, and nowhere else.
#[track_caller]
fn no_names_left(sandbox: &Sandbox) {
    let images = sandbox.docker(&["image", "ls", "--no-trunc", "--format", "{{.Repository}} {{.ID}}"]);
    let kept = format!("zdt-keep/{} ", sandbox.project);
    let state: Value = serde_json::from_str(&sandbox.read(".zdt/state.json")).expect("state is JSON");
    let good = state["good"].to_string();
    let odd: Vec<&str> = images
        .lines()
        .filter_map(|line| line.strip_prefix(&kept))
        .filter(|id| !good.contains(id))
        .collect();
    assert!(odd.is_empty(), "kept names of a finished run: {odd:?}");
}

/// The records of the newest journal.
pub fn journal(sandbox: &Sandbox) -> Vec<Value> {
    let path = journals(sandbox).pop().expect("there is a journal");
    let text = std::fs::read_to_string(path).expect("it can be read");
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// All of them, the newest last.
pub fn journals(sandbox: &Sandbox) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(sandbox.dir.join(".zdt/journal")).expect("there are journals");
    let mut paths: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Asserts that requests failed only between two moments, given as lines of milliseconds since 1970; the timeline is as
/// fine as its buckets, and a request that was due in one may have been lost in the next.
#[track_caller]
pub fn lost_within(summary: &Summary, times: &str) {
    let times: Vec<f64> = times.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let [from, to] = times.as_slice() else {
        panic!("two times were expected: {times:?}")
    };
    let started = summary
        .started
        .duration_since(std::time::UNIX_EPOCH)
        .expect("it is after 1970")
        .as_secs_f64();
    let width = f64::from(summary.timeline.seconds);
    for (at, bucket) in summary
        .timeline
        .buckets
        .iter()
        .enumerate()
        .filter(|(_, bucket)| bucket.failed > 0)
    {
        let begins = started + at as f64 * width;
        let inside = begins + 2.0 * width >= from / 1000.0 && begins - width <= to / 1000.0;
        assert!(
            inside,
            "{} requests failed outside of the fault\n{}",
            bucket.failed,
            zdt::probe::report(summary)
        );
    }
}
