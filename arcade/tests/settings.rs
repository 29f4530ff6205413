//! Settings: what is missing, wrong or unknown is named, all of it at once.

use arcade::configuration::{self, Environment, Fallback, Layer, SETTINGS, Setting, SettingsError};
use arcade::settings::Profile;
use tempfile::TempDir;

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
        let subjects: Vec<String> = SETTINGS
            .iter()
            .filter(required)
            .map(|setting| format!("{} ({})", setting.variable, setting.name))
            .collect();
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        let message = check(&[("ARCADE_PROFILE", profile.name())], "", &subjects);
        assert!(subjects.iter().all(|subject| message.contains(subject)), "{message}");
    }
}

#[test]
fn production_needs_its_secret_and_its_database() {
    let subjects = ["JWT_SECRET (auth.jwt_secret)", "DATABASE_URL (database.url)"];
    let production = ("ARCADE_PROFILE", "production");
    check(&[production], "", &subjects);
    check(&[production, ("JWT_SECRET", SECRET)], "", &subjects[1..]);
    check(&[production, ("DATABASE_URL", "sqlite:x.db")], "", &subjects[..1]);
    check(&[production, ("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:x.db")], "", &[]);
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
    check(
        &[("ARCADE_PROFILE", "prod"), ("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:x")],
        "",
        &["ARCADE_PROFILE"],
    );
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
        ["CACHE_ENTRYS_MAX", "LARDER_QQQ"]
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
    let page = include_str!("../../docs/settings.md");
    let table = configuration::documented();
    assert!(page.ends_with(&table), "run `arcade config table` and paste it:\n{table}");
}
