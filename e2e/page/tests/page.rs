//! The page in a real browser: a newcomer sees the hit; a token stays secret; text stays text; a server
//! that is away is missed and found again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Response, StatusCode, header};
use larder::{Invalidation, Larder};
use larder_commands::Arcade;
use larder_console::{Console, FIGURES_PATH};
use larder_page::Browser;
use larder_rig::{Stopwatch, free_port};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The page looks every two seconds; a busy machine takes its time for each.
const PATIENCE: Duration = Duration::from_secs(10);

const TOKEN: &str = "a-token-of-a-test";

/// The key Enter, as WebDriver writes it.
const ENTER: char = '\u{e007}';

/// A figure of a cache, as text.
fn figure(key: &str, name: &str, text: &str) -> String {
    let row = format!("//tbody[@id='caches']/tr[th/code='{key}']");
    format!("{row}//*[@data-figure='{name}'][normalize-space()='{text}']")
}

fn state(state: &str) -> String {
    format!("//*[@role='status'][@data-state='{state}']")
}

/// The service of the README.
struct Newcomer {
    child: Child,
    printed: Vec<String>,
}

impl Newcomer {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_newcomer"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let printed = lines.map(|line| line.expect("readable"));
        let printed = printed.take_while(|line| !line.contains("Enter")).collect();
        Newcomer { child, printed }
    }

    /// The address at the end of the line that it printed for `what`.
    fn address(&self, what: &str) -> &str {
        let line = self.printed.iter().find(|line| line.starts_with(what)).expect("such a line");
        line.rsplit(' ').next().expect("an address")
    }

    fn price(&self) -> String {
        let answer = ureq::get(self.address("A miss, a hit:")).call().expect("a price");
        answer.into_body().read_to_string().expect("text")
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        // It may have ended by itself: both calls fail then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A larder whose console is all that is served.
struct Served {
    larder: Larder,
    port: u16,
    runtime: Runtime,
    _serving: JoinHandle<()>,
}

impl Served {
    fn start(port: u16) -> Self {
        Served::start_with(port, |_, answer| answer)
    }

    /// What `refined` makes of the console's answers.
    fn start_with<R>(port: u16, refined: R) -> Self
    where
        R: Fn(&Request, Response<String>) -> Response<String> + Clone + Send + Sync + 'static,
    {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port))).expect("listen");
        let larder = runtime.block_on(async { Larder::new("shop") }).expect("a larder");
        let console = Console::with_token(&larder, TOKEN).expect("a good token");
        let answer = async move |request: Request| refined(&request, console.answer(&request));
        let app = Router::new().fallback(answer);
        let serving = runtime.spawn(async { axum::serve(listener, app).await.expect("it serves") });
        Served { larder, port, runtime, _serving: serving }
    }

    fn link(&self, token: &str) -> String {
        larder_console::link(&format!("http://127.0.0.1:{}", self.port), token)
    }

    fn cached(&self, cache: &str) {
        let cache = self.larder.cache::<u64, u64>(cache).build().expect("a cache");
        let loaded = cache.get_or_load(&7, |_| async { Ok::<_, std::io::Error>(700) });
        self.runtime.block_on(loaded).expect("a value");
    }

    /// Ends at once, with every connection.
    fn kill(self) -> u16 {
        self.runtime.shutdown_timeout(Duration::ZERO);
        self.port
    }
}

#[test]
fn a_newcomer_sees_the_first_call_as_a_load_and_the_second_as_a_hit() {
    let newcomer = Newcomer::start();
    let browser = Browser::start(PATIENCE);
    browser.open(newcomer.address("The page:"));
    browser.sees(&state("live"));
    browser.sees(&figure("price:{key}", "ratio", "–"));
    browser.sees("//p[@id='no-log'][not(@hidden)]");
    browser.value("window.opened = true");

    assert_eq!(newcomer.price(), "MISS: item 7 costs 700\n");
    browser.sees(&figure("price:{key}", "loads", "1"));
    browser.sees(&figure("price:{key}", "hits", "0"));
    assert_eq!(newcomer.price(), "HIT: item 7 costs 700\n");
    browser.sees(&figure("price:{key}", "hits", "1"));
    browser.sees(&figure("price:{key}", "ratio", "50.0%"));

    ureq::post(newcomer.address("An invalidation:")).send_empty().expect("a sale");
    browser.sees("//tbody[@id='log']/tr[td='tag prices'][td='a sale began'][td='the shop']");
    assert_eq!(newcomer.price(), "MISS: item 7 costs 700\n");
    browser.sees(&figure("price:{key}", "loads", "2"));
    assert_eq!(browser.value("window.opened"), true, "it was loaded anew");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_token_leaves_the_address_at_once_and_a_wrong_one_is_refused() {
    let served = Served::start(free_port());
    let browser = Browser::start(PATIENCE);
    browser.open(&served.link("a-token-of-another"));
    browser.sees(&state("refused"));
    browser.sees("//*[@role='status'][contains(., 'does not take this token')]");
    browser.sees("//div[@id='board'][@hidden]");
    assert_eq!(browser.value("document.activeElement.id"), "token");

    browser.types("//input[@id='token']", &format!("{TOKEN}{ENTER}"));
    browser.sees(&state("live"));
    browser.sees("//p[@id='no-caches'][not(@hidden)]");
    let page = format!("http://127.0.0.1:{}/console", served.port);
    assert_eq!(browser.value("location.href"), *page);

    // A link of a later start, in the same tab.
    browser.open(&served.link("a-token-of-another"));
    browser.sees(&state("refused"));
    assert_eq!(browser.value("location.href"), *page);
    assert_eq!(browser.value("sessionStorage.length"), 0);
    browser.open(&served.link(TOKEN));
    browser.sees(&state("live"));
    assert_eq!(browser.value("location.href"), *page);
    browser.open(&page);
    browser.sees(&state("live"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_others_have_named_stays_text_and_fits_a_narrow_screen() {
    const SCRIPT: &str = "<script>document.title = \"taken\"</script>";
    const IMAGE: &str = "<img src=x onerror=\"document.title = `taken`\">";
    let served = Served::start(free_port());
    served.cached(SCRIPT);
    served.cached(&"a-name-without-end".repeat(7));
    let named = Invalidation::new().tag(IMAGE).by("<b>ada</b>").because(SCRIPT);
    let invalidated = served.runtime.block_on(served.larder.invalidate(named));
    assert!(invalidated.position().is_some());
    let browser = Browser::start(PATIENCE);
    browser.open(&served.link(TOKEN));
    browser.sees(&figure(&format!("{SCRIPT}:{{key}}"), "loads", "1"));
    let row = format!("//tbody[@id='log']/tr[td='tag {IMAGE}'][td='{SCRIPT}'][td='<b>ada</b>']");
    browser.sees(&row);
    let made = "document.querySelectorAll('main script, main img, main b').length";
    assert_eq!(browser.value(made), 0);
    assert!(browser.value("document.title").as_str().is_some_and(|title| title.contains("Larder")));
    for width in [1280, 360] {
        browser.widen(width);
        let beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.value(beyond), 0, "{width} pixels wide");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_server_that_dies_is_missed_and_found_again() {
    let served = Served::start(free_port());
    served.cached("before");
    let browser = Browser::start(PATIENCE);
    browser.open(&served.link(TOKEN));
    browser.sees(&figure("before:{key}", "loads", "1"));
    let port = served.kill();
    browser.sees(&state("away"));
    browser.sees("//*[@role='status'][contains(., 'Trying again')]");
    browser.sees("//div[@id='board'][@data-old='true']");
    browser.sees(&figure("before:{key}", "loads", "1"));

    let again = Served::start(port);
    again.cached("after");
    browser.sees(&state("live"));
    browser.sees(&figure("after:{key}", "loads", "1"));
    browser.sees("//tbody[@id='caches'][count(tr)=1]");
    browser.sees("//div[@id='board'][@data-old='false']");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_server_that_asks_for_time_is_given_it() {
    let (refused, begun) = (Arc::new(AtomicU64::new(0)), Arc::new(OnceLock::new()));
    let counted = Arc::clone(&refused);
    let served = Served::start_with(free_port(), move |request, mut answer| {
        let data = request.uri().path() == FIGURES_PATH;
        if data && begun.get_or_init(Stopwatch::started).elapsed() < Duration::from_secs(3) {
            counted.fetch_add(1, Ordering::SeqCst);
            *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("4"));
        }
        answer
    });
    let browser = Browser::start(PATIENCE);
    browser.open(&served.link(TOKEN));
    browser.sees("//*[@role='status'][contains(., 'answers 429')]");
    browser.sees(&state("live"));
    assert_eq!(refused.load(Ordering::SeqCst), 1, "it was asked again too early");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_of_arcade_shows_what_its_callers_have_done() {
    let runtime = Runtime::new().expect("a runtime");
    let arcade = runtime.block_on(Arcade::start());
    let browser = Browser::start(PATIENCE);
    browser.open(&larder_console::link(&arcade.url, &arcade.player));
    browser.sees(&state("refused"));
    browser.open(&larder_console::link(&arcade.url, &arcade.token));
    browser.sees(&state("live"));
    for _ in 0..2 {
        ureq::get(format!("{}/marketplace/items?limit=3", arcade.url)).call().expect("items");
    }
    browser.sees("//tbody[@id='caches']/tr[*[@data-figure='hits']='1'][*[@data-figure='loads']='1']");
    runtime.block_on(arcade.change());
    browser.sees("//tbody[@id='log']/tr[td='user 1'][td='POST /marketplace/items']");
    assert_eq!(browser.complaints(), [""; 0]);
    runtime.block_on(arcade.end());
}
