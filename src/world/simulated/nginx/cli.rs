//! The `nginx` program inside a container: `-t`, `-T`, `-v`, `-V`, `-s reload`.

use super::config::Emerg;
use super::inside::MAIN_FILE;
use super::server::{Master, test};
use crate::world::simulated::docker::{Played, Said};
use crate::world::simulated::engine::Failure;
use crate::world::simulated::image::ImageKind;
use crate::world::simulated::state::State;

/// Plays `nginx ARGS…` in the container at `index`.
pub(crate) fn run(state: &mut State, index: usize, args: &[String]) -> Played {
    let Some(ImageKind::Nginx { version }) = state.engine.kind(&state.engine.containers[index]).cloned() else {
        return Err(Failure::exit(
            127,
            "exec: \"nginx\": executable file not found in $PATH\n".into(),
        ));
    };
    let (mut file, mut globals) = (MAIN_FILE.to_string(), String::new());
    let (mut check, mut dump, mut quiet, mut signal) = (false, false, false, None);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-t" => check = true,
            "-T" => (check, dump) = (true, true),
            "-q" => quiet = true,
            "-v" => return Ok(Said::err(format!("nginx version: nginx/{version}\n"))),
            "-V" => {
                let text = "built by gcc\nbuilt with OpenSSL 3.6.5\nTLS SNI support enabled\nconfigure arguments: --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --pid-path=/run/nginx.pid --with-compat --with-threads\n";
                return Ok(Said::err(format!("nginx version: nginx/{version}\n{text}")));
            }
            "-c" => file = words.next().cloned().unwrap_or_default(),
            "-g" => globals = words.next().cloned().unwrap_or_default(),
            "-s" => signal = words.next().cloned(),
            "-p" | "-e" => drop(words.next()),
            other => {
                let text = format!("nginx: invalid option: \"{other}\"\n");
                return Err(Failure::exit(1, text));
            }
        }
    }
    let result = test(state, index, &file, &globals, &version);
    match (signal.as_deref(), check) {
        (Some("reload"), _) => {
            result.map_err(|emerg| failed(&file, &emerg, false))?;
            state.event(String::new)?;
            Master::reload(state, index);
            Ok(Said::err("[notice] 112#112: signal process started\n"))
        }
        (Some(other), _) => Err(Failure::exit(
            125,
            format!("simulated nginx: cannot play `-s {other}`\n"),
        )),
        (None, false) => Err(Failure::exit(
            125,
            "simulated nginx: cannot play a second master\n".into(),
        )),
        (None, true) => {
            let config = result.map_err(|emerg| failed(&file, &emerg, true))?;
            let mut said = Said::default();
            if !quiet {
                said.stderr = format!(
                    "nginx: the configuration file {file} syntax is ok\nnginx: configuration file {file} test is successful\n"
                );
            }
            if dump {
                for (path, content) in &config.files {
                    let content = String::from_utf8_lossy(content);
                    said.stdout
                        .push_str(&format!("# configuration file {path}:\n{content}\n"));
                }
            }
            Ok(said)
        }
    }
}

fn failed(file: &str, emerg: &Emerg, test: bool) -> Failure {
    // Once for the error log, which in a container is standard error too, and once for whoever asked.
    let mut text = format!("2026/01/01 00:00:00 [emerg] 34#34: {emerg}\nnginx: [emerg] {emerg}\n");
    if test {
        text.push_str(&format!("nginx: configuration file {file} test failed\n"));
    }
    Failure::exit(1, text)
}
