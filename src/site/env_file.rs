//! `.env` beside a compose file of the user's own: zdt changes the backends' `set=` variables in it, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::render::Rendered;
use super::{Site, file_failure, hash};
use crate::drivers::Failure;
use crate::plan::Backend;
use crate::world::FileKind;

impl Site<'_> {
    pub fn env_path(&self) -> PathBuf {
        self.deployment.dir().join(".env")
    }

    /// Its text, empty where there is none; a refusal where zdt could not write it as it is.
    pub(super) fn env_now(&self) -> Result<String, Failure> {
        let path = self.env_path();
        if let Ok(Some(FileKind::Symlink)) = self.world.kind(&path) {
            return Err(Failure::refused(format!(
                "`{}` is a symbolic link, and zdt replaces files instead of writing into them",
                path.display()
            ))
            .help("put the file itself there"));
        }
        let bytes = match self.world.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(file_failure("read", &path, &error)),
        };
        String::from_utf8(bytes).map_err(|_| {
            Failure::refused(format!("`{}` is not UTF-8 text", path.display())).help("`iconv` makes it so")
        })
    }

    /// With these images.
    pub(super) fn env_text(&self, images: &BTreeMap<String, String>) -> Result<Option<Rendered>, Failure> {
        if images.is_empty() {
            return Ok(None);
        }
        let mut text = self.env_now()?;
        for (name, image) in images {
            let backend = self.backend(name)?;
            let Some(variable) = &backend.set else {
                return Err(self.cannot_change(name));
            };
            self.not_hidden(variable)?;
            text = with_variable(&text, variable, image);
        }
        let path = self.env_path();
        Ok(Some(Rendered { path, text }))
    }

    /// With the images that these run now, where somebody has written others into it.
    pub(super) fn env_as_it_runs(&self, names: &[String]) -> Result<Option<Rendered>, Failure> {
        if self.templates.compose.is_some() {
            return Ok(None);
        }
        let containers = self.containers()?;
        let running = names.iter().filter_map(|name| {
            let service = &self.backend(name).ok()?.service;
            let container = containers.iter().find(|one| one.service == *service)?;
            Some((name.as_str(), container.image.as_str()))
        });
        let images: Vec<(&str, &str)> = running.collect();
        let text = self.env_with(&self.env_now()?, &images);
        let path = self.env_path();
        Ok(text.map(|text| Rendered { path, text }))
    }

    /// The text where it gives one of these backends another image than it is to have; `None` where it does not.
    fn env_with(&self, text: &str, images: &[(&str, &str)]) -> Option<String> {
        let mut made = text.to_string();
        for (name, image) in images {
            let Some((backend, variable)) = self.variable(name) else {
                continue;
            };
            if given(text, variable).is_some_and(|now| now != *image) && self.is_whole(backend, variable, image) {
                made = with_variable(&made, variable, image);
            }
        }
        (made != text).then_some(made)
    }

    fn variable(&self, name: &str) -> Option<(&Backend, &str)> {
        let backend = self.deployment.backend(name)?;
        Some((backend, backend.set.as_deref()?))
    }

    /// Whether a backend's variable is the whole image of its service, and not a tag in it: asked where it matters.
    fn is_whole(&self, backend: &Backend, variable: &str, image: &str) -> bool {
        let variables = vec![(variable.to_string(), image.to_string())];
        let model = self.compose.model_with(&self.deployment.compose.file, variables);
        model.is_ok_and(|model| {
            let service = model.services.get(&backend.service);
            service.and_then(|service| service.image.as_deref()) == Some(image)
        })
    }

    /// A step is about to write a file whole. `.env` is known again by all but the lines that zdt sets singly.
    pub fn wrote_whole(&self, path: &Path, content: &[u8]) -> Result<(), Failure> {
        if path != self.env_path() {
            return Ok(());
        }
        let rest = self.env_rest(&String::from_utf8_lossy(content));
        self.keeper.wrote(path, &hash(rest))
    }

    /// The text without the variables of all backends.
    fn env_rest(&self, text: &str) -> String {
        let backends = self.deployment.backends.iter();
        let variables: Vec<&str> = backends.filter_map(|one| one.set.as_deref()).collect();
        without(text, &variables)
    }

    /// In a rollback: the variables as they were `before`, and where that was not what ran, as it ran. What somebody has
    /// changed meanwhile stays, and what the run itself has written goes. `None`: nothing is left of it.
    pub fn env_back(&self, before: Option<&str>, images: &[(&str, &str)]) -> Result<Option<String>, Failure> {
        let now = self.env_now()?;
        // Of one that the run has made, and that is there now, compose needs the variable.
        let ran = |name: &str| images.iter().find(|(one, _)| *one == name).map(|(_, image)| *image);
        let touched = images.iter().filter_map(|(name, _)| self.variable(name));
        let variables: Vec<&str> = touched.clone().map(|(_, variable)| variable).collect();
        let as_the_run_wrote_it = self.keeper.written(&self.env_path()) == Some(hash(self.env_rest(&now)));
        let mut text = match before {
            Some(before) if as_the_run_wrote_it || without(before, &variables) == without(&now, &variables) => {
                before.to_string()
            }
            None if as_the_run_wrote_it => String::new(),
            _ => now.clone(),
        };
        for (backend, variable) in touched {
            let was = before.and_then(|before| given(before, variable));
            let wanted = match (was, ran(&backend.name)) {
                (Some(was), Some(ran)) if was != ran && self.is_whole(backend, variable, ran) => Some(ran),
                (was, _) => was,
            };
            text = match wanted {
                None => without(&text, &[variable]),
                Some(wanted) if given(&text, variable) == Some(wanted) => text,
                Some(wanted) => with_variable(&text, variable, wanted),
            };
        }
        if as_the_run_wrote_it {
            // Compose reads no file with a service whose image it does not know.
            for (backend, variable) in self
                .deployment
                .backends
                .iter()
                .filter_map(|one| self.variable(&one.name))
            {
                if let (None, None, Some(value)) = (ran(&backend.name), given(&text, variable), given(&now, variable)) {
                    text = with_variable(&text, variable, value);
                }
            }
        }
        Ok((before.is_some() || !text.trim().is_empty()).then_some(text))
    }

    /// Nothing keeps zdt from writing it, or compose from reading what zdt writes.
    pub fn env_fits(&self) -> Result<(), Failure> {
        let mut variables = self
            .deployment
            .backends
            .iter()
            .filter_map(|one| one.set.as_deref())
            .peekable();
        if self.templates.compose.is_some() || variables.peek().is_none() {
            return Ok(());
        }
        self.env_now()?;
        variables.try_for_each(|variable| self.not_hidden(variable))
    }

    /// In a rollback: the old image, where somebody had written the new one before zdt saw it.
    pub fn env_ruled(&self, name: &str, image: &str) -> Result<(), Failure> {
        if self.templates.compose.is_some() {
            return Ok(());
        }
        match self.env_with(&self.env_now()?, &[(name, image)]) {
            Some(text) => self.write_file(&self.env_path(), &text, 0o600),
            None => Ok(()),
        }
    }
}

/// The variable that a line sets.
fn name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    Some(name.strip_prefix("export ").unwrap_or(name).trim())
}

/// The text without the lines that set these.
fn without(text: &str, variables: &[&str]) -> String {
    let own = |line: &&str| name(line).is_some_and(|name| variables.contains(&name));
    text.split_inclusive('\n').filter(|line| !own(line)).collect()
}

/// A value and the comment behind it.
fn split_comment(rest: &str) -> (&str, &str) {
    match rest.find(" #") {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    }
}

/// What the text gives a variable: the last one counts.
fn given<'t>(text: &'t str, variable: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter(|line| name(line) == Some(variable));
    let (_, rest) = lines.next_back()?.split_once('=')?;
    Some(split_comment(rest).0.trim().trim_matches(['"', '\'']))
}

/// The text with one variable set; everything else stays as it is.
fn with_variable(text: &str, variable: &str, value: &str) -> String {
    let mut found = false;
    let mut made = String::new();
    for line in text.split_inclusive('\n') {
        match line.split_once('=') {
            Some((head, rest)) if name(line) == Some(variable) => {
                found = true;
                let end = rest.trim_end_matches(['\r', '\n']).len();
                let (_, comment) = split_comment(&rest[..end]);
                made.push_str(&format!("{head}={value}{comment}{}", &rest[end..]));
            }
            _ => made.push_str(line),
        }
    }
    if !found {
        if !made.is_empty() && !made.ends_with('\n') {
            made.push('\n');
        }
        made.push_str(&format!("{variable}={value}\n"));
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_alone_changes() {
        for (before, after) in [
            ("", "A=new\n"),
            ("B=1", "B=1\nA=new\n"),
            (
                "# mine\r\nexport A=old # the app\r\nB=1\r\n",
                "# mine\r\nexport A=new # the app\r\nB=1\r\n",
            ),
            ("A = 'old'\nAA=1\n", "A =new\nAA=1\n"),
            ("B=1\nA=old", "B=1\nA=new"),
        ] {
            assert_eq!(with_variable(before, "A", "new"), after);
            assert_eq!(given(after, "A"), Some("new"));
        }
        assert_eq!(given("A=\"one\" # two\n", "A"), Some("one"));
    }
}
