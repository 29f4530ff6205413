//! How long each cache of builds and classes keeps what it has, and who may see it. Nobody waits for
//! what everybody sees: it is served stale as long again while one caller loads it.

use std::time::Duration;

use crate::http::{Audience, CachePlan};

/// How long it is remembered that there is no such thing. Making it drops that knowledge.
const ABSENT: Duration = Duration::from_secs(60);

/// Of classes, which everybody sees.
const fn of_classes(
    name: &'static str,
    absent: Duration,
    tags: &'static [&'static str],
) -> CachePlan {
    CachePlan {
        name,
        fresh: |cache| cache.classes_fresh,
        stale: |cache| cache.classes_fresh,
        absent,
        tags,
        audience: Audience::Public,
    }
}

/// Of builds, which everybody sees.
const fn public(name: &'static str, absent: Duration, tags: &'static [&'static str]) -> CachePlan {
    CachePlan {
        name,
        fresh: |cache| cache.builds_fresh,
        stale: |cache| cache.builds_fresh,
        absent,
        tags,
        audience: Audience::Public,
    }
}

/// Of builds, for one user.
const fn private(name: &'static str, absent: Duration, tags: &'static [&'static str]) -> CachePlan {
    CachePlan {
        name,
        fresh: |cache| cache.builds_fresh,
        stale: |_| Duration::ZERO,
        absent,
        tags,
        audience: Audience::Private,
    }
}

/// The list of classes.
pub(in crate::domains::builds) const CLASSES: CachePlan =
    of_classes("classes", Duration::ZERO, &["classes"]);

/// Single classes, with what there is to choose from.
pub(in crate::domains::builds) const CLASS: CachePlan =
    of_classes("class", ABSENT, &["classes", "class:{name}"]);

/// The tags of a class.
pub(in crate::domains::builds) const CLASS_TAGS: CachePlan =
    of_classes("class-tags", ABSENT, &["classes", "class:{name}"]);

/// Single builds that everybody sees.
pub(in crate::domains::builds) const BUILDS: CachePlan =
    public("build", ABSENT, &["builds", "builds-detail", "build-{id}"]);

/// Single builds as their owner or an admin sees them.
pub(in crate::domains::builds) const TRUSTED: CachePlan =
    private("build-trusted", ABSENT, &["builds", "builds-detail", "build-{id}"]);

/// How many like a build. Who may see the build is decided before this is asked.
pub(in crate::domains::builds) const LIKES: CachePlan =
    public("build-likes", Duration::ZERO, &["build-likes:{id}"]);

/// Lists of public builds.
pub(in crate::domains::builds) const LISTS: CachePlan =
    public("builds", Duration::ZERO, &["builds", "builds-listing"]);

/// Lists of what a user made.
pub(in crate::domains::builds) const OWN: CachePlan =
    private("user-builds", Duration::ZERO, &["builds", "user-builds-{user}"]);

/// Lists of what a user likes.
pub(in crate::domains::builds) const LIKED: CachePlan =
    private("liked-builds", Duration::ZERO, &["builds", "liked-builds-{user}"]);

/// Which public builds most users like.
pub(in crate::domains::builds) const BOARDS: CachePlan =
    public("build-leaderboards", Duration::ZERO, &["builds", "build-leaderboards"]);
