//! What holds for every text: parsing ends, places are places, and what is printed is read back.

use std::path::PathBuf;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use zdt::diagnostic::{Diagnostic, RenderStyle, render_all};
use zdt::syntax::ast::{Argument, Piece, StatementKind, Word};
use zdt::syntax::{Source, SourceId, Sources, Span, format, parse};

const ID: SourceId = SourceId(0);

/// `PROPTEST_CASES=100000` searches longer.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(1000),
        failure_persistence: None,
        ..default
    }
}

/// Reads a text and checks everything that must hold whatever it says.
fn check(text: &str) -> Vec<Diagnostic> {
    let (script, diagnostics) = parse(ID, text);
    for statement in &script.statements {
        assert_place(text, statement.span);
    }
    for problem in &diagnostics {
        let (span, _) = problem.primary.as_ref().expect("every finding has its place");
        assert_place(text, *span);
        for (span, _) in &problem.secondary {
            assert_place(text, *span);
        }
        assert!(
            !problem.message.is_empty() && !problem.message.ends_with('.'),
            "{}",
            problem.message
        );
    }
    let starts: Vec<usize> = diagnostics
        .iter()
        .filter_map(|problem| problem.primary.as_ref().map(|(span, _)| span.start))
        .collect();
    assert!(starts.is_sorted(), "findings are in order");
    let mut sources = Sources::default();
    sources.add(Source {
        name: "a.zdt".to_owned(),
        dir: PathBuf::from("/"),
        text: text.to_owned(),
    });
    for short in [true, false] {
        let style = RenderStyle {
            color: false,
            width: 80,
            short,
        };
        let drawn = render_all(&diagnostics, &sources, &style);
        assert!(
            drawn
                .chars()
                .all(|character| character == '\n' || !character.is_control()),
            "no control characters: {drawn:?}"
        );
    }
    diagnostics
}

fn assert_place(text: &str, span: Span) {
    assert!(
        text.get(span.start..span.end).is_some(),
        "{span:?} is no place in {text:?}"
    );
}

/// Pieces of the language, in no order that makes sense.
fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        Just("task a "),
        Just("for x in "),
        Just("if "),
        Just("else "),
        Just("a == b"),
        Just(" and "),
        Just("not "),
        Just("exists "),
        Just("succeeds "),
        Just("param x "),
        Just("let y = "),
        Just("def f(a b) "),
        Just("retry 3 "),
        Just("on failure "),
        Just("include "),
        Just("key="),
        Just("word"),
        Just("$name"),
        Just("${env.X}"),
        Just("${"),
        Just("$("),
        Just("$"),
        Just("("),
        Just(")"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(" { "),
        Just("\""),
        Just("'"),
        Just("\\"),
        Just("\\\n"),
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just(";"),
        Just(" "),
        Just("#"),
        Just("## doc\n"),
        Just("~"),
        Just("|"),
        Just("&&"),
        Just("é"),
        Just("“"),
        Just("\u{a0}"),
        Just("\u{1b}[31m"),
        Just("\t"),
    ];
    vec(fragment, 0..40).prop_map(|parts| parts.concat())
}

/// What one word is made of, as text and as the pieces that must come out.
fn word() -> impl Strategy<Value = (String, Vec<Piece>)> {
    let span = Span::new(ID, 0, 0);
    let piece = prop_oneof![
        "[a-z0-9_./:@%+-]{1,6}".prop_map(|text| (text.clone(), Some(Piece::Text(text)))),
        "[^'\r\0]{0,8}".prop_map(|text| (format!("'{text}'"), Some(Piece::Text(text)))),
        "[^\r\0]{0,8}".prop_map(|text| {
            let written = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('$', "\\$")
                .replace('\n', "\\n");
            (format!("\"{written}\""), Some(Piece::Text(text)))
        }),
        "[a-z_][a-z0-9_]{0,4}".prop_map(move |name| (format!("${{{name}}}"), Some(Piece::Variable { name, span }))),
        "[a-z_][a-z0-9_]{0,4}".prop_map(move |name| (format!("\"${name}\""), Some(Piece::Variable { name, span }))),
    ];
    vec(piece, 1..5).prop_map(|pieces| {
        let text = pieces.iter().map(|(text, _)| text.as_str()).collect();
        (text, joined(pieces.into_iter().filter_map(|(_, piece)| piece)))
    })
}

/// Text next to text is one piece, and no text is none.
fn joined(pieces: impl Iterator<Item = Piece>) -> Vec<Piece> {
    let mut list: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (list.last_mut(), piece) {
            (_, Piece::Text(text)) if text.is_empty() => {}
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => list.push(piece),
        }
    }
    list
}

/// Pieces without their places.
fn bare(word: &Word) -> Vec<Piece> {
    let span = Span::new(ID, 0, 0);
    word.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => Piece::Text(text.clone()),
            Piece::Variable { name, .. } => Piece::Variable {
                name: name.clone(),
                span,
            },
            Piece::Output { words, .. } => Piece::Output {
                words: words.clone(),
                span,
            },
            Piece::Home { .. } => Piece::Home { span },
        })
        .collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,60}") {
        check(&text);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..80)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_fragments_are_survived(text in fragments()) {
        check(&text);
    }

    #[test]
    fn words_are_read_as_written(words in vec(word(), 1..5)) {
        let text = words.iter().map(|(text, _)| format!(" {text}")).collect::<String>();
        let text = format!("say{text}");
        let (script, diagnostics) = parse(ID, &text);
        prop_assert!(diagnostics.is_empty(), "{text:?}: {diagnostics:?}");
        let [statement] = script.statements.as_slice() else {
            return Err(TestCaseError::fail(format!("one statement: {text:?}")));
        };
        let StatementKind::Command(command) = &statement.kind else {
            return Err(TestCaseError::fail("a command"));
        };
        let found: Vec<Vec<Piece>> = command
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Word(word) => bare(word),
                Argument::List(_) | Argument::Key { .. } => Vec::new(),
            })
            .collect();
        let expected: Vec<Vec<Piece>> = words.into_iter().map(|(_, pieces)| pieces).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }

    #[test]
    fn a_bad_line_hides_no_other(before in fragments()) {
        // What is open in the fragments may swallow a line, but a text that is fine so far hides nothing.
        let (_, diagnostics) = parse(ID, &before);
        if diagnostics.is_empty() && !before.ends_with('\\') && !before.trim_start().is_empty() {
            let text = format!("{before}\nsay |\nsay $X\n");
            let found = check(&text);
            prop_assert!(found.len() >= 2, "{text:?}: {found:?}");
        }
    }
}

/// The time this thread has computed, whatever else the machine does.
fn computed() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Time grows with the length of the worst texts, not with its square.
#[test]
fn the_worst_texts_take_no_time() {
    let worst = |length: usize| {
        let many = |text: &str| text.repeat(length / text.len());
        let started = computed();
        for text in [
            many("\""),
            many("'\n"),
            many("\"$("),
            many("$(a "),
            many("$(a \\\n"),
            many("${\n"),
            many("[ "),
            many("[ '\n"),
            many("{"),
            many("}"),
            many("if (\n"),
            many("| "),
            many("a {} "),
            format!("say \"\n{}", many("\\\"\n")),
            format!("[ \"\n{}\" {{", many("[ \\\"\n")),
            format!("if a == b {} {{ }}", many(" and a == b")),
            format!("if a == b {{ }} {}", many("else if a == b { } ")),
        ] {
            parse(ID, &text);
        }
        computed() - started
    };
    let (short, long) = (worst(25_000), worst(200_000));
    assert!(long < short * 8 * 4, "8 times the text took {short:?}, then {long:?}");
}

#[test]
fn deep_nests_and_long_lines_come_back() {
    for text in [
        format!("if {}a == b{} {{ }}", "(".repeat(64), ")".repeat(64)),
        format!("say {}x{}", "$(a \"".repeat(64), "\")".repeat(64)),
        "x".repeat(100_000_000),
    ] {
        parse(ID, &text);
    }
}

/// A tree without its places.
fn without_places(text: &str) -> String {
    let (script, _) = parse(ID, text);
    let tree = format!("{script:?}");
    let mut out = String::new();
    let mut rest = tree.as_str();
    while let Some(at) = rest.find("Span {") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('}').expect("the end of a span");
        rest = &rest[at + end + 1..];
    }
    out + rest
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn formatting_changes_nothing_but_looks(text in fragments()) {
        if let Ok(formatted) = format(&text) {
            prop_assert_eq!(format(&formatted), Ok(formatted.clone()), "once is enough");
            prop_assert_eq!(without_places(&text), without_places(&formatted), "{:?} became {:?}", text, formatted);
        }
    }
}
