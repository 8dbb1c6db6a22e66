//! nginx's file when an application is brought up: zdt's own refreshed, or put in the place of somebody else's; and given
//! back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fits::ways;
use super::traffic::MODE;
use super::{Site, file_failure, state_dir};
use crate::drivers::Failure;
use crate::drivers::engine::Container;
use crate::drivers::nginx::{Generation, Proof, dump};
use crate::plan::Backend;

/// So long nginx may take to go by a file that it was told to read.
const GIVEN: Duration = Duration::from_secs(10);

/// What became of the proxy's configuration.
#[derive(Default)]
pub(super) struct Refreshed {
    reloaded: bool,
    /// Where the one is that somebody else had written.
    aside: Option<PathBuf>,
    /// Backends that are new and serve nobody yet.
    off: Vec<String>,
}

impl Refreshed {
    /// For people; that a proxy which was just started has been reloaded as well is nothing to tell.
    pub(super) fn lines(self, ran: bool) -> Vec<String> {
        let reloaded = (self.reloaded && ran).then(|| "nginx reloaded with zdt's configuration".to_string());
        let aside = self.aside.map(|path| format!("the old one is `{}`", path.display()));
        let off = self.off.join(" ");
        let off = (!off.is_empty()).then(|| format!("not in traffic yet: {off} (`enable {off}`)"));
        reloaded.into_iter().chain(aside).chain(off).collect()
    }
}

impl Site<'_> {
    /// Once nginx runs its version is known, and directives only newer ones have can be written. The directives of a
    /// configuration rule from the *next* reload on, so this comes before the first drain, not with it. `started` are the
    /// services that did not run before this `up`.
    ///
    /// `adopt`: also where somebody has changed zdt's own.
    pub(super) fn refresh_config(
        &self,
        containers: &[Container],
        started: &[String],
        adopt: bool,
    ) -> Result<Refreshed, Failure> {
        let Some(declared) = &self.deployment.proxy else {
            return Ok(Refreshed::default());
        };
        let proxy = self.proxy_container(containers.to_vec())?;
        let bytes = match self.world.read(&declared.config) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(file_failure("read", &declared.config, &error)),
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let installed = Generation::read(&text);
        let live = match &installed {
            Some(_) => self.wait_live(&proxy),
            None => self.live(&proxy),
        };
        let live = match live {
            Ok(live) => Some(live),
            // Written and never loaded (zdt died in between), or of somebody else.
            Err(_) if installed.is_none() || self.is_anothers(&proxy) => None,
            Err(failure) => return Err(failure),
        };
        live.iter().try_for_each(|live| self.all_declared(live))?;
        let known = live.as_ref().or(installed.as_ref()).map(|known| &known.traffic);
        let (traffic, off) = match known {
            Some(known) => self.with_new_ones(known),
            None => self.as_they_had_it(&text, containers, started),
        };
        let mut aside = None;
        if let Some(installed) = &installed {
            let wanted = Generation {
                nonce: installed.nonce.clone(),
                traffic: traffic.clone(),
            };
            let rendered = self.proxy_text(Some(&proxy), containers, &wanted)?;
            if rendered == text && live.is_some_and(|live| live.nonce == installed.nonce) {
                return Ok(Refreshed::default());
            }
            self.one_config(&declared.config)?;
            match self.not_foreign() {
                Err(_) if adopt => {}
                other => other?,
            }
        }
        let theirs = !bytes.is_empty() && (installed.is_none() || self.not_foreign().is_err());
        if theirs {
            // What nginx would not take leaves no copy behind.
            let next = Generation {
                nonce: (self.nonce)(),
                traffic: traffic.clone(),
            };
            let text = self.proxy_text(Some(&proxy), containers, &next)?;
            self.accept_config(&proxy, containers, &text, &next)?;
            aside = Some(self.put_aside(&declared.config, &bytes)?);
        }
        self.install(&proxy, containers, traffic, Proof::Now)?;
        Ok(Refreshed {
            reloaded: true,
            aside,
            off,
        })
    }

    /// The nginx that runs answers with zdt's private server.
    pub fn is_zdts(&self, proxy: &Container) -> bool {
        self.nginx().is_ok_and(|nginx| matches!(nginx.live(proxy), Ok(Some(_))))
    }

    /// The nginx that runs answers, and not with zdt's private server.
    pub fn is_anothers(&self, proxy: &Container) -> bool {
        self.nginx().is_ok_and(|nginx| matches!(nginx.live(proxy), Ok(None)))
    }

    /// Who serves by a configuration of somebody else's: the backends that its upstreams name, by service, container or
    /// address. Where it names none, or somebody else besides (an alias), all that ran before this `up`.
    fn as_they_had_it(
        &self,
        text: &str,
        containers: &[Container],
        started: &[String],
    ) -> (BTreeMap<String, bool>, Vec<String>) {
        let backends = &self.deployment.backends;
        let directives = dump::directives(Path::new(""), text);
        let servers = directives.iter().filter(|one| {
            let of_upstream = one.around.last().is_some_and(|block| block == "upstream");
            of_upstream && one.server().is_some() && !one.words.iter().any(|word| word == "down" || word == "backup")
        });
        let named = |server: &dump::Directive| {
            let target = server.server()?;
            let is = |backend: &&Backend| dump::is_at(target, &ways(backend, containers), &[]);
            backends.iter().find(is)
        };
        let named: Option<Vec<&Backend>> = servers.map(named).collect();
        let ran = |backend: &&Backend| !started.contains(&backend.service);
        let serve = match named.filter(|named| !named.is_empty()) {
            Some(named) => named.into_iter().map(on).collect(),
            None => backends.iter().filter(ran).map(on).collect(),
        };
        self.with_new_ones(&serve)
    }

    /// Who is to be in traffic, and who of the others is new. All that nginx knows stay as they are. New ones serve,
    /// unless others of their upstream do already: one that has just been started may not be well, and nobody waits.
    fn with_new_ones(&self, known: &BTreeMap<String, bool>) -> (BTreeMap<String, bool>, Vec<String>) {
        let backends = &self.deployment.backends;
        let mut traffic = known.clone();
        let serve = |upstream: &str| {
            let mut of = backends.iter().filter(|backend| backend.upstream == upstream);
            of.any(|backend| traffic.get(&backend.name) == Some(&true))
        };
        let new = backends.iter().filter(|backend| !traffic.contains_key(&backend.name));
        let new: Vec<(String, bool)> = new.map(|one| (one.name.clone(), !serve(&one.upstream))).collect();
        let off = new.iter().filter(|(_, on)| !on).map(|(name, _)| name.clone()).collect();
        traffic.extend(new);
        (traffic, off)
    }

    /// Keeps a configuration of somebody else that zdt's own replaces, where no `include` of nginx finds it.
    fn put_aside(&self, config: &Path, theirs: &[u8]) -> Result<PathBuf, Failure> {
        let folder = state_dir(&self.deployment.dir());
        let name = config.file_name().unwrap_or_default().to_string_lossy();
        let mut paths = (1..).map(|number| folder.join(format!("{name}.before-zdt-{number}")));
        let free = paths.find(|path| !matches!(self.world.kind(path), Ok(Some(_))));
        let path = free.unwrap_or_default();
        match self.world.write(&path, theirs, MODE) {
            Ok(()) => Ok(path),
            Err(error) => Err(file_failure("write", &path, &error)),
        }
    }

    /// A configuration of somebody else is replaced where that was said, and not before anything else is done.
    pub(super) fn may_take_over(&self, adopt: bool) -> Result<(), Failure> {
        let Some(proxy) = self.deployment.proxy.as_ref().filter(|_| !adopt) else {
            return Ok(());
        };
        let theirs = self.world.read(&proxy.config).ok();
        if theirs.is_none_or(|bytes| Generation::read(&String::from_utf8_lossy(&bytes)).is_some()) {
            return Ok(());
        }
        Err(
            Failure::refused(format!("`{}` was not written by zdt", proxy.config.display()))
                .help("put its content into the template; then `up adopt=true` replaces it, and keeps a copy"),
        )
    }

    /// In a rollback: nginx's file as somebody else had written it.
    pub fn give_back(&self, theirs: &[u8], mode: u32) -> Result<(), Failure> {
        let proxy = self.proxy_now()?;
        self.nginx()?.give_back(&proxy, theirs, mode)?;
        // nginx obeys a reload that it then refuses.
        let told = self.world.now();
        while self.is_zdts(&proxy) {
            if self.world.now().saturating_sub(told) >= GIVEN {
                return Err(
                    Failure::new("nginx was told to read its own file again and goes on with zdt's")
                        .help("the proxy's log says why; a restart of the proxy reads the file as well"),
                );
            }
            self.world.pause(Duration::from_millis(100));
        }
        self.has_no_config()
    }

    /// Nothing that lies there is zdt's.
    pub fn has_no_config(&self) -> Result<(), Failure> {
        self.remember(|state| {
            state.config = None;
            state.config_next = None;
        })
    }
}

fn on(backend: &Backend) -> (String, bool) {
    (backend.name.clone(), true)
}
