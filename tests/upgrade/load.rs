//! What the users feel while both backends move to a new version.

use zdt::probe::Stream;

use crate::common::{Builder, Compose, Engine, Load, Sandbox, Traffic};

/// Provisions, upgrades under the usual load, and asserts that nobody noticed.
fn upgrade_unnoticed(sandbox: &Sandbox) {
    sandbox.provision("0.0.1");
    sandbox.assert_version("0.0.1");
    let traffic = Traffic::start(sandbox);
    sandbox.upgrade("0.0.2").ok();
    let summary = traffic.assert_no_failures();
    assert_eq!(summary.streams.len(), 3, "fresh, pooled and post: {summary:?}");
    sandbox.assert_version("0.0.2");
    sandbox.assert_all_enabled();
}

/// A person's `docker-compose up -d` in the application's folder finds nothing to do.
fn plain_up_changes_nothing(sandbox: &Sandbox) {
    let before = sandbox.snapshot();
    sandbox.compose(&["up", "-d"]);
    assert_eq!(sandbox.snapshot(), before);
}

fn with(name: &str, compose: Compose) -> Builder {
    Sandbox::named(name).compose(compose)
}

#[test]
fn with_compose_2_nothing_is_lost_and_nothing_left_to_do() {
    let sandbox = with("v2", Compose::V2).build();
    upgrade_unnoticed(&sandbox);
    plain_up_changes_nothing(&sandbox);
}

#[test]
fn with_compose_1_nothing_is_lost_and_nothing_left_to_do() {
    let sandbox = with("v1", Compose::V1).build();
    upgrade_unnoticed(&sandbox);
    plain_up_changes_nothing(&sandbox);
}

#[test]
fn on_a_modern_engine_nothing_is_lost_and_nothing_left_to_do() {
    let sandbox = with("e28", Compose::V2).engine(Engine::Modern).build();
    let server = sandbox.docker(&["version", "--format", "{{.Server.Version}}"]);
    assert!(server.starts_with("28."), "{server}");
    upgrade_unnoticed(&sandbox);
    plain_up_changes_nothing(&sandbox);
}

/// Every request but `/ping` takes two seconds, and the app drops what is in flight when it is stopped.
#[test]
fn slow_orders_are_answered_and_executed_once() {
    let sandbox = Sandbox::new("slow");
    sandbox.provision("0.0.1-slow2");
    let traffic = Traffic::start(&sandbox);
    sandbox.upgrade("0.0.2-slow2").ok();
    let summary = traffic.assert_no_failures();
    let slow = summary.streams.iter().find(|stream| stream.stream == Stream::Post);
    let fastest = slow.and_then(|stream| stream.latency).map(|latency| latency.p50);
    assert!(
        fastest.is_some_and(|time| time.as_secs_f64() > 1.9),
        "the orders were not slow: {fastest:?}"
    );
    sandbox.assert_version("0.0.2-slow2");
}

/// Old nginx resets pooled connections at a reload, which zdt says before it begins; fresh ones do not suffer.
#[test]
fn an_old_nginx_loses_no_fresh_request_and_is_warned_about() {
    let sandbox = Sandbox::named("old").old_proxy().build();
    sandbox.provision("0.0.1");
    assert!(!sandbox.config().contains("keepalive_min_timeout"));
    let traffic = Traffic::with(
        &sandbox,
        Load {
            pooled: 0,
            ..Load::default()
        },
    );
    let run = sandbox.upgrade("0.0.2").ok();
    traffic.assert_no_failures();
    let warning = run.stdout.find("resets idle keep-alive connections at each reload");
    let first_change = run.stdout.find("drain");
    assert!(warning.is_some() && warning < first_change, "{}", run.stdout);
    sandbox.assert_version("0.0.2");
}

#[test]
fn two_projects_live_side_by_side() {
    let (one, other) = (Sandbox::new("one"), Sandbox::new("other"));
    one.provision("0.0.1");
    other.provision("0.0.1");
    let before = other.snapshot();
    let (traffic, beside) = (Traffic::start(&one), Traffic::start(&other));
    one.upgrade("0.0.2").ok();
    traffic.assert_no_failures();
    beside.assert_no_failures();
    one.assert_version("0.0.2");
    assert_eq!(other.snapshot(), before, "the upgrade of one touched the other");
}
