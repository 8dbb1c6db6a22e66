//! A plan with its templates, ready for a session; and the same again from what a journal keeps of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::journal::{Head, Kept};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{Loaded, Plan, Settings, build, declared_only, load};
use crate::site::{Templates, hash, template};
use crate::syntax::{Source, Sources};

/// What a session is made of.
pub struct Ready {
    pub plan: Plan,
    pub templates: Templates,
    /// Template texts by path, for the journal.
    pub template_texts: BTreeMap<PathBuf, String>,
    pub settings: Settings,
    /// Where each source came from.
    pub paths: Vec<Option<PathBuf>>,
}

/// A recipe that cannot be planned, with its texts to show where.
pub struct Unplanned {
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
}

/// Adds a plan's templates, read by `read`.
pub fn with_templates(
    plan: Plan,
    paths: Vec<Option<PathBuf>>,
    settings: Settings,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Ready, Unplanned> {
    let mut template_texts = BTreeMap::new();
    match templates(&plan, read, &mut template_texts) {
        Ok(templates) => Ok(Ready {
            plan,
            templates,
            template_texts,
            settings,
            paths,
        }),
        Err(diagnostics) => Err(Unplanned {
            sources: plan.sources,
            diagnostics,
        }),
    }
}

/// Reads and compiles the deployment's templates.
fn templates(
    plan: &Plan,
    read: &dyn Fn(&Path) -> Result<String, String>,
    texts: &mut BTreeMap<PathBuf, String>,
) -> Result<Templates, Vec<Diagnostic>> {
    let mut templates = Templates::default();
    let mut diagnostics = Vec::new();
    let Some(deployment) = &plan.deployment else {
        return Ok(templates);
    };
    let mut compile = |path: &PathBuf, span| {
        let mut refuse = |code, message: String| {
            diagnostics.push(Diagnostic::error(code, message).at(span, "named here"));
            None
        };
        let text = match read(path) {
            Ok(text) => text,
            Err(why) => {
                let message = format!("cannot read the template `{}`: {why}", path.display());
                return refuse(Code::TEMPLATE_UNREADABLE, message);
            }
        };
        let made = template(path, &text);
        texts.insert(path.clone(), text);
        match made {
            Ok(template) => Some(template),
            Err(error) => refuse(Code::TEMPLATE_BROKEN, error.to_string()),
        }
    };
    if let Some(path) = &deployment.compose.template {
        templates.compose = compile(path, deployment.compose.span);
    }
    if let Some(proxy) = &deployment.proxy {
        templates.proxy = compile(&proxy.template, proxy.span);
    }
    if diagnostics.is_empty() {
        Ok(templates)
    } else {
        Err(diagnostics)
    }
}

/// Variables of the environment that are not what they were when the run began.
pub fn other_env(head: &Head, settings: &Settings) -> Vec<String> {
    let differs = |(name, known): &(&String, &String)| settings.env.get(*name).map(hash).as_ref() != Some(*known);
    let other = head.env.iter().filter(differs);
    other.map(|(name, _)| name.clone()).collect()
}

/// The recipe of a journal's head, planned again from the texts kept there. `whole`: with its tasks, if it ran any.
///
/// `settings` is what this machine and the command line say now; what the head says comes before that.
pub fn recall(head: &Head, mut settings: Settings, whole: bool) -> Result<Ready, Unplanned> {
    settings.tasks = head.tasks.clone();
    settings.cwd = head.cwd.clone();
    settings.set = head.set.iter().cloned().chain(settings.set).collect();
    settings
        .env
        .extend(head.home.clone().map(|home| ("HOME".to_string(), home)));
    let missing = || "it is not in the journal".to_string();
    let text = |path: &Path| {
        let kept = head.sources.iter().find(|kept| kept.path.as_deref() == Some(path));
        kept.map(|kept| kept.text.clone()).ok_or_else(missing)
    };
    let loaded = match head.sources.first() {
        Some(first) => load(source(first), first.path.clone(), &head.files, &text),
        None => Loaded::default(),
    };
    let paths = loaded.paths.clone();
    let plan = match whole && head.back_to.is_none() {
        true => build(loaded, &settings).map(|(plan, _)| plan),
        false => declared_only(loaded, &settings),
    };
    let plan = plan.map_err(|(loaded, diagnostics)| Unplanned {
        sources: loaded.sources,
        diagnostics,
    })?;
    let mut ready = with_templates(plan, paths, settings, &|path| {
        head.templates.get(path).cloned().ok_or_else(missing)
    })?;
    if let (Some(command), Some(deployment)) = (&head.compose_command, &mut ready.plan.deployment) {
        deployment.compose.command = Some(command.clone());
    }
    Ok(ready)
}

fn source(kept: &Kept) -> Source {
    Source {
        name: kept.name.clone(),
        dir: kept.dir.clone(),
        text: kept.text.clone(),
    }
}

/// Who begins a run, and when.
pub struct Beginning {
    pub id: String,
    /// Seconds since 1970.
    pub at: u64,
    pub user: String,
    pub host: String,
    pub allow_downtime: bool,
}

impl Ready {
    /// What the plan takes from the environment, told apart without being kept. Secret params are asked for again.
    fn used_env(&self) -> BTreeMap<String, String> {
        let known = |name: &String| {
            let value = self.settings.env.get(name)?;
            (!self.plan.secrets.contains(value)).then(|| (name.clone(), hash(value)))
        };
        self.plan.env.iter().filter_map(known).collect()
    }

    /// The journal's first record for a run of this plan.
    pub fn head(&self, beginning: Beginning) -> Head {
        let params = self.plan.params.iter().filter(|param| param.secret);
        let secrets: Vec<String> = params.map(|param| param.name.clone()).collect();
        let set = self.settings.set.iter().filter(|(name, _)| !secrets.contains(name));
        let sources = self.plan.sources.iter().zip(&self.paths);
        Head {
            id: beginning.id,
            at: beginning.at,
            user: beginning.user,
            host: beginning.host,
            pid: std::process::id(),
            zdt: env!("CARGO_PKG_VERSION").to_string(),
            recipe: self.plan.name.clone(),
            sources: sources
                .map(|((_, source), path)| Kept {
                    name: source.name.clone(),
                    dir: source.dir.clone(),
                    path: path.clone(),
                    text: source.text.clone(),
                })
                .collect(),
            templates: self.template_texts.clone(),
            set: set.cloned().collect(),
            env: self.used_env(),
            home: self.settings.env.get("HOME").cloned(),
            secrets,
            tasks: self.settings.tasks.clone(),
            files: Vec::new(),
            cwd: self.settings.cwd.clone(),
            compose_command: None,
            allow_downtime: beginning.allow_downtime,
            plan: self.plan.steps().iter().map(|(node, _)| node.id.clone()).collect(),
            back_to: None,
        }
    }
}
