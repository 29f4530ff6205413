//! Puts the domains together, each on its caches, its rows and the one way of a change.

use axum::extract::FromRef;
use larder::{BuildError, Rule};

use super::App;
use crate::bundles::Bundle;
use crate::domains::assets::{AssetCaches, AssetRows, Assets};
use crate::domains::builds::{BuildCaches, BuildRows, Builds};
use crate::domains::marketplace::{Market, MarketCaches, MarketRows};
use crate::domains::notifications::{NotificationCaches, NotificationRows, Notifications};
use crate::domains::rooms::{RoomCaches, RoomRows, Rooms};
use crate::domains::systems::{SystemCaches, SystemRows, Systems};
use crate::domains::tournaments::{TournamentCaches, TournamentRows, Tournaments};
use crate::reads::Reads;
use crate::storage::Store;
use crate::warming::Sets;
use crate::writes::Writes;

/// The domains; users are apart, whose sessions every request needs.
#[derive(Debug, Clone)]
pub(super) struct Domains {
    notifications: Notifications,
    tournaments: Tournaments,
    market: Market,
    rooms: Rooms,
    assets: Assets,
    systems: Systems,
    builds: Builds,
}

impl Domains {
    /// The domains, and what of them is warmed beside `sets`.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub(super) fn build(
        reads: &Reads,
        store: &Store,
        writes: &Writes,
        sets: Sets,
    ) -> Result<(Self, Sets), BuildError> {
        let notifications = NotificationCaches::build(reads, NotificationRows::new(store.clone()))?;
        let tournaments = TournamentCaches::build(reads, TournamentRows::new(store.clone()))?;
        let market = MarketCaches::build(reads, MarketRows::new(store.clone()))?;
        let rooms = RoomCaches::build(reads, RoomRows::new(store.clone()))?;
        let assets = AssetCaches::build(reads, AssetRows::new(store.clone()))?;
        let systems = SystemCaches::build(reads, SystemRows::new(store.clone()))?;
        let builds = BuildCaches::build(reads, BuildRows::new(store.clone()))?;
        let sets = market.warmed(tournaments.warmed(notifications.warmed(sets)));
        let sets = assets.warmed(systems.warmed(rooms.warmed(builds.warmed(sets))));
        let domains = Domains {
            notifications: Notifications::new(notifications, writes.clone()),
            tournaments: Tournaments::new(tournaments, writes.clone()),
            market: Market::new(market, writes.clone()),
            rooms: Rooms::new(rooms, writes.clone()),
            assets: Assets::new(assets, writes.clone()),
            systems: Systems::new(systems, writes.clone()),
            builds: Builds::new(builds, writes.clone()),
        };
        Ok((domains, sets))
    }

    /// By which rules they drop a bundle.
    pub(super) fn rules(&self) -> [Rule<Bundle>; 7] {
        [
            self.notifications.rule(),
            self.tournaments.rule(),
            self.market.rule(),
            self.rooms.rule(),
            self.assets.rule(),
            self.systems.rule(),
            self.builds.rule(),
        ]
    }
}

impl FromRef<App> for Notifications {
    fn from_ref(app: &App) -> Notifications {
        app.domains.notifications.clone()
    }
}

impl FromRef<App> for Tournaments {
    fn from_ref(app: &App) -> Tournaments {
        app.domains.tournaments.clone()
    }
}

impl FromRef<App> for Market {
    fn from_ref(app: &App) -> Market {
        app.domains.market.clone()
    }
}

impl FromRef<App> for Rooms {
    fn from_ref(app: &App) -> Rooms {
        app.domains.rooms.clone()
    }
}

impl FromRef<App> for Assets {
    fn from_ref(app: &App) -> Assets {
        app.domains.assets.clone()
    }
}

impl FromRef<App> for Systems {
    fn from_ref(app: &App) -> Systems {
        app.domains.systems.clone()
    }
}

impl FromRef<App> for Builds {
    fn from_ref(app: &App) -> Builds {
        app.domains.builds.clone()
    }
}
