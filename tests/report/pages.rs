//! Pages that are asked for: explanations, and the help of a recipe.

use std::time::Duration;
use zdt::diagnostic::CODES;
use zdt::plan::Param;

use zdt::exec::journal::Ended;
use zdt::plan::types::ParamType;
use zdt::report::{BackendLine, RunLine, StatusPage, Traffic, history_page, status_page};
use zdt::report::{RecipeHelp, Screen, Width, explain, recipe_help, topics, verbs_table};
use zdt::verbs::VERBS;

use crate::golden;

fn screen(columns: usize) -> Screen {
    Screen {
        width: Width::Columns(columns),
        ..Screen::log()
    }
}

#[test]
fn codes_and_verbs_are_explained() {
    let mut text = String::new();
    for width in [60, 100] {
        for word in ["drain", "run", "z001", "unclosed-quote"] {
            let page = explain(word, screen(width)).unwrap_or_else(|| panic!("{word} is not explained"));
            text += &format!("════ {word}, {width} columns\n{page}");
        }
    }
    golden("explain.txt", &text);
    assert_eq!(explain("drian", screen(80)), None);
}

#[test]
fn whatever_exists_is_explained() {
    let codes = CODES.iter().copied().flatten().map(|doc| doc.code.0);
    for word in VERBS.iter().map(|spec| spec.name).chain(codes) {
        assert!(
            explain(word, screen(60)).is_some_and(|text| text.lines().count() > 2),
            "{word}"
        );
        assert!(topics(None, screen(60)).contains(word), "{word}");
    }
}

#[test]
fn slips_are_guessed() {
    for (word, meant) in [("drian", Some("`drain`?")), ("Z0O1", Some("`Z001`?")), ("xyzzy", None)] {
        let text = topics(Some(word), screen(80));
        let first = text.lines().next().unwrap_or_default();
        match meant {
            Some(meant) => assert!(first.ends_with(meant) && text.lines().count() == 1, "{text}"),
            None => assert_eq!(first, "`xyzzy` is not known"),
        }
    }
}

#[test]
fn the_table_of_the_readme() {
    let table = verbs_table();
    assert_eq!(table.lines().count(), VERBS.len() + 2);
    assert!(table.contains("| `drain BACKEND…` |"));
    golden("verbs.md", &table);
}

#[test]
fn a_recipe_explains_itself() {
    let param = |name: &str, kind, value: Option<&str>, doc: Option<&str>| Param {
        name: name.into(),
        kind,
        secret: name == "token",
        doc: doc.map(String::from),
        value: value.map(String::from),
        given: false,
    };
    let params = [
        param("version", ParamType::String, None, Some("the image tag to move to")),
        param(
            "path",
            ParamType::Path,
            Some("~/zerodowntime"),
            Some("where the application's files live on this machine,\nand where its state is kept"),
        ),
        param("token", ParamType::String, Some("hunter2"), None),
        param("limit", ParamType::Duration, Some(""), None),
    ];
    let tasks = [
        (
            "upgrade".to_string(),
            Some("moves every backend to `version`".to_string()),
        ),
        ("smoke".to_string(), None),
    ];
    let help = RecipeHelp {
        name: "recipes/upgrade.zdt",
        doc: Some("Moves every backend to a new version, one at a time,\nwithout losing a request."),
        params: &params,
        tasks: &tasks,
    };
    let mut text = String::new();
    for width in [40, 60, 100] {
        text += &format!("════ {width} columns\n{}", recipe_help(&help, screen(width)));
    }
    assert!(!text.contains("hunter2"));
    golden("recipe-help.txt", &text);
    let bare = RecipeHelp {
        name: "bare.zdt",
        doc: None,
        params: &[],
        tasks: &[],
    };
    assert_eq!(
        recipe_help(&bare, screen(80)),
        "bare.zdt\n\nusage\n  zdt bare.zdt [--dry-run]\n"
    );
}

fn run(outcome: Option<Ended>, took: u64, recipe: &str, params: &[&str]) -> RunLine {
    RunLine {
        when: "2026-11-24 19:30:26 UTC".to_string(),
        outcome,
        untouched: false,
        took: Duration::from_secs(took),
        who: "ann@web-1".to_string(),
        recipe: recipe.to_string(),
        params: params.iter().map(|param| param.to_string()).collect(),
    }
}

/// In columns, in a log, and in colour, which changes no words.
fn at_widths(page: impl Fn(Screen) -> String) -> String {
    let mut text = String::new();
    for width in [60, 80, 120] {
        let page = page(screen(width));
        let long = page.lines().filter(|line| line.chars().count() >= width);
        let long: Vec<&str> = long.filter(|line| !line.contains("zdt ")).collect();
        assert!(long.is_empty(), "{width}: {long:#?}");
        assert!(page.lines().all(|line| line.trim_end() == line), "{page}");
        text += &format!("════ {width} columns\n{page}");
    }
    let colour = Screen {
        color: true,
        ..Screen::log()
    };
    text + &format!("════ a log\n{}════ in colour\n{}", page(Screen::log()), page(colour))
}

#[test]
fn how_an_application_stands() {
    let backend = |name: &str, image: Option<&str>, healthy, traffic| BackendLine {
        name: name.to_string(),
        image: image.map(|image| (image.to_string(), "6afbab5a3d40".to_string())),
        stopped: traffic == Traffic::None,
        healthy: Some(healthy),
        traffic,
    };
    let page = StatusPage {
        dir: "/srv/applications/zerodowntime/production/shop".to_string(),
        project: "shop".to_string(),
        backends: vec![
            backend(
                "shop_1",
                Some("registry.example.com/team/shop:0.0.2"),
                true,
                Traffic::Serves,
            ),
            backend(
                "shop_2",
                Some("registry.example.com/team/shop:0.0.1"),
                false,
                Traffic::Draining,
            ),
            backend("shop_3", Some("shop:0.0.1"), true, Traffic::None),
            backend("shop_4", None, false, Traffic::Unknown),
        ],
        proxy: Some("the proxy does not answer zdt: connection refused".to_string()),
        drift: vec!["`db` differs from the compose file; a plain `up` would recreate it".to_string()],
        unfinished: Some(run(None, 12, "recipes/upgrade.zdt", &["version=0.0.2", "token=•••"])),
        next: vec!["zdt resume --dir /srv/applications/zerodowntime/production/shop".to_string()],
    };
    golden("status.txt", &at_widths(|screen| status_page(&page, screen)));
}

#[test]
fn what_was_done() {
    let params = [
        "version=0.0.3-dies",
        "project=shop-of-two",
        "http_port=18471",
        "dir=/srv/shop",
    ];
    let runs = [
        run(None, 3, "recipes/upgrade.zdt", &["version=0.0.2"]),
        run(Some(Ended::Done), 33, "recipes/upgrade.zdt", &["version=0.0.2"]),
        run(Some(Ended::RolledBack), 75, "recipes/upgrade.zdt", &params),
        RunLine {
            untouched: true,
            ..run(Some(Ended::RolledBack), 2, "recipes/upgrade.zdt", &["version=0.0.2"])
        },
        run(Some(Ended::Failed), 4000, "-c", &[]),
        run(Some(Ended::Refused), 0, "up.zdt", &[]),
    ];
    golden("history.txt", &at_widths(|screen| history_page(&runs, screen)));
}
