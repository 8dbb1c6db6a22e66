//! Templates (handlebars) to text: strict about unknown values, strict about values that would mean something
//! in the kind of file they are put into. Pure.

use std::path::Path;
use std::sync::Mutex;

use handlebars::Handlebars;
use serde_json::Value;

/// What the rendered text is, which decides which characters a value must not bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nginx configuration: nothing empty, no blanks, quotes, `;`, braces, `$`, `\` or `#`.
    Nginx,
    /// YAML plain scalars: no line breaks, quotes, `: `, ` #`, or a special first character.
    Yaml,
    /// Anything else: no control characters.
    Plain,
}

impl Kind {
    /// Judged by the name of the file that is written (or of the template without `.hbs`).
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".hbs").unwrap_or(&name);
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("yml" | "yaml") => Kind::Yaml,
            Some("conf") => Kind::Nginx,
            _ => Kind::Plain,
        }
    }

    /// Why `value` cannot stand in such a file as it is.
    fn refuses(self, value: &str) -> Option<&'static str> {
        let control = value.chars().any(char::is_control);
        match self {
            Kind::Nginx if value.contains(|c: char| c.is_whitespace() || "\"';{}$\\#".contains(c)) => {
                Some("blanks, quotes and `; { } $ \\ #` mean something in nginx files")
            }
            Kind::Yaml if value.contains(": ") || value.contains(" #") || value.ends_with(':') => {
                Some("`: ` and ` #` mean something in YAML")
            }
            Kind::Yaml if value.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']) => {
                Some("it has a character that some readers of YAML take for a line break")
            }
            Kind::Yaml if value.ends_with(char::is_whitespace) => Some("YAML drops blanks at the end"),
            Kind::Yaml if value.contains(['"', '\'', '\\']) => Some("quotes and `\\` mean something in YAML"),
            Kind::Yaml if value.contains('$') => Some("`$` means something in compose files"),
            Kind::Yaml if value.starts_with(|c: char| "-?:,[]{}#&*!|>%@`".contains(c) || c.is_whitespace()) => {
                Some("its first character means something in YAML")
            }
            _ if control => Some("it has a control character"),
            Kind::Nginx | Kind::Yaml | Kind::Plain => None,
        }
    }
}

/// A template that cannot be rendered, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place(.name, .line))]
pub struct TemplateError {
    /// The template's file name.
    pub name: String,
    /// From 1; `None` when handlebars does not tell.
    pub line: Option<usize>,
    pub message: String,
    pub help: Option<String>,
}

fn place(name: &str, line: &Option<usize>) -> String {
    match line {
        Some(line) => format!("{name}:{line}: "),
        None => format!("{name}: "),
    }
}

/// A template, compiled once and rendered often.
pub struct Template {
    name: String,
    text: String,
    registry: Handlebars<'static>,
    refused: std::sync::Arc<Mutex<Option<Refused>>>,
}

/// The first value that cannot stand where a template puts it.
enum Refused {
    /// Its characters mean something there.
    Means { value: String, why: &'static str },
    /// nginx has no empty words: what follows would be taken for it.
    Empty,
}

impl Template {
    /// Compiles `text`. `name` is what errors call it.
    pub fn new(name: &str, text: &str, kind: Kind) -> Result<Self, TemplateError> {
        let refused = std::sync::Arc::new(Mutex::new(None));
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        let slot = refused.clone();
        registry.register_escape_fn(move |value| {
            let refused = match kind.refuses(value) {
                Some(why) => Refused::Means {
                    value: value.to_string(),
                    why,
                },
                None if kind == Kind::Nginx && value.is_empty() => Refused::Empty,
                None => return value.to_string(),
            };
            let mut slot = slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            slot.get_or_insert(refused);
            value.to_string()
        });
        registry
            .register_template_string(name, text)
            .map_err(|error| TemplateError {
                name: name.to_string(),
                line: error.pos().map(|(line, _)| line),
                message: match error.reason() {
                    handlebars::TemplateErrorReason::InvalidSyntax(_) => {
                        "a `{{` that is not closed, or a block without its end (`{{/each}}`, `{{/if}}`)".to_string()
                    }
                    other => other.to_string(),
                },
                help: None,
            })?;
        Ok(Self {
            name: name.to_string(),
            text: text.to_string(),
            registry,
            refused,
        })
    }

    /// The text for `values` (an object). Names unknown to it are errors.
    pub fn render(&self, values: &Value) -> Result<String, TemplateError> {
        *self.refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
        let text = self
            .registry
            .render(&self.name, values)
            .map_err(|error| TemplateError {
                name: self.name.clone(),
                line: error.line_no,
                message: reason(&error),
                help: known_instead(&error, values),
            })?;
        let refused = self.refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (line, message, help) = match refused.as_ref() {
            None => return Ok(text),
            Some(Refused::Means { value, why }) => {
                let names = paths_of(values, value);
                let found = names.iter().find_map(|name| self.written(last(name)));
                let (line, name) = found.map_or((None, " "), |(line, name)| (Some(line), name));
                (
                    line,
                    format!("the value {} is refused: {why}", shown(value, &names)),
                    format!(
                        "`{{{{{{{name}}}}}}}`, with three braces, puts it in unchanged; be sure that nobody else chooses it"
                    ),
                )
            }
            Some(Refused::Empty) => (
                None,
                self.empty(values),
                "give it a value, or leave its line out where there is none: `{{#if …}}`".to_string(),
            ),
        };
        Err(TemplateError {
            name: self.name.clone(),
            line,
            message,
            help: Some(help),
        })
    }

    /// The first line, from 1, where `{{name}}` stands with two braces.
    fn written<'n>(&self, name: &'n str) -> Option<(usize, &'n str)> {
        let (two, three) = (format!("{{{{{name}}}}}"), format!("{{{{{{{name}}}}}}}"));
        let at = self
            .text
            .lines()
            .position(|line| line.replace(&three, "").contains(&two))?;
        Some((at + 1, name))
    }

    /// Which value was empty, as far as that can be told: those that are, and that the template speaks of.
    fn empty(&self, values: &Value) -> String {
        let mut names = paths_of(values, "");
        names.retain(|name| self.text.contains(last(name)));
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        match names.as_slice() {
            [] => "a value is empty, and nginx would read what follows in its place".to_string(),
            _ => format!(
                "{} is empty, and nginx would read what follows in its place",
                names.join(" or ")
            ),
        }
    }
}

fn reason(error: &handlebars::RenderError) -> String {
    use handlebars::RenderErrorReason;
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(path)) => format!("there is no value `{path}`"),
        RenderErrorReason::MissingVariable(None) => "there is no such value".to_string(),
        other => other.to_string(),
    }
}

/// What was meant by a name that is not known, at whatever depth it would be one.
fn known_instead(error: &handlebars::RenderError, values: &Value) -> Option<String> {
    let handlebars::RenderErrorReason::MissingVariable(Some(path)) = error.reason() else {
        return None;
    };
    let mut known = Vec::new();
    paths(values, "", &mut |path, _| known.push(last(path).to_string()));
    let known_names = known.iter().map(String::as_str);
    match crate::near(last(path), known_names) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => {
            let top = values.as_object()?.keys().cloned().collect::<Vec<_>>();
            Some(format!("a template can use: {}", top.join(", ")))
        }
    }
}

/// A value on one line, or the name of one that is too long for that. It is never cut: a secret may be in it, and half of
/// one is not known for what it is.
fn shown(value: &str, names: &[String]) -> String {
    const SHOWN: usize = 60;
    match (value.chars().count() > SHOWN, names.first()) {
        (true, Some(name)) => format!("of `{}`", last(name)),
        _ => format!("`{}`", value.escape_debug()),
    }
}

/// `upstreams.servers.name` as `name`.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The paths of the texts that are `wanted`, each once.
fn paths_of(values: &Value, wanted: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    paths(values, "", &mut |path, value| {
        if value.as_str() == Some(wanted) && !names.iter().any(|name| name == path) {
            names.push(path.to_string());
        }
    });
    names
}

/// Every path with its value: `nginx.version`, `servers.name`.
fn paths(value: &Value, path: &str, found: &mut dyn FnMut(&str, &Value)) {
    if !path.is_empty() {
        found(path, value);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| paths(item, path, found)),
        Value::Object(entries) => {
            for (name, value) in entries {
                let dot = if path.is_empty() { "" } else { "." };
                paths(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(kind: Kind, text: &str) -> Result<String, String> {
        let values = json!({ "prefix": "", "name": "shop", "unused": "", "of": { "zone": "" } });
        let template = Template::new("shop.conf.hbs", text, kind).expect("it compiles");
        template.render(&values).map_err(|error| error.to_string())
    }

    #[test]
    fn nginx_gets_no_empty_word() {
        let refused = |text: &str| said(Kind::Nginx, text).expect_err("it is empty");
        assert_eq!(
            refused("location {{prefix}} { }"),
            "shop.conf.hbs: `prefix` is empty, and nginx would read what follows in its place"
        );
        assert_eq!(
            refused("zone {{of.zone}} 256k;"),
            "shop.conf.hbs: `of.zone` is empty, and nginx would read what follows in its place"
        );
        assert_eq!(
            said(
                Kind::Nginx,
                "{{#if prefix}}location {{prefix}} { }{{/if}}{{{prefix}}}{{name}}"
            )
            .as_deref(),
            Ok("shop")
        );
        assert_eq!(said(Kind::Plain, "<{{prefix}}>").as_deref(), Ok("<>"));
    }

    /// It may hold a secret, which whoever hides it knows only as a whole.
    #[test]
    fn a_refused_value_is_shown_whole_or_not_at_all() {
        for (secret, wanted) in [
            ("t0'ken", "the value `t0\\'ken` is refused"),
            (&"t0'ken".repeat(20), "the value of `token` is refused"),
        ] {
            let template = Template::new("shop.yml.hbs", "a: {{token}}", Kind::Yaml).expect("it compiles");
            let error = template.render(&json!({ "token": secret })).expect_err("it is refused");
            assert_eq!(
                error.message,
                format!("{wanted}: quotes and `\\` mean something in YAML")
            );
        }
    }
}
