//! Reads what `nginx -T` prints: the files of the running configuration and the directives that matter to zdt.
//! A tokenizer, not a parser of everything: it knows words, quotes, comments, `;` and braces.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::leads::followed;

/// All files of a configuration, the main file first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dump {
    pub files: Vec<(PathBuf, String)>,
}

/// One directive with the blocks around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// The blocks around it, outermost first.
    pub around: Vec<Block>,
    /// The directive's words, without `;`.
    pub words: Vec<String>,
    /// Where it has requests sent past any upstream.
    pub(super) target: Option<Target>,
}

/// What a `…_pass` may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) place: String,
    /// What is put together from several variables of several values each may never be.
    pub(super) sure: bool,
}

/// A block, which is what its first word says it is (`block == "server"`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What stands before its brace.
    pub words: Vec<String>,
    /// Which one of its file, from 0.
    pub number: usize,
}

impl PartialEq<str> for Block {
    fn eq(&self, word: &str) -> bool {
        self.words.first().is_some_and(|first| first == word)
    }
}

impl Directive {
    /// Of an upstream's `server`: where it has requests sent, as `host:port` or a name.
    pub fn server(&self) -> Option<&str> {
        let address = self.words.get(1).filter(|_| self.words[0] == "server")?;
        Some(address)
    }

    /// Where it has requests sent past any upstream, as `host:port` or a host: the target of a `…_pass`, also of what gives
    /// a variable in one its value. A part that only a request knows is a `*`.
    pub fn leads_to(&self) -> Option<&str> {
        self.target.as_ref().map(|target| target.place.as_str())
    }

    /// Requests can go where [`Directive::leads_to`] says: its values are known to come together.
    pub fn leads_surely(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.sure)
    }
}

/// The names of the upstreams.
pub fn upstreams(directives: &[Directive]) -> Vec<&str> {
    let blocks = directives.iter().filter(|one| one.words[0] == "upstream");
    blocks.filter_map(|one| Some(one.words.get(1)?.as_str())).collect()
}

/// Whether requests sent to `target` reach one of `places` (`host:port`). A host alone means port 80, unless it is the
/// name of an upstream.
pub fn is_at(target: &str, places: &[String], upstreams: &[&str]) -> bool {
    let alone = |place: &String| place.strip_suffix(":80") == Some(target) && !upstreams.contains(&target);
    places.iter().any(|place| like(target, place) || alone(place))
}

/// Whether a text is what a pattern says, in which a `*` is anything.
fn like(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let rest = text.strip_prefix(head);
    rest.is_some_and(|rest| rest.char_indices().any(|(at, _)| like(tail, &rest[at..])) || tail.is_empty())
}

impl Dump {
    pub fn parse(text: &str) -> Self {
        const MARK: &str = "# configuration file ";
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        for line in text.split_inclusive('\n') {
            match line
                .strip_prefix(MARK)
                .and_then(|rest| rest.trim_end().strip_suffix(':'))
            {
                Some(path) => files.push((PathBuf::from(path), String::new())),
                None => {
                    if let Some((_, content)) = files.last_mut() {
                        content.push_str(line);
                    }
                }
            }
        }
        Self { files }
    }

    pub fn main(&self) -> Option<&(PathBuf, String)> {
        self.files.first()
    }

    pub fn directives(&self) -> Vec<Directive> {
        followed(self.plain())
    }

    /// The same for whoever does not ask where one leads.
    pub fn plain(&self) -> Vec<Directive> {
        self.files.iter().flat_map(|(path, text)| read(path, text)).collect()
    }
}

/// The value of a directive as time, as nginx reads it (`ngx_parse_time`): `90s`, `1m30s`, `1h 30m`, `500ms`, and `75`, which
/// is seconds. From large to small, each unit once.
pub fn time(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 8] = [
        ("y", 365 * 86_400_000),
        ("M", 30 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    let mut rest = text;
    loop {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let (unit, behind) = behind.split_at(behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len()));
        rest = behind.trim_start_matches(' ');
        let scale = match unit {
            "" if rest.is_empty() => 1000,
            _ => units.find(|(name, _)| *name == unit)?.1,
        };
        total = number.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(total)?;
        if rest.is_empty() {
            return Some(Duration::from_millis(total));
        }
    }
}

/// The directives of one text.
pub fn directives(file: &Path, text: &str) -> Vec<Directive> {
    followed(read(file, text))
}

fn read(file: &Path, text: &str) -> Vec<Directive> {
    let mut found: Vec<Directive> = Vec::new();
    let mut around: Vec<Block> = Vec::new();
    let mut blocks = 0..;
    let mut words: Vec<String> = Vec::new();
    let mut line = 1;
    let mut start = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            ';' | '{' => {
                if !words.is_empty() {
                    found.push(Directive {
                        file: file.to_path_buf(),
                        line: start,
                        around: around.clone(),
                        words: std::mem::take(&mut words),
                        target: None,
                    });
                }
                if c == '{' {
                    around.push(Block {
                        words: found.last().map_or_else(Vec::new, |directive| directive.words.clone()),
                        number: blocks.next().unwrap_or_default(),
                    });
                }
            }
            '}' => {
                around.pop();
                words.clear();
            }
            first => {
                if words.is_empty() {
                    start = line;
                }
                words.push(word(first, &mut chars, &mut line));
            }
        }
    }
    found
}

fn word(first: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, line: &mut usize) -> String {
    let mut word = String::new();
    if first == '"' || first == '\'' {
        while let Some(c) = chars.next() {
            match c {
                c if c == first => break,
                '\\' => {
                    word.push(c);
                    word.extend(chars.next());
                }
                c => {
                    *line += usize::from(c == '\n');
                    word.push(c);
                }
            }
        }
        return word;
    }
    word.push(first);
    let mut variable = first == '$';
    while let Some(&c) = chars.peek() {
        let brace = variable && c == '{';
        if c.is_whitespace() || c == ';' || (c == '{' && !brace) {
            break;
        }
        variable = c == '$';
        word.push(c);
        chars.next();
        if c == '\\' {
            word.extend(chars.next());
        }
        if brace {
            for c in chars.by_ref() {
                word.push(c);
                if c == '}' {
                    break;
                }
            }
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_requests_are_sent() {
        let text = "upstream app_2 { server app_1:80 down; }\nmap $host $be { default app_1; }\nserver { location / {\n\
                    set $u app_1:80; proxy_pass http://app_1/x; proxy_pass http://app_1$uri; proxy_pass http://$u;\n\
                    proxy_pass http://app_2; fastcgi_pass app_1:80; return 200 app_1; # proxy_pass http://app_1;\n} }\n";
        let directives = directives(Path::new("site.conf"), text);
        let leads: Vec<&str> = directives.iter().filter_map(Directive::leads_to).collect();
        assert_eq!(leads, ["app_1:80", "app_1", "app_1", "app_1:80", "app_2", "app_1:80"]);
        let servers: Vec<&str> = directives.iter().filter_map(Directive::server).collect();
        assert_eq!(servers, ["app_1:80"]);
        let upstreams = upstreams(&directives);
        let places = ["app_1:80", "app_2:80", "app_3:3000"].map(str::to_string);
        for (target, reached) in [
            ("app_1", true),
            ("app_1:80", true),
            ("app_2", false),
            ("app_2:80", true),
            ("app_3", false),
        ] {
            assert_eq!(is_at(target, &places, &upstreams), reached, "{target}");
        }
    }

    #[test]
    fn times_as_nginx_reads_them() {
        for (text, millis) in [
            ("90s", Some(90_000)),
            ("75", Some(75_000)),
            ("0", Some(0)),
            ("500ms", Some(500)),
            ("1m30s", Some(90_000)),
            ("1m 30s", Some(90_000)),
            ("1m30", Some(90_000)),
            ("1h 30m 5s 20ms", Some(5_405_020)),
            ("2w3d", Some(17 * 86_400_000)),
            ("1y1M", Some(395 * 86_400_000)),
            ("30s1m", None),
            ("1m1m", None),
            ("1.5s", None),
            ("90S", None),
            ("1 day", None),
            ("$limit", None),
            ("", None),
            ("99999999999999999999s", None),
            ("99999999999999999y", None),
        ] {
            assert_eq!(time(text), millis.map(Duration::from_millis), "{text}");
        }
    }
}
