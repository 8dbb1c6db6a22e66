//! The engine dies or stands still, the disk is full: in an engine and a folder of the suite's own.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::common::{Action, Engine, Run, Running, Sandbox, Shim, await_fact, engine, repository};
use crate::ground::{Ground, Steps, USUAL, journal, lost_within};
use crate::waits::bounded;
use rustix::process::Signal;

/// An upgrade that stands still once the first backend is being replaced, for the engine to die just then.
struct Held {
    ground: Ground,
    run: Running,
    gate: std::path::PathBuf,
    _shim: Shim,
}

impl Held {
    fn upgrade(ground: Ground) -> Held {
        let recipe = ground.recipe(&USUAL);
        let gate = ground.sandbox.write("gate", "");
        let held = format!("while [ -e '{}' ]; do sleep 0.05; done", gate.display());
        let shim = Shim::new(&ground.sandbox).on("docker-compose*\\ up\\ *", 1, Action::after(&held));
        let mut run = ground.start_behind(&shim, &recipe, "0.0.2");
        run.await_text("✓ drain app_1");
        ground.nothing_lost("before the engine died");
        Held {
            ground,
            run,
            gate,
            _shim: shim,
        }
    }

    /// Verbs of `docker/engine.sh`, such as `kill start`.
    fn engine(&self, how: &str) {
        for verb in how.split(' ') {
            engine(&[verb, self.ground.sandbox.engine_name()]);
        }
    }

    /// zdt hears of what compose did, and goes on.
    fn go_on(&self) {
        std::fs::remove_file(&self.gate).expect("it is there");
    }

    fn end(self) -> (Ground, Run) {
        (self.ground, self.run.wait())
    }
}

/// On an engine of its own.
fn own(name: &str, live_restore: bool) -> Ground {
    Ground::on(Sandbox::named(name).engine(Engine::Own { live_restore }).build())
}

/// As many write it, and not the shipped compose file.
fn unless_stopped(sandbox: &Sandbox) {
    for service in ["proxy", "app_2"] {
        let id = sandbox.container(service).id;
        sandbox.docker(&["update", "--restart", "unless-stopped", &id]);
    }
}

/// The engine is killed and started again while the first backend is replaced. What zdt made of it is finished or
/// undone afterwards; requests fail only while the engine itself has stopped things.
fn killed(name: &str, live_restore: bool, how: &str) {
    let held = Held::upgrade(own(name, live_restore));
    let from = millis();
    held.engine(how);
    held.ground.await_answers();
    let to = millis();
    held.go_on();
    let (ground, run) = held.end();
    let version = match run.code {
        Some(0) => "0.0.2",
        Some(3) => "0.0.1",
        Some(4) => {
            ground.project("resume").ok();
            "0.0.2"
        }
        code => panic!("{code:?}\n{}\n{}", run.stdout, run.stderr),
    };
    lost_within(&ground.ends_with_losses(version), &format!("{from}\n{to}"));
}

fn millis() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_millis()
}

#[test]
#[ignore = "full matrix"]
fn the_engine_is_killed() {
    killed("engine-kill", false, "kill start");
}

#[test]
#[ignore = "full matrix"]
fn the_engine_is_killed_with_live_restore() {
    killed("engine-live", true, "kill start");
}

#[test]
#[ignore = "full matrix"]
fn the_node_is_rebooted() {
    killed("reboot", false, "reboot");
}

/// An engine that was killed leaves `unless-stopped` down; the run itself starts again what should serve.
#[test]
#[ignore = "full matrix"]
fn the_engine_leaves_everything_down() {
    let ground = own("engine-down", false);
    unless_stopped(&ground.sandbox);
    let held = Held::upgrade(ground);
    let from = millis();
    held.engine("kill start");
    held.go_on();
    let (ground, run) = held.end();
    let to = millis();
    let run = run.exits(3).says("`proxy` had been stopped: started it");
    run.says("`app_2` had been stopped: started it");
    lost_within(&ground.ends_with_losses("0.0.1"), &format!("{from}\n{to}"));
}

/// The same, and zdt dies with it: `resume` does.
#[test]
#[ignore = "full matrix"]
fn the_engine_and_zdt_are_killed() {
    let ground = own("both-killed", false);
    unless_stopped(&ground.sandbox);
    let held = Held::upgrade(ground);
    let from = millis();
    held.run.signal(Signal::KILL);
    held.engine("kill start");
    held.go_on();
    let (ground, run) = held.end();
    assert_eq!(run.code, None, "{run:?}");
    ground
        .project("resume")
        .ok()
        .says("`proxy` had been stopped: started it");
    let to = millis();
    lost_within(&ground.ends_with_losses("0.0.2"), &format!("{from}\n{to}"));
}

/// dockerd stands still for half a minute while the first backend is replaced: zdt waits, users notice nothing.
#[test]
#[ignore = "full matrix"]
fn the_engine_is_frozen_for_half_a_minute() {
    let ground = own("frozen", false);
    knows_its_database(&ground.sandbox, "app_2");
    let held = Held::upgrade(ground);
    held.engine("freeze");
    held.go_on();
    let (before, _) = held.ground.count();
    let half_a_minute = 30 * 120;
    await_fact("half a minute of requests", || {
        (held.ground.count().0 >= before + half_a_minute).then_some(())
    });
    assert!(
        !held.run.stdout().contains("✓ recreate app_1"),
        "nothing was waited for"
    );
    held.engine("thaw");
    let (ground, run) = held.end();
    run.ok();
    ground.ends("0.0.2");
}

/// The same at each step around it, up to where a new container serves.
#[test]
#[ignore = "full matrix"]
fn the_engine_is_frozen_for_half_a_minute_at_each_step() {
    let ground = own("frozen-steps", false);
    for service in ["app_1", "app_2"] {
        knows_its_database(&ground.sandbox, service);
    }
    // Not through the shim, and not to the engine that is about to be frozen.
    let path = std::env::var("PATH").expect("there is a PATH");
    let script = repository().join("docker/engine.sh");
    let (script, name) = (script.display(), ground.sandbox.engine_name());
    let freeze = format!(
        "export PATH='{path}'; unset DOCKER_HOST; '{script}' freeze {name}; \
         setsid sh -c \"sleep 30; '{script}' thaw {name}; echo thawed\" &"
    );
    let shim = Shim::new(&ground.sandbox)
        .on("docker\\ pull*", 1, Action::before(&freeze))
        .on("docker\\ exec*reload", 1, Action::before(&freeze))
        .on("docker-compose*\\ up\\ *", 1, Action::after(&freeze));
    let recipe = ground.recipe(&USUAL);
    ground.start_behind(&shim, &recipe, "0.0.2").wait().ok();
    assert_eq!(shim.said().matches("thawed").count(), 3);
    ground.ends("0.0.2");
}

/// Names are answered by dockerd itself: an application that asks for one at each new connection fails while that
/// stands still, whatever zdt does. This one finds its database in a file.
fn knows_its_database(sandbox: &Sandbox, service: &str) {
    let show = |service: &str, format: &str| {
        let id = sandbox.container(service).id;
        sandbox.docker(&["inspect", "--format", format, &id]).trim().to_string()
    };
    let line = show("db", "{{range .NetworkSettings.Networks}}{{.IPAddress}} db{{end}}");
    let file = format!("{}:/file", show(service, "{{.HostsPath}}"));
    let write = format!("echo '{line}' >>/file");
    sandbox.docker(&["run", "--rm", "--volume", &file, "zdt/nginx:new", "sh", "-c", &write]);
}

/// It stands still for longer than a step may take: zdt's own deadline ends the wait, and is told.
#[test]
#[ignore = "full matrix"]
fn the_engine_is_frozen_until_a_deadline() {
    let ground = own("frozen-long", false);
    let recipe = bounded(&ground, "8s");
    let frozen = ground.sandbox.write("frozen", "");
    let hold = format!("rm '{0}'; while [ ! -e '{0}' ]; do sleep 0.05; done", frozen.display());
    let shim = Shim::new(&ground.sandbox).on("docker-compose*\\ up\\ *", 1, Action::before(&hold));
    let mut run = ground.start_behind(&shim, &recipe, "0.0.2");
    await_fact("compose is called", || (!frozen.exists()).then_some(()));
    engine(&["freeze", ground.sandbox.engine_name()]);
    ground.sandbox.write("frozen", "");
    run.await_text("did not end within");
    engine(&["thaw", ground.sandbox.engine_name()]);
    run.wait().exits(3).says("up -d").says("and was stopped");
    ground.ends("0.0.1");
}

/// Compose is killed while it replaces a container; the engine goes on with what it was told.
#[test]
fn compose_is_killed_in_the_middle() {
    let ground = Ground::new("compose-killed");
    let recipe = ground.recipe(&USUAL);
    let shim = Shim::new(&ground.sandbox).on("docker-compose*\\ up\\ *", 2, Action::kill_program(120));
    ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(3);
    ground.ends("0.0.1");
}

/// A disk of one megabyte that fills up at one moment of an upgrade: nobody loses anything, and whoever made room only
/// has to say `rollback`.
fn full(name: &str, folder: &str, pattern: &str, code: i32) {
    let sandbox = Sandbox::new(name);
    let folder = sandbox.dir.join(folder);
    let mounted = Mount::over(&folder);
    let ground = Ground::on(sandbox);
    let recipe = ground.recipe(&USUAL);
    let ballast = folder.join("ballast");
    let fill = format!("dd if=/dev/zero of='{}' bs=1k count=4000", ballast.display());
    let shim = Shim::new(&ground.sandbox).on(pattern, 1, Action::before(&fill));
    let run = ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(code);
    let run = run.says("No space left");
    std::fs::remove_file(ballast).expect("it is there");
    if code == 4 {
        run.says("zdt rollback --dir");
        ground.project("rollback").ok();
    }
    ground.ends("0.0.1");
    drop(mounted);
}

#[test]
#[ignore = "full matrix"]
fn the_disk_is_full() {
    full("full", ".zdt", "docker-compose*\\ up\\ *", 4);
}

/// The journal ends in half a record, and is read all the same.
#[test]
#[ignore = "full matrix"]
fn the_disk_is_full_when_the_journal_is_written() {
    let sandbox = Sandbox::new("full-journal");
    let state = sandbox.dir.join(".zdt");
    let mounted = Mount::over(&state);
    let ground = Ground::on(sandbox);
    // What is said goes into the journal, and fills up the page that the file had already.
    let extra = "sh d=$dir 'dd if=/dev/zero of=\"$d/.zdt/ballast\" bs=1k count=4000 2>/dev/null || :'\n        \
                 for n in [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30] { say $n }";
    let recipe = ground.recipe(&Steps { extra, ..USUAL });
    let run = ground.start(&recipe, "0.0.2").wait().exits(4);
    run.says("cannot write the journal")
        .says("No space left")
        .says("zdt rollback");
    std::fs::remove_file(state.join("ballast")).expect("it is there");
    ground.project("rollback").ok();
    let records = journal(&ground.sandbox);
    assert!(
        records.iter().any(|record| record["record"] == "taken_over"),
        "{records:?}"
    );
    ground.ends("0.0.1");
    drop(mounted);
}

/// A configuration is live, and what should serve cannot be written down.
#[test]
#[ignore = "full matrix"]
fn the_disk_is_full_when_the_state_is_written() {
    full("full-state", ".zdt", "docker\\ exec*reload", 4);
}

/// Nothing is drained yet.
#[test]
#[ignore = "full matrix"]
fn the_disk_is_full_when_the_configuration_is_written() {
    full("full-config", "nginx", "docker\\ pull*", 3);
}

/// The first backend is out, and the file that would put it back has no room.
#[test]
#[ignore = "full matrix"]
fn the_disk_is_full_when_a_backend_comes_back() {
    full("full-enable", "nginx", "docker-compose*\\ up\\ *", 4);
}

/// A small file system over a folder.
struct Mount(std::path::PathBuf);

impl Mount {
    /// To be called before anybody looks into it.
    fn over(folder: &std::path::Path) -> Mount {
        std::fs::create_dir_all(folder).expect("a folder can be made");
        let mount = ["-t", "tmpfs", "-o", "size=1m,mode=700", "zdt-test"];
        let status = Command::new("mount").args(mount).arg(folder).status();
        assert!(status.expect("mount starts").success(), "a tmpfs needs root");
        Mount(folder.to_path_buf())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
