//! An application that runs, shared by the refusals because none of them changes it; and what a refusal must be.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use regex_lite::Regex;

use crate::common::{Run, Sandbox, golden, normal, repository};

/// The shop, for one test at a time: zdt's own lock would refuse a second run.
pub fn shop() -> MutexGuard<'static, Sandbox> {
    static SHOP: OnceLock<Mutex<Sandbox>> = OnceLock::new();
    let shop = SHOP.get_or_init(|| {
        let sandbox = Sandbox::new("shop");
        sandbox.provision("0.0.1");
        Mutex::new(sandbox)
    });
    shop.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs something and asserts that it ends with this code, says what `refusals/golden/NAME.txt` has, and leaves
/// every container and every file as it was.
#[track_caller]
pub fn refused(sandbox: &Sandbox, name: &str, code: i32, run: impl FnOnce() -> Run) {
    let before = sandbox.snapshot();
    let run = run().exits(code);
    assert_eq!(sandbox.snapshot(), before, "something was changed");
    golden(&format!("refusals/golden/{name}.txt"), &stable(sandbox, &run));
}

/// All it printed, without what differs from run to run: times, ids, versions, the padding between columns.
pub fn stable(sandbox: &Sandbox, run: &Run) -> String {
    let text = format!("--- stdout\n{}--- stderr\n{}", run.stdout, run.stderr);
    let mut text = normal(sandbox, &text);
    for (pattern, with) in [
        (r"\b\d+\.\d+s\b", "TIME"),
        // What a machine's network says about a registry, and nginx's own clock and process.
        (r"Error response from daemon: .*", "WHAT THE ENGINE SAYS"),
        (r"\d{4}/\d\d/\d\d [0-9:]+ \[emerg\] \d+#\d+", "[emerg]"),
        (r"compose [0-9.]+[-0-9a-z+.]*", "compose VERSION"),
        (r"engine [0-9.]+[-0-9a-z+.]*", "engine VERSION"),
        (r"nginx \d+\.\d+\.\d+", "nginx VERSION"),
        (r"generation \d+", "generation NUMBER"),
        (r"  +TIME", "  TIME"),
    ] {
        text = Regex::new(pattern)
            .expect("it is a pattern")
            .replace_all(&text, with)
            .into_owned();
    }
    text
}

/// A recipe for the sandbox that includes the shipped `app.zdt`.
pub fn with_app(sandbox: &Sandbox, name: &str, steps: &str) -> String {
    let text = format!("include {}/recipes/app.zdt\n{steps}\n", repository().display());
    sandbox.write(name, &text).display().to_string()
}
