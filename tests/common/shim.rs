//! Something between zdt and its tools: a folder first on `PATH` whose `docker`, and a `docker-compose` for
//! `ZDT_COMPOSE`, count the calls and at one of them do what a test asks for. All others go straight through. What zdt
//! asks the engine itself can be kept back, too.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::Sandbox;
use super::socket::{self, Fate, Held};

/// What happens at the chosen call. `$real` is the real program, `$PPID` is zdt.
#[derive(Debug, Clone)]
pub struct Action(String);

impl Action {
    /// The program is not run; it fails.
    pub fn fail() -> Action {
        Action("echo 'the shim fails' >&2; exit 1".into())
    }

    /// The program is run, and then said to have failed.
    pub fn fail_after() -> Action {
        Action("\"$real\" \"$@\"; echo 'the shim fails' >&2; exit 1".into())
    }

    /// The program is not run, and the call does not return while the shim is there.
    pub fn hang() -> Action {
        Action("while [ -e \"$shim/hang\" ]; do sleep 0.1; done; exit 1".into())
    }

    /// zdt dies at once; the program is never run.
    pub fn kill_zdt_before() -> Action {
        Action("kill -KILL $PPID; exit 1".into())
    }

    /// zdt dies; the program, an orphan now, does its work.
    pub fn kill_zdt_during() -> Action {
        Action("kill -KILL $PPID; exec \"$real\" \"$@\"".into())
    }

    /// The program does its work, and zdt dies before it hears of it.
    pub fn kill_zdt_after() -> Action {
        Action("\"$real\" \"$@\"; code=$?; kill -KILL $PPID; exit $code".into())
    }

    /// The program is killed in the middle of its work, about so many milliseconds after its start.
    pub fn kill_program(millis: u32) -> Action {
        let seconds = f64::from(millis) / 1000.0;
        Action(format!(
            "\"$real\" \"$@\" & child=$!; sleep {seconds}; kill -KILL $child; wait $child; exit $?"
        ))
    }

    /// The program's process dies and another goes on with its work: what a killed compose leaves to the engine.
    pub fn kill_self() -> Action {
        Action("\"$real\" \"$@\" & kill -KILL $$".into())
    }

    /// A signal for zdt (`INT`, `TERM`, `HUP`, `STOP`), then the program as usual.
    pub fn signal_zdt(name: &str) -> Action {
        Action(format!("kill -{name} $PPID; exec \"$real\" \"$@\""))
    }

    /// Shell text that runs before the program, which then does its work.
    pub fn before(script: &str) -> Action {
        Action(format!(
            "( {script} ) >>\"$shim/said\" 2>&1 9>&- </dev/null; exec \"$real\" \"$@\""
        ))
    }

    /// Shell text that runs after the program.
    pub fn after(script: &str) -> Action {
        Action(format!(
            "\"$real\" \"$@\"; code=$?; ( {script} ) >>\"$shim/said\" 2>&1 </dev/null; exit $code"
        ))
    }
}

pub struct Shim {
    folder: TempDir,
    path: String,
    held: Vec<Held>,
}

impl Shim {
    /// A shim that only counts.
    pub fn new(sandbox: &Sandbox) -> Shim {
        let folder = tempfile::Builder::new()
            .prefix("zdt-shim-")
            .tempdir()
            .expect("a temporary folder can be made");
        let path = sandbox
            .env
            .iter()
            .find(|(name, _)| name == "PATH")
            .map(|(_, path)| path.clone())
            .expect("tools have a PATH");
        let docker = std::env::split_paths(&path)
            .map(|folder| folder.join("docker"))
            .find(|file| file.is_file());
        let shim = Shim {
            folder,
            path,
            held: Vec::new(),
        };
        shim.wrap("docker", &docker.expect("docker is on PATH"));
        shim.wrap("docker-compose", &sandbox.compose_command);
        for name in ["hang", "calls", "faults"] {
            fs::write(shim.file(name), "").expect("a file can be written");
        }
        shim
    }

    /// At the `n`th call of either program, counted from 1.
    pub fn at(self, n: usize, action: Action) -> Shim {
        self.fault(&format!("[ \"$n\" = {n} ]"), &action)
    }

    /// At the `n`th call whose words match a shell pattern such as `docker-compose*up*app_1`, counted from 1.
    pub fn on(self, pattern: &str, n: usize, action: Action) -> Shim {
        let faults = fs::read_to_string(self.file("faults"))
            .unwrap_or_default()
            .lines()
            .count();
        let counter = format!("\"$shim/seen-{faults}\"");
        let matches = format!("case \"$line\" in {pattern}) true;; *) false;; esac");
        let count = format!("{{ printf . >>{counter}; [ \"$(wc -c <{counter})\" -eq {n} ]; }}");
        self.fault(&format!("{matches} && {count}"), &action)
    }

    /// The engine never answers the `n`th question whose first line has these words in it (`/version`), counted from 1.
    pub fn silent(mut self, words: &'static str, nth: usize) -> Shim {
        let fate = Fate::Silent;
        self.held.push(Held { words, nth, fate });
        self
    }

    /// The same, but it answers after a while.
    pub fn late(mut self, words: &'static str, nth: usize, late: Duration) -> Shim {
        let fate = Fate::Late(late);
        self.held.push(Held { words, nth, fate });
        self
    }

    /// zdt dies when it, or a program it has started, says the `n`th thing to the engine.
    pub fn kill_zdt_at_word(mut self, nth: usize) -> Shim {
        let (words, fate) = ("", Fate::Kill);
        self.held.push(Held { words, nth, fate });
        self
    }

    /// Keeps a copy of a folder as each call finds it; see [`Shim::found`].
    pub fn keeping(self, folder: &Path) -> Shim {
        let copy = format!("cp -R '{}' \"$shim/found-$n\" 2>>\"$shim/said\"", folder.display());
        self.fault("true", &Action(copy))
    }

    /// The folder of [`Shim::keeping`] as the `n`th call found it.
    pub fn found(&self, n: usize) -> PathBuf {
        self.file(&format!("found-{n}"))
    }

    fn fault(self, condition: &str, action: &Action) -> Shim {
        let path = self.file("faults");
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text.push_str(&format!("if {condition}; then {}; fi\n", action.0));
        fs::write(&path, text).expect("a file can be written");
        self
    }

    /// Puts the shim before the tools of a command.
    pub fn stand_before(&self, command: &mut Command) {
        command.env("PATH", format!("{}:{}", self.folder.path().display(), self.path));
        command.env("ZDT_COMPOSE", self.file("docker-compose"));
        if !self.held.is_empty() {
            let socket = self.file("engine.sock");
            socket::listen(&socket, self.held.clone());
            command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
        }
    }

    /// The calls so far, one a line: `docker tag …`.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file("calls")).unwrap_or_default();
        text.lines().map(str::to_string).collect()
    }

    /// What the scripts of `before` and `after` printed.
    pub fn said(&self) -> String {
        fs::read_to_string(self.file("said")).unwrap_or_default()
    }

    /// Calls that hang come back, and fail.
    pub fn release(&self) {
        let _ = fs::remove_file(self.file("hang"));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A line of each call goes into `calls`, its newlines as blanks; the number of lines is the call's number, also of
    /// calls made at the same moment.
    fn wrap(&self, name: &str, real: &Path) {
        let script = format!(
            "#!/bin/sh\n\
             shim='{}' real='{}'\n\
             line=\"{name} $*\"\n\
             case $line in *'\n'*) line=$(printf %s \"$line\" | tr '\\n' ' ') ;; esac\n\
             n=$({{ flock 8; printf '%s\\n' \"$line\" >>\"$shim/calls\"; wc -l <\"$shim/calls\"; }} 8>>\"$shim/counting\")\n\
             n=$((n))\n\
             . \"$shim/faults\"\n\
             exec \"$real\" \"$@\"\n",
            self.folder.path().display(),
            real.display(),
        );
        let path = self.file(name);
        fs::write(&path, script).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its owner can make it executable");
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.release();
    }
}
