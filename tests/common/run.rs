//! The real binary as a process: to its end, or watched while it runs.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::setup::end_without_engine;

/// Longer than any run of a test may take on a busy machine, and than zdt's own longest deadline (a compose command's,
/// 300 s), so that zdt can tell what hangs: what hangs must not hang the suite.
const LIMIT: Duration = Duration::from_secs(360);

/// How a run ended and all it printed.
#[derive(Debug)]
pub struct Run {
    /// `None`: a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Run {
        assert_eq!(
            self.code,
            Some(code),
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub fn ok(self) -> Run {
        self.exits(0)
    }

    /// Asserts that a text stands in what it printed, on either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Run {
        let found = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(
            found,
            "no `{text}` in\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// A run that has not ended. When dropped it is killed.
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// What has come so far, and the thread that reads on.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let into = text.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Running {
    /// Starts a command with an empty standard input, unless it has one.
    pub fn start(mut command: Command, stdin: Option<&str>) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().expect("zdt starts");
        if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
            use std::io::Write;
            pipe.write_all(text.as_bytes()).expect("zdt reads its standard input");
        }
        let stdout = Stream::read(child.stdout.take().expect("a pipe was asked for"));
        let stderr = Stream::read(child.stderr.take().expect("a pipe was asked for"));
        Running { child, stdout, stderr }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits until standard output has this text.
    #[track_caller]
    pub fn await_text(&mut self, text: &str) {
        let limit = Instant::now() + LIMIT;
        while !self.stdout().contains(text) {
            let ended = self.child.try_wait().expect("it can be waited for").is_some();
            // What it printed last may still be in the pipe.
            let missing = (ended && !self.stdout().contains(text)) || Instant::now() > limit;
            assert!(
                !missing,
                "it never said `{text}`:\n{}\n{}",
                self.stdout(),
                self.stderr()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it still runs");
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let limit = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            if Instant::now() > limit {
                end_without_engine();
                panic!("it hangs:\n{}\n{}", self.stdout(), self.stderr());
            }
            thread::sleep(Duration::from_millis(5));
        };
        // A killed zdt can leave children that hold the pipes; they are not waited for.
        if status.code().is_some() {
            for stream in [&mut self.stdout, &mut self.stderr] {
                stream.reader.take().map(JoinHandle::join);
            }
        }
        Run {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
