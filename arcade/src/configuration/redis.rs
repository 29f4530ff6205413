//! Decides which Redis the settings name: by a URL, or in parts.

use std::path::PathBuf;
use std::time::Duration;

use larder_redis::{Credentials, RedisOptions, Tls, Topology};

use super::Reading;
use super::problem::Problem;
use crate::settings::{Profile, Redis, RedisMode};

impl Reading {
    pub(super) fn redis(&mut self, profile: Profile) -> Redis {
        let server = self.redis_server(profile);
        let written = self.text("redis.mode", profile);
        let mode = match written.as_deref() {
            Some("required") => RedisMode::Required,
            Some("optional") => RedisMode::Optional,
            Some("off") => RedisMode::Off,
            _ if server.is_some() => RedisMode::Optional,
            _ => RedisMode::Off,
        };
        if mode != RedisMode::Off && server.is_none() {
            self.no_server(mode, profile);
        }
        Redis {
            mode,
            server: server.filter(|_| mode != RedisMode::Off),
            namespace: self.text("redis.namespace", profile).unwrap_or_default(),
        }
    }

    fn no_server(&mut self, mode: RedisMode, profile: Profile) {
        // A wrong one has been named already.
        if self.problems.iter().any(|problem| problem.subject.starts_with("REDIS_")) {
            return;
        }
        self.problems.push(Problem {
            subject: "REDIS_URL (redis.url)".to_owned(),
            message: format!(
                "is required in the profile {profile}, or REDIS_HOST, because ARCADE_REDIS \
                 (redis.mode) is {}; optional and off must be written",
                mode.name()
            ),
        });
    }

    fn redis_server(&mut self, profile: Profile) -> Option<RedisOptions> {
        let (url, host) = (self.text("redis.url", profile), self.text("redis.host", profile));
        let parts = self.redis_parts(profile);
        let (authorities, millis) = (self.authorities(profile), Duration::from_millis);
        let mut options = match (url, host) {
            (Some(url), None) => RedisOptions::from_url(&url).ok()?,
            (None, Some(host)) => parts.at(host),
            (None, None) => return None,
            (Some(_), Some(_)) => {
                self.problems.push(Problem {
                    subject: "REDIS_HOST (redis.host)".to_owned(),
                    message: "is given together with REDIS_URL (redis.url): one of both".to_owned(),
                });
                return None;
            }
        };
        if let (Some(tls), Some(pem)) = (&mut options.tls, authorities) {
            tls.authorities_pem = Some(pem);
        }
        options.connect_timeout = millis(self.number("redis.connect_timeout_ms", profile).max(1));
        options.command_timeout = millis(self.number("redis.command_timeout_ms", profile).max(1));
        Some(options)
    }

    /// What goes with a host. Read in any case, so that every mistake is named.
    fn redis_parts(&mut self, profile: Profile) -> Parts {
        Parts {
            port: u16::try_from(self.number("redis.port", profile)).unwrap_or(u16::MAX),
            credentials: Credentials {
                username: self.text("redis.username", profile),
                password: self.text("redis.password", profile),
            },
            database: self.number("redis.database", profile) as u32,
            encrypted: matches!(self.text("redis.tls", profile).as_deref(), Some("true" | "on")),
        }
    }

    fn authorities(&mut self, profile: Profile) -> Option<Vec<u8>> {
        let path = PathBuf::from(self.text("redis.tls_authorities", profile)?);
        match std::fs::read(&path) {
            Ok(pem) => Some(pem),
            Err(error) => {
                self.problems.push(Problem {
                    subject: "REDIS_TLS_CA_FILE (redis.tls_authorities)".to_owned(),
                    message: format!("cannot read {}: {error}", path.display()),
                });
                None
            }
        }
    }
}

struct Parts {
    port: u16,
    credentials: Credentials,
    database: u32,
    encrypted: bool,
}

impl Parts {
    fn at(self, host: String) -> RedisOptions {
        let mut options = RedisOptions::new(Topology::single(host, self.port));
        options.credentials = self.credentials;
        options.database = self.database;
        options.tls = self.encrypted.then(Tls::default);
        options
    }
}
