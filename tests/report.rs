//! What zdt prints, compared whole with golden files. `ZDT_BLESS=1` writes them anew.

#[path = "report/cases.rs"]
mod cases;
#[path = "report/html.rs"]
mod html;
#[path = "report/json.rs"]
mod json;
#[path = "report/masked.rs"]
mod masked;
#[path = "report/pages.rs"]
mod pages;
#[path = "report/terminal.rs"]
mod terminal;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zdt::report::Clock;

/// A writer whose text can be looked at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("paper").clone()).expect("text")
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("paper").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A clock that goes on half a second each time it is looked at.
fn clock() -> Clock {
    let looks = Mutex::new(0);
    Box::new(move || -> SystemTime {
        let mut looks = looks.lock().expect("a clock");
        *looks += 1;
        UNIX_EPOCH + Duration::from_millis(1_784_540_000_000 + *looks * 500)
    })
}

/// Compares with a golden file, or writes it.
fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/report/golden")
        .join(name);
    if std::env::var_os("ZDT_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(&path, actual).expect("the golden file");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{name}:\n{}\nset ZDT_BLESS=1 if the new output is right",
        similar::TextDiff::from_lines(expected.as_str(), actual).unified_diff()
    );
}
