//! Ways back: what a later command makes of what an earlier one left.

use crate::adopt::Shop;
use crate::common::{Action, Running, Shim, Traffic};

fn moved(name: &str) -> Shop {
    let shop = Shop::new(name);
    shop.say("up adopt=true").ok();
    shop.sandbox.plain(&[&shop.recipe]).ok();
    shop.sandbox.assert_version("0.0.2");
    shop
}

/// A run that was refused says nothing about the application, however wrong its recipe was.
#[test]
fn a_refused_run_does_not_stand_in_the_way_back() {
    let shop = moved("past");
    let sandbox = &shop.sandbox;
    let traffic = Traffic::start(sandbox);
    let dir = sandbox.dir.display().to_string();
    let recipe = sandbox.read("deploy.zdt");
    for (from, to) in [
        ("health=/ping", "health=/nowhere"),
        ("backend app_1 ", "backend web_1 service=app_1 "),
    ] {
        shop.changed("deploy.zdt", from, to);
        sandbox.plain(&[&shop.recipe]).exits(5);
        sandbox.write("app/deploy.zdt", &recipe);
    }
    sandbox.plain(&["status", "--dir", &dir]).ok().says("app_1");
    sandbox.plain(&["rollback", "--dir", &dir]).ok();
    sandbox.assert_version("0.0.1");
    traffic.assert_no_failures();
}

#[test]
fn what_is_irreversible_is_said_before_a_rollback() {
    let shop = moved("migrated");
    let dir = shop.sandbox.dir.display().to_string();
    shop.say("irreversible 'the schema is new'").ok();
    shop.sandbox
        .plain(&["rollback", "--dir", &dir])
        .exits(5)
        .says("the schema is new");
    shop.sandbox
        .plain(&["rollback", "--dir", &dir, "--dry-run"])
        .ok()
        .says("the schema is new");
    shop.sandbox.assert_version("0.0.2");
    let allowed = ["rollback", "--dir", &dir, "--allow", "irreversible"];
    shop.sandbox.plain(&allowed).ok();
    shop.sandbox.assert_version("0.0.1");
}

/// Somebody has written the next version into `.env`, out of habit, before zdt was told of it; and it is sick.
#[test]
fn the_old_image_comes_back_whatever_env_said() {
    let shop = Shop::new("habit");
    let sandbox = &shop.sandbox;
    shop.say("up adopt=true").ok();
    let traffic = Traffic::start(sandbox);
    let env = sandbox.read(".env").replace("0.0.1", "0.0.3-dies");
    sandbox.write("app/.env", &env);
    let set = "version=0.0.3-dies";
    sandbox.plain(&[&shop.recipe, "--set", set]).exits(3).says("0.0.1");
    sandbox.assert_version("0.0.1");
    assert!(sandbox.read(".env").contains("APP_1_IMAGE=zdt/sample-app:0.0.1"));
    // A new container of what it runs, not of what `.env` says.
    shop.say("drain app_2; recreate app_2; await healthy app_2; enable app_2")
        .ok();
    sandbox.assert_version("0.0.1");
    traffic.assert_no_failures();
}

/// A backend that the run itself has made stays, with what compose needs of it; what a user writes meanwhile stays, too.
#[test]
fn new_backends_and_foreign_lines_stay() {
    let shop = moved("grown");
    let sandbox = &shop.sandbox;
    let traffic = Traffic::start(sandbox);
    shop.gets_a_third();
    let env = sandbox.dir.join(".env");
    let steps = format!(
        "up image=zdt/sample-app:0.0.2; drain app_1; recreate app_1 image=zdt/sample-app:0.0.10; await healthy app_1; \
         enable app_1; run sh -c 'echo MINE=1 >> {}'; drain app_2; recreate app_2 image=zdt/sample-app:0.0.3-dies; \
         await healthy app_2",
        env.display()
    );
    shop.say(&steps).exits(3);
    let text = sandbox.read(".env");
    for line in [
        "APP_1_IMAGE=zdt/sample-app:0.0.2",
        "APP_3_IMAGE=zdt/sample-app:0.0.2",
        "MINE=1",
    ] {
        assert!(text.lines().any(|one| one == line), "{text}");
    }
    for backend in ["app_1", "app_2", "app_3"] {
        assert_eq!(sandbox.container(backend).image, "zdt/sample-app:0.0.2", "{backend}");
    }
    traffic.assert_no_failures();
}

/// What nobody can undo is not called undone.
#[test]
fn a_rollback_that_cannot_undo_does_not_say_so() {
    let shop = moved("downed");
    let sandbox = &shop.sandbox;
    let shim = Shim::new(sandbox).on("docker-compose*down*", 1, Action::kill_zdt_before());
    let mut killed = sandbox.bare(&["-f", &shop.recipe, "-c", "down allow=downtime"]);
    shim.stand_before(&mut killed);
    Running::start(killed, None).wait();
    let dir = sandbox.dir.display().to_string();
    let back = ["rollback", "--dir", &dir, "--lock-wait", "60s"];
    sandbox.plain(&back).exits(4).says("down allow=downtime");
    shop.say("say 'the next run is not refused'").ok();
}
