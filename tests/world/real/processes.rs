//! Programs, the lock they inherit, and interrupts.

use super::*;

#[test]
fn output_status_environment_and_folder() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let mut command = sh(r#"pwd; echo "$A" >&2; exit 3"#);
    command.env = vec![("A".into(), "x y".into())];
    command.cwd = Some(folder.path().to_path_buf());
    let output = world.run(&command).unwrap();
    assert_eq!(output.status, Status::Exited(3));
    assert_eq!(Path::new(output.stdout.trim_end()), folder.path());
    assert_eq!(output.stderr, "x y\n");

    let killed = world.run(&sh("kill -9 $$")).unwrap();
    assert_eq!(killed.status, Status::Signalled(9));
}

#[test]
fn a_child_has_its_own_group_and_not_our_input() {
    let world = Real::new();
    let output = world
        .run(&sh(
            "ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; echo $$; cat",
        ))
        .unwrap();
    let numbers: Vec<&str> = output.stdout.split_whitespace().collect();
    assert_eq!(numbers.len(), 2, "{output:?}");
    assert_eq!(numbers[0], numbers[1]);
}

#[test]
fn input_longer_than_a_pipe_comes_back_whole() {
    let world = Real::new();
    let mut command = Command::new("cat", [] as [&str; 0]);
    command.stdin = Some(vec![b'x'; 1_000_000]);
    assert_eq!(world.run(&command).unwrap().stdout.len(), 1_000_000);
    // Who does not read its input is no error either.
    let mut deaf = Command::new("true", [] as [&str; 0]);
    deaf.stdin = Some(vec![b'x'; 1_000_000]);
    assert!(world.run(&deaf).unwrap().success());
}

#[test]
fn long_output_keeps_its_end() {
    let world = Real::new();
    let script = "echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo last; head -c 9000000 /dev/zero >&2";
    let output = world.run(&sh(script)).unwrap();
    assert_eq!(output.stdout.len(), 4 * 1024 * 1024);
    assert!(output.stdout.ends_with("xlast\n"));
    assert_eq!(output.stderr.len(), 4 * 1024 * 1024);
}

#[test]
fn lines_come_while_the_program_runs() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let seen = Mutex::new(Vec::new());
    let go_on = folder.path().join("go-on");
    let on_line = |line: &str| {
        seen.lock().unwrap().push(line.to_string());
        if line == "ready" {
            fs::write(&go_on, "").unwrap();
        }
    };
    // It ends only when its first line has been handed on.
    let mut command = sh("printf 'ready\r\n'; until [ -e go-on ]; do sleep 0.01; done; printf 'no newline' >&2");
    command.cwd = Some(folder.path().to_path_buf());
    command.on_line = Some(&on_line);
    assert!(world.run(&command).unwrap().success());
    assert_eq!(*seen.lock().unwrap(), ["ready", "no newline"]);
}

#[test]
fn a_missing_program_is_told_from_a_missing_folder() {
    let world = Real::new();
    let missing = Command::new("zdt-no-such-program", [] as [&str; 0]);
    assert!(matches!(world.run(&missing), Err(ProcessError::NotFound { program }) if program == "zdt-no-such-program"));
    let mut nowhere = sh("true");
    nowhere.cwd = Some("/no/such/folder".into());
    assert!(matches!(world.run(&nowhere), Err(ProcessError::Io { .. })));
}

#[test]
fn deadline_ends_the_whole_group() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    // The grandchild ignores SIGTERM and holds the pipe.
    let mut command = sh("sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & wait");
    command.cwd = Some(folder.path().to_path_buf());
    command.deadline = Duration::from_millis(500);
    let started = Instant::now();
    let error = world.run(&command).unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
    assert!(started.elapsed() < LONG);
    let pid: u32 = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    wait_until(|| world.title(pid).is_none());
}

#[test]
fn a_grandchild_that_holds_the_pipe_is_not_waited_for() {
    let world = Real::new();
    let mut command = sh("echo out; sleep 3600 & echo $! >&2");
    command.deadline = LONG * 10;
    let started = Instant::now();
    let output = world.run(&command).unwrap();
    assert!(started.elapsed() < LONG);
    assert_eq!(output.stdout, "out\n");
    let pid = output.stderr.trim().to_string();
    // It may not have become `sleep` yet.
    wait_until(|| world.title(pid.parse().unwrap()).as_deref() == Some("sleep 3600"));
    world.run(&Command::new("kill", [pid])).unwrap();
}

#[test]
fn the_lock_lasts_as_long_as_a_child_that_keeps_it() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = world.try_lock(&path).unwrap().unwrap();
    assert!(world.try_lock(&path).unwrap().is_none());

    // The child itself ends; what it started lives on and keeps the lock.
    let mut command = sh("exec 3<&0; sleep 3600 >/dev/null 2>&1 & echo $!");
    command.lock = Some(&lock);
    let pid = world.run(&command).unwrap().stdout.trim().to_string();
    // A child without it does not.
    let other = world
        .run(&sh("sleep 3600 >/dev/null 2>&1 & echo $!"))
        .unwrap()
        .stdout
        .trim()
        .to_string();
    drop(lock);
    assert!(world.try_lock(&path).unwrap().is_none());
    world.run(&Command::new("kill", ["-9", &pid])).unwrap();
    wait_until(|| world.try_lock(&path).unwrap().is_some());
    world.run(&Command::new("kill", ["-9", &other])).unwrap();

    let lock = world.try_lock(&path).unwrap().unwrap();
    let mut both = sh("true");
    both.lock = Some(&lock);
    both.stdin = Some(Vec::new());
    assert!(matches!(world.run(&both), Err(ProcessError::Io { .. })));
}

/// One test for all of it: signals go to the whole process.
#[test]
fn interrupts() {
    let world = Real::new();
    world.install_signals().unwrap();
    let raise = |signal| signal_hook::low_level::raise(signal).unwrap();
    raise(signal_hook::consts::SIGHUP);
    raise(signal_hook::consts::SIGPIPE);
    assert!(world.pause(Duration::from_millis(100)));
    assert_eq!(world.pending(), None);

    // The first ends what may be interrupted ...
    let on_line = |_: &str| raise(signal_hook::consts::SIGTERM);
    let mut command = sh("echo; sleep 3600");
    command.deadline = LONG * 10;
    command.on_line = Some(&on_line);
    assert!(matches!(world.run(&command), Err(ProcessError::Interrupted { .. })));
    assert_eq!(world.pending(), Some(Interrupt::Term));
    assert!(!world.pause(LONG * 10));
    assert!(matches!(world.run(&sh("true")), Err(ProcessError::Interrupted { .. })));

    // ... not what may not, nor anything once it was acknowledged.
    let mut firm = sh("sleep 0.1");
    firm.interruptible = false;
    assert!(world.run(&firm).unwrap().success());
    world.acknowledge();
    assert_eq!(world.pending(), None);
    assert!(world.pause(Duration::from_millis(1)));
    assert!(world.run(&sh("true")).unwrap().success());
    assert!(!world.second());

    // The second ends every wait, and leaves alone what must not be cut in half.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = world.try_lock(&path).unwrap().unwrap();
    let pid = Mutex::new(String::new());
    let on_line = |line: &str| {
        *pid.lock().unwrap() = line.to_string();
        raise(signal_hook::consts::SIGINT);
    };
    let mut firm = sh("echo $$; exec sleep 3600");
    (firm.interruptible, firm.deadline) = (false, LONG * 10);
    firm.lock = Some(&lock);
    firm.on_line = Some(&on_line);
    assert!(matches!(world.run(&firm), Err(ProcessError::Interrupted { .. })));
    assert!(world.second());
    assert_eq!(world.pending(), Some(Interrupt::Int));
    drop(lock);
    assert!(world.try_lock(&path).unwrap().is_none());
    let pid = pid.into_inner().unwrap();
    // While it turns from `sh` into `sleep` it has no title.
    wait_until(|| world.title(pid.parse().unwrap()).is_some());
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    wait_until(|| world.title(pid.parse().unwrap()).is_none());
}
