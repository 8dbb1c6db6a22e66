//! Which file an `include` of nginx's main file brings in.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::dump::Dump;

/// The main file's text with the include that brings in our file replaced by one line a file, in the order in which nginx
/// reads them (glob(3)'s, byte by byte: nginx sets no locale), ours by its candidate. `None` when no include does.
pub(super) fn with_candidate(main: &Path, text: &str, inside: &Path, next: &Path, installed: &Dump) -> Option<String> {
    let folder = main.parent()?;
    let mut found = false;
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, pattern, after)) = next_include(rest) {
        made.push_str(before);
        let wanted = folder.join(pattern.trim_matches(['"', '\'']));
        if matches(&wanted, inside) {
            found = true;
            let paths = installed.files.iter().map(|(path, _)| path.as_path());
            let others = paths.filter(|path| matches(&wanted, path) && *path != inside);
            let mut all: Vec<&Path> = others.chain([inside]).collect();
            all.sort_by_key(|path| path.as_os_str().as_bytes());
            let read = all.iter().map(|path| if *path == inside { next } else { path });
            let lines = read.map(|path| format!("include {};", path.display()));
            made.push_str(&lines.collect::<Vec<_>>().join("\n"));
        } else {
            made.push_str(&rest[before.len()..rest.len() - after.len()]);
        }
        rest = after;
    }
    made.push_str(rest);
    found.then_some(made)
}

/// What stands before the next `include` statement, its pattern, and what stands behind it.
fn next_include(text: &str) -> Option<(&str, &str, &str)> {
    const WORD: &str = "include";
    let mut from = 0;
    loop {
        let at = from + text[from..].find(WORD)?;
        let (before, rest) = (&text[..at], &text[at + WORD.len()..]);
        from = at + WORD.len();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let begins = line.trim_end().is_empty() || line.trim_end().ends_with([';', '{', '}']);
        if line.contains('#') || !begins || !rest.starts_with(char::is_whitespace) {
            continue;
        }
        let end = rest.find(';')?;
        return Some((before, rest[..end].trim(), &rest[end + 1..]));
    }
}

/// Whether a path matches an include pattern with at most one `*` in its last part.
fn matches(pattern: &Path, path: &Path) -> bool {
    if pattern == path {
        return true;
    }
    let (Some(pattern_name), Some(name)) = (pattern.file_name(), path.file_name()) else {
        return false;
    };
    let (pattern_name, name) = (pattern_name.to_string_lossy(), name.to_string_lossy());
    let Some((head, tail)) = pattern_name.split_once('*') else {
        return false;
    };
    pattern.parent() == path.parent()
        && name.len() >= head.len() + tail.len()
        && name.starts_with(head)
        && name.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wherever_it_stands_on_its_line() {
        let inside = Path::new("/etc/nginx/conf.d/shop.conf");
        let next = Path::new("/etc/nginx/conf.d/.shop.conf.zdt-next");
        let installed = Dump {
            files: ["/etc/nginx/conf.d/shop.conf", "/etc/nginx/conf.d/other.conf"]
                .map(|path| (path.into(), String::new()))
                .to_vec(),
        };
        let made = |text: &str| with_candidate(Path::new("/etc/nginx/nginx.conf"), text, inside, next, &installed);
        let both = "include /etc/nginx/conf.d/other.conf;\ninclude /etc/nginx/conf.d/.shop.conf.zdt-next;";
        for (text, wanted) in [
            (
                "http { include /etc/nginx/conf.d/*.conf; }\n",
                Some(format!("http {{ {both} }}\n")),
            ),
            (
                "include mime.types;\n  include conf.d/*.conf;\n",
                Some(format!("include mime.types;\n  {both}\n")),
            ),
            ("include 'conf.d/*.conf';", Some(both.to_string())),
            ("# include conf.d/*.conf;\n", None),
            ("my_include conf.d/*.conf;\n", None),
        ] {
            assert_eq!(made(text), wanted, "{text}");
        }
    }

    /// What stands before ours in the running nginx does so in the check, and what ours defines is there for those behind.
    #[test]
    fn at_its_place_among_the_others() {
        let inside = Path::new("/etc/nginx/conf.d/shop.conf");
        let next = Path::new("/etc/nginx/conf.d/.shop.conf.zdt-next");
        // In whatever order other includes have brought them in, and before ours is there.
        let installed = Dump {
            files: [
                "nginx.conf",
                "conf.d/zoo.conf",
                "conf.d/10-a.conf",
                "conf.d/Z.conf",
                "conf.d/shop-2.conf",
            ]
            .map(|path| (Path::new("/etc/nginx").join(path), String::new()))
            .to_vec(),
        };
        let main = Path::new("/etc/nginx/nginx.conf");
        let made = with_candidate(main, "include conf.d/*.conf;", inside, next, &installed);
        let names = ["10-a.conf", "Z.conf", "shop-2.conf", ".shop.conf.zdt-next", "zoo.conf"];
        let lines = names.map(|name| format!("include /etc/nginx/conf.d/{name};"));
        assert_eq!(made, Some(lines.join("\n")));
    }
}
