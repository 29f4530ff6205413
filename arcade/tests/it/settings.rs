//! Settings: what is missing, wrong or unknown is named, all of it at once.

use arcade::configuration::{self, Environment, Fallback, Layer, SETTINGS, Setting, SettingsError};
use arcade::settings::{Profile, Redis, RedisMode};
use larder_redis::Topology;
use tempfile::TempDir;

/// The subject of a missing Redis.
const REDIS_URL: &str = "REDIS_URL (redis.url)";

const SECRET: &str = "a secret of tests, with more than 32 bytes";

fn directory_with(file: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("temporary directory");
    std::fs::write(directory.path().join("arcade.toml"), file).expect("write");
    directory
}

/// Loads `file` under `variables` and compares the subjects of all problems.
fn check(variables: &[(&str, &str)], file: &str, subjects: &[&str]) -> String {
    let directory = directory_with(file);
    let environment = Environment::of(directory.path(), variables.iter().copied());
    match configuration::load(environment) {
        Ok(_) => {
            assert!(subjects.is_empty(), "{variables:?} {file:?} must fail");
            String::new()
        }
        Err(SettingsError::Values(problems)) => {
            let named: Vec<&str> = problems.iter().map(|one| one.subject.as_str()).collect();
            assert_eq!(named, subjects, "{variables:?} {file:?}");
            SettingsError::Values(problems).to_string()
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_required_variable_is_named_in_one_message() {
    for profile in Profile::ALL {
        let required = |setting: &&Setting| (setting.fallback)(profile) == Fallback::Required;
        let mut subjects: Vec<String> = SETTINGS
            .iter()
            .filter(required)
            .map(|setting| format!("{} ({})", setting.variable, setting.name))
            .collect();
        if matches!(profile, Profile::Staging | Profile::Production) {
            subjects.push(REDIS_URL.to_owned());
        }
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        let message = check(&[("ARCADE_PROFILE", profile.name())], "", &subjects);
        assert!(subjects.iter().all(|subject| message.contains(subject)), "{message}");
    }
}

#[test]
fn production_needs_its_secret_and_its_database() {
    let subjects = ["JWT_SECRET (auth.jwt_secret)", "DATABASE_URL (database.url)", REDIS_URL];
    let production = ("ARCADE_PROFILE", "production");
    let (secret, database) = (("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:x.db"));
    check(&[production], "", &subjects);
    check(&[production, secret], "", &subjects[1..]);
    check(&[production, database], "", &[subjects[0], REDIS_URL]);
    check(&[production, secret, database], "", &[REDIS_URL]);
    check(&[production, secret, database, ("REDIS_URL", "redis://cache.local")], "", &[]);
}

#[test]
fn production_without_redis_must_be_written() {
    let written = |mode| {
        let fixed =
            [("ARCADE_PROFILE", "production"), ("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:x")];
        [fixed.as_slice(), &[("ARCADE_REDIS", mode)]].concat()
    };
    check(&written("off"), "", &[]);
    check(&written("optional"), "", &[REDIS_URL]);
    check(&written("required"), "", &[REDIS_URL]);
}

fn redis(variables: &[(&str, &str)]) -> Redis {
    let directory = directory_with("");
    let environment = Environment::of(directory.path(), variables.iter().copied());
    configuration::load(environment).expect("good settings").redis
}

#[test]
fn redis_is_used_where_it_is_named_and_nowhere_else() {
    assert_eq!(redis(&[]).mode, RedisMode::Off);
    assert_eq!(redis(&[("REDIS_URL", "")]).mode, RedisMode::Off);
    assert_eq!(redis(&[("REDIS_URL", "redis://cache.local")]).mode, RedisMode::Optional);
    let off = redis(&[("REDIS_URL", "redis://cache.local"), ("ARCADE_REDIS", "off")]);
    assert!(off.mode == RedisMode::Off && off.server.is_none());
}

#[test]
fn every_part_of_redis_has_a_variable() {
    let redis = redis(&[
        ("REDIS_HOST", "cache.local"),
        ("REDIS_PORT", "6390"),
        ("REDIS_USERNAME", "arcade"),
        ("REDIS_PASSWORD", "s3cret"),
        ("REDIS_DB", "3"),
        ("REDIS_TLS_ENABLED", "true"),
        ("REDIS_KEY_PREFIX", "north"),
        ("REDIS_CONNECT_TIMEOUT", "700"),
        ("REDIS_COMMAND_TIMEOUT", "300"),
        ("REDIS_KEEPALIVE", "5000"),
    ]);
    let server = redis.server.expect("a server");
    assert_eq!(server.topology, Topology::single("cache.local", 6390));
    assert_eq!(server.credentials.password.as_deref(), Some("s3cret"));
    assert_eq!(server.credentials.username.as_deref(), Some("arcade"));
    assert_eq!((server.database, redis.namespace.as_str()), (3, "north"));
    assert!(server.tls.is_some());
    assert_eq!(server.connect_timeout.as_millis(), 700);
    assert_eq!(server.command_timeout.as_millis(), 300);
    assert_eq!(server.keepalive.as_secs(), 5);
}

#[test]
fn a_wrong_redis_is_named_and_its_password_is_not() {
    let cases = [
        ("REDIS_URL", "http://:s3cret@x", "REDIS_URL (redis.url)", "redis://"),
        ("REDIS_PORT", "http", "REDIS_PORT (redis.port)", "a whole number from 1 to 65535"),
        ("REDIS_HOST", "a/b", "REDIS_HOST (redis.host)", "a host name"),
        ("REDIS_KEY_PREFIX", "{a}", "REDIS_KEY_PREFIX (redis.namespace)", "without braces"),
        ("REDIS_TLS_CA_FILE", "none.pem", "REDIS_TLS_CA_FILE (redis.tls_authorities)", "a file"),
        ("ARCADE_REDIS", "maybe", "ARCADE_REDIS (redis.mode)", "required, optional, off"),
    ];
    for (variable, value, subject, limit) in cases {
        let message = check(&[(variable, value)], "", &[subject]);
        assert!(message.contains(limit) && !message.contains("s3cret"), "{message}");
    }
}

#[test]
fn a_journal_in_redis_needs_a_redis() {
    let (journal, named) = (("ARCADE_JOURNAL", "redis"), ("REDIS_URL", "redis://cache.local"));
    let subject = "ARCADE_JOURNAL (journal.place)";
    for variables in [vec![journal], vec![journal, named, ("ARCADE_REDIS", "off")]] {
        let message = check(&variables, "", &[subject]);
        assert!(message.contains("ARCADE_REDIS (redis.mode) is off"), "{message}");
    }
    check(&[journal, named], "", &[]);
    // What explains it is named alone.
    check(&[journal, ("REDIS_URL", "http://x")], "", &[REDIS_URL]);
    check(&[journal, ("ARCADE_REDIS", "optional")], "", &[REDIS_URL]);
}

#[test]
fn nothing_that_is_said_beside_a_redis_url_is_left_out_in_silence() {
    let plain = ("REDIS_URL", "redis://a");
    let parts = [
        ("REDIS_HOST", "b", "REDIS_HOST (redis.host)"),
        ("REDIS_PORT", "6390", "REDIS_PORT (redis.port)"),
        ("REDIS_USERNAME", "arcade", "REDIS_USERNAME (redis.username)"),
        ("REDIS_PASSWORD", "s3cret", "REDIS_PASSWORD (redis.password)"),
        ("REDIS_DB", "3", "REDIS_DB (redis.database)"),
    ];
    for (variable, value, subject) in parts {
        let message = check(&[plain, (variable, value)], "", &[subject]);
        assert!(message.contains("one of both") && !message.contains("s3cret"), "{message}");
    }
    let tls = "REDIS_TLS_ENABLED (redis.tls)";
    let encrypted = ("REDIS_URL", "rediss://a");
    let message = check(&[plain, ("REDIS_TLS_ENABLED", "true")], "", &[tls]);
    assert!(message.contains("rediss://"), "{message}");
    check(&[encrypted, ("REDIS_TLS_ENABLED", "off")], "", &[tls]);
    check(&[encrypted, ("REDIS_TLS_ENABLED", "on")], "", &[]);
    check(&[plain, ("REDIS_TLS_ENABLED", "false")], "", &[]);
    let authority = ("REDIS_TLS_CA_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    check(&[plain, authority], "", &["REDIS_TLS_CA_FILE (redis.tls_authorities)"]);
    check(&[encrypted, authority], "", &[]);
}

#[test]
fn development_needs_nothing() {
    check(&[], "", &[]);
}

#[test]
fn a_wrong_value_is_named_with_its_limit() {
    let cases = [
        ("PORT", "http", "PORT (http.port)", "a whole number from 0 to 65535"),
        ("PORT", "65536", "PORT (http.port)", "a whole number from 0 to 65535"),
        ("ARCADE_HOST", "localhost", "ARCADE_HOST (http.host)", "an IP address"),
        ("JWT_SECRET", "short", "JWT_SECRET (auth.jwt_secret)", "has 5 bytes, must have at least 32"),
        (
            "DATABASE_URL",
            "mysql://x",
            "DATABASE_URL (database.url)",
            "the URL of a file, sqlite:…, or of a server, postgres://…",
        ),
        ("DATABASE_URL", "sqlite::memory:", "DATABASE_URL (database.url)", "the URL of a file"),
        ("ARCADE_LOG_FORMAT", "xml", "ARCADE_LOG_FORMAT (log.format)", "one of text, json"),
        ("ARCADE_LOG", "a=b=c", "ARCADE_LOG (log.filter)", "a log filter"),
        ("ARCADE_DEMO", "yes", "ARCADE_DEMO (demo.world)", "one of on, off"),
        ("ARCADE_JOURNAL", "tape", "ARCADE_JOURNAL (journal.place)", "one of disk, redis"),
        ("CACHE_ENTRIES_MAX", "0", "CACHE_ENTRIES_MAX (cache.entries_max)", "from 1 to"),
        (
            "ARCADE_SHUTDOWN_TIMEOUT_MS",
            "10001",
            "ARCADE_SHUTDOWN_TIMEOUT_MS (http.shutdown_timeout_ms)",
            "from 0 to 10000",
        ),
    ];
    for (variable, value, subject, limit) in cases {
        let message = check(&[(variable, value)], "", &[subject]);
        assert!(message.contains(limit), "{message}");
    }
    let unknown = ("ARCADE_PROFILE", "prod");
    let (secret, database) = (("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:x"));
    check(&[unknown, secret, database, ("ARCADE_REDIS", "off")], "", &["ARCADE_PROFILE"]);
}

#[test]
fn only_tests_may_hash_passwords_cheaply() {
    let subject = "ARCADE_PASSWORD_MEMORY_KIB (auth.password_memory_kib)";
    let common = [
        ("JWT_SECRET", SECRET),
        ("DATABASE_URL", "sqlite:x.db"),
        ("REDIS_URL", "redis://cache.local"),
    ];
    for profile in Profile::ALL {
        for (memory_kib, is_enough) in [("8", false), ("19455", false), ("19456", true)] {
            let own =
                [("ARCADE_PROFILE", profile.name()), ("ARCADE_PASSWORD_MEMORY_KIB", memory_kib)];
            let good = is_enough || profile == Profile::Test;
            let subjects: &[&str] = if good { &[] } else { &[subject] };
            let variables = [own.as_slice(), &common].concat();
            let message = check(&variables, "", subjects);
            assert!(good || message.contains("at least 19456"), "{message}");
        }
    }
}

#[test]
fn the_password_of_a_database_is_shown_nowhere() {
    let url = "postgres://arcade:canary@db.example/arcade?sslmode=require";
    for wrong in ["", "http"] {
        let variables = [("DATABASE_URL", [wrong, url].concat()), ("JWT_SECRET", SECRET.to_owned())];
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        let directory = directory_with("");
        let environment = Environment::of(directory.path(), variables);
        let shown = configuration::show(environment.clone()).expect("shown");
        let mut told = format!("{shown:?}");
        match configuration::load(environment) {
            Ok(settings) => told += &format!("{settings:?} {settings:#?}"),
            Err(error) => told += &format!("{error} {error:?}"),
        }
        assert!(!told.contains("canary") && told.contains("database"), "{told}");
    }
}

#[test]
fn mistakes_of_all_sources_are_told_together() {
    let variables = [("PORT", "http"), ("JWT_SECRET", "short")];
    let file = "[log]\nformat = 'xml'\n[htpp]\nport = 1\n";
    let subjects = [
        "htpp.port",
        "PORT (http.port)",
        "JWT_SECRET (auth.jwt_secret)",
        "ARCADE_LOG_FORMAT (log.format)",
    ];
    let message = check(&variables, file, &subjects);
    assert!(message.starts_with("4 problems in the settings:"), "{message}");
    assert!(message.contains("did you mean http.port?"), "{message}");
    assert!(!message.contains("short"), "a secret must not be shown: {message}");
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let directory = directory_with("[http]\nport = 4000\nbody_bytes_max = 2048\n");
    let settings = |variables: &[(&str, &str)]| {
        let environment = Environment::of(directory.path(), variables.iter().copied());
        configuration::load(environment).expect("good settings").http
    };
    let from_file = settings(&[]);
    assert_eq!((from_file.address.port(), from_file.body_bytes_max), (4_000, 2_048));
    let overruled = settings(&[("PORT", "5000")]);
    assert_eq!((overruled.address.port(), overruled.body_bytes_max), (5_000, 2_048));
    // An empty variable counts as not set.
    assert_eq!(settings(&[("PORT", "")]).address.port(), 4_000);
}

#[test]
fn a_file_that_is_named_must_exist_and_parse() {
    let directory = directory_with("[http\n");
    for file in ["missing.toml", "arcade.toml"] {
        let environment = Environment::of(directory.path(), [("ARCADE_CONFIG", file)]);
        let error = configuration::load(environment).expect_err("must fail");
        assert!(
            matches!(&error, SettingsError::File { path, .. } if path.ends_with(file)),
            "{error}"
        );
    }
}

#[test]
fn a_variable_that_looks_like_ours_and_is_not_is_warned_of() {
    let variables = [
        ("CACHE_ENTRYS_MAX", "1"),
        ("ARCADE_PROFILE", "test"),
        ("LARDER_URL", "x"),
        ("CACHE_ENTRIES_MAX", "1"),
        ("LARDER_QQQ", "1"),
        ("REDIS_MAX_CLIENTS", "10"),
        ("HOME", "/"),
    ];
    let warnings: Vec<(String, Option<String>)> = Environment::of("", variables)
        .warnings()
        .into_iter()
        .map(|warning| (warning.variable, warning.nearest))
        .collect();
    let near = Some("CACHE_ENTRIES_MAX".to_owned());
    assert_eq!(warnings[0], ("CACHE_ENTRYS_MAX".to_owned(), near));
    assert_eq!(
        warnings.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["CACHE_ENTRYS_MAX", "LARDER_QQQ", "REDIS_MAX_CLIENTS"]
    );
}

#[test]
fn the_dump_shows_every_setting_and_no_secret() {
    let directory = directory_with("[http]\nport = 4000\n");
    let url = "sqlite:a-password-could-stand-here.db";
    let variables = [("JWT_SECRET", SECRET), ("DATABASE_URL", url), ("ARCADE_DEMO", "off")];
    let shown = configuration::show(Environment::of(directory.path(), variables)).expect("shown");
    assert_eq!(shown.len(), SETTINGS.len());
    assert!(shown.iter().all(|line| !line.value.contains(SECRET) && !line.value.contains(url)));
    let layer = |name| shown.iter().find(|line| line.setting.name == name).map(|line| line.layer);
    assert_eq!(layer("http.port"), Some(Layer::File));
    assert_eq!(layer("demo.world"), Some(Layer::Environment));
    assert_eq!(layer("log.filter"), Some(Layer::Default));
}

#[test]
fn the_documentation_lists_every_setting_as_the_program_knows_it() {
    let page = include_str!("../../../docs/settings.md");
    let table = configuration::documented();
    assert!(page.ends_with(&table), "run `arcade config table` and paste it:\n{table}");
}
