//! The routes of classes, builds and likes.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::cache::{self, BuildCaches};
use super::changes::Builds;
use super::classes::Put;
use super::input::{BoardQuery, LikedQuery, ListQuery, OwnQuery};
use super::model::{
    BuildChange, BuildList, Daevanion, NewBuild, NewClass, ShownBuild, ShownClass, ShownHead,
};
use crate::auth::{Admin, CurrentUser, Identities, TokenError, Viewer};
use crate::http::{
    Access, ApiError, CachePlan, Cached, Envelope, IdPath, JsonBody, NamePath, NoInput, NoQuery,
    Query, Route, Routes,
};

/// What answers with builds come from, besides their list.
const SHOWN: &[&CachePlan] = &[&cache::BUILDS, &cache::LIKES];

const LIST: &[&CachePlan] = &[&cache::LISTS, &cache::BUILDS, &cache::LIKES];
const BOARD: &[&CachePlan] = &[&cache::BOARDS, &cache::BUILDS, &cache::LIKES];
const OWN: &[&CachePlan] = &[&cache::OWN, &cache::TRUSTED, &cache::BUILDS, &cache::LIKES];
const LIKED: &[&CachePlan] = &[&cache::LIKED, &cache::TRUSTED, &cache::BUILDS, &cache::LIKES];

/// What a new build drops.
const CREATED: &[&CachePlan] = &[&cache::BUILDS, &cache::TRUSTED, &cache::OWN, &cache::LISTS];

/// What a changed build can drop: a private one is in fewer lists.
const CHANGED: &[&CachePlan] =
    &[&cache::BUILDS, &cache::TRUSTED, &cache::OWN, &cache::LISTS, &cache::LIKED, &cache::BOARDS];

const REMOVED: &[&CachePlan] = &[
    &cache::BUILDS,
    &cache::TRUSTED,
    &cache::OWN,
    &cache::LISTS,
    &cache::LIKED,
    &cache::BOARDS,
    &cache::LIKES,
];

const TOGGLED: &[&CachePlan] = &[&cache::LIKES, &cache::LIKED, &cache::BOARDS];

const CLASS_PUT: &[&CachePlan] =
    &[&cache::CLASSES, &cache::CLASS, &cache::CLASS_TAGS, &cache::BUILDS, &cache::LISTS];

/// Why not everybody may change a build.
const OWNERS: &str = "The build is not yours.";

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Builds: FromRef<S>,
    Identities: FromRef<S>,
{
    changing_routes(reading_routes(class_routes(Routes::new())))
}

fn class_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Builds: FromRef<S>,
    Identities: FromRef<S>,
{
    routes
        .route(
            Route::get("/api/v1/classes", Access::Public, "Every class, by name.")
                .cached(&[&cache::CLASSES]),
            classes,
        )
        .route(
            Route::get(
                "/api/v1/classes/{name}",
                Access::Public,
                "One class, by its name in any case.",
            )
            .cached(&[&cache::CLASS]),
            class,
        )
        .route(
            Route::get("/api/v1/classes/{name}/tags", Access::Public, "What a class is good for.")
                .cached(&[&cache::CLASS_TAGS]),
            class_tags,
        )
        .route(
            Route::put("/api/v1/classes/{name}", Access::Admin, "Makes a class, or puts it anew.")
                .drops(CLASS_PUT)
                .may_create(),
            put_class,
        )
}

fn reading_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Builds: FromRef<S>,
    Identities: FromRef<S>,
{
    routes
        .route(
            Route::get(
                "/api/v1/builds",
                Access::Public,
                "Public builds, newest first; with private=true your own private ones.",
            )
            .cached(LIST)
            .refuses(
                StatusCode::UNAUTHORIZED,
                "A bad token, or none where private=true asks for one.",
            )
            .refuses(StatusCode::FORBIDDEN, "They are the private builds of another user."),
            list,
        )
        .route(
            Route::get(
                "/api/v1/builds/{id}",
                Access::Public,
                "One build; a private one to its owner and to admins.",
            )
            .cached(SHOWN)
            .refuses(StatusCode::UNAUTHORIZED, "A bad token."),
            show,
        )
        .route(
            Route::get("/api/v1/leaderboards/builds", Access::Public, "The most liked builds.")
                .cached(BOARD),
            board,
        )
        .route(
            Route::get("/api/v1/users/me/builds", Access::User, "What you made, newest first.")
                .cached(OWN),
            own,
        )
        .route(
            Route::get("/api/v1/users/me/liked", Access::User, "What you like, last liked first.")
                .cached(LIKED),
            liked,
        )
}

fn changing_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Builds: FromRef<S>,
    Identities: FromRef<S>,
{
    routes
        .route(
            Route::post("/api/v1/builds", Access::User, "Makes a build, private unless you say so.")
                .answers(StatusCode::CREATED)
                .drops(CREATED)
                .refuses(StatusCode::NOT_FOUND, "You are no user any more."),
            create,
        )
        .route(
            Route::patch("/api/v1/builds/{id}", Access::User, "Changes a build of yours.")
                .drops(CHANGED)
                .refuses(StatusCode::FORBIDDEN, OWNERS),
            change,
        )
        .route(
            Route::put(
                "/api/v1/builds/{id}/daevanion",
                Access::User,
                "Puts the nodes of all six boards anew.",
            )
            .drops(&[&cache::BUILDS, &cache::TRUSTED])
            .refuses(StatusCode::FORBIDDEN, OWNERS),
            put_daevanion,
        )
        .route(
            Route::delete("/api/v1/builds/{id}", Access::User, "Removes a build of yours.")
                .drops(REMOVED)
                .refuses(StatusCode::FORBIDDEN, OWNERS),
            remove,
        )
        .route(
            Route::post("/api/v1/builds/{id}/like", Access::User, "Likes a build, or no longer.")
                .drops(TOGGLED),
            like,
        )
}

/// The same address shows more to some: a cache on the way must keep them apart.
const BY_CALLER: (HeaderName, HeaderValue) =
    (header::VARY, HeaderValue::from_static("authorization"));

fn by_caller(answer: Result<impl IntoResponse, ApiError>) -> Response {
    ([BY_CALLER], answer.into_response()).into_response()
}

async fn classes(_: NoQuery, State(builds): State<Builds>) -> Result<impl IntoResponse, ApiError> {
    let list = builds.caches().classes().await?;
    let count = list.value.classes.len() as u64;
    Ok(list.map(|list| Envelope::counted(list.classes.clone(), count)))
}

async fn class(
    NamePath(name): NamePath,
    _: NoQuery,
    State(builds): State<Builds>,
) -> Result<impl IntoResponse, ApiError> {
    let class = builds.caches().class(&name).await?;
    Ok(class.map(|class| Envelope::of(ShownClass::of(class.clone()))))
}

async fn class_tags(
    NamePath(name): NamePath,
    _: NoQuery,
    State(builds): State<Builds>,
) -> Result<impl IntoResponse, ApiError> {
    let list = builds.caches().class_tags(&name).await?;
    Ok(list.map(|list| Envelope::counted(list.tags.clone(), list.tags.len() as u64)))
}

async fn put_class(
    _: Admin,
    NamePath(name): NamePath,
    State(builds): State<Builds>,
    JsonBody(new): JsonBody<NewClass>,
) -> Result<impl IntoResponse, ApiError> {
    let (class, put) = builds.put_class(name, new).await?;
    let status = match put {
        Put::Made => StatusCode::CREATED,
        Put::Replaced => StatusCode::OK,
    };
    Ok((status, Json(Envelope::of(ShownClass::of(class)))))
}

async fn list(
    Viewer(viewer): Viewer,
    Query(query): Query<ListQuery>,
    State(builds): State<Builds>,
) -> Response {
    by_caller(listed(builds.caches(), viewer, query).await)
}

/// What is private is listed for nobody but its owner.
async fn listed(
    caches: &BuildCaches,
    viewer: Option<CurrentUser>,
    query: ListQuery,
) -> Result<Cached<Envelope<Vec<ShownHead>>>, ApiError> {
    if query.private != Some(true) {
        return heads(caches, caches.list(query).await?, None).await;
    }
    let owner = viewer.ok_or(ApiError::Unauthorized(TokenError::Missing))?;
    if query.user.is_some_and(|user| user != owner.id) {
        return Err(ApiError::ForeignUser);
    }
    let ListQuery { class, private, slice, .. } = query;
    let list = caches.own(owner.id, OwnQuery { class, private, slice }).await?;
    heads(caches, list, viewer).await
}

async fn show(
    Viewer(viewer): Viewer,
    IdPath(id): IdPath,
    _: NoQuery,
    State(builds): State<Builds>,
) -> Response {
    let shown = builds.caches().shown(id, viewer).await;
    by_caller(shown.map(|shown| shown.map(|shown| Envelope::of(shown.clone()))))
}

async fn board(
    Query(query): Query<BoardQuery>,
    State(builds): State<Builds>,
) -> Result<impl IntoResponse, ApiError> {
    let caches = builds.caches();
    heads(caches, caches.board(query).await?, None).await
}

async fn own(
    user: CurrentUser,
    Query(query): Query<OwnQuery>,
    State(builds): State<Builds>,
) -> Result<impl IntoResponse, ApiError> {
    let caches = builds.caches();
    heads(caches, caches.own(user.id, query).await?, Some(user)).await
}

async fn liked(
    user: CurrentUser,
    Query(LikedQuery(slice)): Query<LikedQuery>,
    State(builds): State<Builds>,
) -> Result<impl IntoResponse, ApiError> {
    let caches = builds.caches();
    heads(caches, caches.liked(user.id, slice).await?, Some(user)).await
}

/// The builds of a list, and how many it has in all.
async fn heads(
    caches: &BuildCaches,
    list: Cached<BuildList>,
    viewer: Option<CurrentUser>,
) -> Result<Cached<Envelope<Vec<ShownHead>>>, ApiError> {
    let heads = caches.shown_heads(&list.value.ids, viewer).await?;
    Ok(list.join(&heads, |list, heads| Envelope::counted(heads.clone(), list.total)))
}

async fn create(
    user: CurrentUser,
    State(builds): State<Builds>,
    JsonBody(new): JsonBody<NewBuild>,
) -> Result<impl IntoResponse, ApiError> {
    let build = builds.create(user.id, new).await?;
    let place = [(header::LOCATION, format!("/api/v1/builds/{}", build.head.id))];
    Ok((StatusCode::CREATED, place, Json(Envelope::of(ShownBuild::of(&build, 0)))))
}

async fn change(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(builds): State<Builds>,
    JsonBody(wish): JsonBody<BuildChange>,
) -> Result<impl IntoResponse, ApiError> {
    let (build, likes) = builds.change(user, id, wish).await?;
    Ok(Json(Envelope::of(ShownBuild::of(&build, likes))))
}

async fn put_daevanion(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(builds): State<Builds>,
    JsonBody(daevanion): JsonBody<Daevanion>,
) -> Result<impl IntoResponse, ApiError> {
    let wish = BuildChange { daevanion: Some(daevanion), ..BuildChange::default() };
    let (build, _) = builds.change(user, id, wish).await?;
    Ok(Json(Envelope::of(build.graph.daevanion)))
}

async fn remove(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(builds): State<Builds>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    builds.remove(user, id).await?;
    Ok(Json(Envelope::of(json!({ "deleted": true }))))
}

async fn like(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(builds): State<Builds>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(Envelope::of(builds.toggle_like(user.id, id).await?)))
}
