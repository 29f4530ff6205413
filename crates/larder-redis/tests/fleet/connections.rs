//! How long a connection, a command and silence may take, and how often a call is tried whose connection was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use larder::key::EncodedKey;
use larder::record::{LogRecord, Mode, Name, Record};
use larder::shard::{Epoch, Listener, Shard, TailRequest};
use larder_redis::{Redis, RedisOptions, Topology};
use larder_rig::{Fault, Proxy, RedisServer, Stopwatch};

use crate::support::{millis, pause, until};

/// So long may a call or a connection take here.
const LIMIT: Duration = millis(300);

/// Machines under load stand still for tens of milliseconds.
const SLACK: Duration = millis(400);

/// The first read that notices an outage takes at most so much longer than its load.
const FIRST_MISS_WITHIN: Duration = millis(50);

fn options(port: u16) -> RedisOptions {
    RedisOptions::new(Topology::single("127.0.0.1", port))
}

/// A shard, and nothing that asks it anything by itself.
struct Alone {
    redis: Redis,
    shard: Arc<dyn Shard>,
}

impl Alone {
    fn with(options: RedisOptions) -> Self {
        let redis = Redis::open("fleet", options).expect("options in range");
        let shard = redis.shards().remove(0);
        Alone { redis, shard }
    }

    async fn joined(options: RedisOptions) -> Self {
        let alone = Alone::with(options);
        alone.redis.connected().await;
        alone.redis.joined().await.expect("the server answers");
        alone
    }

    async fn tail(&self, from: u64) -> Result<(), String> {
        let request = TailRequest { epoch: None, from, records_max: 10 };
        self.shard.tail(request).await.map(drop).map_err(|error| error.to_string())
    }

    async fn append(&self, key: EncodedKey) -> Result<(), String> {
        let record = Record { name: Name::key(&key), mode: Mode::Hard };
        self.shard.append(vec![record]).await.map(drop).map_err(|error| error.to_string())
    }

    fn connects(&self) -> u64 {
        self.redis.health().servers[0].connects
    }

    fn last_fault(&self) -> Option<String> {
        self.redis.health().servers[0].last_fault.clone()
    }
}

fn key() -> EncodedKey {
    EncodedKey::new("numbers", &"the marked one".to_owned())
}

/// A server whose scripts are known to it, so that a call is one request.
async fn server() -> RedisServer {
    let server = RedisServer::start();
    let alone = Alone::joined(options(server.port())).await;
    alone.tail(0).await.expect("the server answers");
    alone.append(key()).await.expect("the server answers");
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_connections_and_never_answers_is_given_up_in_time() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port()).await;
    proxy.inflict(Fault::BlackHole);
    let mut options = options(proxy.port());
    options.connect_timeout = LIMIT;
    let began = Stopwatch::started();
    let alone = Alone::with(options);
    until("a fault", async || alone.last_fault().is_some()).await;
    let took = began.elapsed();
    assert!((LIMIT..LIMIT + SLACK).contains(&took), "it took {took:?}");
    let fault = alone.last_fault().unwrap_or_default();
    assert!(fault.contains("no connection within 300ms"), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_never_answered_is_given_up_in_time() {
    let server = server().await;
    let proxy = Proxy::before(server.port()).await;
    let mut options = options(proxy.port());
    options.command_timeout = LIMIT;
    let alone = Alone::joined(options).await;
    proxy.inflict(Fault::NoAnswers);
    let began = Stopwatch::started();
    let fault = alone.tail(0).await.expect_err("nobody answered");
    let took = began.elapsed();
    assert!((LIMIT..LIMIT + SLACK).contains(&took), "it took {took:?}");
    assert!(fault.contains("no answer within 300ms"), "{fault}");
}

/// Counts the pushes that name the marked key.
#[derive(Default)]
struct Heard(AtomicUsize);

impl Listener for Heard {
    fn pushed(&self, _: Epoch, records: Vec<LogRecord>) {
        self.0.fetch_add(records.len(), Ordering::SeqCst);
    }

    fn woken(&self, _: &EncodedKey) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listening_connection_that_went_silent_is_replaced_and_hears_again() {
    let server = server().await;
    let writer = Alone::joined(options(server.port())).await;
    let proxy = Proxy::before(server.port()).await;
    let mut quick = options(proxy.port());
    (quick.keepalive, quick.command_timeout) = (millis(200), LIMIT);
    let listening = Alone::joined(quick).await;
    let heard = Arc::new(Heard::default());
    listening.shard.subscribe(Arc::clone(&heard) as Arc<dyn Listener>);
    let count = || heard.0.load(Ordering::SeqCst);
    writer.append(key()).await.expect("the server answers");
    until("a push", async || count() == 1).await;
    let connects = listening.connects();
    // The one for commands was dialled first: it stays well, and shows nothing.
    proxy.inflict_on(1, Fault::BlackHole);
    writer.append(key()).await.expect("the server answers");
    listening.tail(0).await.expect("commands are answered");
    until("another connection", async || listening.connects() > connects).await;
    let fault = listening.last_fault().unwrap_or_default();
    assert!(fault.contains("keepalive"), "{fault}");
    listening.tail(0).await.expect("the server answers");
    let before = count();
    writer.append(key()).await.expect("the server answers");
    until("a push", async || count() > before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_well_outlive_their_keepalive() {
    let server = RedisServer::start();
    let mut quick = options(server.port());
    quick.keepalive = millis(20);
    let alone = Alone::joined(quick).await;
    pause(millis(500)).await;
    assert_eq!((alone.connects(), alone.last_fault()), (1, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotent_call_whose_connection_was_lost_is_tried_three_times_in_all() {
    let server = server().await;
    // So many cuts, and what becomes of the call.
    for (cuts, tries, ends_well) in [(1, 2, true), (2, 3, true), (3, 3, false)] {
        let proxy = Proxy::before(server.port()).await;
        let mut patient = options(proxy.port());
        patient.command_timeout = Duration::from_secs(5);
        let alone = Alone::joined(patient).await;
        proxy.cut_at(b"424242", cuts);
        let began = Stopwatch::started();
        let answer = alone.tail(424_242).await;
        println!("{cuts} cuts: {:?}", began.elapsed());
        assert_eq!((answer.is_ok(), proxy.seen()), (ends_well, tries), "{cuts} cuts: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_whose_connection_was_lost_is_answered_on_the_next_one() {
    let server = server().await;
    let proxy = Proxy::before(server.port()).await;
    let mut patient = options(proxy.port());
    // A reader waits for half of the step: enough for a machine that stands still.
    (patient.backoff_step, patient.command_timeout) = (millis(400), Duration::from_secs(5));
    let alone = Alone::joined(patient).await;
    proxy.cut_at(b"the marked one", 1);
    let read = alone.shard.read(vec![key()]).await.expect("the second try is answered");
    assert_eq!((read.entries.len(), proxy.seen()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_counts_twice_is_sent_once_whatever_becomes_of_it() {
    let server = server().await;
    let proxy = Proxy::before(server.port()).await;
    let alone = Alone::joined(options(proxy.port())).await;
    let connects = alone.connects();
    proxy.cut_at(b"the marked one", 1);
    alone.append(key()).await.expect_err("nobody knows what became of it");
    until("another connection", async || alone.connects() > connects).await;
    pause(millis(100)).await;
    assert_eq!(proxy.seen(), 1);
}

/// How much longer a read of a lost server took than the server lived, and one after it.
async fn lost_read(server: &RedisServer) -> (Duration, Duration) {
    let proxy = Proxy::before(server.port()).await;
    let mut patient = options(proxy.port());
    patient.command_timeout = Duration::from_secs(5);
    let alone = Alone::joined(patient).await;
    proxy.cut_at(b"the marked one", 0);
    proxy.inflict(Fault::NoAnswers);
    let reading = async {
        alone.shard.read(vec![key()]).await.expect_err("there is no server");
        Stopwatch::started()
    };
    let dying = async {
        until("a request", async || proxy.seen() == 1).await;
        proxy.inflict(Fault::Cut);
        Stopwatch::started()
    };
    let (given_up, died) = tokio::join!(reading, dying);
    let began = Stopwatch::started();
    alone.shard.read(vec![key()]).await.expect_err("there is no server");
    (died.elapsed().saturating_sub(given_up.elapsed()), began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_whose_server_died_does_not_wait_out_its_time() {
    let server = server().await;
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (went_on, after) = lost_read(&server).await;
        first.push(went_on);
        next.push(after);
    }
    println!("the reads went on for {first:?}, those after them for {next:?}");
    // Machines under load stand still now and then, but not each time.
    assert!(first.iter().min() < Some(&FIRST_MISS_WITHIN), "{first:?}");
    assert!(next.iter().min() < Some(&millis(5)), "without a connection they waited {next:?}");
}
