//! Runs, as the events that an executor would emit.

use std::time::Duration;

use zdt::drivers::Failure;
use zdt::exec::{Change, Event, FactSource, Finding, Outcome, Standing};
use zdt::plan::Policy;

/// Every case with its name.
pub fn all() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("done", done()),
        ("rolled-back", rolled_back()),
        ("stuck", stuck()),
        ("planned", planned()),
        ("refused", refused()),
        ("resumed", resumed()),
    ]
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn started(dry: Option<FactSource>) -> Event {
    Event::Started {
        recipe: "upgrade.zdt".into(),
        run: "20260720-093320-4f1c".into(),
        params: vec!["version=0.0.2".into()],
        dry,
    }
}

fn preflight(warnings: Vec<Finding>) -> Event {
    let facts = ["compose 2.40", "engine 28.5", "nginx 1.30", "2 of 2 backends healthy"];
    Event::Preflight {
        facts: facts.map(String::from).to_vec(),
        warnings,
        took: ms(190),
    }
}

fn group(title: &str, depth: usize) -> Event {
    Event::Group {
        title: title.into(),
        depth,
    }
}

pub fn begin(title: &str, depth: usize) -> Event {
    Event::StepStarted {
        id: title.into(),
        title: title.into(),
        depth,
    }
}

pub fn progress(title: &str, line: &str) -> Event {
    Event::Progress {
        id: title.into(),
        line: line.into(),
    }
}

fn step(title: &str, depth: usize, detail: &str, took: u64) -> [Event; 2] {
    let done = Event::StepDone {
        id: title.into(),
        title: title.into(),
        depth,
        detail: detail.into(),
        took: ms(took),
    };
    [begin(title, depth), done]
}

fn failed(title: &str, depth: usize, failure: Failure, place: (&str, &str), took: u64) -> [Event; 2] {
    let failed = Event::StepFailed {
        id: title.into(),
        title: title.into(),
        depth,
        failure,
        place: place.0.into(),
        source_line: place.1.into(),
        took: ms(took),
    };
    [begin(title, depth), failed]
}

fn ended(outcome: Outcome, took: u64) -> Event {
    Event::Ended {
        outcome,
        took: ms(took),
        standing: Vec::new(),
        irreversible: Vec::new(),
        next: Vec::new(),
    }
}

fn one_backend(app: &str, generation: usize) -> Vec<Event> {
    let mut events = vec![group(app, 1)];
    let drained = format!("generation {generation} live · 0 connections left");
    events.extend(step(&format!("drain {app}"), 2, &drained, 1310));
    let title = format!("recreate {app} image=zdt/sample-app:0.0.2");
    events.extend(step(&title, 2, "zdt/sample-app:0.0.1 → 0.0.2", 540));
    events.extend(step(
        &format!("await healthy {app}"),
        2,
        "GET /ping 200 \"…@0.0.2\"",
        1070,
    ));
    let enabled = format!("generation {} live", generation + 1);
    events.extend(step(&format!("enable {app}"), 2, &enabled, 80));
    events
}

pub fn done() -> Vec<Event> {
    let mut events = vec![started(None), preflight(Vec::new()), group("upgrade", 0)];
    events.extend(step("pull zdt/sample-app:0.0.2", 1, "sha256:4f1c…", 61_020));
    events.extend(one_backend("app_1", 7));
    events.extend(one_backend("app_2", 9));
    events.push(ended(Outcome::Done, 67_100));
    events
}

fn rolled_back() -> Vec<Event> {
    let help = "publish it on 127.0.0.1 only, or take the `ports:` entry out of the compose file";
    let warning = Finding {
        code: "Z204".into(),
        message: "port 3001 of `app_2` is published: requests may come past the proxy".into(),
        help: Some(help.into()),
    };
    let mut events = vec![started(None), preflight(vec![warning]), group("upgrade", 0)];
    events.extend(one_backend("app_1", 7));
    events.push(group("app_2", 1));
    events.extend(step("drain app_2", 2, "generation 9 live · 0 connections left", 400));
    let mut failure = Failure::new("`app_2` is not healthy after 60s: GET /ping answers 500 `no database`")
        .help("look at its log: docker logs zerodowntime-app_2-1");
    for line in 1..=24 {
        failure = failure.note(format!("\x1b[31mline {line}\x1b[0m of the log"));
    }
    let stack = "    at Object.<anonymous> (/app/node_modules/some-package/lib/connection.js:117:23) ";
    failure = failure
        .note(stack.repeat(6))
        .note("Error: connect ECONNREFUSED 10.0.0.7:5432");
    let line = "        await healthy $app timeout=60s contains=@$version";
    events.extend(failed(
        "await healthy app_2",
        2,
        failure,
        ("recipes/upgrade.zdt:16", line),
        60_200,
    ));
    events.push(Event::Policy {
        policy: Policy::Rollback,
        reason: None,
    });
    for (app, took) in [("app_2", 900), ("app_1", 2_200)] {
        events.push(Event::Undone {
            title: format!("put back {app}"),
            detail: "zdt/sample-app:0.0.2 → 0.0.1 · healthy · serves".into(),
            took: ms(took),
        });
    }
    events.push(ended(Outcome::RolledBack, 74_300));
    events
}

fn stuck() -> Vec<Event> {
    let mut events = vec![started(None), preflight(Vec::new()), group("upgrade", 0)];
    events.extend(step(
        "exec app_1 bin/rails db:migrate RAILS_ENV=production VERBOSE=true --trace --and-a-rather-long-argument=that-goes-on",
        1,
        "",
        4_000,
    ));
    events.push(Event::Said {
        line: "the database has its new columns".into(),
        warning: false,
    });
    events.push(group("app_1", 1));
    let failure = Failure::new("the engine does not answer: connection refused").note("dial unix /run/docker.sock");
    events.extend(failed(
        "recreate app_1",
        2,
        failure,
        ("upgrade.zdt:9", "recreate app_1 image=shop:2"),
        30,
    ));
    events.push(Event::Policy {
        policy: Policy::Pause,
        reason: Some("irreversible: the database was migrated".into()),
    });
    events.push(Event::UndoFailed {
        title: "put back app_1".into(),
        failure: Failure::new("the engine does not answer: connection refused"),
    });
    let standing = |backend: &str, image: Option<&str>, good: bool| Standing {
        backend: backend.into(),
        image: image.map(String::from),
        stopped: !good && image.is_some(),
        healthy: Some(good),
        enabled: Some(good),
    };
    let registry = "registry.example.org/platform/team/zdt/sample-app:0.0.1";
    events.push(Event::Ended {
        outcome: Outcome::Failed,
        took: ms(5_030),
        standing: vec![standing("app_1", None, false), standing("app_2", Some(registry), true)],
        irreversible: vec!["exec app_1 bin/rails db:migrate (upgrade.zdt:7)".into()],
        next: vec![
            "zdt resume --dir ~/zerodowntime".into(),
            "zdt rollback --dir ~/zerodowntime".into(),
        ],
    });
    events
}

fn planned() -> Vec<Event> {
    let planned = |title: &str, depth, note: &str, changes| Event::Planned {
        id: title.into(),
        title: title.into(),
        depth,
        note: note.into(),
        changes,
    };
    let command = |line: &str| Change::Command { line: line.into() };
    let diff = "\
--- nginx/default.conf
+++ nginx/default.conf
@@ -1,5 +1,5 @@
 upstream app {
-    server 172.28.0.11:3000;
+    server 172.28.0.11:3000 down;
     server 172.28.0.12:3000 max_fails=0;
 }
";
    vec![
        started(Some(FactSource::State)),
        preflight(Vec::new()),
        group("upgrade", 0),
        group("app_1", 1),
        planned(
            "drain app_1",
            2,
            "<address of app_1> is known once it runs",
            vec![
                Change::File {
                    path: "~/zerodowntime/nginx/default.conf".into(),
                    diff: diff.into(),
                },
                command("docker exec zerodowntime-proxy-1 nginx -t -c /etc/nginx/nginx.conf"),
                command("docker exec zerodowntime-proxy-1 nginx -s reload"),
            ],
        ),
        planned("run make assets", 2, "cannot be undone", vec![command("make assets")]),
        planned("enable app_1", 2, "", Vec::new()),
        ended(Outcome::Done, 40),
    ]
}

fn refused() -> Vec<Event> {
    let mut events = vec![started(None), preflight(Vec::new())];
    let failure = Failure::refused("`app_2` is the only healthy backend: without it nobody is served")
        .help("repair `app_1` first, or give `allow=downtime`");
    events.extend(failed("drain app_2", 0, failure, ("<-c>:1", "drain app_2"), 12));
    events.push(Event::Ended {
        outcome: Outcome::Refused,
        took: ms(200),
        standing: Vec::new(),
        irreversible: Vec::new(),
        next: vec!["zdt status --dir ~/zerodowntime".into()],
    });
    events
}

fn resumed() -> Vec<Event> {
    let mut events = vec![started(None), group("upgrade", 0)];
    for title in ["pull zdt/sample-app:0.0.2", "drain app_1"] {
        events.push(Event::Skipped {
            id: title.into(),
            title: title.into(),
            depth: 1,
        });
    }
    let warning =
        "`app_1` was changed while nobody looked: it is settled to one container before anything else happens";
    events.push(Event::Warned { line: warning.into() });
    events.extend(step("recreate app_1", 1, "zdt/sample-app:0.0.1 → 0.0.2", 600));
    events.push(ended(Outcome::Interrupted, 700));
    events
}
