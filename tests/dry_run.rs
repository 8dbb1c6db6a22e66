//! `--dry-run` and `check` without any engine: a whole plan, and nothing changed.

use std::path::Path;
use std::process::{Command, Output};

/// zdt in the repository, with a home of its own and an engine that does not answer.
fn zdt(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdt"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command
        .env("HOME", home)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    command.output().expect("zdt runs")
}

#[test]
fn without_a_recipe_it_finds_one_and_plans_all_of_it() {
    let home = tempfile::tempdir().expect("a folder");
    let output = zdt(home.path(), &["--dry-run"]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.starts_with("dry run: facts assumed"), "{shown}");
    for part in [
        "recipes/site.zdt (found here)",
        "· up image=zdt/sample-app:0.0.2",
        "· drain app_1",
        "· enable app_2",
        " up -d ",
        "-s reload",
        "+    server ",
        "dry run: nothing was changed",
    ] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_upgrade_is_planned_for_an_application_nobody_can_see() {
    let home = tempfile::tempdir().expect("a folder");
    let output = zdt(
        home.path(),
        &["recipes/upgrade.zdt", "--set", "version=9.9", "--dry-run"],
    );
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("<image of app_1>"), "{shown}");
}

#[test]
fn an_upgrade_of_all_at_once_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let steps = ["-c", "drain app_1 app_2", "-f", "recipes/app.zdt"];
    let output = zdt(home.path(), &[&["check"][..], &steps].concat());
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("no healthy backend would serve `backend`"), "{shown}");
}

#[test]
fn an_upgrade_one_by_one_is_proved() {
    let home = tempfile::tempdir().expect("a folder");
    let steps = "drain app_1; recreate app_1 image=shop:2; await healthy app_1 timeout=5s; enable app_1";
    let output = zdt(home.path(), &["check", "-c", steps, "-f", "recipes/app.zdt"]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(shown.contains("users always had a backend"), "{shown}");
}
