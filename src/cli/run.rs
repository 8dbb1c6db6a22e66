//! `zdt RECIPE`: read, plan, run.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::args::{RecipeArgs, RunArgs};
use super::recipe::{self, Ready, Told};
use crate::drivers::compose::words;
use crate::drivers::{Failure, FailureKind};
use crate::exec::journal::{Head, new_id, seconds};
use crate::exec::recall::Beginning;
use crate::exec::{Event, Finished, Mode, Options, Outcome, Session, Sink, rehearsal};
use crate::report::HtmlReport;
use crate::verbs::Console;
use crate::world::real::Real;
use crate::world::{Clock, Interrupt};

pub fn run(args: &RunArgs) -> u8 {
    let world = Real::new();
    match prepare(&world, args) {
        Ok((ready, recipe)) if args.dry_run => super::dry::run(&world, &ready, args, recipe.as_deref()),
        Ok((ready, _)) => for_real(&world, &ready, args),
        Err(Told(code)) => code,
    }
}

/// Options of a run, and no recipe to run.
pub fn unnamed() -> u8 {
    eprintln!("zdt: which recipe? only a dry run chooses one by itself");
    if let Some(recipe) = super::find::default_recipe(&std::env::current_dir().unwrap_or_default()) {
        eprintln!("help: zdt {recipe} …");
    }
    1
}

fn prepare(world: &Real, args: &RunArgs) -> Result<(Ready, Option<String>), Told> {
    let settings = recipe::settings(&args.with, &args.tasks);
    let mut found = None;
    let mut named = args.recipe.clone();
    if named.is_none() && args.with.text.is_none() && args.dry_run {
        named = super::find::default_recipe(&settings.cwd);
        found = named.clone();
        if named.is_none() {
            eprintln!("zdt: no recipe is named, and there is no `deploy.zdt` here or above and no `recipes/site.zdt`");
            return Err(Told(1));
        }
    }
    if let Some(word) = &args.recipe
        && args.with.text.is_none()
        && let Some(meant) = super::find::command_meant(word, &settings.cwd)
    {
        eprintln!("zdt: `{word}` is neither a command nor a recipe here\nhelp: did you mean `zdt {meant}`?");
        return Err(Told(1));
    }
    let loaded = recipe::read(world, named.as_deref(), &args.with, &settings.cwd)?;
    Ok((recipe::ready(world, loaded, settings, false)?, found))
}

fn for_real(world: &Real, ready: &Ready, args: &RunArgs) -> u8 {
    if let Err(error) = world.install_signals() {
        eprintln!("zdt: cannot listen to signals: {error}");
        return 5;
    }
    let options = Options {
        yes: args.yes,
        allow_downtime: args.allow.is_some(),
        lock_wait: args.lock_wait,
        ..options(args.with.compose_command.as_deref())
    };
    match rehearsal::unsafe_step(world, &ready.plan, &ready.templates, &options) {
        Ok(Some(Event::StepFailed { failure, place, .. })) => {
            eprintln!("zdt: refused before anything was touched, at {place}");
            super::print_failure(&failure, &ready.plan.secrets);
            return 5;
        }
        Ok(_) => {}
        Err(failure) => {
            super::print_failure(&failure, &ready.plan.secrets);
            return 5;
        }
    }
    let page = args.report.as_ref().map(|_| HtmlReport::new());
    let screen = super::sink(
        args.log.as_deref(),
        &ready.plan.secrets,
        page.as_ref().map(|page| page as &dyn Sink),
    );
    let mut head = head(world, ready, &options);
    head.files = with_files(&args.with, &ready.settings.cwd);
    started(screen.as_ref(), ready.plan.name.clone(), given(ready), &head.id);
    let session = Session {
        world,
        plan: &ready.plan,
        templates: &ready.templates,
        options: &options,
        sink: screen.as_ref(),
        console: &Terminal,
        nonce: &nonce,
    };
    let result = in_session(world, &session, Mode::Fresh(Box::new(head)));
    let code = exit_code(result, &ready.plan.secrets);
    if let (Some(page), Some(path)) = (&page, &args.report) {
        let written = std::fs::File::create(path).and_then(|mut file| page.finish(&mut file, None));
        if let Err(error) = written {
            eprintln!("zdt: cannot write the report `{}`: {error}", path.display());
        }
    }
    code
}

/// Runs it. Whoever presses Ctrl-C sees at once that it has come.
pub fn in_session(world: &Real, session: &Session, mode: Mode) -> Result<Finished, Failure> {
    let line = "interrupt: what runs comes to a safe end first; a second one stops at once".to_string();
    let (start, sink, next) = (world.now(), session.sink, session.next(Outcome::Interrupted, false));
    let told = || sink.event(&Event::Warned { line: line.clone() });
    // As if it had been killed: what the journal has is all that counts.
    let end = |interrupt| {
        let code = i32::from(signal_code(Some(interrupt)));
        // Also where nobody reads what is told.
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(1));
            std::process::exit(code);
        });
        sink.event(&Event::Ended {
            outcome: Outcome::Interrupted,
            took: world.now().saturating_sub(start),
            standing: Vec::new(),
            irreversible: Vec::new(),
            next,
        });
        std::process::exit(code);
    };
    world.answering(told, end, || session.run(mode))
}

/// The first line: what is run, with which params.
pub fn started(sink: &dyn Sink, what: String, params: Vec<String>, run: &str) {
    sink.event(&Event::Started {
        recipe: what,
        run: run.to_string(),
        params,
        dry: None,
    });
}

/// Params given by `--set`, secret ones masked.
pub fn given(ready: &Ready) -> Vec<String> {
    let given = ready.plan.params.iter().filter(|param| param.given);
    given
        .map(|param| match param.secret {
            true => format!("{}=•••", param.name),
            false => format!("{}={}", param.name, param.value.as_deref().unwrap_or_default()),
        })
        .collect()
}

/// What the surroundings say, for every command that drives an engine.
pub fn options(compose_command: Option<&str>) -> Options {
    Options {
        compose_command: compose_command
            .map(str::to_string)
            .filter(|command| !command.is_empty()),
        zdt: std::env::current_exe().ok(),
        docker_host: std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()),
        ..Options::default()
    }
}

/// The exit code of a run; prints a refusal.
pub fn exit_code(result: Result<Finished, Failure>, secrets: &[String]) -> u8 {
    match result {
        Ok(finished) => match finished.outcome {
            Outcome::Done | Outcome::WentBack => 0,
            Outcome::RolledBack => 3,
            Outcome::Failed => 4,
            Outcome::Refused => 5,
            Outcome::Interrupted => signal_code(finished.interrupt),
        },
        Err(failure) => {
            super::print_failure(&failure, secrets);
            match failure.kind {
                FailureKind::Interrupted => signal_code(None),
                FailureKind::Refused | FailureKind::Failed => 5,
            }
        }
    }
}

fn signal_code(interrupt: Option<Interrupt>) -> u8 {
    match interrupt {
        Some(Interrupt::Term) => 143,
        Some(Interrupt::Int) | None => 130,
    }
}

/// The files named by `-f`, wherever somebody goes on from.
pub fn with_files(with: &RecipeArgs, cwd: &Path) -> Vec<PathBuf> {
    let absolute = |path: &PathBuf| crate::plan::normal(&cwd.join(path));
    with.files.iter().map(absolute).collect()
}

pub fn head(world: &Real, ready: &Ready, options: &Options) -> Head {
    let at = seconds(world);
    let user = ready.settings.env.get("USER");
    // Whoever goes on with it may stand in another folder.
    let by_path = |command: &String| {
        let mut words = words(world, command);
        if let Some(program) = words.first_mut().filter(|program| program.contains('/')) {
            let path = crate::plan::normal(&ready.settings.cwd.join(&program));
            *program = path.display().to_string();
        }
        words.join(" ")
    };
    let compose_command = options.compose_command.as_ref().map(by_path);
    let head = ready.head(Beginning {
        id: new_id(world, &nonce()),
        at,
        user: user
            .cloned()
            .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw())),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        allow_downtime: options.allow_downtime,
    });
    Head {
        compose_command,
        ..head
    }
}

/// 128 random bits from the kernel, in hexadecimal.
pub fn nonce() -> String {
    use std::fmt::Write as _;
    let mut bytes = [0u8; 16];
    let read = std::fs::File::open(Path::new("/dev/urandom"))
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes));
    if read.is_err() {
        // Without the kernel's source the hasher's seed, which the standard library takes from the system too.
        use std::hash::{BuildHasher, Hasher};
        for half in bytes.chunks_mut(8) {
            let seed = std::collections::hash_map::RandomState::new().build_hasher().finish();
            half.copy_from_slice(&seed.to_le_bytes());
        }
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Asks on the terminal, where there is one.
pub struct Terminal;

impl Console for Terminal {
    fn is_there(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn confirm(&self, question: &str) -> Option<bool> {
        if !self.is_there() {
            return None;
        }
        eprint!("{question} [y/N] ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}
