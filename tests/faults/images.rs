//! The new image is ill: the old version comes back, nobody loses a request, and the reason is told.

use crate::ground::{Ground, Steps};

/// Short, because an image that never gets well is waited for to the end.
const SHORT: Steps = Steps {
    drain: "timeout=30s",
    healthy: "timeout=5s contains=@0.0.3",
    extra: "",
};

/// What its version says of an ill image is told; then all is as before.
fn ill(name: &str, version: &str, steps: &Steps, told: &[&str]) {
    let ground = Ground::new(name);
    let recipe = ground.recipe(steps);
    let mut run = ground.start(&recipe, version).wait().exits(3);
    for text in told {
        run = run.says(text);
    }
    ground.ends("0.0.1");
}

#[test]
fn dies_at_start() {
    ill(
        "dies",
        "0.0.3-dies",
        &SHORT,
        &["exit code 3", "last lines of", "unknown schema"],
    );
}

#[test]
#[ignore = "full matrix"]
fn never_healthy() {
    ill("never", "0.0.3-never", &SHORT, &["answers 503", "last lines of"]);
}

#[test]
fn falls_ill_after_three_seconds() {
    let steps = Steps {
        healthy: "timeout=10s for=5s contains=@0.0.3",
        ..SHORT
    };
    ill("sick", "0.0.3-sick", &steps, &["answers 500", "last lines of"]);
}

#[test]
#[ignore = "full matrix"]
fn another_version_than_it_says() {
    let steps = Steps {
        healthy: "timeout=3s contains=@$version",
        ..SHORT
    };
    ill("wrong", "0.0.3-wrong", &steps, &["without `@0.0.3-wrong`"]);
}

#[test]
#[ignore = "full matrix"]
fn its_health_endpoint_hangs() {
    ill("hangs", "0.0.3-hangs", &SHORT, &["GET /ping"]);
}

#[test]
#[ignore = "full matrix"]
fn does_not_exist() {
    let ground = Ground::new("missing");
    let before = ground.sandbox.snapshot();
    let recipe = ground.recipe(&SHORT);
    ground.start(&recipe, "0.0.9-none").wait().exits(3).says("0.0.9-none");
    assert!(before == ground.sandbox.snapshot(), "something was touched");
    ground.ends("0.0.1");
}
