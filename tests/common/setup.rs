//! Engine, compose and images, made by `docker/setup.sh` once a test binary; and the end of what must not outlive it.

use std::io::Write;
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
    let script = repository().join("docker/setup.sh");
    let output = Command::new(&script).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}: {advice}", script.display()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.trim().lines().last().unwrap_or("no output").to_string();
        return Err(format!("{last}: {advice}"));
    }
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
