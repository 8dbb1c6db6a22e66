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
    /// Its characters mean something there; the message says which.
    Means(String),
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
                Some(why) => Refused::Means(format!("the value `{}` is refused: {why}", value.escape_debug())),
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
                message: error.reason().to_string(),
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
        let text = self.registry.render(&self.name, values).map_err(|error| {
            let known = values.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
            TemplateError {
                name: self.name.clone(),
                line: error.line_no,
                message: reason(&error),
                help: known.map(|known| format!("a template can use: {}", known.join(", "))),
            }
        })?;
        let refused = self.refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (message, help) = match refused.as_ref() {
            None => return Ok(text),
            Some(Refused::Means(message)) => (
                message.clone(),
                "`{{{ }}}` puts it in unchanged; be sure that nobody else chooses it",
            ),
            Some(Refused::Empty) => (
                self.empty(values),
                "give it a value, or leave its line out where there is none: `{{#if …}}`",
            ),
        };
        Err(TemplateError {
            name: self.name.clone(),
            line: None,
            message,
            help: Some(help.to_string()),
        })
    }

    /// Which value was empty, as far as that can be told: those that are, and that the template speaks of.
    fn empty(&self, values: &Value) -> String {
        let mut names = Vec::new();
        empty_names(values, "", &mut names);
        names.retain(|name| self.text.contains(name.rsplit('.').next().unwrap_or(name)));
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

/// `nginx.version`, `servers.name`: the paths of empty texts, each once.
fn empty_names(value: &Value, path: &str, names: &mut Vec<String>) {
    match value {
        Value::String(text) if text.is_empty() => {
            if !names.iter().any(|name| name == path) {
                names.push(path.to_string());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| empty_names(item, path, names)),
        Value::Object(entries) => {
            for (name, value) in entries {
                let dot = if path.is_empty() { "" } else { "." };
                empty_names(value, &format!("{path}{dot}{name}"), names);
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
}
