//! What zdt needs and does not find: engine, compose, recipe, image, its own folder.

use crate::common::{Running, Sandbox};
use crate::shop::{refused, shop, with_app};

const UPGRADE: &[&str] = &["recipes/upgrade.zdt", "--set", "version=0.0.2"];

#[test]
fn no_engine() {
    let shop = shop();
    refused(&shop, "no-engine", 5, || {
        let mut command = shop.command(UPGRADE);
        command.env("DOCKER_HOST", "unix:///nonexistent");
        Running::start(command, None).wait()
    });
}

#[test]
fn no_compose() {
    let shop = shop();
    refused(&shop, "no-compose", 5, || {
        shop.zdt(&[UPGRADE, &["--compose-command", "/nonexistent"]].concat())
    });
}

#[test]
fn no_docker_and_no_compose_at_all() {
    let shop = shop();
    refused(&shop, "no-docker", 5, || {
        let mut command = shop.command(UPGRADE);
        command.env("PATH", "/nonexistent").env_remove("ZDT_COMPOSE");
        Running::start(command, None).wait()
    });
}

#[test]
fn no_such_image() {
    let shop = shop();
    refused(&shop, "no-image", 3, || shop.upgrade("9.9.9"));
}

#[test]
fn an_image_that_is_not_pulled() {
    let shop = shop();
    refused(&shop, "no-image-step", 5, || {
        shop.zdt(&[
            "-c",
            "drain app_1; recreate app_1 image=zdt/sample-app:9.9.9; enable app_1",
            "-f",
            "recipes/app.zdt",
        ])
    });
}

#[test]
fn no_such_recipe() {
    let shop = shop();
    refused(&shop, "no-recipe", 2, || shop.plain(&["recipes/upgrad.zdt"]));
    refused(&shop, "recipe-is-a-folder", 2, || shop.plain(&["recipes"]));
    let binary = shop.home().join("binary.zdt");
    std::fs::write(&binary, [0x7f, b'E', b'L', b'F', 0xff, 0]).expect("a file can be written");
    refused(&shop, "recipe-is-binary", 2, || {
        shop.plain(&[&binary.display().to_string()])
    });
}

#[test]
fn unknown_params() {
    let shop = shop();
    // What is given last counts.
    let with = |extra: &[&str]| {
        let params = shop.params();
        let args = ["recipes/upgrade.zdt"]
            .into_iter()
            .chain(params.iter().map(String::as_str));
        let args: Vec<&str> = args.chain(extra.iter().copied()).collect();
        shop.plain(&args)
    };
    refused(&shop, "unknown-set", 2, || {
        with(&["--set", "version=1", "--set", "verzion=1", "--set", "colour=red"])
    });
    refused(&shop, "missing-set", 2, || with(&[]));
    refused(&shop, "wrong-set", 2, || {
        with(&["--set", "version=1", "--set", "http_port=eighty"])
    });
}

#[test]
fn a_project_of_another_folder() {
    let shop = shop();
    refused(&shop, "other-folder", 5, || {
        let elsewhere = format!("dir={}", shop.home().join("elsewhere").display());
        let mut args = shop.params();
        args.retain(|arg| arg != &format!("dir={}", shop.dir.display()));
        // The `--set` before the folder is left over, and takes the new one.
        let at = args.iter().position(|arg| arg == "--set").expect("there are params");
        args.insert(at + 1, elsewhere);
        let args: Vec<&str> = UPGRADE.iter().copied().chain(args.iter().map(String::as_str)).collect();
        shop.plain(&args)
    });
    assert!(
        !shop.home().join("elsewhere").exists(),
        "a refused run made the folder it was refused for"
    );
}

#[test]
fn a_second_run_while_one_is_at_work() {
    let shop = shop();
    let recipe = with_app(
        &shop,
        "wait.zdt",
        "drain app_1\nsh 'while [ ! -e go ]; do sleep 0.05; done'\nenable app_1",
    );
    let mut first = shop.start(&[&recipe]);
    first.await_text("drain app_1");
    let run = shop.upgrade("0.0.2").exits(5);
    assert!(run.stderr.contains(&format!("pid {}", first.pid())), "{run:?}");
    shop.write("go", "");
    first.wait().ok();
    shop.assert_all_enabled();
}

/// Known before the first step; and not even zdt's own folder stays.
#[test]
fn a_port_that_is_taken() {
    let sandbox = Sandbox::new("port");
    let _taken = std::net::TcpListener::bind(("0.0.0.0", sandbox.port)).expect("it was free");
    refused(&sandbox, "port-taken", 5, || {
        sandbox.zdt(&["-c", "up image=zdt/sample-app:0.0.1", "-f", "recipes/app.zdt"])
    });
    refused(&sandbox, "port-taken-provision", 5, || {
        sandbox.zdt(&["recipes/provision.zdt", "--set", "version=0.0.1"])
    });
    assert!(!sandbox.dir.exists(), "a refused run has left its folder");
    // A step of the recipe may have to do with who listens there.
    refused(&sandbox, "port-taken-step", 4, || {
        let steps = "run true; up image=zdt/sample-app:0.0.1";
        sandbox.zdt(&["-c", steps, "-f", "recipes/app.zdt"])
    });
    let label = format!("label=com.docker.compose.project={}", sandbox.project);
    assert_eq!(sandbox.docker(&["network", "ls", "-q", "--filter", &label]), "");
}
