//! Puts the parts together: one cache, one database, every route, the layers around them.

mod domains;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use larder::clock::SystemClock;
use larder::{BuildError, Larder, Probe, ProbeOptions, Rules};
use larder_sql::outbox::Outbox;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use self::domains::Domains;
use crate::alarms::Alarms;
use crate::auth::{Identities, PasswordError, Passwords, Tokens};
use crate::description::{self, Description};
use crate::domains::users::{self, UserCaches, UserRows, Users};
use crate::domains::{assets, builds, marketplace, notifications, rooms, systems, tournaments};
use crate::figures::Figures;
use crate::http::{self, ApiError, Limits, Route, Routes};
use crate::journal::Journals;
use crate::reads::Reads;
use crate::relaying::Relaying;
use crate::sessions::{Sessions, SessionsError, Sweeping};
use crate::settings::{Secret, Settings};
use crate::shared_tier::SharedTier;
use crate::storage::Store;
use crate::system::{self, System};
use crate::telemetry::Telemetry;
use crate::warming::{self, Sets};
use crate::writes::Writes;

/// Shorter answers are not compressed: it would cost more than it saves.
const COMPRESSED_BYTES_MIN: u64 = 1_024;

/// Everything that a handler can ask for. Clones share it.
#[derive(Debug, Clone)]
pub struct App {
    identities: Identities,
    domains: Domains,
    users: Users,
    system: System,
    description: Description,
    limits: Arc<Limits>,
    running: TaskTracker,
    relaying: Relaying,
    sweeping: Sweeping,
}

/// The parts do not fit together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The cache refuses its settings.
    #[error("cannot build the cache")]
    Cache(#[from] BuildError),
    /// The cost of hashing a password is out of bounds.
    #[error("cannot hash passwords")]
    Passwords(#[from] PasswordError),
    /// Sessions cannot be had.
    #[error(transparent)]
    Sessions(#[from] SessionsError),
    /// The exporter refuses its settings.
    #[error("cannot build the metrics")]
    Telemetry(#[from] metrics_exporter_prometheus::BuildError),
}

impl FromRef<App> for Identities {
    fn from_ref(app: &App) -> Identities {
        app.identities.clone()
    }
}

impl FromRef<App> for Users {
    fn from_ref(app: &App) -> Users {
        app.users.clone()
    }
}

impl FromRef<App> for Description {
    fn from_ref(app: &App) -> Description {
        app.description.clone()
    }
}

impl FromRef<App> for System {
    fn from_ref(app: &App) -> System {
        app.system.clone()
    }
}

impl App {
    /// Runs the consistency probe, if there is one, until the server stops.
    pub fn probing(&self) -> impl Future<Output = ()> + use<> {
        let (probe, stop) = (self.system.probe.clone(), self.system.stop.clone());
        async move {
            if let Some(probe) = probe {
                stop.run_until_cancelled(probe.run()).await;
            }
        }
    }

    /// The parts that an operator looks at.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// Builds every part on `store`, the cache on `tier`, reads back what an earlier process has
    /// acknowledged, and lets the outbox be relayed until [`close`](Self::close). `stop` tells it that
    /// the server drains.
    ///
    /// # Errors
    /// The cache or the metrics refuse the settings, or the journal is required and cannot be opened.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the journal as it is.
    pub async fn build(
        settings: &Settings,
        secret: &Secret,
        store: Store,
        tier: SharedTier,
        stop: CancellationToken,
    ) -> Result<App, AppError> {
        let telemetry = Arc::new(Telemetry::new(Arc::new(SystemClock))?);
        let larder = cache_of(settings, &tier)?;
        let probe = probe_of(settings, &larder)?;
        let reads = Reads::new(larder.clone(), settings.cache.clone(), Arc::clone(&telemetry));
        let (table, tokens) = (route_table(), Tokens::new(secret));
        let (running, outbox) = (TaskTracker::new(), Outbox::new(larder.clone()));
        let writes = Writes::new(store.clone(), outbox.clone(), running.clone());
        let (journals, every) = (Journals::of(settings), settings.sessions.activity_every);
        let sessions = Sessions::open(&reads, &store, &writes, &journals, every).await?;
        let user_rows = UserRows::new(store.clone());
        let user_caches = UserCaches::build(&reads, user_rows.clone())?;
        let sets = user_caches.warmed(Sets::new(&larder, settings));
        let (domains, sets) = Domains::build(&reads, &store, &writes, sets)?;
        let users = Users::new(
            (user_caches, user_rows),
            writes.clone(),
            (sessions.clone(), settings.sessions),
            Passwords::new(settings.password_memory_kib)?,
            tokens.clone(),
        );
        let figures = Arc::new(Figures::new(larder.clone(), Arc::clone(telemetry.source_reads())));
        let rules = domains.rules().into_iter().chain([users.rule(), sessions.rule()]);
        let bundles = Rules::new(&larder, rules);
        Ok(App {
            identities: Identities::new(tokens, sessions.clone()),
            users,
            domains,
            relaying: Relaying::begin(&outbox, &store),
            sweeping: Sweeping::begin(writes),
            system: System {
                profile: settings.profile,
                store,
                larder,
                bundles,
                outbox,
                sessions,
                tier,
                probe,
                figures,
                warmer: sets.begin()?,
                telemetry,
                stop,
            },
            description: Description::of(&table, &settings.cache),
            limits: Arc::new(Limits::new(settings.limits, &table, Arc::new(SystemClock))),
            running,
        })
    }

    /// The service: every route, inside the layers that all of them share.
    pub fn router(&self, http: &crate::settings::Http) -> Router {
        let (router, _) = routes().into_parts();
        self.layered(router, http)
    }

    fn layered(&self, router: Router<App>, http: &crate::settings::Http) -> Router {
        let telemetry = Arc::clone(&self.system.telemetry);
        let limits = Arc::clone(&self.limits);
        let timeout =
            TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, http.request_timeout);
        // An answer that says nothing about caching must not end up in one.
        let kept_by_nobody = SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        );
        let kinds_not_guessed = SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        router
            .fallback(no_route)
            .layer(CatchPanicLayer::new())
            .layer(timeout)
            .layer(DefaultBodyLimit::max(http.body_bytes_max))
            .layer(Extension(http::ReadTimeout(http.read_timeout)))
            .layer(from_fn_with_state(limits, http::limited))
            .layer(from_fn(http::rendered))
            .layer(from_fn(http::conditional))
            .layer(kept_by_nobody)
            .layer(kinds_not_guessed)
            .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESSED_BYTES_MIN)))
            .layer(from_fn_with_state(telemetry, http::observed))
            .with_state(self.clone())
    }

    /// Folds the metrics; to be called every few seconds.
    pub fn upkeep(&self) {
        self.system.telemetry.upkeep();
    }

    /// Keeps what is hot, waits for the changes under way, lets the database have what was
    /// acknowledged, waits for the relay, then closes the cache and the database.
    pub async fn close(&self) {
        warming::end(&self.system.warmer).await;
        self.running.close();
        self.running.wait().await;
        self.sweeping.end().await;
        self.system.sessions.close().await;
        self.relaying.end().await;
        self.system.larder.close().await;
        self.system.store.close().await;
    }
}

fn cache_of(settings: &Settings, tier: &SharedTier) -> Result<Larder, BuildError> {
    let builder = Larder::builder("arcade").shards(tier.shards());
    let builder = match &settings.redis.server {
        // The cache gives up a call no sooner than its server is to be given up.
        Some(server) => builder.call_timeout(server.command_timeout),
        None => builder,
    };
    builder
        .observer(Arc::new(Alarms))
        .bytes_max(settings.cache.memory_bytes_max)
        .entries_max(settings.cache.entries_max)
        .build()
}

fn probe_of(settings: &Settings, larder: &Larder) -> Result<Option<Arc<Probe>>, BuildError> {
    match settings.cache.probe {
        true => Ok(Some(Arc::new(Probe::new(larder, ProbeOptions::default())?))),
        false => Ok(None),
    }
}

/// Every route of Arcade.
pub fn routes() -> Routes<App> {
    system::router()
        .merge(description::router())
        .merge(notifications::router())
        .merge(tournaments::router())
        .merge(marketplace::router())
        .merge(builds::router())
        .merge(users::router())
        .merge(rooms::router())
        .merge(assets::router())
        .merge(systems::router())
}

/// The table of every route.
pub fn route_table() -> Vec<Route> {
    routes().into_parts().1
}

async fn no_route() -> ApiError {
    ApiError::NotFound("route")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::get;
    use tower_service::Service;

    use super::*;
    use crate::configuration::{self, Environment};

    async fn panics() -> StatusCode {
        panic!("the canary sings")
    }

    async fn fails() -> Result<(), ApiError> {
        Err(ApiError::Internal("the canary sings".into()))
    }

    #[tokio::test]
    async fn a_fault_of_ours_is_answered_without_a_word_about_it() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let settings = configuration::load(Environment::of(directory.path(), [])).expect("settings");
        let store = Store::open(&settings.database, directory.path()).await.expect("open");
        let secret = Secret::new("a secret of more than thirty-two bytes");
        let stop = CancellationToken::new();
        let app = App::build(&settings, &secret, store, SharedTier::none(), stop).await.expect("app");
        let routes = Router::new().route("/panics", get(panics)).route("/fails", get(fails));
        let mut router = app.layered(routes, &settings.http);
        for path in ["/panics", "/fails"] {
            let request = Request::get(path).body(Body::empty()).expect("request");
            let answer = router.call(request).await.expect("infallible");
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            let id = answer.headers()["x-request-id"].to_str().expect("plain").to_owned();
            let kind = answer.headers()[header::CONTENT_TYPE].clone();
            let body = to_bytes(answer.into_body(), 4_096).await.expect("body");
            let text = String::from_utf8_lossy(&body);
            assert_eq!(kind, "application/problem+json", "{path}");
            assert!(text.contains(&id) && !text.contains("canary"), "{path}: {text}");
        }
        app.close().await;
    }
}
