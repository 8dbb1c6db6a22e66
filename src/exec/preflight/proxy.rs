//! The preflight's look at the proxy: its file, its version, its limits, and other ways to a backend.

use super::Findings;
use crate::diagnostic::Code;
use crate::drivers::Failure;
use crate::drivers::compose::Model;
use crate::drivers::engine::Container;
use crate::drivers::nginx::Version;
use crate::drivers::nginx::dump::{self, Directive};
use crate::plan::Backend;
use crate::plan::types::show_duration;
use crate::site::{Site, ways};
use crate::verbs::Needs;

pub fn check(site: &Site, model: &Model, needed: &Needs, found: &mut Findings) -> Result<(), Failure> {
    let containers = site.containers()?;
    let proxy = site.proxy_container(containers.clone())?;
    let inside = site.nginx()?.inside(&proxy)?;
    let directives = site.dump(&proxy)?.directives();
    site.not_foreign()?;
    site.all_declared(&site.live(&proxy)?)?;
    site.check_templates(Some(&proxy))?;
    let version = site.nginx_version(&proxy)?.unwrap_or_default();
    found.facts.push(format!("nginx {version}"));
    for backend in &site.deployment.backends {
        other_way(
            backend,
            &addresses(backend, model, &containers),
            &directives,
            &inside,
            found,
        )?;
    }
    gentle(version, &directives, found);
    drain_limit(site, &proxy, needed, found)?;
    health(site, &proxy, &containers, needed, found)
}

fn gentle(version: Version, directives: &[Directive], found: &mut Findings) {
    if !version.keepalive_min_timeout() {
        found.warn(
            Code::OLD_NGINX,
            format!(
                "nginx {version} resets idle keep-alive connections at each reload: clients that pool them may lose \
                 one request a connection and reload"
            ),
            "nginx 1.27.4 or newer does not",
        );
    } else if !directives.iter().any(|found| found.words[0] == "keepalive_min_timeout") {
        found.warn(
            Code::GENTLE_RELOAD,
            format!(
                "nginx {version} could spare pooled clients, but `keepalive_min_timeout` is not in its configuration"
            ),
            "put `keepalive_min_timeout 10s;` into the template's server block, then `up`",
        );
    }
}

fn drain_limit(site: &Site, proxy: &Container, needed: &Needs, found: &mut Findings) -> Result<(), Failure> {
    let cut = site.main_time(proxy, "worker_shutdown_timeout")?;
    match cut {
        None => found.warn(
            Code::NO_SHUTDOWN_LIMIT,
            "nginx has no `worker_shutdown_timeout`: one websocket can keep a drain until its limit",
            "start it with `nginx -g 'daemon off; worker_shutdown_timeout 90s;'`",
        ),
        Some(cut) if needed.longest_drain >= cut => {
            return Err(Failure::refused(format!(
                "a drain may last {}, but nginx cuts what its old workers still have after {}",
                show_duration(needed.longest_drain),
                show_duration(cut)
            ))
            .code(Code::DRAIN_TOO_LONG)
            .help("a shorter `drain … timeout=`, or a longer `worker_shutdown_timeout`"));
        }
        Some(_) => {}
    }
    Ok(())
}

fn health(
    site: &Site,
    proxy: &Container,
    containers: &[Container],
    needed: &Needs,
    found: &mut Findings,
) -> Result<(), Failure> {
    let traffic = site.traffic()?;
    let on = |backend: &&Backend| traffic.get(&backend.name) == Some(&true);
    let mut healthy = 0;
    let mut turned_away = Vec::new();
    for backend in site.deployment.backends.iter().filter(on) {
        if site.health(&backend.name)? {
            healthy += 1;
            let container = containers.iter().find(|one| one.service == backend.service);
            container.map_or(Ok(()), |container| site.listens(backend, container, proxy))?;
        } else {
            turned_away.extend(site.turns_away(backend).map(|status| (status, &backend.health)));
            found.warn(
                Code::UNHEALTHY,
                format!(
                    "`{}` is in traffic, but GET {} does not answer well",
                    backend.name, backend.health
                ),
                "look at it, or mend `health=` and `port=` of its declaration",
            );
        }
    }
    // All run and answer, and none has what is asked for: it is the path that is ill.
    let serving = site.deployment.backends.iter().filter(on).count();
    if let (true, Some((status, path))) = (turned_away.len() == serving, turned_away.first())
        && needed.longest_drain > std::time::Duration::ZERO
        && !site.allow_downtime.get()
        && !site.goes_on.get()
    {
        return Err(Failure::refused(format!(
            "no backend is healthy: GET {path} answers {status} at all that serve"
        ))
        .code(Code::UNHEALTHY)
        .help("mend `health=`; if only the next version has that path, say `--allow downtime`"));
    }
    found.facts.push(format!(
        "{healthy} of {} backends healthy",
        site.deployment.backends.len()
    ));
    Ok(())
}

/// Names and addresses with the port by which the proxy could reach a backend.
fn addresses(backend: &Backend, model: &Model, containers: &[Container]) -> Vec<String> {
    let pinned = model
        .services
        .get(&backend.service)
        .into_iter()
        .flat_map(|service| service.addresses.values().cloned());
    let pinned = pinned.map(|host| format!("{host}:{}", backend.port));
    pinned.chain(ways(backend, containers)).collect()
}

/// A directive of another file, or of a `stream` block, that leads to a backend.
fn other_way(
    backend: &Backend,
    addresses: &[String],
    directives: &[Directive],
    ours: &std::path::Path,
    found: &mut Findings,
) -> Result<(), Failure> {
    let upstreams = dump::upstreams(directives);
    let reached = |target: &str| dump::is_at(target, addresses, &upstreams);
    for directive in directives {
        if !directive.server().or(directive.leads_to()).is_some_and(reached) {
            continue;
        }
        let place = format!("{}:{}", directive.file.display(), directive.line);
        if directive.around.first().is_some_and(|block| block == "stream") {
            return Err(
                Failure::refused(format!("`{}` is served through `stream` at {place}", backend.name))
                    .code(Code::STREAM)
                    .help("zdt steers http only"),
            );
        }
        let what = directive.words.join(" ");
        let help = "send it through the upstream of the template, so that a drain closes it too";
        if directive.file == ours {
            continue;
        }
        // What only a request knows may be anything.
        let open = directive.leads_to().is_some_and(|target| target.contains('*'));
        if directive.server().is_none() && (open || !directive.leads_surely()) {
            let message = format!(
                "the proxy may reach `{}` by another way as well: `{what}` at {place}",
                backend.name
            );
            found.warn(Code::OTHER_WAY_IN, message, help);
            continue;
        }
        return Err(Failure::refused(format!(
            "the proxy reaches `{}` by another way as well: `{what}` at {place}",
            backend.name
        ))
        .code(Code::OTHER_WAY_IN)
        .help(help));
    }
    Ok(())
}
