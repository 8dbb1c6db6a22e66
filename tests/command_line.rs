//! The command line itself: help for every command, and slips that are noticed.

use std::process::{Command, Output};

fn zdt(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdt"));
    command.args(words).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.output().expect("zdt runs")
}

#[test]
fn every_command_has_help() {
    let names: Vec<String> = zdt::cli::command()
        .get_subcommands()
        .map(|sub| sub.get_name().to_string())
        .collect();
    assert!(names.len() >= 11, "{names:?}");
    for name in &names {
        for flag in ["--help", "-h"] {
            let said = zdt(&[name, flag]);
            let text = String::from_utf8_lossy(&said.stdout);
            assert_eq!(said.status.code(), Some(0), "{name} {flag}: {said:?}");
            assert!(text.contains(&format!("Usage: zdt {name}")), "{name} {flag}: {text}");
        }
    }
    let recipe = zdt(&["recipes/upgrade.zdt", "--help"]);
    assert!(
        String::from_utf8_lossy(&recipe.stdout).contains("version"),
        "{recipe:?}"
    );
}

#[test]
fn every_option_is_described() {
    for sub in zdt::cli::command().get_subcommands() {
        let bare = sub.get_opts().filter(|option| option.get_help().is_none());
        let bare: Vec<&str> = bare.map(|option| option.get_id().as_str()).collect();
        assert!(bare.is_empty(), "{}: {bare:?}", sub.get_name());
    }
}

#[test]
fn slips_are_guessed() {
    let list = "a recipe is a text file (*.zdt); `zdt` alone lists those found here";
    for (words, code, told, help) in [
        (
            &["statsu"][..],
            1,
            "`statsu` is neither a command nor a recipe here",
            "did you mean `zdt status`?",
        ),
        (
            &["upgrade"],
            2,
            "cannot read the recipe `upgrade`: no such file",
            "did you mean `recipes/upgrade.zdt`?",
        ),
        (
            &["recipes/upgrad.zdt"],
            2,
            "`recipes/upgrad.zdt`: no such file",
            "did you mean `recipes/upgrade.zdt`?",
        ),
        (
            &["check", "statsu"],
            2,
            "cannot read the recipe `statsu`: no such file",
            list,
        ),
        (&["/"], 2, "cannot read the recipe `/`: it is a folder", list),
        (
            &["src", "--help"],
            2,
            "cannot read the recipe `src`: it is a folder",
            list,
        ),
    ] {
        let said = zdt(words);
        let text = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(code), "{words:?}: {text}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains(told), "{text}");
        assert_eq!(lines[1], format!("help: {help}"));
    }
}
