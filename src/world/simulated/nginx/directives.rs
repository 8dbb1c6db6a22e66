//! The directives that are known, and where each may stand.

pub(crate) const MAIN: u8 = 1;
pub(crate) const EVENTS: u8 = 2;
pub(crate) const HTTP: u8 = 4;
pub(crate) const UPSTREAM: u8 = 8;
pub(crate) const SERVER: u8 = 16;
pub(crate) const LOCATION: u8 = 32;
/// Inside `types`, `map`, `geo`, `split_clients`: any word.
pub(crate) const FREE: u8 = 64;

const WIDE: u8 = HTTP | SERVER | LOCATION;
const INNER: u8 = SERVER | LOCATION;

/// Where a directive may stand; `None` when it is unknown.
pub(crate) fn places(name: &str) -> Option<u8> {
    Some(match name {
        "user"
        | "worker_processes"
        | "pid"
        | "daemon"
        | "master_process"
        | "worker_shutdown_timeout"
        | "worker_rlimit_nofile"
        | "worker_priority"
        | "worker_cpu_affinity"
        | "load_module"
        | "env"
        | "pcre_jit"
        | "timer_resolution"
        | "lock_file"
        | "events"
        | "http"
        | "stream"
        | "mail" => MAIN,
        "worker_connections" | "use" | "multi_accept" | "accept_mutex" | "debug_connection" => EVENTS,
        "error_log" => MAIN | WIDE,
        "include" => MAIN | EVENTS | WIDE | UPSTREAM | FREE,
        "log_format"
        | "map"
        | "geo"
        | "split_clients"
        | "upstream"
        | "limit_req_zone"
        | "limit_conn_zone"
        | "proxy_cache_path"
        | "map_hash_bucket_size"
        | "map_hash_max_size"
        | "server_names_hash_max_size"
        | "server_names_hash_bucket_size"
        | "variables_hash_max_size"
        | "variables_hash_bucket_size"
        | "types_hash_max_size" => HTTP | if name == "types_hash_max_size" { INNER } else { 0 },
        "server" => HTTP | UPSTREAM,
        "zone" | "least_conn" | "ip_hash" | "hash" | "random" | "sticky" => UPSTREAM,
        "keepalive" => UPSTREAM,
        "keepalive_timeout" | "keepalive_requests" | "keepalive_time" => WIDE | UPSTREAM,
        "resolver" | "resolver_timeout" => WIDE | UPSTREAM,
        "keepalive_min_timeout"
        | "types"
        | "default_type"
        | "access_log"
        | "sendfile"
        | "tcp_nopush"
        | "tcp_nodelay"
        | "client_body_timeout"
        | "client_max_body_size"
        | "client_body_buffer_size"
        | "client_body_in_file_only"
        | "send_timeout"
        | "server_tokens"
        | "gzip"
        | "gzip_types"
        | "gzip_vary"
        | "gzip_proxied"
        | "gzip_min_length"
        | "gzip_comp_level"
        | "gzip_disable"
        | "gzip_http_version"
        | "lingering_close"
        | "lingering_time"
        | "lingering_timeout"
        | "reset_timedout_connection"
        | "root"
        | "index"
        | "error_page"
        | "add_header"
        | "expires"
        | "etag"
        | "charset"
        | "autoindex"
        | "aio"
        | "open_file_cache"
        | "log_not_found"
        | "port_in_redirect"
        | "absolute_redirect"
        | "server_name_in_redirect"
        | "auth_basic"
        | "auth_basic_user_file"
        | "limit_req"
        | "limit_conn"
        | "satisfy"
        | "deny"
        | "allow"
        | "set_real_ip_from"
        | "real_ip_header"
        | "real_ip_recursive"
        | "recursive_error_pages"
        | "http2"
        | "sub_filter"
        | "sub_filter_once"
        | "log_subrequest"
        | "if_modified_since"
        | "chunked_transfer_encoding"
        | "max_ranges"
        | "msie_padding"
        | "limit_rate"
        | "limit_rate_after"
        | "output_buffers"
        | "postpone_output"
        | "disable_symlinks" => WIDE,
        "client_header_timeout"
        | "client_header_buffer_size"
        | "large_client_header_buffers"
        | "ignore_invalid_headers"
        | "underscores_in_headers"
        | "merge_slashes"
        | "connection_pool_size"
        | "request_pool_size" => HTTP | SERVER,
        "listen" | "server_name" => SERVER,
        "location" | "return" | "rewrite" | "set" | "try_files" | "if" | "break" | "rewrite_log" => INNER,
        "internal" | "alias" | "limit_except" | "stub_status" | "empty_gif" | "mirror" => LOCATION,
        "proxy_pass" => LOCATION,
        name if name.starts_with("proxy_") || name.starts_with("ssl_") => WIDE,
        name if name.starts_with("fastcgi_") || name.starts_with("uwsgi_") => WIDE,
        name if FAMILIES.iter().any(|family| name.starts_with(family)) => WIDE | UPSTREAM,
        _ => return None,
    })
}

/// Of modules that make no difference here: what the real nginx has loaded is no mistake.
const FAMILIES: [&str; 34] = [
    "add_",
    "addition_",
    "auth_",
    "brotli",
    "charset_",
    "client_",
    "dav_",
    "fancyindex",
    "geoip",
    "grpc_",
    "gunzip",
    "gzip_",
    "http2_",
    "http3",
    "image_filter",
    "js_",
    "limit_",
    "log_",
    "lua_",
    "memcached_",
    "mirror_",
    "modsecurity",
    "more_",
    "open_file_cache_",
    "perl_",
    "quic_",
    "scgi_",
    "secure_link",
    "slice",
    "ssi",
    "sub_filter_",
    "types_hash_",
    "userid",
    "zstd",
];

/// The directives that may stand only once in a block.
pub(crate) fn only_once(name: &str) -> bool {
    matches!(
        name,
        "user"
            | "worker_processes"
            | "pid"
            | "daemon"
            | "master_process"
            | "worker_shutdown_timeout"
            | "worker_rlimit_nofile"
            | "events"
            | "http"
            | "worker_connections"
            | "sendfile"
            | "tcp_nopush"
            | "tcp_nodelay"
            | "keepalive_timeout"
            | "keepalive_min_timeout"
            | "keepalive"
            | "zone"
            | "proxy_pass"
            | "client_header_timeout"
            | "client_body_timeout"
            | "client_max_body_size"
            | "root"
            | "default_type"
            | "proxy_connect_timeout"
            | "proxy_read_timeout"
            | "proxy_send_timeout"
            | "proxy_http_version"
            | "proxy_next_upstream"
            | "resolver"
            | "server_tokens"
    )
}

/// The first version that knows a directive or parameter, where that matters here.
pub(crate) fn since(name: &str) -> Option<(u32, u32, u32)> {
    match name {
        "keepalive_min_timeout" => Some((1, 27, 4)),
        "resolve" => Some((1, 27, 3)),
        "sticky" | "drain" => Some((1, 29, 6)),
        _ => None,
    }
}
