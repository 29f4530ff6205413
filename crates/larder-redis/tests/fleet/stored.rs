//! The form of values in Redis, and what becomes of it when a fleet changes.

use larder::{Codec, Compression, Entry, Hit, Origin};
use larder_rig::RedisServer;
use serde::{Deserialize, Serialize};

use crate::support::Node;

/// What a service knew of a player at one time and at another.
mod old {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Entry)]
    pub(super) struct Player {
        pub(super) name: String,
        pub(super) level: u32,
    }
}

mod added {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Entry)]
    pub(super) struct Player {
        pub(super) name: String,
        pub(super) level: u32,
        pub(super) title: Option<String>,
    }
}

mod removed {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Entry)]
    pub(super) struct Player {
        pub(super) name: String,
    }
}

mod retyped {
    use super::*;

    /// Its JSON can be read as the old one.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Entry)]
    pub(super) struct Player {
        pub(super) name: String,
        pub(super) level: u8,
    }
}

/// A cache of one node, with the form that its service has chosen.
async fn cache<V: Entry>(node: &Node, codec: Codec) -> larder::Cache<u64, V> {
    node.larder.cache("players").codec(codec).jitter(0.0).build().expect("a cache")
}

async fn read<V: Entry + Clone>(cache: &larder::Cache<u64, V>, loaded: V) -> Hit<V> {
    let load = move |_| async move { Ok::<_, std::io::Error>(loaded) };
    cache.read(&7).await_fill().get_or_load(load).await.expect("loaded")
}

/// The value of the only key, as it lies in Redis.
fn stored(server: &RedisServer) -> Vec<u8> {
    let names: Vec<Vec<u8>> = server.ask(redis::cmd("KEYS").arg("{fleet.1.0}:v:*"));
    let [name] = names.as_slice() else { panic!("{} values are stored", names.len()) };
    server.ask(redis::cmd("GET").arg(name))
}

/// The other version stores its value, then this one reads: what it loads itself, never the other's.
async fn lives_beside<V>(codec: Codec, loaded: V)
where
    V: Entry + Clone + PartialEq + std::fmt::Debug,
{
    let server = RedisServer::start();
    let before = old::Player { name: "Ada".into(), level: 300 };
    for _ in 0..3 {
        let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
        let (old_cache, new_cache) = (cache(&a, codec).await, cache::<V>(&b, codec).await);
        assert_eq!(*read(&old_cache, before.clone()).await, before);
        assert_eq!(*read(&new_cache, loaded.clone()).await, loaded);
        let again = Node::on(server.port()).await;
        let old_cache = cache(&again, codec).await;
        assert_eq!(*read(&old_cache, before.clone()).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_versions_of_a_type_live_side_by_side_during_a_deploy() {
    for codec in [Codec::Json, Codec::Postcard] {
        let (name, title) = ("Ada".to_owned(), Some("Countess".to_owned()));
        lives_beside(codec, added::Player { name: name.clone(), level: 300, title }).await;
        lives_beside(codec, removed::Player { name: name.clone() }).await;
        lives_beside(codec, retyped::Player { name, level: 30 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_changes_its_codec_while_it_runs() {
    let server = RedisServer::start();
    let codecs = [Codec::Json, Codec::Postcard];
    // Caches of JSON do not read what knows no limits: they load.
    for (writes, reads, origin) in [(0, 1, Origin::Shared), (1, 0, Origin::Loaded)] {
        server.ask::<()>(&redis::cmd("FLUSHALL"));
        let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
        let player = old::Player { name: "Ada".into(), level: 300 };
        let (writer, reader) = (cache(&a, codecs[writes]).await, cache(&b, codecs[reads]).await);
        read(&writer, player.clone()).await;
        let hit = read(&reader, player.clone()).await;
        assert_eq!((&*hit, hit.origin()), (&player, origin), "{:?}", codecs[writes]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_value_lies_in_redis_in_less_than_half_its_bytes() {
    let server = RedisServer::start();
    let node = Node::on(server.port()).await;
    let rooms = node.larder.cache::<u64, Vec<String>>("rooms").build().expect("a cache");
    let lines: Vec<String> = (0..2_000).map(|at| format!("a figure stands at {at}, {at}")).collect();
    let json = serde_json::to_vec(&lines).expect("JSON").len();
    read(&rooms, lines.clone()).await;
    let bytes = stored(&server).len();
    println!("{json} bytes of JSON are stored in {bytes}");
    assert!(bytes < json / 2, "{bytes} of {json} bytes");
    let other = Node::on(server.port()).await;
    let rooms = other.larder.cache::<u64, Vec<String>>("rooms").build().expect("a cache");
    assert_eq!(*read(&rooms, Vec::new()).await, lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_is_shared_up_to_its_limit_and_answered_beyond_it() {
    let server = RedisServer::start();
    let node = Node::on(server.port()).await;
    // Four bytes of JSON for each byte of memory.
    let value = vec![255_u8; 2_000];
    let json = serde_json::to_vec(&value).expect("JSON").len();
    for (limit, shared) in [(json - 1, false), (json, true)] {
        let cache = node.larder.cache::<u64, Vec<u8>>(&format!("up to {limit}"));
        let cache = cache.value_bytes_max(limit).compression(Compression::Off);
        let cache = cache.build().expect("a cache");
        assert_eq!(*read(&cache, value.clone()).await, value);
        assert_eq!(cache.read(&7).skip_memory().get().await.is_some(), shared, "up to {limit}");
        assert_eq!(cache.stats().not_kept, u64::from(!shared));
    }
}
