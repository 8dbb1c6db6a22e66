//! Programs that do not return: zdt's deadlines hold, it says what it waited for, and goes back.

use std::path::PathBuf;
use std::time::Duration;

use crate::common::{Action, Shim, repository};
use crate::ground::Ground;

/// The shipped upgrade with each backend's turn in a `timeout` block.
pub fn bounded(ground: &Ground, limit: &str) -> PathBuf {
    let app = repository().join("recipes/app.zdt");
    let text = format!(
        "include {}\nparam version\ntask upgrade {{\n    for app in $backends {{\n        timeout {limit} {{\n            \
         drain $app\n            recreate $app image=$repo:$version\n            \
         await healthy $app contains=@$version\n            enable $app\n        }}\n    }}\n}}\n",
        app.display()
    );
    ground.sandbox.write("bounded.zdt", &text)
}

/// A call of the second backend's turn hangs for ever.
fn hangs(name: &str, pattern: &str, n: usize, told: &str) {
    let ground = Ground::new(name);
    let recipe = bounded(&ground, "8s");
    let shim = Shim::new(&ground.sandbox).on(pattern, n, Action::hang());
    let run = ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(3);
    run.says("did not end within").says("and was stopped").says(told);
    ground.ends("0.0.1");
}

/// The engine does not answer a question.
fn is_silent(name: &str, words: &'static str, n: usize) {
    let ground = Ground::new(name);
    let recipe = bounded(&ground, "8s");
    let shim = Shim::new(&ground.sandbox).silent(words, n);
    let run = ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(3);
    run.says("the engine did not answer `GET /").says(words);
    ground.ends("0.0.1");
}

#[test]
fn compose_never_returns() {
    hangs("compose-hangs", "docker-compose*\\ up\\ *", 1, "up -d");
}

#[test]
#[ignore = "full matrix"]
fn compose_never_returns_for_the_second_backend() {
    hangs("compose-hangs-2", "docker-compose*\\ up\\ *", 2, "up -d");
}

#[test]
fn a_question_to_the_engine_never_returns() {
    is_silent("look-hangs", "service%3Dapp_2", 1);
}

#[test]
#[ignore = "full matrix"]
fn the_signal_to_the_proxy_never_returns() {
    hangs("kill-hangs", "docker\\ exec*reload", 1, "-s reload");
}

/// Compose does its work, and does not come back from it.
#[test]
#[ignore = "full matrix"]
fn compose_has_done_its_work_and_never_returns() {
    let ground = Ground::new("done-hangs");
    let recipe = bounded(&ground, "8s");
    let hang = Action::after("while [ -e \"$shim/hang\" ]; do sleep 0.1; done");
    let shim = Shim::new(&ground.sandbox).on("docker-compose*\\ up\\ *", 1, hang);
    ground
        .start_behind(&shim, &recipe, "0.0.2")
        .wait()
        .exits(3)
        .says("did not end within");
    ground.ends("0.0.1");
}

/// The engine says nothing for half a minute, at one call of each step: nothing is called lost that only is late.
#[test]
#[ignore = "full matrix"]
fn the_engine_hangs_for_half_a_minute_at_each_step() {
    let ground = Ground::new("sigstop");
    let recipe = ground.recipe(&crate::ground::USUAL);
    let half = Duration::from_secs(30);
    let late = || Action::before("sleep 30");
    let mut shim = Shim::new(&ground.sandbox)
        .late("/version", 1, half)
        .late("service%3Dapp_1", 2, half);
    for (pattern, n) in [
        ("docker\\ pull*", 1),
        ("docker\\ exec*nginx\\ -T*", 1),
        ("docker\\ exec*reload", 1),
        ("docker-compose*\\ up\\ *", 1),
        ("docker\\ exec*reload", 4),
    ] {
        shim = shim.on(pattern, n, late());
    }
    ground.start_behind(&shim, &recipe, "0.0.2").wait().ok();
    ground.ends("0.0.2");
}
