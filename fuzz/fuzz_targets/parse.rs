//! Any bytes: the reader does not panic or hang, and what it lays out reads the same and is laid out the same.

use std::path::Path;
use std::time::{Duration, Instant};

use zdt::syntax::{SourceId, format, parse};
use zdt_fuzz::{fuzz, mutate};

const PIECES: &[&str] = &[
    "\n",
    ";",
    "{",
    "}",
    "\"",
    "'",
    "$",
    "${",
    "$(",
    ")",
    "[",
    "]",
    "#",
    "##",
    "\\",
    "\\\n",
    "\r\n",
    "`",
    "=",
    "==",
    " ",
    "\t",
    "for x in ",
    "if ",
    "else",
    "retry 3 ",
    "on failure",
    "task a {",
    "def v(a) {",
    "param p ",
    "include ",
    "drain app_1",
    "\u{feff}",
    "\u{2028}",
    "é",
    "\0",
    "{{{{{{{{",
    "$($($($(",
];

fn main() {
    let mut corpus = vec![Vec::new()];
    for folder in [
        "recipes",
        "tests/syntax/ok",
        "tests/syntax/errors",
        "tests/syntax/format",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "zdt") {
                corpus.extend(std::fs::read(entry.path()));
            }
        }
    }
    corpus.retain(|text: &Vec<u8>| text.len() < 20_000);
    fuzz("parse", |random| {
        let bytes = mutate(random, &corpus, PIECES);
        let text = String::from_utf8_lossy(&bytes);
        let start = Instant::now();
        let (_, diagnostics) = parse(SourceId(0), &text);
        if start.elapsed() > Duration::from_secs(10) {
            return Err(format!("slow: {text:?}"));
        }
        match (format(&text), diagnostics.is_empty()) {
            (Ok(laid), true) => match format(&laid) {
                Ok(again) if again == laid => Ok(()),
                Ok(again) => Err(format!("laid out twice it differs: {text:?}: {laid:?}, {again:?}")),
                Err(_) => Err(format!("laid out it does not read: {text:?}: {laid:?}")),
            },
            (Ok(_), false) => Err(format!("laid out in spite of errors: {text:?}")),
            _ => Ok(()),
        }
    });
}
