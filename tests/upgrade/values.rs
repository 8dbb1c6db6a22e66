//! Values that mean something to a shell, and paths that hold them, reach programs as they are.

use crate::common::{Sandbox, Traffic};

/// Everything that a shell, an argument splitter or a careless program would stumble over.
const EVIL: &[&str] = &[
    "two words",
    "it's",
    "say \"hi\"",
    "a\nnew line",
    "tab\there",
    "$(touch pasted)",
    "`touch pasted`",
    "; touch pasted",
    "-n",
    "*",
    "Zürich ☂ 日本",
    "back\\slash\\",
    "$HOME ${HOME}",
    "",
    " ",
];

fn params() -> String {
    (0..EVIL.len()).map(|number| format!("param v{number}\n")).collect()
}

fn words() -> String {
    (0..EVIL.len()).map(|number| format!(" $v{number}")).collect()
}

fn sets() -> Vec<String> {
    EVIL.iter()
        .enumerate()
        .flat_map(|(number, value)| ["--set".to_string(), format!("v{number}={value}")])
        .collect()
}

/// Each argument followed by a zero byte, which none can contain.
fn expected() -> String {
    EVIL.iter().map(|value| format!("{value}\0")).collect()
}

#[test]
fn run_and_sh_hand_values_over_as_they_are() {
    let sandbox = Sandbox::named("argv").folder("it's a \"folder\" ☂").build();
    let folder = "it's a \"folder\" ☂";
    sandbox.write(
        &format!("{folder}/args.sh"),
        "#!/bin/sh\nprintf '%s\\0' \"$@\" >by-run\n",
    );
    let env: String = (0..EVIL.len()).map(|number| format!(" v{number}=$v{number}")).collect();
    let print: String = (0..EVIL.len()).map(|number| format!(" \"$v{number}\"")).collect();
    let text = format!(
        "{}run sh args.sh{}\nsh{env} 'printf \"%s\\0\"{print} >by-sh'\n",
        params(),
        words()
    );
    let recipe = sandbox.write(&format!("{folder}/argv.zdt"), &text);
    let recipe = recipe.display().to_string();
    let args: Vec<String> = [recipe].into_iter().chain(sets()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sandbox.plain(&args).ok();
    assert_eq!(sandbox.read("by-run"), expected());
    assert_eq!(sandbox.read("by-sh"), expected());
    assert!(!sandbox.dir.join("pasted").exists(), "a value was run");
}

#[test]
fn exec_hands_values_over_and_a_strange_folder_is_upgraded_like_any_other() {
    let sandbox = Sandbox::named("strange").folder("it's a \"folder\" ☂").build();
    sandbox.provision("0.0.1");
    let text = format!(
        "include {}/recipes/app.zdt\n{}exec proxy sh -c 'printf \"%s\\0\" \"$@\" >/tmp/by-exec' sh{}\n",
        crate::common::repository().display(),
        params(),
        words()
    );
    let recipe = sandbox.write("exec.zdt", &text).display().to_string();
    let args: Vec<String> = [recipe].into_iter().chain(sets()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sandbox.zdt(&args).ok();
    let printed = sandbox.docker(&["exec", &sandbox.container("proxy").id, "cat", "/tmp/by-exec"]);
    assert_eq!(printed, expected());

    let traffic = Traffic::start(&sandbox);
    sandbox.upgrade("0.0.2").ok();
    traffic.assert_no_failures();
    sandbox.assert_version("0.0.2");
}

/// A program's exit code is believed, and nothing after it runs.
#[test]
fn a_program_that_fails_ends_the_run() {
    let sandbox = Sandbox::new("fails");
    for step in [
        "run false",
        "sh 'exit 7'",
        "sh 'false; true'",
        "sh 'echo $unset_variable'",
    ] {
        let run = sandbox.plain(&["-c", &format!("{step}\nsay reached")]).exits(4);
        assert!(!run.stdout.contains("reached"), "{step}: {run:?}");
        // It may have done half of its work, so it is told; and there is nothing to roll back.
        assert!(run.stdout.contains("cannot be undone"), "{step}: {run:?}");
        assert!(!run.stdout.contains("rolling back"), "{step}: {run:?}");
    }
}
