//! Decides which Redis the settings name: by a URL, or in parts; and whether the journal is in it.

use std::path::PathBuf;
use std::time::Duration;

use larder_redis::{Credentials, RedisOptions, Tls, Topology};

use super::problem::Problem;
use super::{Reading, SETTINGS};
use crate::settings::{Journal, Profile, Redis, RedisMode};

/// What a URL says too.
const PARTS: [&str; 5] =
    ["redis.host", "redis.port", "redis.username", "redis.password", "redis.database"];

/// What a URL says by its scheme.
const TLS: &str = "redis.tls";

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
            values_max: self.number("redis.values_max", profile),
        }
    }

    /// The journal can be in the Redis of the cache only: nobody else is named.
    pub(super) fn journal(&mut self, redis: &Redis, profile: Profile) -> Journal {
        let place = self.text("journal.place", profile);
        if place.as_deref() != Some("redis") {
            return Journal::Disk;
        }
        let Redis { mode, server, namespace, .. } = redis;
        if let Some(server) = server {
            let (server, namespace) = (Box::new(server.clone()), namespace.clone());
            return Journal::Redis { server, namespace, mode: *mode };
        }
        if *mode == RedisMode::Off && !self.redis_is_wrong() {
            self.refuse_part("journal.place", "is redis, but ARCADE_REDIS (redis.mode) is off");
        }
        Journal::Disk
    }

    fn no_server(&mut self, mode: RedisMode, profile: Profile) {
        if self.redis_is_wrong() {
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

    /// Whether a mistake of Redis has been named already, which would explain all that is missing.
    fn redis_is_wrong(&self) -> bool {
        self.problems.iter().any(|problem| problem.subject.contains("(redis."))
    }

    fn redis_server(&mut self, profile: Profile) -> Option<RedisOptions> {
        let (url, host) = (self.text("redis.url", profile), self.text("redis.host", profile));
        let parts = self.redis_parts(profile);
        let (authorities, millis) = (self.authorities(profile), Duration::from_millis);
        let mut options = match (url, host) {
            (Some(url), _) => self.redis_of_url(&url, parts.encrypted)?,
            (None, Some(host)) => parts.at(host),
            (None, None) => return None,
        };
        match (&mut options.tls, authorities) {
            (Some(tls), Some(pem)) => tls.authorities_pem = Some(pem),
            (None, Some(_)) => self.refuse_part(
                "redis.tls_authorities",
                "vouches for nobody: connections are not encrypted (rediss://, REDIS_TLS_ENABLED)",
            ),
            (_, None) => {}
        }
        options.connect_timeout = millis(self.number("redis.connect_timeout_ms", profile).max(1));
        options.command_timeout = millis(self.number("redis.command_timeout_ms", profile).max(1));
        options.keepalive = millis(self.number("redis.keepalive_ms", profile).max(1));
        Some(options)
    }

    /// A URL says everything itself: a part beside it would be left out in silence, and a password or
    /// TLS that is left out is no small thing.
    fn redis_of_url(&mut self, url: &str, encrypted: bool) -> Option<RedisOptions> {
        let options = RedisOptions::from_url(url).ok()?;
        let before = self.problems.len();
        for part in PARTS {
            if self.is_given(part) {
                self.refuse_part(part, "is given together with REDIS_URL (redis.url): one of both");
            }
        }
        if self.is_given(TLS) && encrypted != options.tls.is_some() {
            let scheme = if encrypted { "rediss://" } else { "redis://" };
            self.refuse_part(TLS, &format!("wants a REDIS_URL (redis.url) of {scheme}"));
        }
        (self.problems.len() == before).then_some(options)
    }

    fn refuse_part(&mut self, name: &'static str, message: &str) {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) {
            let subject = format!("{} ({name})", setting.variable);
            self.problems.push(Problem { subject, message: message.to_owned() });
        }
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
            encrypted: matches!(self.text(TLS, profile).as_deref(), Some("true" | "on")),
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
