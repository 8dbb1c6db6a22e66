//! What must not change.

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
