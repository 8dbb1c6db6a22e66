//! The proxy: its configuration made wrong, edited by somebody else, its container restarted.

use std::path::PathBuf;

use crate::common::{Action, Shim, repository};
use crate::ground::{Ground, USUAL, journal, lost_within};

fn shipped() -> String {
    std::fs::read_to_string(repository().join("docker/nginx/default.conf.hbs")).expect("it is shipped")
}

fn with_template(ground: &Ground, template: &str) -> PathBuf {
    ground.recipe_for(&ground.app_with_proxy(template), &USUAL)
}

#[test]
fn a_template_that_nginx_refuses() {
    let ground = Ground::new("template");
    let before = ground.sandbox.snapshot();
    let recipe = with_template(&ground, &shipped().replace("keepalive 32;", "keepalive thirty-two;"));
    let run = ground.start(&recipe, "0.0.2").wait().exits(5);
    run.says("nginx refuses the new configuration").says("thirty-two");
    assert!(before == ground.sandbox.snapshot(), "something was touched");
    ground.ends("0.0.1");
}

/// `nginx -t` does not know what the running master has in memory: a zone with another key passes it, and the master
/// goes on with its old configuration, silently.
#[test]
fn a_configuration_that_only_the_master_refuses() {
    let ground = Ground::new("refuses");
    let zone = |key: &str| format!("limit_req_zone {key} zone=calls:1m rate=100000r/s;\n{}", shipped());
    let recipe = with_template(&ground, &zone("$binary_remote_addr"));
    ground.start(&recipe, "0.0.2").wait().ok();
    let recipe = with_template(&ground, &zone("$uri"));
    let run = ground.start(&recipe, "0.0.1").wait().exits(3);
    run.says("the reload is not proved").says("uses the \"$uri\" key");
    assert!(
        !ground.sandbox.config().contains("$uri"),
        "the refused file is still there"
    );
    ground.ends("0.0.2");
}

#[test]
fn the_proxy_is_restarted_in_the_middle() {
    let ground = Ground::new("restart");
    let recipe = ground.recipe(&USUAL);
    let proxy = ground.sandbox.container("proxy").id;
    let restart = format!("date +%s%3N; docker restart -t 2 {proxy} >/dev/null; date +%s%3N");
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, Action::before(&restart));
    ground.start_behind(&shim, &recipe, "0.0.2").wait().ok();
    let times = shim.said();
    let summary = ground.ends_with_losses("0.0.2");
    lost_within(&summary, &times);
}

/// Somebody edits the file while a backend is out: zdt does not overwrite that, says so, and goes on once it is gone.
#[test]
fn somebody_edits_the_configuration() {
    let ground = Ground::new("edit");
    let recipe = ground.recipe(&USUAL);
    let config = ground.sandbox.dir.join("nginx/default.conf");
    let edit = format!("echo '# by hand' >>'{}'", config.display());
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, Action::after(&edit));
    let run = ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(4);
    run.says("was changed by somebody else").says("zdt rollback --dir");
    let text = ground.sandbox.config();
    assert!(text.ends_with("# by hand\n"), "it was overwritten: {text}");
    ground
        .project("status")
        .ok()
        .says("changed by somebody else")
        .says("unfinished");
    std::fs::write(&config, text.replace("# by hand\n", "")).expect("it can be written");
    ground.project("resume").ok();
    assert_eq!(journal(&ground.sandbox).pop().expect("a journal")["outcome"], "done");
    ground.ends("0.0.2");
}
