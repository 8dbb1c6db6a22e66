//! Two upgrades of one application at the same time: one wins.

use std::path::{Path, PathBuf};

use crate::common::{Action, Running, Shim};
use crate::ground::{Ground, USUAL, journal};

#[test]
fn started_at_the_same_moment() {
    let ground = Ground::new("pair");
    let recipe = ground.recipe(&USUAL);
    let runs = [ground.start(&recipe, "0.0.2"), ground.start(&recipe, "0.0.2")];
    let pids = runs.each_ref().map(|run| run.pid());
    let [first, second] = runs.map(|run| run.wait());
    let (winner, loser) = match (first.code, second.code) {
        (Some(0), Some(5)) => (pids[0], second),
        (Some(5), Some(0)) => (pids[1], first),
        codes => panic!("{codes:?}\n{}\n{}", first.stdout, second.stdout),
    };
    loser.says("another run is at work here").says(&format!("pid {winner}"));
    ground.ends("0.0.2");
}

/// A run to the next version that stands in the middle of its work until the gate, a file, is gone.
fn held(ground: &Ground, recipe: &Path) -> (Running, PathBuf, Shim) {
    let gate = ground.sandbox.write("gate", "");
    let held = format!("while [ -e '{}' ]; do sleep 0.05; done", gate.display());
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, Action::before(&held));
    let mut run = ground.start_behind(&shim, recipe, "0.0.2");
    run.await_text("drain app_1");
    (run, gate, shim)
}

#[test]
fn a_later_one_is_refused_at_once_or_waits() {
    let ground = Ground::new("later");
    let recipe = ground.recipe(&USUAL);
    let (mut first, gate, _shim) = held(&ground, &recipe);
    let refused = ground.start(&recipe, "0.0.10").wait().exits(5);
    refused
        .says("another run is at work here")
        .says(&format!("pid {}", first.pid()));
    for verb in ["resume", "rollback", "abandon"] {
        ground.project(verb).exits(5).says(&format!("pid {}", first.pid()));
    }
    assert!(!first.has_ended());
    let mut words = Ground::words(&recipe, "0.0.10");
    words.extend(["--lock-wait".to_string(), "120s".to_string()]);
    let waiting = ground
        .sandbox
        .start(&words.iter().map(String::as_str).collect::<Vec<_>>());
    std::fs::remove_file(&gate).expect("it is there");
    first.wait().ok();
    waiting.wait().ok();
    assert_eq!(journal(&ground.sandbox).pop().expect("a journal")["outcome"], "done");
    ground.ends("0.0.10");
}

/// Who waits with a rollback goes back from where the run before it has ended, not from where it stood when he came.
#[test]
fn a_rollback_that_waits_sees_how_the_run_ended() {
    let ground = Ground::new("waits-back");
    let recipe = ground.recipe(&USUAL);
    let (first, gate, _shim) = held(&ground, &recipe);
    let dir = ground.dir();
    let waiting = ground
        .sandbox
        .start(&["rollback", "--dir", &dir, "--lock-wait", "120s"]);
    std::fs::remove_file(&gate).expect("it is there");
    first.wait().ok();
    waiting.wait().ok();
    // The version that was left is not gone back to.
    ground.project("rollback").exits(5).says("no earlier set of images");
    ground.ends("0.0.1");
}
