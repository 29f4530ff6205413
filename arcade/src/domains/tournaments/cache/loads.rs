//! How entries of tournaments are loaded, given their keys alone, and which tags they carry.

use std::sync::Arc;

use larder::Loaded;

use super::{ListKey, MatchKey, TournamentKey, VenueListKey};
use crate::domains::tournaments::input::ListFilter;
use crate::domains::tournaments::model::{Match, MatchList, TournamentDetail, TournamentPage};
use crate::domains::tournaments::rows::TournamentRows;
use crate::http::Page;
use crate::storage::StorageError;

/// A page of the tournaments of all venues.
pub(super) async fn list(
    rows: TournamentRows,
    ListKey { status, page, limit }: ListKey,
) -> Result<Loaded<Arc<TournamentPage>>, StorageError> {
    let filter = ListFilter { status, venue_id: None };
    let page = rows.page(filter, Page { number: page, limit }).await?;
    Ok(Loaded::value(Arc::new(page)).tag("tournaments"))
}

/// A page of the tournaments of one venue.
pub(super) async fn venue_list(
    rows: TournamentRows,
    VenueListKey { venue, status, page, limit }: VenueListKey,
) -> Result<Loaded<Arc<TournamentPage>>, StorageError> {
    let filter = ListFilter { status, venue_id: Some(venue) };
    let page = rows.page(filter, Page { number: page, limit }).await?;
    Ok(Loaded::value(Arc::new(page)).tag("tournaments").tag(format!("venue-{venue}")))
}

pub(super) async fn detail(
    rows: TournamentRows,
    TournamentKey { tournament }: TournamentKey,
) -> Result<Loaded<Arc<TournamentDetail>>, StorageError> {
    rows.find(tournament).await.map(|found| tagged(tournament, found))
}

pub(super) async fn match_list(
    rows: TournamentRows,
    TournamentKey { tournament }: TournamentKey,
) -> Result<Loaded<Arc<MatchList>>, StorageError> {
    rows.matches(tournament).await.map(|found| tagged(tournament, found))
}

pub(super) async fn one_match(
    rows: TournamentRows,
    MatchKey { tournament, number }: MatchKey,
) -> Result<Loaded<Arc<Match>>, StorageError> {
    rows.find_match(tournament, number).await.map(|found| tagged(tournament, found))
}

fn tagged<T>(tournament: i64, found: Option<T>) -> Loaded<Arc<T>> {
    match found {
        Some(found) => Loaded::value(Arc::new(found)).tag(format!("tournament-{tournament}")),
        None => Loaded::absent(),
    }
}
