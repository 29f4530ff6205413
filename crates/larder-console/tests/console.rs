//! What a console answers, without a browser: who sees what, and that it is true.

use std::io;

use http::{Method, Request, Response, StatusCode, header};
use larder::{Invalidation, Larder};
use larder_console::{
    Answer, CATALOGUE_PATH, CacheRow, Console, FIGURES_PATH, Figures, LOG_PATH, LogRow, PAGE,
    PAGE_PATH, TokenError,
};
use serde::de::DeserializeOwned;

const TOKEN: &str = "a-token-of-a-test";

const DATA: [&str; 3] = [FIGURES_PATH, CATALOGUE_PATH, LOG_PATH];

fn console(larder: &Larder) -> Console {
    Console::with_token(larder, TOKEN).expect("a good token")
}

fn asked(console: &Console, method: Method, path: &str, shown: &str) -> Response<String> {
    let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, shown);
    console.answer(&request.body(()).expect("a request"))
}

fn found<T: DeserializeOwned>(console: &Console, path: &str) -> T {
    let answer = asked(console, Method::GET, path, &format!("Bearer {TOKEN}"));
    assert_eq!(answer.status(), StatusCode::OK, "{path}: {}", answer.body());
    let answer: Answer<T> = serde_json::from_str(answer.body()).expect("what was asked for");
    answer.data
}

#[tokio::test]
async fn everybody_gets_the_page_and_only_the_token_gets_data() {
    let larder = Larder::new("shop").expect("a larder");
    let console = console(&larder);
    for file in PAGE {
        let answer = asked(&console, Method::GET, file.path, "");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(
            (answer.headers()[header::CONTENT_TYPE].as_bytes(), answer.body().as_str()),
            (file.kind.as_bytes(), file.text)
        );
    }
    let good = format!("Bearer {TOKEN}");
    let bad = [
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        "Basic a-token-of-a-test",
        "Bearer a-token-of-a-tesT",
        "Bearer a-token-of-a-test-",
        "Bearer a-token-of-a-tes",
    ];
    for path in DATA {
        assert_eq!(asked(&console, Method::GET, path, &good).status(), StatusCode::OK, "{path}");
        let in_query = format!("{path}?token={TOKEN}");
        for (path, shown) in bad.map(|shown| (path, shown)).into_iter().chain([(&*in_query, "")]) {
            let answer = asked(&console, Method::GET, path, shown);
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} with {shown:?}");
            assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], "Bearer");
        }
    }
}

#[tokio::test]
async fn two_consoles_have_two_tokens_and_neither_tells_its_own() {
    let larder = Larder::new("shop").expect("a larder");
    let (one, other) = (Console::new(&larder), Console::new(&larder));
    let token = |console: &Console| {
        let link = console.link("http://127.0.0.1:1");
        link.strip_prefix("http://127.0.0.1:1/console#token=").expect("in the fragment").to_owned()
    };
    assert_ne!(token(&one), token(&other));
    assert!(!format!("{one:?}").contains(&token(&one)));
    let shown = format!("Bearer {}", token(&one));
    assert_eq!(asked(&one, Method::GET, FIGURES_PATH, &shown).status(), StatusCode::OK);
    assert_eq!(asked(&other, Method::GET, FIGURES_PATH, &shown).status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_could_be_guessed_or_not_be_sent_is_refused() {
    let larder = Larder::new("shop").expect("a larder");
    let refused = |token: &str| Console::with_token(&larder, token).expect_err("refused");
    assert_eq!(refused("fifteen-letters"), TokenError::Short { bytes: 15 });
    for token in ["a token with spaces", "ein-Schlüssel-mit-ü", "a-token&of=two-parts#"] {
        assert_eq!(refused(token), TokenError::Letters, "{token}");
    }
}

#[tokio::test]
async fn the_figures_are_those_of_what_was_done() {
    let larder = Larder::new("shop").expect("a larder");
    let console = console(&larder);
    let names = larder.cache::<u64, String>("names").build().expect("a cache");
    let prices = larder.cache::<u64, u64>("prices").build().expect("a cache");
    let price = async || prices.get_or_load(&7, |_| async { Ok::<_, io::Error>(700) }).await;

    price().await.expect("a price");
    let first: Figures = found(&console, FIGURES_PATH);
    let [none, one] = &first.caches[..] else { panic!("two caches, not {first:?}") };
    assert_eq!((none.name.as_str(), none.counts.hit_ratio), ("names", None));
    let counts = |figures: &larder_console::Counts| {
        [figures.hits_memory, figures.misses, figures.loads, figures.entries]
    };
    assert_eq!((one.name.as_str(), counts(&one.counts)), ("prices", [0, 1, 1, 1]));

    price().await.expect("a price");
    names.get_or_load(&7, |_| async { Ok::<_, io::Error>("seven".to_owned()) }).await.expect("one");
    let then: Figures = found(&console, FIGURES_PATH);
    assert_eq!(counts(&then.caches[1].counts), [1, 1, 1, 1]);
    assert_eq!(counts(&then.total), [1, 2, 2, 2]);
    assert_eq!(then.caches[1].counts.hit_ratio, Some(0.5));
    assert!((then.total.hit_ratio.expect("reads") - 1.0 / 3.0).abs() < 1e-9);

    let rows: Vec<CacheRow> = found(&console, CATALOGUE_PATH);
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["names:{key}", "prices:{key}"]);
}

#[tokio::test]
async fn the_log_is_told_newest_first_and_as_much_of_it_as_was_asked_for() {
    let larder = Larder::new("shop").expect("a larder");
    let console = console(&larder);
    assert_eq!(found::<Figures>(&console, FIGURES_PATH).newest_in_log, 0);
    for tag in ["red", "green"] {
        let named = Invalidation::new().tag(tag).by("ada").because("a sale");
        assert!(larder.invalidate(named).await.position().is_some());
    }
    let all: Vec<LogRow> = found(&console, LOG_PATH);
    let told: Vec<_> = all.iter().map(|row| (row.number, row.names.join(" "))).collect();
    assert_eq!(told, [(2, "tag green".to_owned()), (1, "tag red".to_owned())]);
    assert_eq!((all[0].by.as_deref(), all[0].because.as_deref()), (Some("ada"), Some("a sale")));
    assert_eq!(found::<Figures>(&console, FIGURES_PATH).newest_in_log, 2);
    let count = |query: &str| found::<Vec<LogRow>>(&console, &format!("{LOG_PATH}?{query}")).len();
    assert_eq!([count("last=1"), count("to=1000"), count("from=1000&last=9")], [1, 0, 2]);
    for query in ["last=0", "last=1001", "last=", "last", "from=-1", "to=x", "page=1"] {
        let path = format!("{LOG_PATH}?{query}");
        let answer = asked(&console, Method::GET, &path, &format!("Bearer {TOKEN}"));
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn nothing_else_is_answered() {
    let larder = Larder::new("shop").expect("a larder");
    let console = console(&larder);
    let good = format!("Bearer {TOKEN}");
    for path in ["/", "/console/", "/console/../secret", "/api/v1/cache", "/api/v1/cache/log/"] {
        assert_eq!(
            asked(&console, Method::GET, path, &good).status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    for path in DATA.into_iter().chain([PAGE_PATH]) {
        assert_eq!(asked(&console, Method::HEAD, path, &good).status(), StatusCode::OK, "{path}");
        let answer = asked(&console, Method::POST, path, &good);
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.headers()[header::ALLOW], "GET, HEAD");
    }
}

/// What would take a text for something else than a text.
const UNSAFE: [&str; 6] =
    ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function(", "document.write"];

#[test]
fn the_page_loads_nothing_from_elsewhere_and_takes_no_text_for_markup() {
    for file in PAGE {
        let answer = file.answer();
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("plain");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
        let elsewhere = ["http://", "https://", "//cdn", "@import", "url("];
        let own = file.text.replace("http://www.w3.org/2000/svg", "");
        for word in elsewhere.into_iter().chain(UNSAFE) {
            assert!(!own.contains(word), "{} has {word}", file.path);
        }
    }
    let tags = PAGE[0].text.split('<').filter_map(|tag| tag.split('>').next());
    for tag in tags {
        let inline =
            tag.contains(" style=") || tag.contains(" on") || tag == "script" || tag == "style";
        assert!(!inline, "the policy would forbid <{tag}>");
    }
}
