//! Somebody between zdt and the engine's own socket, who passes everything on but a chosen question.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// The machine's engine.
const ENGINE: &str = "/var/run/docker.sock";

/// What is done with the `nth` question (from 1) whose first line has `words` in it.
#[derive(Debug, Clone)]
pub struct Held {
    pub words: &'static str,
    pub nth: usize,
    pub fate: Fate,
}

#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It is passed on so much later.
    Late(Duration),
    /// It is never passed on.
    Silent,
    /// Whoever started the program that asks is killed, zdt; then it is passed on.
    Kill,
}

/// Listens at `path` until the test ends.
pub fn listen(path: &Path, held: Vec<Held>) {
    let listener = UnixListener::bind(path).expect("a socket can be made");
    let held: Arc<Vec<(Held, AtomicUsize)>> =
        Arc::new(held.into_iter().map(|held| (held, AtomicUsize::new(0))).collect());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(engine) = UnixStream::connect(ENGINE) else {
                return;
            };
            let (answers, back) = (engine.try_clone(), client.try_clone());
            let held = Arc::clone(&held);
            thread::spawn(move || questions(client, engine, &held));
            if let (Ok(answers), Ok(back)) = (answers, back) {
                thread::spawn(move || pass(answers, back));
            }
        }
    });
}

/// A question of zdt's is one write, and comes as one read.
fn questions(mut client: UnixStream, mut engine: UnixStream, held: &[(Held, AtomicUsize)]) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..count]);
        let first = text.lines().next().unwrap_or_default();
        for (held, seen) in held.iter().filter(|(held, _)| first.contains(held.words)) {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 == held.nth {
                match held.fate {
                    Fate::Late(time) => thread::sleep(time),
                    // Whoever asked goes away some day.
                    Fate::Silent => while let Ok(1..) = client.read(&mut [0; 1024]) {},
                    Fate::Kill => kill_parent_of(&client),
                }
            }
        }
        if engine.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = engine.shutdown(std::net::Shutdown::Write);
}

fn kill_parent_of(client: &UnixStream) {
    let peer = rustix::net::sockopt::socket_peercred(client).expect("the kernel knows who asks");
    let peer = peer.pid.as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{peer}/status")).expect("it waits for an answer");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    let parent = parent.and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?));
    rustix::process::kill_process(parent.expect("it has a parent"), Signal::KILL).expect("it can be killed");
}

fn pass(mut from: UnixStream, mut to: UnixStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Write);
}
