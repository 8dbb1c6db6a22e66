//! What must not change.

use zdt::world::Processes;
use zdt::world::real::Real;

use crate::common::Sandbox;

#[test]
fn provisioning_twice_changes_nothing_and_says_so() {
    let sandbox = Sandbox::new("twice");
    sandbox.provision("0.0.1").says("4 containers started");
    let (before, state) = (sandbox.snapshot(), sandbox.read(".zdt/state.json"));
    sandbox.provision("0.0.1").says("all is there already");
    assert_eq!(sandbox.snapshot(), before);
    assert_eq!(sandbox.read(".zdt/state.json"), state);
}

/// Also with another version: what runs stays, an upgrade is another recipe.
#[test]
fn provisioning_with_another_version_leaves_what_runs() {
    let sandbox = Sandbox::new("leaves");
    sandbox.provision("0.0.1");
    let before = sandbox.snapshot();
    sandbox.provision("0.0.2");
    assert_eq!(sandbox.snapshot(), before);
}

#[test]
fn files_of_the_user_are_not_overwritten() {
    let sandbox = Sandbox::new("kept");
    let page = sandbox.dir.join("html/unavailable.html");
    std::fs::create_dir_all(page.parent().expect("it lies in a folder")).expect("a folder can be made");
    std::fs::write(&page, "my own page\n").expect("a file can be written");
    sandbox.provision("0.0.1");
    assert_eq!(sandbox.read("html/unavailable.html"), "my own page\n");
}

#[test]
fn a_missing_container_comes_back_and_the_others_stay() {
    let sandbox = Sandbox::new("missing");
    sandbox.provision("0.0.1");
    let before = sandbox.containers();
    sandbox.docker(&["rm", "-f", &sandbox.container("app_2").id]);
    sandbox.provision("0.0.1").says("1 container started");
    let after = sandbox.containers();
    let others = |facts: &[crate::common::Fact]| -> Vec<_> {
        facts.iter().filter(|fact| fact.service != "app_2").cloned().collect()
    };
    assert_eq!(others(&after), others(&before));
    sandbox.assert_version("0.0.1");
    sandbox.assert_all_enabled();
}

/// What the kernel tells of a container's processes is what the engine tells, or nothing at all.
#[test]
fn the_kernel_and_the_engine_know_the_same_processes() {
    let sandbox = Sandbox::new("members");
    sandbox.provision("0.0.1");
    let id = sandbox.container("proxy").id;
    let pid = sandbox.docker(&["inspect", "--format", "{{.State.Pid}}", &id]);
    let pid: u32 = pid.trim().parse().expect("it runs");
    let top = sandbox.docker(&["top", &id, "-eo", "pid"]);
    let mut told: Vec<u32> = top
        .lines()
        .skip(1)
        .filter_map(|line| line.trim().parse().ok())
        .collect();
    told.sort_unstable();
    let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let world = Real::new();
    let full = sandbox.docker(&["inspect", "--format", "{{.Id}}", &id]);
    let known = world.members(full.trim(), pid).map(|mut pids| {
        pids.sort_unstable();
        pids
    });
    // An engine elsewhere, or in another namespace, counts its pids differently.
    assert_eq!(known, cgroup.contains(full.trim()).then_some(told));
    assert_eq!(world.members("0123456789abcdef", pid), None);
}
