//! A URL taken apart, as far as the probe needs it.

use super::error::ProbeError;

/// Where requests go, and what they call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Name or address, without brackets.
    pub host: String,
    pub port: u16,
    /// The `Host` header, as the URL has it.
    pub authority: String,
    /// Path and query, beginning with `/`.
    pub path: String,
}

impl Target {
    pub fn parse(url: &str) -> Result<Target, ProbeError> {
        Self::read(url).map_err(|reason| ProbeError::Url {
            url: url.escape_default().to_string(),
            reason,
        })
    }

    fn read(url: &str) -> Result<Target, &'static str> {
        if !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("spaces and letters outside ascii must be percent-encoded");
        }
        // As a browser reads it.
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => {
                return Err("only `http://` is supported, probe the plain listener behind tls");
            }
            _ => return Err("only `http://` is supported"),
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("a user name in it is not supported");
        }
        let (host, port) = host_and_port(authority)?;
        let path = if path.starts_with('/') {
            path.to_string()
        } else {
            format!("/{path}")
        };
        Ok(Target {
            host: host.to_string(),
            port,
            authority: authority.to_string(),
            path,
        })
    }
}

fn host_and_port(authority: &str) -> Result<(&str, u16), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("the `[` is never closed")?;
            let port = after
                .strip_prefix(':')
                .map_or((after.is_empty()).then_some(None), |p| Some(Some(p)));
            (host, port.ok_or("after `]` only a port can follow")?)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("it has no host");
    }
    match port.map(str::parse::<u16>) {
        None => Ok((host, 80)),
        Some(Ok(port)) if port > 0 => Ok((host, port)),
        Some(_) => Err("its port is not a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let cases = [
            ("http://shop", "shop", 80, "shop", "/"),
            ("shop:8080/ping", "shop", 8080, "shop:8080", "/ping"),
            ("HTTP://shop:8080/ping?x=1#top", "shop", 8080, "shop:8080", "/ping?x=1"),
            ("http://shop?x", "shop", 80, "shop", "/?x"),
            ("http://[::1]:81/a", "::1", 81, "[::1]:81", "/a"),
            ("http://[::1]", "::1", 80, "[::1]", "/"),
        ];
        for (url, host, port, authority, path) in cases {
            let target = Target::parse(url).expect(url);
            let seen = (
                target.host.as_str(),
                target.port,
                target.authority.as_str(),
                target.path.as_str(),
            );
            assert_eq!(seen, (host, port, authority, path), "{url}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("https://shop/", "only `http://` is supported"),
            ("ftp://shop/", "only `http://` is supported"),
            ("http://", "no host"),
            ("http://:80/", "no host"),
            ("http://shop:0/", "port"),
            ("http://shop:x/", "port"),
            ("http://[::1/", "closed"),
            ("http://[::1]x/", "only a port"),
            ("http://me@shop/", "user name"),
            ("http://shop/a b", "percent-encoded"),
            ("http://shop/\r\nX: y", "percent-encoded"),
        ];
        for (url, part) in cases {
            let text = Target::parse(url).expect_err(url).to_string();
            assert!(text.contains(part), "{url}: {text}");
        }
    }
}
