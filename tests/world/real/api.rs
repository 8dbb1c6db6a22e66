//! Questions to the engine, through a `docker` of the test's own.

use super::*;
use zdt::world::{Api, Question, Reply};

/// A `docker` whose `system dial-stdio` does what the script says, in a folder where it leaves one `.` a start in
/// `starts` and its pid in `pid`.
fn docker(folder: &Path, script: &str) -> String {
    let path = folder.join("docker");
    let head = format!(
        "#!/bin/sh\n[ \"$*\" = 'system dial-stdio' ] || exit 9\ncd '{}'\n",
        folder.display()
    );
    let tail = format!(
        "printf . >>starts; echo $$ >pid\nhear() {{ while read -r line && [ \"$line\" != '\r' ]; do :; done; }}\n{script}\n"
    );
    fs::write(&path, head + &tail).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_string()
}

/// A question of a new moment.
fn ask(world: &Real, docker: &str, deadline: Duration) -> Result<Reply, ProcessError> {
    world.pause(Duration::ZERO);
    ask_again(world, docker, deadline)
}

fn ask_again(world: &Real, docker: &str, deadline: Duration) -> Result<Reply, ProcessError> {
    let path = "/version";
    world.ask(&Question { docker, path, deadline })
}

fn starts(folder: &Path) -> usize {
    fs::read_to_string(folder.join("starts")).unwrap_or_default().len()
}

#[test]
fn one_child_answers_many_questions() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let script = "while hear; do printf 'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\n{\"a\":\\r\\n2\\r\\n1}\\r\\n0\\r\\n\\r\\n'; done";
    let docker = docker(folder.path(), script);
    for _ in 0..3 {
        let reply = ask(&world, &docker, LONG).unwrap();
        assert_eq!((reply.status, &reply.body["a"]), (200, &1.into()));
    }
    assert_eq!(starts(folder.path()), 1);
}

/// What counts its answers.
const COUNTS: &str = "n=0; while hear; do n=$((n+1)); printf 'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1\\r\\n%s\\r\\n0\\r\\n\\r\\n' $((n % 10)); done";

/// A moment lasts a few hundredths of a second, and a busy machine may take longer between two lines of a test: one of
/// many tries must fit into it.
#[test]
fn two_looks_in_a_moment_are_one_question() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let docker = docker(folder.path(), COUNTS);
    let same = |_| ask(&world, &docker, LONG).unwrap() == ask_again(&world, &docker, LONG).unwrap();
    assert!((0..100).any(same));
}

#[test]
fn whatever_is_done_ends_the_moment() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let docker = docker(folder.path(), COUNTS);
    let nothing = HttpRequest {
        url: "http://127.0.0.1:1/".into(),
        host: None,
        timeout: LONG,
    };
    let lock = folder.path().join("lock");
    let deeds: [&dyn Fn(); 5] = [
        &|| drop(world.run(&Command::new("true", [""; 0]))),
        &|| drop(world.get(&nothing)),
        &|| drop(world.connect("127.0.0.1", 1, LONG)),
        &|| _ = world.pause(Duration::ZERO),
        &|| drop(world.try_lock(&lock)),
    ];
    let mut before = ask(&world, &docker, LONG).unwrap();
    for (n, deed) in deeds.iter().enumerate() {
        deed();
        let after = ask_again(&world, &docker, LONG).unwrap();
        assert_ne!(before, after, "deed {n}");
        before = after;
    }
}

#[test]
fn a_line_that_was_cut_is_dialled_again() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let docker = docker(
        folder.path(),
        "hear; printf 'HTTP/1.1 404 Not Found\\r\\nContent-Length: 2\\r\\n\\r\\n{}'",
    );
    for _ in 0..3 {
        assert_eq!(ask(&world, &docker, LONG).unwrap().status, 404);
    }
    assert_eq!(starts(folder.path()), 3);
}

/// What it leaves behind (an ssh for the next connection) holds its pipe open.
#[test]
fn its_last_words_are_not_waited_for_for_ever() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let stays = "while [ -e stays ]; do sleep 0.1; done";
    let docker = docker(
        folder.path(),
        &format!("touch stays; ( {stays} ) </dev/null >/dev/null & echo 'gone' >&2; exit 1"),
    );
    match ask(&world, &docker, LONG) {
        Err(ProcessError::NoAnswer { said, .. }) => assert_eq!(said.trim(), "gone"),
        other => panic!("{other:?}"),
    }
    fs::remove_file(folder.path().join("stays")).unwrap();
}

#[test]
fn an_engine_that_is_not_there_says_so_in_dockers_words() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let docker = docker(folder.path(), "echo 'no route to it' >&2; exit 1");
    match ask(&world, &docker, LONG) {
        Err(ProcessError::NoAnswer { said, .. }) => assert_eq!(said.trim(), "no route to it"),
        other => panic!("{other:?}"),
    }
    let missing = folder.path().join("nothing").display().to_string();
    assert!(matches!(
        ask(&world, &missing, LONG),
        Err(ProcessError::NotFound { .. })
    ));
}

#[test]
fn silence_ends_at_the_deadline_and_the_child_with_it() {
    let (world, folder) = (Real::new(), tempfile::tempdir().unwrap());
    let docker = docker(folder.path(), "trap '' TERM; while :; do sleep 60; done");
    let reply = ask(&world, &docker, Duration::from_millis(300));
    assert!(matches!(reply, Err(ProcessError::Silent { .. })), "{reply:?}");
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap_or_default();
    if let Ok(pid) = pid.trim().parse() {
        wait_until(|| world.title(pid).is_none());
    }
}
