//! Engine, compose and images, made by `docker/setup.sh` once a test binary; and the end of what must not outlive it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What `docker/setup.sh` made, and how to reach it.
#[derive(Debug)]
pub struct Tools {
    /// The environment that its `env` file asks for.
    pub env: Vec<(String, String)>,
    /// `docker-compose` 2.x on its own.
    pub compose_v2: PathBuf,
    /// `docker-compose` 1.x.
    pub compose_v1: PathBuf,
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tools, made when first asked for. Panics with one line that says what to do when they cannot be had.
pub fn tools() -> &'static Tools {
    static TOOLS: OnceLock<Result<Tools, String>> = OnceLock::new();
    match TOOLS.get_or_init(set_up) {
        Ok(tools) => tools,
        Err(line) => panic!("{line}"),
    }
}

fn set_up() -> Result<Tools, String> {
    let advice = "run docker/setup.sh as root and mend what it names; these tests need an engine, compose and images";
    // A mirror or an engine that stalled once is asked a second time; what was made stays made.
    make_all()
        .or_else(|_| make_all())
        .map_err(|why| format!("{why}: {advice}"))?;
    let folder = std::env::var_os("ZDT_SETUP_DIR").map_or_else(|| repository().join("target/setup"), PathBuf::from);
    let compose_v1 = folder.join("bin/docker-compose-v1");
    if !compose_v1.exists() {
        return Err(format!("compose v1 is missing and could not be unpacked: {advice}"));
    }
    Ok(Tools {
        env: environment(&folder.join("env")).map_err(|error| format!("{error}: {advice}"))?,
        compose_v2: folder.join("bin/docker-compose"),
        compose_v1,
    })
}

/// Runs `docker/setup.sh`, telling what it tells while it does; gives its last line when it failed.
fn make_all() -> Result<(), String> {
    let script = repository().join("docker/setup.sh");
    let mut command = bounded(&script, 1_200);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("{}: {error}", script.display()))?;
    let mut last = "no output".to_string();
    for line in BufReader::new(child.stderr.take().expect("a pipe was asked for")).lines() {
        last = line.map_err(|error| error.to_string())?;
        // Past the test runner, which shows what a test prints when it has ended: this is for whoever waits.
        let _ = writeln!(std::io::stderr(), "set-up: {last}");
    }
    match child.wait().map_err(|error| error.to_string())?.success() {
        true => Ok(()),
        false => Err(last),
    }
}

/// A command that is ended after so many seconds, with exit code [`TOO_LONG`]: a bound for what hangs, no expectation.
pub fn bounded(program: impl AsRef<OsStr>, seconds: u32) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", &seconds.to_string()]).arg(program);
    command
}

/// What `timeout` exits with.
pub const TOO_LONG: i32 = 124;

/// Called where something took too long: an engine that answers nobody would make each test of the suite hang in turn,
/// so the suite ends here.
pub fn end_without_engine() {
    let mut question = bounded("docker", 30);
    question.args(["network", "ls"]).stdout(Stdio::null());
    question.envs(tools().env.iter().cloned());
    if !question.status().is_ok_and(|status| status.success()) {
        let _ = writeln!(
            std::io::stderr(),
            "the machine's engine does not answer `docker network ls`: no test can go on"
        );
        std::process::exit(101);
    }
}

/// What sourcing the file sets.
fn environment(file: &Path) -> Result<Vec<(String, String)>, String> {
    let names = ["PATH", "DOCKER_HOST", "DOCKER_CONFIG"];
    let script = names.map(|name| format!("printf '%s\\n' \"${{{name}-}}\";")).concat();
    let output = Command::new("sh")
        .args(["-euc", &format!(". \"$1\"; {script}"), "sh"])
        .arg(file)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let values = names
        .iter()
        .map(|name| (*name).to_string())
        .zip(text.lines().map(str::to_string));
    Ok(values.filter(|(_, value)| !value.is_empty()).collect())
}

/// Lines handed over here are done by the janitor once this process has ended, however it ended:
/// `project NAME` removes a project from the machine's engine, `engine NAME` takes an engine down.
pub fn at_the_end(line: &str) {
    static JANITOR: OnceLock<Mutex<Child>> = OnceLock::new();
    let janitor = JANITOR.get_or_init(|| {
        use std::os::unix::process::CommandExt;
        let child = Command::new("sh")
            .arg(repository().join("tests/common/janitor.sh"))
            .envs(tools().env.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal is for the tests; the janitor is what follows.
            .process_group(0)
            .spawn();
        Mutex::new(child.expect("sh starts"))
    });
    let mut janitor = janitor.lock().unwrap_or_else(PoisonError::into_inner);
    let pipe = janitor.stdin.as_mut().expect("a pipe was asked for");
    writeln!(pipe, "{line}").expect("the janitor reads");
}
