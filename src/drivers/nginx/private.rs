//! The private server: a virtual host on the proxy's own listener under a name nobody can guess.
//!
//! It answers which configuration is live (a nonce, new for each install, and who is in traffic) and passes one fixed
//! location a backend to it, drained or not: the place from which `await healthy` sees what the proxy sees.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Server;

/// What a configuration written by zdt says of itself; read from the file as well as from a running nginx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Random, new for each install.
    pub nonce: String,
    /// Backend to "in traffic".
    pub traffic: BTreeMap<String, bool>,
}

impl Generation {
    /// The line that stands for it: `zdt NONCE app_1=on app_2=off`.
    pub fn line(&self) -> String {
        let mut line = format!("zdt {}", self.nonce);
        for (backend, on) in &self.traffic {
            let _ = write!(line, " {backend}={}", if *on { "on" } else { "off" });
        }
        line
    }

    /// Finds that line in a file's text or an answer's body.
    pub fn read(text: &str) -> Option<Self> {
        let start = match text.strip_prefix("zdt ") {
            Some(rest) => rest,
            None => &text[text.find("return 200 \"zdt ")? + "return 200 \"zdt ".len()..],
        };
        let end = start.find(['"', '\\', '\n']).unwrap_or(start.len());
        let mut words = start[..end].split_whitespace();
        let nonce = words.next()?.to_string();
        let traffic = words
            .filter_map(|word| word.split_once('='))
            .map(|(backend, on)| (backend.to_string(), on == "on"))
            .collect();
        Some(Self { nonce, traffic })
    }
}

/// The private server's name, from a file that zdt wrote.
pub fn name(text: &str) -> Option<String> {
    let rest = &text[text.find("server_name zdt-")? + "server_name ".len()..];
    let name = &rest[..rest.find(';')?];
    name.ends_with(".internal").then(|| name.to_string())
}

/// Where a location passes its requests to. A name that only a reload would resolve again stands in a variable, so that
/// nginx asks at each request: its container may be away for a moment when nginx reloads or starts.
fn pass(server: &Server) -> String {
    let (backend, address) = (&server.backend, &server.address);
    if server.resolve {
        format!("        proxy_pass http://zdt_{backend}/;\n")
    } else if server.pinned() {
        format!("        proxy_pass http://{address}/;\n")
    } else {
        // Every location has its own, so one name is enough; a backend's may hold what no variable's may.
        format!(
            "        resolver 127.0.0.11 valid=1s;\n        set $zdt_backend {address};\n        \
             rewrite ^/{backend}(/.*)$ $1 break;\n        proxy_pass http://$zdt_backend;\n"
        )
    }
}

/// The text that a template includes with `{{{private_server}}}`.
pub fn block(name: &str, listen: u16, generation: &Generation, servers: &[Server]) -> String {
    let mut text = String::new();
    for server in servers.iter().filter(|server| server.resolve) {
        let _ = write!(
            text,
            "upstream zdt_{0} {{\n    zone zdt_{0} 64k;\n    resolver 127.0.0.11 valid=1s;\n    server {1} resolve;\n}}\n",
            server.backend, server.address
        );
    }
    let _ = write!(
        text,
        "server {{\n    listen {listen};\n    server_name {name};\n    access_log off;\n    \
         location = /zdt {{ return 200 \"{}\"; }}\n",
        generation.line()
    );
    for server in servers {
        let _ = write!(
            text,
            "    location /{}/ {{\n{}        proxy_http_version 1.1;\n        proxy_set_header Connection close;\n        \
             proxy_connect_timeout 2s;\n        proxy_read_timeout 10s;\n    }}\n",
            server.backend,
            pass(server)
        );
    }
    text.push_str("}\n");
    text
}
