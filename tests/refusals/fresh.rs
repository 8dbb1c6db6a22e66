//! An application that was never provisioned: a refused run leaves nothing where nothing was.

use crate::common::{Run, Sandbox};
use crate::shop::refused;

#[track_caller]
fn traceless(sandbox: &Sandbox, name: &str, run: impl FnOnce() -> Run) {
    refused(sandbox, name, 5, run);
    assert!(!sandbox.dir.exists(), "its folder stays");
}

#[test]
fn there_is_nothing_to_upgrade() {
    let sandbox = Sandbox::new("nothing");
    traceless(&sandbox, "not-provisioned", || sandbox.upgrade("0.0.2"));
}

#[test]
fn a_first_image_that_does_not_exist() {
    let sandbox = Sandbox::new("first");
    traceless(&sandbox, "first-image", || {
        sandbox.zdt(&["recipes/provision.zdt", "--set", "version=9.9.9"])
    });
}

/// Refused at its step. What is not zdt's own stays, be it only a folder.
#[test]
fn a_first_image_that_nobody_names() {
    let sandbox = Sandbox::new("unnamed");
    let up = || sandbox.zdt(&["-c", "up", "-f", "recipes/app.zdt"]);
    traceless(&sandbox, "first-image-unnamed", up);
    std::fs::create_dir_all(sandbox.dir.join("nginx")).expect("a folder can be made");
    refused(&sandbox, "first-image-unnamed", 5, up);
    let left = std::fs::read_dir(&sandbox.dir).expect("it stays").count();
    assert_eq!(left, 1, "zdt's own folder stays");
}

/// A compose file of the user's own that is not there: found before `.env` is written for it. One that a step brings is
/// no reason to refuse.
#[test]
fn a_compose_file_that_does_not_exist() {
    let sandbox = Sandbox::new("fileless");
    let recipe = format!(
        "compose app/docker-compose.yml project={}\nbackend app_1 port=3000 set=APP_1_IMAGE\n\
         task begin {{ up image=zdt/sample-app:0.0.1 }}\n\
         task make {{ run cp mine.yml app/docker-compose.yml; begin }}\n\
         task bring {{ copy mine.yml app/docker-compose.yml; begin }}\n",
        sandbox.project
    );
    let recipe = sandbox.write("own.zdt", &recipe).display().to_string();
    traceless(&sandbox, "no-compose-file", || sandbox.plain(&[&recipe, "begin"]));
    sandbox.write("mine.yml", "services: { app_1: { image: '${APP_1_IMAGE}' } }\n");
    std::fs::create_dir_all(&sandbox.dir).expect("a folder can be made");
    sandbox.plain(&[&recipe, "make"]).ok();
    std::fs::remove_file(sandbox.dir.join("docker-compose.yml")).expect("it is there");
    sandbox.plain(&[&recipe, "bring"]).ok();
}
