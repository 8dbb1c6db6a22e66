//! The backend that serves dies while the other one is drained. Requests fail, of course; zdt stops at once, puts the
//! healthy one back, and says so.

use crate::common::{Action, Shim};
use crate::ground::{Ground, USUAL, settled};

/// `app_2` is killed right after the first call like `pattern`, in the turn of `app_1`.
fn dies(name: &str, pattern: &str, version: &str) {
    let ground = Ground::new(name);
    let recipe = ground.recipe(&USUAL);
    let victim = ground.sandbox.container("app_2").id;
    // A kill by hand, so that no restart policy brings it back.
    let kill = format!("docker kill {victim}");
    let shim = Shim::new(&ground.sandbox).on(pattern, 1, Action::after(&kill));
    let run = ground.start_behind(&shim, &recipe, version).wait().exits(3);
    let run = run
        .says("`app_2` stopped by itself, and nobody else serves")
        .says("without any backend");
    assert!(!run.stdout.contains("drain app_2"), "it went on: {}", run.stdout);
    ground.sandbox.docker(&["start", &victim]);
    settled(&ground.sandbox, "0.0.1");
    let summary = ground.ends_with_losses("0.0.1");
    assert!(summary.failed > 0, "nothing was broken");
}

#[test]
fn before_the_drained_one_is_replaced() {
    dies("dies-drained", "docker\\ exec*reload", "0.0.2");
}

#[test]
#[ignore = "full matrix"]
fn while_the_new_one_is_awaited() {
    dies("dies-awaited", "docker-compose*\\ up\\ *", "0.0.2-slowboot5");
}
