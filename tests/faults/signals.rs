//! Ctrl-C, SIGTERM, a second one, and a terminal that goes away.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::common::{Action, Running, Shim};
use crate::ground::{Ground, USUAL, journal, settled};
use crate::lanes::{Case, Done, Fault, at_every_call};

/// After one signal everything is as before, or the run was already over.
fn stopped(case: &Case, code: i32) -> Done {
    let before = case.ground.sandbox.snapshot();
    let run = case.ground.start_behind(case.shim, case.recipe, case.new).wait();
    let happened = case.shim.calls().len() >= case.n;
    let version = match run.code {
        // It came after the last step, or not at all.
        Some(0) => case.new,
        Some(3) => case.old,
        Some(other) if other == code => {
            assert!(before == case.ground.sandbox.snapshot(), "something was touched");
            case.old
        }
        other => panic!("exit code {other:?}\n{}\n{}", run.stdout, run.stderr),
    };
    // Refused before there was a journal of its own: then the last one is that of the run before.
    settled(&case.ground.sandbox, version);
    Done {
        version: version.to_string(),
        happened,
    }
}

#[test]
#[ignore = "full matrix"]
fn at_every_call_one_of_them() {
    let fault = |name, signal: &'static str, code| Fault {
        name,
        shim: Box::leak(Box::new(move |shim: Shim, n| shim.at(n, Action::signal_zdt(signal)))),
        case: Box::leak(Box::new(move |case: &Case| stopped(case, code))),
    };
    at_every_call("signals", &[fault("Ctrl-C", "INT", 130), fault("SIGTERM", "TERM", 143)]);
}

#[test]
fn before_anything_was_touched() {
    let ground = Ground::new("early");
    let recipe = ground.recipe(&USUAL);
    let before = ground.sandbox.snapshot();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let shim = Shim::new(&ground.sandbox).on("docker-compose*config*json", 1, Action::signal_zdt(signal));
        ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(code);
        assert!(before == ground.sandbox.snapshot(), "something was touched");
    }
    ground.ends("0.0.1");
}

#[test]
fn once_while_a_container_is_replaced() {
    let ground = Ground::new("once");
    let recipe = ground.recipe(&USUAL);
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 2, Action::signal_zdt("TERM"));
    ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(3);
    ground.ends("0.0.1");
}

/// What nginx was told is proved all the same, and nobody is told of questions to the engine.
#[test]
fn once_while_nginx_reloads() {
    let ground = Ground::new("reload");
    let recipe = ground.recipe(&USUAL);
    let shim = Shim::new(&ground.sandbox).on("docker\\ exec*reload", 1, Action::signal_zdt("INT"));
    let run = ground.start_behind(&shim, &recipe, "0.0.2").wait().exits(3);
    for word in ["GET /", "put back"] {
        assert!(!run.stdout.contains(word), "{}", run.stdout);
    }
    ground.ends("0.0.1");
}

/// It asks for what is being done already.
#[test]
fn once_while_it_goes_back() {
    let ground = Ground::new("back");
    let recipe = ground.recipe(&USUAL);
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 2, Action::signal_zdt("INT"));
    ground
        .start_behind(&shim, &recipe, "0.0.3-dies")
        .wait()
        .exits(3)
        .says("interrupt: what runs comes to a safe end first")
        .says("app_1 back to");
    ground.ends("0.0.1");
}

/// Nor does it stop a way back that somebody has typed, which ends as what was asked for.
#[test]
fn once_while_a_typed_rollback_runs() {
    let ground = Ground::new("typed");
    let recipe = ground.recipe(&USUAL);
    let killed = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, Action::kill_zdt_during());
    ground.start_behind(&killed, &recipe, "0.0.2").wait();
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, Action::signal_zdt("INT"));
    let dir = ground.dir();
    let back = ["rollback", "--dir", &dir, "--lock-wait", "60s"];
    let run = ground.sandbox.start_behind(&shim, &back).wait().ok();
    run.says("interrupt: what runs comes to a safe end first")
        .says("rolled back in");
    ground.ends("0.0.1");
}

#[test]
fn twice() {
    let ground = Ground::new("twice");
    let recipe = ground.recipe(&USUAL);
    // Two of a kind would count as one while the first is on its way.
    let both = Action::before("kill -INT $PPID; kill -TERM $PPID");
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, both);
    let run = ground.start_behind(&shim, &recipe, "0.0.2").wait();
    assert!(matches!(run.code, Some(130 | 143)), "{run:?}");
    let run = run.says("zdt resume --dir").says("zdt rollback --dir");
    assert!(!run.stdout.contains("rolled back"), "{}", run.stdout);
    let last = journal(&ground.sandbox).pop().expect("there is a journal");
    assert_ne!(last["record"], "finish", "{last}");
    ground
        .sandbox
        .plain(&["resume", "--dir", &ground.dir(), "--lock-wait", "60s"])
        .ok();
    ground.ends("0.0.2");
}

/// The window is closed: SIGHUP, and nobody reads what is printed any more.
#[test]
fn the_terminal_goes_away() {
    let ground = Ground::new("hangup");
    let recipe = ground.recipe(&USUAL);
    let shim = Shim::new(&ground.sandbox).on("docker\\ exec*reload", 1, Action::signal_zdt("HUP"));
    let words = Ground::words(&recipe, "0.0.2");
    let mut command = ground
        .sandbox
        .command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    shim.stand_before(&mut command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("zdt starts");
    drop((child.stdout.take(), child.stderr.take()));
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(shim.calls().iter().any(|call| call.ends_with("-s reload")));
    ground.ends("0.0.2");
}

/// A real window: zdt leads the session of a pseudo terminal that is closed in the middle of the run.
#[test]
fn the_window_is_closed() {
    let ground = Ground::new("window");
    let recipe = ground.recipe(&USUAL);
    let mut window = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal"));
    grantpt(&window)
        .and_then(|()| unlockpt(&window))
        .expect("it can be used");
    let name = ptsname(&window, Vec::new())
        .expect("it has a name")
        .into_string()
        .unwrap();
    let screen = || {
        let mut open = File::options();
        open.read(true).write(true).custom_flags(OFlags::NOCTTY.bits() as i32);
        open.open(&name).expect("its other side opens")
    };
    let words = Ground::words(&recipe, "0.0.2");
    let zdt = ground
        .sandbox
        .command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let mut session = Command::new("setsid");
    session.arg("--ctty").arg(zdt.get_program()).args(zdt.get_args());
    for (name, value) in zdt.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    if let Some(folder) = zdt.get_current_dir() {
        session.current_dir(folder);
    }
    session.stdin(screen()).stdout(screen()).stderr(screen());
    let mut child = session.spawn().expect("setsid starts");
    drop(session);
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("recreate app_1") {
        let mut some = [0; 1024];
        let count = window.read(&mut some).expect("zdt writes to its terminal");
        seen.extend_from_slice(&some[..count]);
    }
    drop(window);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    ground.ends("0.0.2");
}

/// A hang-up does not reach what zdt has started either.
#[test]
#[ignore = "full matrix"]
fn a_hang_up_while_a_container_is_replaced() {
    let ground = Ground::new("hangup-up");
    let recipe = ground.recipe(&USUAL);
    let shim = Shim::new(&ground.sandbox).on("docker-compose*up*", 1, Action::signal_zdt("HUP"));
    let run: Running = ground.start_behind(&shim, &recipe, "0.0.2");
    run.wait().ok();
    ground.ends("0.0.2");
}
