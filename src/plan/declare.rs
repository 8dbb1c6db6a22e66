//! `compose`, `proxy`, `backend`, `policy`: what an application is made of.

use serde_json::{Map, Value as Json};

use super::{
    Args, Backend, ComposeDecl, Deployment, KeySpec, MinServing, Policy, ProxyDecl, Scope, Text, Value, types,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::Span;
use crate::syntax::ast::Command;

const COMPOSE_KEYS: &[KeySpec] = &[
    key(
        "template",
        "none",
        "handlebars template the compose file is rendered from",
    ),
    key("project", "the folder's name", "compose project"),
    key("command", "found", "compose command to use"),
];
const PROXY_KEYS: &[KeySpec] = &[
    key("service", "proxy", "compose service nginx runs in"),
    key("template", "required", "handlebars template of the configuration"),
    key(
        "config",
        "required",
        "the file zdt writes; its folder is mounted into the container",
    ),
    key(
        "listen",
        "80",
        "container port of the listener that carries the private server",
    ),
];
const BACKEND_KEYS: &[KeySpec] = &[
    key("port", "required", "container port"),
    key("health", "/", "path of the health endpoint"),
    key("service", "the backend's name", "compose service"),
    key("upstream", "backend", "upstream it belongs to"),
    key(
        "set",
        "none",
        "variable in `.env` that names its image, for a compose file of your own",
    ),
];
const POLICY_KEYS: &[KeySpec] = &[key(
    "min_serving",
    "1",
    "healthy backends each upstream keeps: a number or a percentage",
)];

/// One of these statements, for `zdt explain`.
pub struct Declaration {
    pub name: &'static str,
    pub usage: &'static str,
    pub summary: &'static str,
    pub keys: &'static [KeySpec],
}

pub static DECLARATIONS: &[Declaration] = &[
    Declaration {
        name: "compose",
        usage: "compose FILE",
        summary: "the compose file of the application",
        keys: COMPOSE_KEYS,
    },
    Declaration {
        name: "proxy",
        usage: "proxy nginx",
        summary: "the nginx that users reach it through",
        keys: PROXY_KEYS,
    },
    Declaration {
        name: "backend",
        usage: "backend NAME",
        summary: "one container that requests are passed to",
        keys: BACKEND_KEYS,
    },
    Declaration {
        name: "policy",
        usage: "policy rollback|pause|none",
        summary: "what follows a failure, and how many backends must always serve",
        keys: POLICY_KEYS,
    },
];

const fn key(name: &'static str, default: &'static str, doc: &'static str) -> KeySpec {
    KeySpec { name, default, doc }
}

/// The application, or `None` when no `compose` is declared.
pub fn deployment<'a>(commands: &[&'a Command], scope: &'a Scope<'a>) -> Option<Deployment> {
    let mut compose = None;
    let mut proxy: Option<ProxyDecl> = None;
    let mut backends: Vec<Backend> = Vec::new();
    let mut policy = Policy::default();
    let mut min_serving = MinServing::default();
    let mut said = Vec::new();
    for command in commands {
        match command.name.text.as_str() {
            "compose" => {
                let new = compose_decl(command, scope);
                check_once(compose.as_ref().map(|known: &ComposeDecl| known.span), command, scope);
                compose = compose.or(new);
            }
            "proxy" => {
                let new = proxy_decl(command, scope);
                check_once(proxy.as_ref().map(|known| known.span), command, scope);
                proxy = proxy.or(new);
            }
            "backend" => {
                if let Some(backend) = backend_decl(command, scope) {
                    if let Some((what, first)) = clash(&backends, &backend) {
                        scope.report(Diagnostic::twice(&what, backend.span, first));
                    }
                    backends.push(backend);
                }
            }
            _ => policy_decl(command, scope, &mut policy, &mut min_serving, &mut said),
        }
    }
    let names = backends.iter().map(|backend| Text::known(&backend.name)).collect();
    scope.bind("backends", Value::List(names), super::gather::top());
    let Some(compose) = compose else {
        if let Some(command) = commands.iter().find(|command| command.name.text != "policy") {
            scope.report(
                Diagnostic::error(Code::WRONG_PLACE, "no `compose` is declared")
                    .at(command.name.span, "this needs one")
                    .help("add `compose FILE project=NAME` before it"),
            );
        }
        return None;
    };
    Some(Deployment {
        compose,
        proxy,
        backends,
        policy,
        min_serving,
        values: template_values(scope),
    })
}

/// Params that can be had without asking for what was not given, as template values. Secret ones are none: what a
/// template makes stands on disk.
fn template_values(scope: &Scope) -> Map<String, Json> {
    let mut values = Map::new();
    let lenient = scope.lenient.replace(true);
    for (name, declared) in scope.declared().iter().filter(|(_, declared)| !declared.secret) {
        match scope.param(name, declared.name.span) {
            Value::Text(text) => {
                if let Some(known) = text.get() {
                    values.insert(name.clone(), Json::from(known));
                }
            }
            Value::List(list) => {
                let items: Vec<Json> = list.iter().filter_map(Text::get).map(Json::from).collect();
                values.insert(name.clone(), Json::from(items));
            }
        }
    }
    scope.lenient.set(lenient);
    values
}

fn check_once(first: Option<Span>, command: &Command, scope: &Scope) {
    if let Some(first) = first {
        let what = format!("`{}`", command.name.text);
        scope.report(Diagnostic::twice(&what, command.name.span, first).help("remove one of them"));
    }
}

fn compose_decl<'a>(command: &'a Command, scope: &'a Scope<'a>) -> Option<ComposeDecl> {
    let mut args = Args::new(command, scope, None, COMPOSE_KEYS, false);
    let span = args.span();
    let file = args.need("a file: `compose FILE`").map(|item| args.path(&item));
    let template = args.key("template").map(|item| args.path(&item));
    let project = args.key_known("project");
    let compose_command = args.key_known("command").map(|(text, span)| {
        let text = text.trim().to_string();
        if text.starts_with('.') {
            args.path_of(&text, span).to_string_lossy().into_owned()
        } else {
            text
        }
    });
    args.finish();
    let file = file?;
    let project = match project {
        Some((name, span)) => {
            if !project_name(&name) {
                scope.report(
                    Diagnostic::error(Code::WRONG_TYPE, format!("`{name}` cannot be a compose project"))
                        .at(span, "")
                        .help("lower-case letters, digits, `-` and `_`, beginning with a letter or digit"),
                );
            }
            name
        }
        None => default_project(&file),
    };
    Some(ComposeDecl {
        file,
        template,
        project,
        command: compose_command.filter(|command| !command.is_empty()),
        span,
    })
}

fn project_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// As compose does: the folder's name, lower case, without what a project name cannot have.
fn default_project(file: &std::path::Path) -> String {
    let folder = file.parent().and_then(|dir| dir.file_name()).unwrap_or_default();
    let name: String = folder
        .to_string_lossy()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
        .collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() {
        "app".to_string()
    } else {
        name.to_string()
    }
}

fn proxy_decl<'a>(command: &'a Command, scope: &'a Scope<'a>) -> Option<ProxyDecl> {
    let mut args = Args::new(command, scope, None, PROXY_KEYS, false);
    let span = args.span();
    let kind = args.need("its kind: `proxy nginx`");
    if let Some(item) = &kind
        && item.text.get() != Some("nginx")
    {
        args.report(
            args.error(item.span, format!("`{}` is no proxy zdt can drive", item.text.shown()))
                .help("`nginx` is"),
        );
    }
    let service = args.key_known("service").map(|(text, _)| text);
    let mut file = |name: &str| {
        let item = args.key(name);
        if item.is_none() {
            args.report(args.error(span, format!("`proxy` needs `{name}=`")));
        }
        item.map(|item| args.path(&item))
    };
    let (template, config) = (file("template"), file("config"));
    let listen = args.key_as("listen", port);
    args.finish();
    Some(ProxyDecl {
        service: service.unwrap_or_else(|| "proxy".to_string()),
        template: template?,
        config: config?,
        listen: listen.unwrap_or(80),
        span,
    })
}

fn backend_decl<'a>(command: &'a Command, scope: &'a Scope<'a>) -> Option<Backend> {
    let mut args = Args::new(command, scope, None, BACKEND_KEYS, false);
    let span = args.span();
    let name = args.need("a name: `backend app_1 port=3000`");
    let name = name.and_then(|item| args.known(&item));
    let service = args.key_known("service").map(|(text, _)| text);
    let upstream = args.key_known("upstream").map(|(text, _)| text);
    let set = args.key_known("set").map(|(text, _)| text);
    let health = args.key_known("health");
    if let Some((path, span)) = &health
        && !path.starts_with('/')
    {
        let message = format!("`{path}` is no path; it begins with `/`");
        scope.report(Diagnostic::error(Code::WRONG_TYPE, message).at(*span, ""));
    }
    let port = args.key_as("port", port);
    if port.is_none() && !command.arguments.iter().any(|argument| is_key(argument, "port")) {
        args.report(args.error(span, "`backend` needs `port=`"));
    }
    args.finish();
    let name = name?;
    if !plain_name(&name) {
        let message = format!("`{name}` cannot be a backend: letters, digits, `_`, `-` and `.` only");
        scope.report(Diagnostic::error(Code::WRONG_TYPE, message).at(span, ""));
    }
    Some(Backend {
        service: service.unwrap_or_else(|| name.clone()),
        upstream: upstream.unwrap_or_else(|| "backend".to_string()),
        // A wrong one was told; the backend is known all the same, or every step with it would be wrong too.
        port: port.unwrap_or_default(),
        health: health.map_or_else(|| "/".to_string(), |(path, _)| path),
        set,
        span,
        name,
    })
}

/// What a new backend has in common with an earlier one: each is one container, with a variable of its own.
fn clash(earlier: &[Backend], new: &Backend) -> Option<(String, Span)> {
    let same = |what: fn(&Backend) -> Option<&str>| {
        let first = earlier
            .iter()
            .find(|known| what(known).is_some() && what(known) == what(new))?;
        Some((what(new)?.to_string(), first.span))
    };
    let named = |kind: &'static str| move |(name, span): (String, Span)| (format!("{kind} `{name}`"), span);
    same(|backend| Some(&backend.name))
        .map(named("the backend"))
        .or_else(|| same(|backend| Some(&backend.service)).map(named("the service")))
        .or_else(|| same(|backend| backend.set.as_deref()).map(named("the variable")))
}

fn is_key(argument: &crate::syntax::ast::Argument, name: &str) -> bool {
    matches!(argument, crate::syntax::ast::Argument::Key { key, .. } if key.text == name)
}

fn plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("`{text}` is not a port (1 to 65535)")),
    }
}

/// `said`: what was declared so far, and where. A file has its say once; an includer's beats the included.
fn policy_decl<'a>(
    command: &'a Command,
    scope: &'a Scope<'a>,
    policy: &mut Policy,
    min_serving: &mut MinServing,
    said: &mut Vec<(&'static str, Span)>,
) {
    let mut once = |what: &'static str, span: Span| {
        let first = said
            .iter()
            .find(|(known, at)| *known == what && at.source == span.source);
        if let Some((_, first)) = first {
            scope.report(Diagnostic::twice(what, span, *first).help("remove one of them"));
        }
        said.push((what, span));
    };
    let mut args = Args::new(command, scope, None, POLICY_KEYS, false);
    if let Some(item) = args.optional() {
        once("the policy", item.span);
        match item.text.get() {
            Some("rollback") => *policy = Policy::Rollback,
            Some("pause") => *policy = Policy::Pause,
            Some("none") => *policy = Policy::None,
            _ => args.report(
                args.error(item.span, format!("`{}` is no policy", item.text.shown()))
                    .help("one of `rollback`, `pause`, `none`"),
            ),
        }
    }
    if let Some((text, span)) = args.key_known("min_serving") {
        once("`min_serving`", span);
        match types::share(&text, 1) {
            Ok(_) => *min_serving = MinServing(text),
            Err(why) => scope.report(Diagnostic::error(Code::WRONG_TYPE, why).at(span, "")),
        }
    }
    args.finish();
}
