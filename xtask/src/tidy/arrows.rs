//! The arrows between packages: who may see whom, and who may know which outside world. The two
//! tables are DESIGN.md §8 in data.

use toml::{Table, Value};

use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule =
    Rule { name: "arrows", demand: "packages see only what DESIGN.md §8 lets them see", check };

/// Which packages of this workspace a package may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("larder-macros", &[]),
    ("larder", &["larder-macros"]),
    ("larder-redis", &["larder"]),
    ("larder-sql", &["larder"]),
    ("larder-sim", &["larder"]),
    ("larder-jobs", &[]),
    ("larder-live", &[]),
    ("larder-http", &["larder"]),
    ("larder-console", &["larder", "larder-jobs", "larder-live"]),
    ("larder-cli", &["larder-console"]),
    (
        "arcade",
        &[
            "larder",
            "larder-redis",
            "larder-sql",
            "larder-jobs",
            "larder-live",
            "larder-http",
            "larder-console",
        ],
    ),
    ("xtask", &[]),
];

/// Folders whose packages measure or test the whole and so may see all of it; nothing sees them.
const OUTERMOST: &[&str] = &["bench/", "e2e/"];

/// An outside world: the crates that lead to it, and the packages that may depend on them.
struct World {
    name: &'static str,
    crates: &'static [&'static str],
    known_to: &'static [&'static str],
}

const WORLDS: &[World] = &[
    World {
        name: "Redis",
        crates: &["redis", "fred", "deadpool-redis", "bb8-redis", "rustis", "bullmq-official"],
        known_to: &["larder-redis", "larder-jobs", "larder-live", "arcade"],
    },
    World {
        name: "HTTP",
        crates: &[
            "axum",
            "http",
            "http-body",
            "hyper",
            "hyper-util",
            "reqwest",
            "tower",
            "tower-http",
            "ureq",
        ],
        known_to: &["larder-http", "larder-live", "larder-console", "larder-cli", "arcade"],
    },
    World {
        name: "SQL",
        crates: &["sqlx", "rusqlite", "diesel", "sea-orm", "tokio-postgres", "libsqlite3-sys"],
        known_to: &["larder-sql", "larder-jobs", "larder-console", "arcade"],
    },
    World {
        name: "the names of metrics",
        crates: &[
            "metrics",
            "metrics-exporter-prometheus",
            "prometheus",
            "prometheus-client",
            "opentelemetry",
        ],
        // Until there is a console, the server names its own.
        known_to: &["larder-console", "arcade"],
    },
    World {
        name: "Socket.IO",
        crates: &["socketioxide", "socketioxide-redis", "socketioxide-emitter"],
        known_to: &["larder-live"],
    },
];

const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

fn check(tree: &Tree) -> Vec<Violation> {
    let manifests: Vec<(&File, Table)> = tree
        .files()
        .filter(|file| file.stem() == "Cargo" && file.path.ends_with("/Cargo.toml"))
        .filter(|file| !OUTERMOST.iter().any(|folder| file.path.starts_with(folder)))
        .filter_map(|file| Some((file, file.text.parse().ok()?)))
        .collect();
    manifests.iter().flat_map(|(file, manifest)| of_package(file, manifest)).collect()
}

fn of_package(file: &File, manifest: &Table) -> Vec<Violation> {
    let Some(package) =
        manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str)
    else {
        return Vec::new();
    };
    let Some((_, seen)) = ARROWS.iter().find(|(name, _)| *name == package) else {
        let message = format!(
            "package {package} is not in the arrows of xtask/src/tidy/arrows.rs: say what it may see"
        );
        return vec![Violation::new(&file.path, 1, package, message)];
    };
    let broken = |dependency: &String| {
        let message = reason_against(package, seen, dependency)?;
        Some(Violation::new(&file.path, line_naming(file, dependency), dependency, message))
    };
    dependencies(manifest).iter().filter_map(broken).collect()
}

fn reason_against(package: &str, seen: &[&str], dependency: &str) -> Option<String> {
    let ours = dependency == "xtask" || ARROWS.iter().any(|(name, _)| *name == dependency);
    if ours && !seen.contains(&dependency) && dependency != package {
        return Some(format!(
            "{package} must not see {dependency}; it may see [{}]",
            seen.join(", ")
        ));
    }
    let world = WORLDS.iter().find(|world| world.crates.contains(&dependency))?;
    (!world.known_to.contains(&package)).then(|| {
        format!(
            "{package} must not know {}, but depends on {dependency}; [{}] may",
            world.name,
            world.known_to.join(", ")
        )
    })
}

/// The names of the crates a manifest depends on, whatever it calls them and for whatever target.
fn dependencies(manifest: &Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let of_targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(of_targets)
        .flat_map(|table| SECTIONS.iter().filter_map(|section| table.get(*section)?.as_table()))
        .flatten()
        .map(|(name, how)| how.get("package").and_then(Value::as_str).unwrap_or(name).to_owned())
        .collect()
}

fn line_naming(file: &File, dependency: &str) -> usize {
    let names = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
            || line.contains(&format!("\"{dependency}\""))
    };
    let package_ends = file.text.lines().position(|line| line.contains("dependencies]")).unwrap_or(0);
    let found = file.text.lines().skip(package_ends).position(names);
    found.map_or(1, |place| package_ends + place + 1)
}
