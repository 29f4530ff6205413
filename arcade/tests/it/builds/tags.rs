//! What carries which tag, seen by dropping it: in the memory of each process and in what they share.

use std::collections::BTreeMap;

use arcade::configuration::{self, Environment};
use arcade::http::Verb;
use arcade::shared_tier::SharedTier;
use larder::{Larder, Outcome};
use larder_rig::{RedisServer, Stopwatch};
use serde_json::json;

use crate::support::builds::{BOARD, BUILDS, LIKED, OWN, new_class};
use crate::support::{PATIENCE, Sender, TestClient};

const CLASS: &str = "/api/v1/classes/bard";

/// A class with builds of two users, which is all that there is of it.
struct Planner {
    build: String,
    of_another: String,
    hidden: String,
    /// A read with its name and the token of its reader. A list comes after what it is made of,
    /// which it would load.
    reads: Vec<(&'static str, String, String)>,
}

impl Planner {
    async fn of(client: &TestClient) -> Self {
        assert!(client.put_class("bard", &new_class(json!({}))).await.status.is_success());
        let class = client.seen(None, CLASS).await.json()["data"]["id"].as_i64().expect("a number");
        let empty = json!({
            "classId": class, "abilities": [], "passives": [], "stigmas": [], "shortcuts": [],
            "private": false,
        });
        let build = client.build(1, empty.clone()).await;
        let of_another = client.build(2, empty.clone()).await;
        let hidden = client.build(1, empty).await;
        let hiding = client.rebuild(1, &hidden, json!({ "private": true })).await;
        assert_eq!(hiding.status, 200, "{hiding:?}");
        for (user, liked) in [(1, &build), (2, &of_another)] {
            assert_eq!(client.like(user, liked).await.status, 200);
        }
        let of_class = |path: &str| format!("{path}?classId={class}");
        let last = format!("{LIKED}?limit=1");
        let reads = vec![
            ("build", 1, build.clone()),
            ("build of another", 1, of_another.clone()),
            ("hidden build", 1, hidden.clone()),
            ("list", 1, format!("{}&userId=1", of_class(BUILDS))),
            ("own", 1, of_class(OWN)),
            ("own of another", 2, of_class(OWN)),
            ("liked", 1, last.clone()),
            ("liked of another", 2, last),
            ("board", 1, of_class(BOARD)),
            ("classes", 1, "/api/v1/classes".to_owned()),
            ("class", 1, CLASS.to_owned()),
            ("tags of the class", 1, format!("{CLASS}/tags")),
            ("another class", 1, "/api/v1/classes/templar".to_owned()),
        ];
        let reads = reads.into_iter().map(|(name, user, path)| (name, client.player(user), path));
        Planner { build, of_another, hidden, reads: reads.collect() }
    }

    /// Each tag, and the reads that it drops.
    fn tags(&self) -> Vec<(String, Vec<&'static str>)> {
        let number = |build: &str| build.rsplit('/').next().map(|id| format!("build-{id}"));
        let of = |build: &str| number(build).expect("a number");
        let all = vec![
            "build",
            "build of another",
            "hidden build",
            "list",
            "own",
            "own of another",
            "liked",
            "liked of another",
            "board",
        ];
        vec![
            ("builds".to_owned(), all),
            ("builds-listing".to_owned(), vec!["list"]),
            ("builds-detail".to_owned(), vec!["build", "build of another", "hidden build"]),
            (of(&self.build), vec!["build"]),
            (of(&self.of_another), vec!["build of another"]),
            (of(&self.hidden), vec!["hidden build"]),
            ("user-builds-1".to_owned(), vec!["own"]),
            ("liked-builds-2".to_owned(), vec!["liked of another"]),
            ("build-leaderboards".to_owned(), vec!["board"]),
            ("classes".to_owned(), vec!["classes", "class", "tags of the class", "another class"]),
            ("class:bard".to_owned(), vec!["class", "tags of the class"]),
        ]
    }

    /// From where a process has each of its answers.
    async fn origins(&self, process: &Sender) -> BTreeMap<&'static str, String> {
        let mut origins = BTreeMap::new();
        for (name, ..) in &self.reads {
            origins.insert(*name, self.origin(process, name).await);
        }
        origins
    }

    async fn origin(&self, process: &Sender, name: &str) -> String {
        let read = self.reads.iter().find(|(one, ..)| *one == name).expect("a read");
        let answer = process.send(Verb::Get, &read.2, Some(&read.1), "").await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        answer.header("x-cache-origin").to_owned()
    }

    /// Reads until the process has everything in its memory.
    async fn warmed(&self, process: &Sender) {
        let warming = Stopwatch::started();
        while self.origins(process).await.values().any(|origin| origin != "memory") {
            assert!(warming.elapsed() < PATIENCE, "{:?}", self.origins(process).await);
        }
    }

    /// Waits until the process has not in its memory what was dropped, and says what that is.
    async fn dropped(&self, process: &Sender, first: &str) -> BTreeMap<&'static str, String> {
        let waiting = Stopwatch::started();
        let mut found = self.origin(process, first).await;
        while found == "memory" {
            assert!(waiting.elapsed() < PATIENCE, "{first} is still in memory");
            found = self.origin(process, first).await;
        }
        let mut origins = self.origins(process).await;
        origins.insert(self.reads.iter().find(|read| read.0 == first).expect("a read").0, found);
        origins.retain(|_, origin| origin != "memory");
        origins
    }
}

/// Somebody with a larder of their own on what the processes share.
async fn operator(url: &str) -> Larder {
    let directory = tempfile::tempdir().expect("temporary directory");
    let settings = configuration::load(Environment::of(directory.path(), [("REDIS_URL", url)]));
    let tier = SharedTier::open(&settings.expect("settings").redis).expect("a tier");
    tier.joined().await.expect("it joins");
    Larder::builder("operator").shards(tier.shards()).build().expect("a larder")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tag_drops_what_carries_it_in_every_process_and_between_them_and_nothing_else() {
    let redis = RedisServer::start();
    let url = redis.url();
    let client = TestClient::start_with(&[("REDIS_URL", &url)]).await;
    let other = client.beside(&[("REDIS_URL", &url)]).await;
    let (planner, operator) = (Planner::of(&client).await, operator(&url).await);
    let one = client.sender();
    for (tag, carried) in planner.tags() {
        planner.warmed(&one).await;
        planner.warmed(&other.sender).await;
        let dropped = operator.invalidate_tag(tag.as_str()).await;
        assert!(matches!(dropped.outcome(), Outcome::Shared(_)), "{tag}: {dropped:?}");
        let loaded = planner.dropped(&one, carried[0]).await;
        assert!(loaded.keys().eq(sorted(&carried).iter()), "{tag} drops {loaded:?}");
        // What lay between the processes is gone, too: there was nothing else to answer from.
        assert!(loaded.values().all(|origin| origin == "loaded"), "{tag}: {loaded:?}");
        let elsewhere = planner.dropped(&other.sender, carried[0]).await;
        assert!(elsewhere.keys().eq(sorted(&carried).iter()), "{tag} drops {elsewhere:?} elsewhere");
    }
    operator.close().await;
    drop(one);
    client.stop().await;
}

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}
