//! Whether what a recipe declares, and its templates, are what zdt relies on: a drain takes a server out of the file, a
//! `set=` variable rules an image, a backend listens on its port. Each would otherwise be found out by users.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Site;
use crate::diagnostic::Code;
use crate::drivers::Failure;
use crate::drivers::compose::Model;
use crate::drivers::engine::Container;
use crate::drivers::nginx::dump::{self, Directive};
use crate::drivers::nginx::{Generation, Server, private, server_words};
use crate::plan::Backend;
use crate::world::NetError;

/// From here to a container on the same machine.
const CONNECT: Duration = Duration::from_secs(1);

impl Site<'_> {
    /// What a configuration says apart from the private server, which reaches backends whether they are drained or not. A
    /// variable in it may get its value in another file: of those that were read for this run.
    pub(super) fn own_directives(
        &self,
        proxy: &Container,
        text: &str,
        generation: &Generation,
        servers: &[Server],
    ) -> Result<Vec<Directive>, Failure> {
        let nginx = self.nginx()?;
        let block = private::block(&nginx.private, nginx.listen, generation, servers);
        let own = (PathBuf::new(), text.replacen(&block, "", 1));
        let mut dump = self.dump.borrow().clone().unwrap_or_default();
        // What is installed in its place is of before.
        let place = nginx.inside(proxy)?;
        dump.files.retain(|(path, _)| *path != place);
        dump.files.insert(0, own);
        let mut directives = dump.directives();
        directives.retain(|one| one.file.as_os_str().is_empty());
        Ok(directives)
    }

    /// A configuration lists every server that is in traffic as zdt gave it to the template, and none that is not (unless
    /// as `down`): else a drain takes nobody out of traffic.
    fn servers_listed(
        &self,
        own: &[Directive],
        servers: &[Server],
        containers: &[Container],
        traffic: &BTreeMap<String, bool>,
    ) -> Result<(), Failure> {
        let Some(server) = self.unlisted(own, servers, containers, traffic) else {
            return self.no_way_past(own, servers, containers);
        };
        let goes_on = own.iter().find(|one| self.sends_to(one, server, containers));
        if let (Some(directive), Some(false)) = (goes_on, traffic.get(&server.backend)) {
            return Err(another_way(server, directive).help(
                "where another upstream shall have the same servers, let it list them as zdt gives them: `{{#each \
                 upstreams}}{{#each servers}}server {{{server}}}; {{/each}}{{/each}}`",
            ));
        }
        Err(Failure::refused(format!(
            "the proxy's template does not list `{}` as zdt gives it, so a drain would not take it out of traffic",
            server.backend
        ))
        .code(Code::SERVER_NOT_LISTED)
        .help(format!(
            "in place of your `upstream {0} {{ … }}` write `{{{{#each upstreams}}}}upstream {{{{name}}}} {{ {{{{#each \
             servers}}}}server {{{{{{server}}}}}}; {{{{/each}}}} }}{{{{/each}}}}` (`{0}` is `upstream=` of the backend)",
            server.upstream
        )))
    }

    /// The first server that a configuration does not list as it should, or lists though it should not.
    pub(super) fn unlisted<'s>(
        &self,
        directives: &[Directive],
        servers: &'s [Server],
        containers: &[Container],
        traffic: &BTreeMap<String, bool>,
    ) -> Option<&'s Server> {
        let fits = |server: &&Server| match traffic.get(&server.backend) {
            Some(true) if server.usable() => {
                let wanted = server_words(server, servers, traffic);
                let begins = |given: String| given.strip_prefix(wanted.as_str()).is_some_and(ends_a_word);
                let mut listed = directives.iter().filter(|one| one.server().is_some());
                listed.any(|one| begins(one.words[1..].join(" ")))
            }
            _ => !directives.iter().any(|one| self.sends_to(one, server, containers)),
        };
        servers.iter().find(|server| !fits(server))
    }

    /// Requests reach a backend through its upstream only: a `proxy_pass` to itself, by a variable too, goes on while it is
    /// drained.
    fn no_way_past(&self, own: &[Directive], servers: &[Server], containers: &[Container]) -> Result<(), Failure> {
        let upstreams = dump::upstreams(own);
        for directive in own {
            // What is not sure is told by the preflight, where it is somebody else's.
            let Some(target) = directive.leads_to().filter(|_| directive.leads_surely()) else {
                continue;
            };
            let reached = |server: &&Server| dump::is_at(target, &self.ways_to(server, containers), &upstreams);
            if let Some(server) = servers.iter().find(reached) {
                return Err(another_way(server, directive).help(format!(
                    "pass it to the upstream `{}`, so that a drain closes it too",
                    server.upstream
                )));
            }
        }
        Ok(())
    }

    /// Whether a directive of an upstream sends requests to a backend, by whatever the proxy may know it.
    fn sends_to(&self, directive: &Directive, server: &Server, containers: &[Container]) -> bool {
        // An upstream's server is never another upstream, so no name is one here.
        let is = |place| dump::is_at(place, &self.ways_to(server, containers), &[]);
        directive.server().is_some_and(is) && !directive.words.iter().any(|word| word == "down")
    }

    fn ways_to(&self, server: &Server, containers: &[Container]) -> Vec<String> {
        let backend = self.deployment.backend(&server.backend);
        let mut ways = backend.map_or_else(Vec::new, |backend| ways(backend, containers));
        ways.push(server.address.clone());
        ways
    }

    /// The same for whatever drains and enables can make of the template, from what is `live`.
    pub(super) fn drains_show(
        &self,
        proxy: &Container,
        containers: &[Container],
        live: &Generation,
    ) -> Result<(), Failure> {
        let mut generation = live.clone();
        let servers = self.servers(containers, self.nginx_version(proxy)?)?;
        let backends = &self.deployment.backends;
        [true, false].into_iter().try_for_each(|on| {
            generation.traffic = backends.iter().map(|one| (one.name.clone(), on)).collect();
            let text = self.proxy_text(Some(proxy), containers, &generation)?;
            let own = self.own_directives(proxy, &text, &generation, &servers)?;
            self.servers_listed(&own, &servers, containers, &generation.traffic)
        })
    }

    /// Whoever serves is declared: the next configuration is made from what is declared, and the others would be dropped
    /// without a drain.
    pub fn all_declared(&self, live: &Generation) -> Result<(), Failure> {
        let unknown = live
            .traffic
            .iter()
            .filter(|(name, on)| **on && self.deployment.backend(name).is_none());
        let unknown: Vec<String> = unknown.map(|(name, _)| format!("`{name}`")).collect();
        if unknown.is_empty() || self.allow_downtime.get() {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "nginx sends requests to {}, which this recipe does not declare",
            unknown.join(" and ")
        ))
        .code(Code::UNDECLARED)
        .help("declare all that serve, under the names they have (`zdt status` lists them), or drain them by the recipe that does"))
    }

    /// What to ask compose with, to see whether each `set=` variable is the whole image of its own backend's service:
    /// images that nobody has, in the environment, which comes before `.env`. Nothing where a template says it.
    pub fn strange_images(&self, backends: &[String]) -> Result<Vec<(String, String)>, Failure> {
        if self.templates.compose.is_some() {
            return Ok(Vec::new());
        }
        self.env_fits()?;
        let variable = |name: &String| match &self.backend(name)?.set {
            Some(variable) => Ok((variable.clone(), marker(variable))),
            None => Err(self.cannot_change(name)),
        };
        backends.iter().map(variable).collect()
    }

    /// What zdt writes into `.env` reaches compose.
    pub(super) fn not_hidden(&self, variable: &str) -> Result<(), Failure> {
        if self.world.env(variable).is_none() {
            return Ok(());
        }
        Err(rules_nothing(format!(
            "`{variable}` is set in the environment, which hides from compose what zdt writes into `.env`"
        ))
        .help(format!("`unset {variable}`, then run this again")))
    }

    /// Whether compose made them the image of that backend's service.
    pub fn set_rules(&self, backend: &Backend, model: &Model) -> Result<(), Failure> {
        let (service, variable) = (&backend.service, backend.set.as_deref().unwrap_or_default());
        let image = model.services.get(service).and_then(|found| found.image.as_deref());
        let image = image.unwrap_or_default();
        if image == marker(variable) {
            return Ok(());
        }
        let write = format!("write `image: ${{{variable}}}` there");
        Err(match image.contains(&marker(variable)) {
            true => rules_nothing(format!(
                "`set={variable}` is only a part of the image of `{service}`, and zdt puts the whole REPO:TAG into it"
            ))
            .help(write),
            false => {
                let failure = rules_nothing(format!(
                    "`set={variable}` does not change the image of `{service}` ({image})"
                ));
                let text = self.world.read(&self.deployment.compose.file).unwrap_or_default();
                let text = String::from_utf8_lossy(&text).into_owned();
                match crate::near(variable, variables(&text).filter(|name| *name != variable)) {
                    Some(near) => failure.help(format!("did you mean `set={near}`?")),
                    None => failure.help(write),
                }
            }
        })
    }

    /// A backend that serves now, by another address than the recipe's, and refuses connections at the recipe's port: the
    /// next configuration would send everybody there. What cannot be reached from here tells nothing.
    pub fn listens(&self, backend: &Backend, container: &Container, proxy: &Container) -> Result<(), Failure> {
        let installed = self.world.read(&self.proxy()?.config).unwrap_or_default();
        let servers = self.servers(std::slice::from_ref(container), self.nginx_version(proxy)?)?;
        let address = servers
            .iter()
            .find(|server| server.backend == backend.name)
            .map(|server| &server.address);
        if address.is_none_or(|address| String::from_utf8_lossy(&installed).contains(address.as_str())) {
            return Ok(());
        }
        let shared = container
            .networks
            .iter()
            .filter(|(network, _)| proxy.networks.contains_key(*network));
        let addresses: Vec<&String> = shared
            .map(|(_, address)| address)
            .filter(|one| !one.is_empty())
            .collect();
        let refuses = |address: &&String| {
            let answer = self.world.connect(address, backend.port, CONNECT);
            matches!(answer, Err(NetError::Refused))
        };
        if self.engine.is_here(container) && !addresses.is_empty() && addresses.iter().all(refuses) {
            return Err(Failure::refused(format!(
                "`{}` serves, but nothing listens at its port {} (connection refused)",
                backend.name, backend.port
            ))
            .code(Code::WRONG_PORT)
            .help(format!(
                "mend `port=` of `backend {}`: the next reload would send everybody there",
                backend.name
            )));
        }
        Ok(())
    }

    pub(super) fn cannot_change(&self, name: &str) -> Failure {
        let variable = name.to_uppercase().replace(['-', '.'], "_") + "_IMAGE";
        Failure::refused(format!(
            "`{}` has no template, so zdt cannot change the image of `{name}`",
            self.deployment.compose.file.display()
        ))
        .code(Code::SET_RULES_NOTHING)
        .help(format!(
            "write `image: ${{{variable}}}` in it and `backend {name} … set={variable}`, or give `compose` a template"
        ))
    }
}

/// By what a proxy may know a backend, as `host:port`: its service, the names and addresses of its containers.
pub fn ways(backend: &Backend, containers: &[Container]) -> Vec<String> {
    let of = containers.iter().filter(|one| one.service == backend.service);
    let running = of.flat_map(|one| one.networks.values().chain([&one.name]));
    let hosts = running.chain([&backend.service]).filter(|host| !host.is_empty());
    hosts.map(|host| format!("{host}:{}", backend.port)).collect()
}

fn another_way(server: &Server, directive: &Directive) -> Failure {
    Failure::refused(format!(
        "the proxy's template reaches `{}` by another way as well: `{}`",
        server.backend,
        directive.words.join(" ")
    ))
    .code(Code::OTHER_WAY_IN)
}

fn ends_a_word(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(char::is_whitespace)
}

fn rules_nothing(message: String) -> Failure {
    Failure::refused(message).code(Code::SET_RULES_NOTHING)
}

/// An image that nobody has.
fn marker(variable: &str) -> String {
    format!("zdt-asks/{}:nothing", variable.to_lowercase())
}

/// The names that stand in a text as `$NAME` or `${NAME…}`.
pub fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
}
