//! The language through the real binary and the real planner, without an engine. Whole texts are compared.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use zdt::plan::{Node, NodeKind, Plan, Settings, build, load};
use zdt::syntax::Source;

use common::{Run, Running, golden, repository};

fn folder() -> PathBuf {
    repository().join("tests/language")
}

/// zdt in this suite's folder, with an environment in which no engine is found.
fn zdt(args: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdt"));
    command
        .args(args)
        .current_dir(folder())
        .env("NO_COLOR", "1")
        .env("PATH", "/usr/bin:/bin");
    command
        .env("DOCKER_HOST", "unix:///nonexistent")
        .env_remove("ZDT_COMPOSE");
    Running::start(command, None).wait()
}

#[track_caller]
fn wrong(name: &str, args: &[&str]) {
    let run = zdt(args).exits(2);
    assert_eq!(run.stdout, "", "a recipe with errors says nothing on standard output");
    golden(&format!("language/errors/{name}.txt"), &run.stderr);
}

#[track_caller]
fn right(args: &[&str], said: &[&str]) {
    let run = zdt(args).ok();
    let lines: Vec<&str> = run.stdout.lines().map(str::trim).collect();
    for line in said {
        assert!(lines.contains(line), "`{line}` is not in {lines:#?}");
    }
}

#[test]
fn all_errors_are_told_at_once_each_in_its_own_file() {
    wrong("everywhere", &["errors/everywhere.zdt"]);
}

#[test]
fn unknown_verbs_get_the_word_that_was_meant() {
    wrong("verbs", &["errors/verbs.zdt"]);
}

#[test]
fn words_of_the_language_belong_to_it() {
    wrong("reserved", &["errors/reserved.zdt"]);
}

#[test]
fn a_name_is_declared_once_and_hides_nothing() {
    wrong("twice", &["errors/twice.zdt"]);
}

#[test]
fn verbs_of_ones_own_are_called_as_they_are_declared() {
    wrong("defs", &["errors/defs.zdt"]);
}

#[test]
fn values_have_their_places() {
    wrong("values", &["errors/values.zdt"]);
}

#[test]
fn given_params_have_their_types() {
    let given = [
        "number=1.5",
        "flag=yes",
        "wait=5",
        "room=many",
        "part=150",
        "names=",
        "plaice=x",
        "text=1",
    ];
    let args: Vec<&str> = ["errors/params.zdt"]
        .into_iter()
        .chain(given.iter().flat_map(|pair| ["--set", pair]))
        .collect();
    wrong("params", &args);
}

/// What is not demanded stays the text it was.
#[test]
fn given_params_keep_their_text() {
    right(&["errors/params.zdt"], &["1 true 5s 1m 50% 007", "a", "b"]);
    let given = ["number=-3", "flag=false", "wait=1.5s", "names=c,d,e", "text=1.10"];
    let args: Vec<&str> = ["errors/params.zdt"]
        .into_iter()
        .chain(given.iter().flat_map(|pair| ["--set", pair]))
        .collect();
    right(
        &args,
        &[
            "-3 false 1.5s 1m 50% 1.10",
            &format!("at {}", folder().join("errors/here").display()),
            "c",
            "d",
            "e",
        ],
    );
}

#[test]
fn only_what_the_chosen_tasks_reach_is_required() {
    wrong("required", &["errors/required.zdt"]);
    wrong("required-both", &["errors/required.zdt", "both"]);
    wrong("required-task", &["errors/required.zdt", "tel"]);
    right(&["errors/required.zdt", "--set", "version=1"], &["1"]);
    right(&["errors/required.zdt", "tell", "--set", "channel=c"], &["c"]);
}

#[test]
fn errors_of_steps_on_the_command_line_and_of_standard_input_name_them() {
    wrong("command-line", &["-c", "say $nothing; drian app_1"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdt"));
    command.arg("-").current_dir(folder()).env("NO_COLOR", "1");
    let run = Running::start(command, Some("say one\nsay $nothing\n")).wait().exits(2);
    golden("language/errors/stdin.txt", &run.stderr);
}

fn plan(text: &str, settings: &Settings) -> Plan {
    let source = Source {
        name: "everything.zdt".into(),
        dir: PathBuf::from("/srv"),
        text: text.into(),
    };
    let loaded = load(source, None, &[], &|path: &Path| {
        Err(format!("{}: nothing is read", path.display()))
    });
    match build(loaded, settings) {
        Ok((plan, warnings)) => {
            assert!(warnings.is_empty(), "{warnings:?}");
            plan
        }
        Err((_, diagnostics)) => panic!("{diagnostics:#?}"),
    }
}

fn settings(set: &[(&str, &str)], tasks: &[&str]) -> Settings {
    Settings {
        set: set
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        tasks: tasks.iter().map(|task| task.to_string()).collect(),
        env: BTreeMap::new(),
        cwd: PathBuf::from("/srv"),
    }
}

/// The tree: one line a node, its id and its title.
fn tree(plan: &Plan) -> String {
    let mut text = String::new();
    for (part, nodes) in [
        ("", &plan.nodes),
        ("on failure", &plan.on_failure),
        ("finally", &plan.finally),
    ] {
        if !part.is_empty() && !nodes.is_empty() {
            text.push_str(&format!("{part}:\n"));
        }
        nodes.iter().for_each(|node| line(node, 1, &mut text));
    }
    text
}

fn line(node: &Node, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let mut own = |title: &str| text.push_str(&format!("{indent}{}  {title}\n", node.id));
    match &node.kind {
        NodeKind::Group { title, .. } => own(&format!("[{title}]")),
        NodeKind::Step(verb) => own(&verb.title()),
        NodeKind::Ask { key, .. } => own(&format!("ask {key}")),
        NodeKind::If { shown, .. } => own(shown),
        NodeKind::Retry { times, every, .. } => own(&format!("retry {times} every {every:?}")),
        NodeKind::Timeout { limit, .. } => own(&format!("timeout {limit:?}")),
    }
    match &node.kind {
        NodeKind::Group { children, .. } | NodeKind::Retry { children, .. } | NodeKind::Timeout { children, .. } => {
            children.iter().for_each(|child| line(child, depth + 1, text));
        }
        NodeKind::If { then, otherwise, .. } => {
            then.iter().for_each(|child| line(child, depth + 1, text));
            if !otherwise.is_empty() {
                text.push_str(&format!("{indent}else\n"));
                otherwise.iter().for_each(|child| line(child, depth + 1, text));
            }
        }
        NodeKind::Step(_) | NodeKind::Ask { .. } => {}
    }
}

const EVERYTHING: &str = include_str!("language/plans/everything.zdt");

#[test]
fn a_plan_has_every_step_with_its_id() {
    golden(
        "language/plans/everything.txt",
        &tree(&plan(EVERYTHING, &settings(&[], &[]))),
    );
}

/// Resume finds its steps by id: the same text and values give the same ones, and each is there once.
#[test]
fn ids_are_stable_and_unique() {
    let ids = |plan: &Plan| -> Vec<String> { plan.steps().iter().map(|(node, _)| node.id.clone()).collect() };
    let first = ids(&plan(EVERYTHING, &settings(&[], &[])));
    assert_eq!(ids(&plan(EVERYTHING, &settings(&[], &[]))), first);
    let mut once = first.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), first.len(), "an id stands for two steps: {first:#?}");
    // Text around a step is not part of its id.
    let commented = EVERYTHING.replace("    drain $app\n", "\n    # a comment\n    drain   $app\n");
    assert_ne!(commented, EVERYTHING);
    assert_eq!(ids(&plan(&commented, &settings(&[], &[]))), first);
}

#[test]
fn chosen_tasks_run_in_the_order_they_are_named() {
    let plan = plan(
        EVERYTHING,
        &settings(&[("stage", "prod"), ("names", "one")], &["choose", "quarter"]),
    );
    golden("language/plans/chosen.txt", &tree(&plan));
}
