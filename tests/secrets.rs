//! A secret is in no output: not in a plan, not in a run, not in its JSON, not in a message about it.

use std::process::Command;

const SECRET: &str = "s3cr3t'with \"quotes\"";

fn zdt(args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = folder.path().join("secret.zdt");
    let text = "param token secret\ntask t {\n    say \"the token is $token\"\n    run echo $token\n    \
                run sh -c 'printf \"%054d%s\" 0 \"$0\"' $token\n    \
                sh t=$token 'echo \"$t\"; exit 7'\n}\n";
    std::fs::write(&recipe, text).expect("a recipe");
    let output = Command::new(env!("CARGO_BIN_EXE_zdt"))
        .arg(&recipe)
        .args(["--set", &format!("token={SECRET}")])
        .args(args)
        .output()
        .expect("zdt runs");
    let shown = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&shown).into_owned())
}

/// The secret as it is, as JSON writes it, as a shell would.
fn leaks(shown: &str) -> bool {
    [SECRET, "s3cr3t"].iter().any(|form| shown.contains(form))
}

#[test]
fn a_run_that_fails_does_not_tell() {
    let (code, shown) = zdt(&[]);
    assert_eq!(code, Some(4), "{shown}");
    assert!(shown.contains("the token is •••"), "{shown}");
    assert!(!leaks(&shown), "{shown}");
}

#[test]
fn neither_do_a_plan_and_a_log() {
    for args in [&["--dry-run"][..], &["--log", "json"], &["--dry-run", "--log", "json"]] {
        let (_, shown) = zdt(args);
        assert!(shown.contains("•••"), "{shown}");
        assert!(!leaks(&shown), "{args:?}: {shown}");
    }
}
