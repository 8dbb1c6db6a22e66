//! The ways a recipe reaches zdt: steps on the command line, standard input, a script.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{Action, Compose, Fact, Run, Running, Sandbox, Shim, Traffic, repository};

fn others(sandbox: &Sandbox, backend: &str) -> Vec<Fact> {
    let mut all = sandbox.containers();
    all.retain(|fact| fact.service != backend);
    all
}

/// One backend, step by step, as the first page of the documentation has it; no other service is touched.
#[test]
fn steps_on_the_command_line_move_one_backend_and_touch_no_other() {
    let sandbox = Sandbox::new("steps");
    sandbox.provision("0.0.1");
    let before = others(&sandbox, "app_1");
    let traffic = Traffic::start(&sandbox);
    let steps = "drain app_1; recreate app_1 image=zdt/sample-app:0.0.2; await healthy app_1; enable app_1";
    sandbox.zdt(&["-c", steps, "-f", "recipes/app.zdt"]).ok();
    traffic.assert_no_failures();
    assert_eq!(others(&sandbox, "app_1"), before);
    assert_eq!(sandbox.container("app_1").image, "zdt/sample-app:0.0.2");
    sandbox.assert_all_enabled();
}

/// Whoever goes back, or looks, uses the compose that was named at first: another generation would take every container
/// for one that must be recreated.
#[test]
fn the_compose_that_was_named_is_used_again() {
    let sandbox = Sandbox::named("named-compose").compose(Compose::V1).build();
    sandbox.provision("0.0.1");
    let named = sandbox.home().join("my tools/compose");
    std::fs::create_dir_all(named.parent().expect("a folder")).expect("it can be made");
    std::os::unix::fs::symlink(&sandbox.compose_command, &named).expect("it can be made");
    let mut upgrade = sandbox.command(&["recipes/upgrade.zdt", "--set", "version=0.0.2"]);
    upgrade.env("ZDT_COMPOSE", &named);
    let upgraded = Running::start(upgrade, None).wait().ok();
    let compose = |run: &Run| {
        let words: Vec<&str> = run.stdout.split_whitespace().collect();
        let at = words
            .iter()
            .position(|word| *word == "compose")
            .expect("preflight names it");
        words[at + 1].to_string()
    };
    let dir = sandbox.dir.display().to_string();
    let unnamed = |verb: &str| {
        let mut command = sandbox.bare(&[verb, "--dir", &dir]);
        command.env_remove("ZDT_COMPOSE");
        Running::start(command, None).wait().ok()
    };
    sandbox
        .plain(&["rollback", "--dry-run", "--dir", &dir])
        .ok()
        .says("app_2  zdt/sample-app:0.0.2 → zdt/sample-app:0.0.1");
    let back = unnamed("rollback").says("rollback to zdt/sample-app:0.0.1");
    assert_eq!(compose(&back), compose(&upgraded));
    let status = unnamed("status");
    assert!(!status.stdout.contains("drift"), "{}", status.stdout);
    std::fs::remove_file(&named).expect("it is there");
    unnamed("status").says("no compose found").says("app_2  ");
}

#[test]
fn a_recipe_from_standard_input_runs() {
    let sandbox = Sandbox::new("stdin");
    sandbox.provision("0.0.1");
    // Paths of standard input are relative to the working folder.
    let recipe = "include recipes/app.zdt\ndrain app_2\nsay drained\nenable app_2\n";
    let run = Running::start(sandbox.command(&["-"]), Some(recipe)).wait().ok();
    run.says("drained").says("<stdin>");
    sandbox.assert_all_enabled();
}

#[test]
fn a_recipe_is_a_script() {
    let sandbox = Sandbox::new("script");
    let script = sandbox.write(
        "hello.zdt",
        "#!/usr/bin/env zdt\nparam who = world\nsay \"hello $who\"\n",
    );
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("its owner can");
    let mut command = Command::new(&script);
    let zdt = std::path::Path::new(env!("CARGO_BIN_EXE_zdt"));
    let folder = zdt.parent().expect("it lies in a folder").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .args(["--set", "who=you"])
        .env("PATH", format!("{folder}:{path}"));
    Running::start(command, None).wait().ok().says("hello you");
}

/// `site.zdt` runs both tasks; each can be run alone.
#[test]
fn the_whole_way_is_one_recipe() {
    let sandbox = Sandbox::new("site");
    sandbox
        .zdt(&["recipes/site.zdt", "provision", "--set", "version=0.0.1"])
        .ok();
    sandbox.assert_version("0.0.1");
    sandbox.zdt(&["recipes/site.zdt", "--set", "version=0.0.2"]).ok();
    sandbox.assert_version("0.0.2");
}

/// Kills a run before it replaces its second backend; `image` is as the recipe has it.
fn half_done(sandbox: &Sandbox, image: &str) {
    sandbox.provision("0.0.1");
    let app = repository().join("recipes/app.zdt");
    let recipe = format!(
        "include {}\ntask upgrade {{ for app in $backends {{ drain $app; recreate $app image={image}; \
         await healthy $app; enable $app }} }}\n",
        app.display()
    );
    let recipe = sandbox.write("half.zdt", &recipe).display().to_string();
    let shim = Shim::new(sandbox).on("docker-compose*force-recreate*", 2, Action::kill_zdt_before());
    let mut run = sandbox.command(&[&recipe]);
    run.env("APPV", "0.0.2");
    shim.stand_before(&mut run);
    assert_eq!(Running::start(run, None).wait().code, None, "it was killed");
}

fn resume(sandbox: &Sandbox, more: &[&str]) -> Run {
    let dir = sandbox.dir.display().to_string();
    let words = [&["resume", "--dir", &dir, "--lock-wait", "60s"], more].concat();
    Running::start(sandbox.bare(&words), None).wait()
}

/// Whatever this shell has in its environment, or says, meanwhile.
#[test]
fn a_run_that_goes_on_is_the_one_that_was_begun() {
    let sandbox = Sandbox::new("same");
    half_done(&sandbox, "zdt/sample-app:${env.APPV}");
    resume(&sandbox, &["--set", "http_port=1"])
        .exits(1)
        .says("not what that run was begun with");
    for (version, code) in [("0.0.10", 1), ("0.0.2", 0)] {
        let dir = sandbox.dir.display().to_string();
        let mut command = sandbox.bare(&["resume", "--dir", &dir]);
        command.env("APPV", version);
        let run = Running::start(command, None).wait().exits(code);
        assert_eq!(run.stderr.contains("another than when that run began: APPV"), code == 1);
    }
    sandbox.assert_version("0.0.2");
}

/// Both backends get one image, or none.
#[test]
fn a_tag_that_has_moved_meanwhile_is_another_image() {
    let sandbox = Sandbox::new("moved");
    let image = format!("{}:1", sandbox.project);
    sandbox.docker(&["tag", "zdt/sample-app:0.0.2", &image]);
    half_done(&sandbox, &image);
    sandbox.docker(&["tag", "zdt/sample-app:0.0.10", &image]);
    let run = resume(&sandbox, &[]);
    sandbox.docker(&["rmi", &image]);
    run.exits(3).says("when `app_1` got it in this run");
    sandbox.assert_version("0.0.1");
    sandbox.assert_all_enabled();
}

/// Nothing was changed, so it is a refusal, and nobody is told that it went well.
#[test]
fn a_rollback_to_an_image_that_is_gone_is_refused() {
    let sandbox = Sandbox::new("gone");
    sandbox.provision("0.0.1");
    let image = format!("{}:own", sandbox.project);
    sandbox.docker(&["commit", &sandbox.container("app_1").id, &image]);
    let id = sandbox.docker(&["image", "inspect", "--format", "{{.Id}}", &image]);
    let steps =
        format!("for app in $backends {{ drain $app; recreate $app image={image}; await healthy $app; enable $app }}");
    sandbox.zdt(&["-f", "recipes/app.zdt", "-c", &steps]).ok();
    sandbox.upgrade("0.0.2").ok();
    sandbox.docker(&["rmi", "-f", id.trim()]);
    let dir = sandbox.dir.display().to_string();
    let back = sandbox.plain(&["rollback", "--dir", &dir]);
    back.exits(5)
        .says("is gone from this engine")
        .says("nothing was changed");
    sandbox.assert_version("0.0.2");
}
