//! Where requests are sent past any upstream: what stands behind a `…_pass`, with the variables that it is made of.

use std::cell::Cell;
use std::path::Path;

use super::dump::{Directive, Target};

/// The most values that are put together for all of a configuration: a product of maps has no end. What is left out
/// counts as known to a request only.
const MOST: usize = 50_000;

/// A text in the place of one with variables, and the directives (by number) that gave their values.
#[derive(Clone)]
struct Made {
    text: String,
    by: Vec<usize>,
    /// How many variables in it have several values each.
    choices: usize,
}

impl Made {
    fn of(text: &str) -> Self {
        Self {
            text: text.to_string(),
            by: Vec::new(),
            choices: 0,
        }
    }
}

/// The directives, each `…_pass` once for every target that it may lead to, and so is each `set` and each line of a `map`
/// that a target is made of: a variable that no `…_pass` uses leads nowhere.
pub(super) fn followed(directives: Vec<Directive>) -> Vec<Directive> {
    let left = Cell::new(MOST);
    let mut targets: Vec<Vec<Target>> = vec![Vec::new(); directives.len()];
    for (at, directive) in directives.iter().enumerate() {
        let Some(to) = directive.words.get(1).filter(|_| directive.words[0].ends_with("_pass")) else {
            continue;
        };
        for made in values_of(&directives, directive, to, &[], &left) {
            let place = place(&made.text);
            let sure = made.choices <= 1;
            let target = Target { place, sure };
            for one in made.by.into_iter().chain([at]) {
                if !targets[one].contains(&target) {
                    targets[one].push(target.clone());
                }
            }
        }
    }
    let each = directives.into_iter().zip(targets).flat_map(|(directive, targets)| {
        let led = |target| Directive {
            target,
            ..directive.clone()
        };
        match targets.is_empty() {
            true => vec![led(None)],
            false => targets.into_iter().map(|target| led(Some(target))).collect(),
        }
    });
    each.collect()
}

/// All that `text` may be where it stands, up to its path, as far as the files tell; what they do not tell is a `$`, and
/// so is a variable inside of itself.
fn values_of(all: &[Directive], at: &Directive, text: &str, inside: &[&str], left: &Cell<usize>) -> Vec<Made> {
    let text = without_path(text);
    let Some((before, name, after)) = next_variable(text) else {
        return vec![Made::of(text)];
    };
    let mut found: Vec<Made> = Vec::new();
    if !inside.contains(&name) && left.get() > 0 {
        let inside = [inside, &[name]].concat();
        let given = givers(all, at, name);
        for (number, value) in &given {
            for mut made in values_of(all, at, value, &inside, left) {
                made.by.push(*number);
                made.choices += usize::from(given.len() > 1);
                found.push(made);
            }
        }
    }
    if found.is_empty() {
        found.push(Made::of("$"));
    }
    let rests = values_of(all, at, after, inside, left);
    let both = found.iter().flat_map(|one| {
        rests.iter().map(move |rest| Made {
            text: format!("{before}{}{}", one.text, rest.text),
            by: [one.by.as_slice(), &rest.by].concat(),
            choices: one.choices + rest.choices,
        })
    });
    let both: Vec<Made> = both.take(left.get().max(1)).collect();
    left.set(left.get().saturating_sub(both.len()));
    both
}

/// Up to the character that begins a path or a query: neither makes a difference.
fn without_path(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let end = url[from..].find(['/', '?']);
    end.map_or(url, |end| &url[..=from + end])
}

/// What stands before the first variable, its name, and what stands behind it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('$')?;
    if let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return Some((before, name, after));
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
    Some((before, name, after))
}

/// The directives that give a variable its values where `at` stands: lines of a `map` and the like, and each `set` of the
/// same server. One that stands in the same block is the last word, together with what an `if` in there says.
fn givers<'d>(all: &'d [Directive], at: &Directive, name: &str) -> Vec<(usize, &'d str)> {
    let is = |word: Option<&String>| word.is_some_and(|word| word.strip_prefix('$') == Some(name));
    let by_table = |one: &Directive| {
        let tables = ["map", "geo", "split_clients"];
        let table = one.around.last();
        table.is_some_and(|block| tables.iter().any(|table| block == *table) && is(block.words.last()))
    };
    let by_set = |one: &Directive| one.words[0] == "set" && is(one.words.get(1)) && same_server(one, at);
    let within = |one: &Directive| one.file == at.file && one.around.starts_with(&at.around);
    let own = |one: &Directive| within(one) && one.around.len() == at.around.len();
    let settled = all.iter().any(|one| by_set(one) && own(one));
    let given = all.iter().enumerate().filter_map(|(number, one)| {
        let value = match by_table(one) {
            true => one.words.get(1),
            false => one.words.get(2).filter(|_| by_set(one) && (within(one) || !settled)),
        };
        Some((number, value?.as_str()))
    });
    given.collect()
}

/// Whether two directives may rule the same request. What an `include` brings into a server does not say into which.
fn same_server(one: &Directive, other: &Directive) -> bool {
    match (server(one), server(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn server(of: &Directive) -> Option<(&Path, usize)> {
    let block = of.around.iter().find(|block| *block == "server")?;
    Some((&of.file, block.number))
}

/// Of a URL, or what comes without a scheme: the `host:port`. Where a part of it is not known it has a `*`; where nothing
/// is known of the host, it is empty. A variable that ends it is a path, as in `http://app$uri`.
fn place(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = without_path(rest).trim_end_matches(['/', '?']);
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    match port {
        _ if !host.chars().any(|c| c.is_ascii_alphanumeric()) => String::new(),
        None => host[..host.find('$').unwrap_or(host.len())].to_string(),
        Some(port) if port.starts_with('$') => format!("{host}:*").replace('$', "*"),
        Some(port) => {
            let port = &port[..port.find('$').unwrap_or(port.len())];
            format!("{}:{port}", host.replace('$', "*"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dump::{directives, is_at};
    use super::*;

    fn leads(text: &str) -> Vec<String> {
        let directives = directives(Path::new("site.conf"), text);
        let passes = directives.iter().filter(|one| one.words[0].ends_with("_pass"));
        passes.filter_map(Directive::leads_to).map(str::to_string).collect()
    }

    #[test]
    fn by_what_variables_hold() {
        for (text, wanted) in [
            ("set $up app_1; proxy_pass http://$up:3000;", vec!["app_1:3000"]),
            ("set $up app_1:3000; proxy_pass http://$up/x;", vec!["app_1:3000"]),
            ("set $up http://app_1:3000/x; proxy_pass $up;", vec!["app_1:3000"]),
            ("set $n 1; set $up app_${n}; proxy_pass http://$up;", vec!["app_1"]),
            (
                "set $s http; set $p 3000; proxy_pass $s://app_1:$p$uri;",
                vec!["app_1:3000"],
            ),
            (
                "map $host $be { default app_1; b app_2; } server { proxy_pass http://$be:3000; }",
                vec!["app_1:3000", "app_2:3000"],
            ),
            (
                "split_clients $x $be { 5% app_1; * app_2; } grpc_pass $be:80;",
                vec!["app_1:80", "app_2:80"],
            ),
            // What no file tells.
            ("proxy_pass http://app_1:$port;", vec!["app_1:*"]),
            ("proxy_pass http://app_$1:3000;", vec!["app_*:3000"]),
            ("proxy_pass http://$host:3000; proxy_pass http://$up;", vec!["", ""]),
            (
                "proxy_pass http://app$uri; proxy_pass http://app:80$1;",
                vec!["app", "app:80"],
            ),
            (
                "set $a $a&x=1; set $a $a&y=2; proxy_pass http://app:80/$a?$a;",
                vec!["app:80"],
            ),
            ("set $p /x; set $q 1; proxy_pass http://app_1:80$p$q;", vec!["app_1:80"]),
            (
                "proxy_pass http://$svc.$ns:3000; proxy_pass http://$a-$b:3000;",
                vec!["", ""],
            ),
            // A circle, and what nobody passes to.
            ("set $a x$a; proxy_pass http://$a:80;", vec!["x*:80"]),
            ("set $up app_1:3000; return 200 $up;", vec![]),
        ] {
            assert_eq!(leads(text), wanted, "{text}");
        }
    }

    /// Values that never come together say nothing for sure.
    #[test]
    fn by_several_variables_of_several_values() {
        let both =
            "map $host $h { a app_1; b other; } map $host $p { a 9100; b 3000; } server { proxy_pass http://$h:$p; }";
        let one = "map $host $h { a app_1; b other; } server { set $p 3000; proxy_pass http://$h:$p; }";
        for (text, sure) in [(both, false), (one, true)] {
            let directives = directives(Path::new("site.conf"), text);
            let to = directives.iter().filter(|one| one.leads_to() == Some("app_1:3000"));
            assert!(
                to.clone().count() > 0 && to.clone().all(|one| one.leads_surely() == sure),
                "{text}"
            );
        }
    }

    /// A configuration that would take for ever is not followed to its end.
    #[test]
    fn what_doubles_and_doubles_ends() {
        let doubled = (0..40).map(|n| format!("set $v{n} a; set $v{n} $v{}$v{}; ", n + 1, n + 1));
        let text = format!("server {{ {} proxy_pass http://$v0:80; }}", doubled.collect::<String>());
        assert!(!directives(Path::new("site.conf"), &text).is_empty());
    }

    /// Another server's variable is another one, and who sets it in the same block has said what it is. What another
    /// location sets comes along with an `error_page`.
    #[test]
    fn by_variables_of_the_same_server() {
        let text = "server { location /a { set $up app_1; error_page 418 = @up; } location @up { proxy_pass http://$up:80; } \
                    location /b { set $up other; if ($arg_x) { set $up app_2; } proxy_pass http://$up:3000; } }\n\
                    server { set $up third; location / { proxy_pass http://$up:3000; } }";
        let wanted = [
            "app_1:80",
            "other:80",
            "app_2:80",
            "other:3000",
            "app_2:3000",
            "third:3000",
        ];
        assert_eq!(leads(text), wanted);
    }

    #[test]
    fn a_part_that_is_not_known_may_be_anything() {
        let places = ["app_1:3000".to_string()];
        for (target, reached) in [
            ("app_*:3000", true),
            ("app_1:*", true),
            ("app_*:80", false),
            ("*p_2:*", false),
            ("", false),
        ] {
            assert_eq!(is_at(target, &places, &[]), reached, "{target}");
        }
    }
}
