//! What a shop is made of: images, the repository's files, params.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Once;

use zdt::plan::Settings;
use zdt::world::simulated::{Crashed, Image, Simulated};

use crate::shop::DIR;

/// The machine with images and the repository's files, nothing running.
pub fn machine() -> Simulated {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut world = Simulated::empty()
        .image(Image::app("zdt/sample-app:0.0.1"))
        .image(Image::nginx("zdt/nginx:new", "1.30.1"))
        .image(Image::new("zdt/redis:debian", zdt::world::simulated::ImageKind::Other))
        .registry_image(Image::app("zdt/sample-app:0.0.2"));
    for folder in ["recipes", "docker/nginx", "docker/bootstrap/html", "docker"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = Path::new("/").join(path.strip_prefix(root).unwrap());
                world = world.file(name, std::fs::read(&path).unwrap());
            }
        }
    }
    world.folder("/srv")
}

/// Declarations for other numbers of backends than the shipped ones, as `app.zdt`.
pub fn declared(backends: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("recipes/app.zdt")).unwrap();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("backend ")).collect();
    let own: Vec<String> = backends
        .iter()
        .map(|name| match name.split_once('@') {
            Some((name, upstream)) => format!("backend {name} port=$port health=$health upstream={upstream}"),
            None => format!("backend {name} port=$port health=$health"),
        })
        .collect();
    lines.extend(own.iter().map(String::as_str));
    lines.join("\n") + "\n"
}

pub fn settings(version: &str) -> Settings {
    Settings {
        set: vec![
            ("version".to_string(), version.to_string()),
            ("dir".to_string(), DIR.to_string()),
        ],
        tasks: Vec::new(),
        env: BTreeMap::new(),
        cwd: PathBuf::from("/"),
    }
}

/// A planned crash is no news.
pub fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Crashed>() {
                before(info);
            }
        }));
    });
}
