//! From files to a configuration: includes, nginx's checks in nginx's words, and what the directives mean.

use std::sync::Arc;

use super::check::check;
use super::config::{Directive, Emerg, parse};
use super::directives::{MAIN, since};
use super::model::{Action, Config, Location, Peer, Server, Upstream, View};
use super::parts::{address, number, port_of, returned, time};

/// Reads and checks `main`, with what `-g` says before it.
pub(crate) fn load(view: &dyn View, main: &str, globals: &str, version: &str) -> Result<Config, Emerg> {
    let mut reader = Reader {
        view,
        config: Config::default(),
        version: number(version),
        depth: 0,
    };
    let command_line: Arc<str> = "command line".into();
    let globals = parse(globals, &command_line)?;
    let main_file = reader
        .file(main)
        .ok_or_else(|| format!("open() \"{main}\" failed (2: No such file or directory)"))?;
    let tree = reader.expand(main_file)?;
    let all: Vec<Directive> = globals.into_iter().chain(tree).collect();
    check(&all, MAIN, reader.version)?;
    if !all.iter().any(|directive| directive.name == "events") {
        return Err("no \"events\" section in configuration".into());
    }
    for directive in &all {
        match (directive.name.as_str(), &directive.block) {
            ("worker_shutdown_timeout", _) => {
                let limit = directive.args.first().and_then(|text| time(text));
                reader.config.shutdown_timeout = limit.filter(|limit| !limit.is_zero());
            }
            ("http", Some(block)) => reader.http(block)?,
            _ => {}
        }
    }
    Ok(reader.config)
}

struct Reader<'a> {
    view: &'a dyn View,
    config: Config,
    version: (u32, u32, u32),
    depth: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &str) -> Option<(Arc<str>, Arc<Vec<u8>>)> {
        let content = self.view.read(path)?;
        let path: Arc<str> = path.into();
        if !self.config.files.iter().any(|(known, _)| *known == path) {
            self.config.files.push((Arc::clone(&path), Arc::clone(&content)));
        }
        Some((path, content))
    }

    fn expand(&mut self, (path, content): (Arc<str>, Arc<Vec<u8>>)) -> Result<Vec<Directive>, Emerg> {
        // A file that includes itself: the real one gives up when it has too many open.
        if self.depth > 50 {
            return Err(format!("open() \"{path}\" failed (24: Too many open files)"));
        }
        self.depth += 1;
        let tree = parse(&String::from_utf8_lossy(&content), &path)?;
        let expanded = self.includes(tree);
        self.depth -= 1;
        expanded
    }

    /// Replaces `include` by what the files say.
    fn includes(&mut self, tree: Vec<Directive>) -> Result<Vec<Directive>, Emerg> {
        let mut out = Vec::with_capacity(tree.len());
        for mut directive in tree {
            if directive.name == "include" && directive.args.len() == 1 {
                for path in self.matching(&directive)? {
                    if let Some(file) = self.file(&path) {
                        out.extend(self.expand(file)?);
                    }
                }
                continue;
            }
            if let Some(block) = directive.block.take() {
                directive.block = Some(self.includes(block)?);
            }
            out.push(directive);
        }
        Ok(out)
    }

    fn matching(&mut self, include: &Directive) -> Result<Vec<String>, Emerg> {
        let pattern = match include.args[0].starts_with('/') {
            true => include.args[0].clone(),
            false => format!("/etc/nginx/{}", include.args[0]),
        };
        let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", &pattern));
        let Some((before, after)) = last.split_once('*') else {
            return match self.view.read(&pattern) {
                Some(_) => Ok(vec![pattern]),
                None => {
                    let text = format!("open() \"{pattern}\" failed (2: No such file or directory)");
                    Err(include.error(&text))
                }
            };
        };
        let fits = |name: &String| {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
                && (!name.starts_with('.') || before.starts_with('.'))
        };
        let names = self.view.names(folder);
        self.config.folders.push((folder.to_string(), names.clone()));
        Ok(names
            .into_iter()
            .filter(fits)
            .map(|name| format!("{folder}/{name}"))
            .collect())
    }

    fn http(&mut self, block: &[Directive]) -> Result<(), Emerg> {
        let resolver = block.iter().any(|directive| directive.name == "resolver");
        for directive in block.iter().filter(|directive| directive.name == "upstream") {
            self.upstream(directive, resolver)?;
        }
        for directive in block.iter().filter(|directive| directive.name == "server") {
            let server = self.server(directive)?;
            self.config.servers.push(server);
        }
        Ok(())
    }

    fn upstream(&mut self, directive: &Directive, resolver: bool) -> Result<(), Emerg> {
        let name = directive.args.first().cloned().unwrap_or_default();
        let block = directive.block.as_deref().unwrap_or_default();
        if self.config.upstreams.iter().any(|known| known.name == name) {
            return Err(directive.error(&format!("duplicate upstream \"{name}\"")));
        }
        let has = |name: &str| block.iter().any(|directive| directive.name == name);
        let mut peers = Vec::new();
        for server in block.iter().filter(|directive| directive.name == "server") {
            let peer = self.peer(server)?;
            if peer.resolve && !has("zone") {
                let text = format!(
                    "resolving names at run time requires upstream \"{name}\" in {}:{} to be in shared memory",
                    directive.file, directive.line
                );
                return Err(text);
            }
            if peer.resolve && !resolver && !has("resolver") {
                return Err(server
                    .error("no resolver defined to resolve names at run time in upstream \"")
                    .replace("\" in", &format!("{name}\" in")));
            }
            peers.push(peer);
        }
        if peers.is_empty() {
            return Err(directive.error("no servers are inside upstream"));
        }
        self.config.upstreams.push(Upstream { name, peers });
        Ok(())
    }

    fn peer(&self, server: &Directive) -> Result<Peer, Emerg> {
        let text = server.args.first().cloned().unwrap_or_default();
        let mut peer = address(&text, server)?;
        for parameter in server.args.iter().skip(1) {
            let name = parameter.split('=').next().unwrap_or_default();
            let known = matches!(
                name,
                "down"
                    | "backup"
                    | "max_fails"
                    | "fail_timeout"
                    | "weight"
                    | "max_conns"
                    | "resolve"
                    | "route"
                    | "drain"
                    | "slow_start"
            );
            if !known || since(name).is_some_and(|first| self.version < first) {
                return Err(server.error(&format!("invalid parameter \"{parameter}\"")));
            }
            match name {
                "down" | "drain" => peer.down = true,
                "backup" => peer.backup = true,
                "resolve" => peer.resolve = true,
                _ => {}
            }
        }
        Ok(peer)
    }

    fn server(&mut self, directive: &Directive) -> Result<Server, Emerg> {
        let mut server = Server::default();
        for inner in directive.block.as_deref().unwrap_or_default() {
            match inner.name.as_str() {
                "listen" => {
                    let text = inner.args[0].as_str();
                    let default = inner.args.iter().any(|arg| arg == "default_server");
                    if let Some(port) = port_of(text) {
                        server.ports.push((port, default));
                    }
                }
                "server_name" => server.names.extend(inner.args.iter().map(|name| name.to_lowercase())),
                "return" => server.answer = Some(returned(inner)),
                "location" => self.location(inner, &mut server)?,
                _ => {}
            }
        }
        if server.ports.is_empty() {
            server.ports.push((80, false));
        }
        Ok(server)
    }

    fn location(&mut self, directive: &Directive, server: &mut Server) -> Result<(), Emerg> {
        let (modifier, path) = match directive.args.as_slice() {
            [path] => ("", path.clone()),
            [modifier, path] => (modifier.as_str(), path.clone()),
            _ => {
                return Err(directive.error("invalid number of arguments in \"location\" directive"));
            }
        };
        let exact = modifier == "=";
        if server
            .locations
            .iter()
            .any(|known| known.exact == exact && known.path == path)
        {
            return Err(directive.error(&format!("duplicate location \"{path}\"")));
        }
        let mut action = None;
        let mut variables = Vec::new();
        for inner in directive.block.as_deref().unwrap_or_default() {
            match inner.name.as_str() {
                "return" => action = Some(returned(inner)),
                "set" => variables.extend(inner.args.first().zip(inner.args.get(1))),
                "proxy_pass" if action.is_none() => action = Some(self.pass(inner, &variables)?),
                "location" => self.location(inner, server)?,
                _ => {}
            }
        }
        // A regular expression is not played: such a location never matches.
        if !modifier.starts_with('~') {
            server.locations.push(Location { exact, path, action });
        }
        Ok(())
    }

    /// A variable that the location has set to a host is asked for at each request, and the location's own path is taken
    /// to be rewritten away; other variables are not played.
    fn pass(&mut self, directive: &Directive, variables: &[(&String, &String)]) -> Result<Action, Emerg> {
        let url = directive.args[0].as_str();
        if url.contains('$') {
            let set = |(name, _): &&(&String, &String)| url.split_once("://").is_some_and(|(_, rest)| rest == *name);
            return match variables.iter().find(set) {
                None => Ok(Action::Variable),
                Some((_, host)) => {
                    let peer = Peer {
                        resolve: true,
                        ..address(host, directive)?
                    };
                    Ok(Action::Host(peer, Some("/".to_string())))
                }
            };
        }
        let Some((_, rest)) = url.split_once("://") else {
            return Err(directive.error("invalid URL prefix"));
        };
        let (host, path) = match rest.find('/') {
            Some(at) => (&rest[..at], Some(rest[at..].to_string())),
            None => (rest, None),
        };
        match self.config.upstreams.iter().position(|upstream| upstream.name == host) {
            Some(index) => Ok(Action::Upstream(index, path)),
            None => Ok(Action::Host(address(host, directive)?, path)),
        }
    }
}
