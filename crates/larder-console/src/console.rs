//! Decides who is answered with what: the page for everybody, its data for who shows the token. Knows
//! no server and waits for nothing.

use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use larder::Larder;
use serde::Serialize;

use crate::token::{Token, TokenError};
use crate::{
    Answer, CATALOGUE_PATH, FIGURES_PATH, Figures, LOG_PATH, LogRange, PAGE, catalogue, link,
};

/// The page and the admin API of one larder, for a server of any kind. Clones are the same one.
///
/// ```
/// use http::{Request, StatusCode};
/// use larder_console::Console;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let console = Console::new(&larder::Larder::new("shop")?);
/// println!("The page: {}", console.link("http://127.0.0.1:8080"));
/// // In axum: `Router::new().fallback(async move |request: Request| console.answer(&request))`.
/// assert_eq!(console.answer(&Request::get("/console").body(())?).status(), StatusCode::OK);
/// # Ok(()) }
/// ```
///
/// It answers at [`PAGE`]'s paths, [`FIGURES_PATH`], [`CATALOGUE_PATH`] and [`LOG_PATH`], and to everything
/// else with 404: as the fallback of the application's own routes it is never in their way. The `larder`
/// command asks it too.
#[derive(Debug, Clone)]
pub struct Console {
    larder: Larder,
    token: Token,
}

impl Console {
    /// A console of `larder`, with a token that nobody can guess and that ends with the process.
    pub fn new(larder: &Larder) -> Self {
        Console { larder: larder.clone(), token: Token::random() }
    }

    /// A console of `larder` with a token of the application's own, so that a link is good for longer
    /// than the process.
    ///
    /// # Errors
    /// The token is shorter than [`TOKEN_BYTES_MIN`](crate::TOKEN_BYTES_MIN), or cannot be sent as it is.
    pub fn with_token(larder: &Larder, token: &str) -> Result<Self, TokenError> {
        Ok(Console { larder: larder.clone(), token: Token::given(token)? })
    }

    /// The address of the page with its token, where the server is at `origin`, such as
    /// `http://127.0.0.1:3000`. Whoever has it sees the data: it belongs on a terminal, not in a log.
    pub fn link(&self, origin: &str) -> String {
        link(origin, self.token.as_str())
    }

    /// The answer to a request. Asks memory only, so it may be called where nothing may wait.
    pub fn answer<B>(&self, request: &Request<B>) -> Response<String> {
        let path = request.uri().path();
        let file = PAGE.iter().find(|file| file.path == path);
        if file.is_none() && ![FIGURES_PATH, CATALOGUE_PATH, LOG_PATH].contains(&path) {
            return refusal(StatusCode::NOT_FOUND, "there is nothing here");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = refusal(StatusCode::METHOD_NOT_ALLOWED, "this can only be read");
            return with(refusal, header::ALLOW, "GET, HEAD");
        }
        if let Some(file) = file {
            return file.answer();
        }
        if !self.token.is_shown(request.headers()) {
            let refusal = refusal(StatusCode::UNAUTHORIZED, "a valid bearer token is required");
            return with(refusal, header::WWW_AUTHENTICATE, "Bearer");
        }
        match path {
            FIGURES_PATH => found(Figures::of(&self.larder)),
            CATALOGUE_PATH => found(catalogue(&self.larder)),
            _ => match range(request.uri().query().unwrap_or_default()) {
                Ok(range) => found(range.of(&self.larder, now_ms())),
                Err(mistake) => refusal(StatusCode::BAD_REQUEST, &mistake),
            },
        }
    }
}

/// The part of the trail that a query asks for: numbers only, so there is nothing to decode.
fn range(query: &str) -> Result<LogRange, String> {
    let mut range = LogRange { last: LogRange::LAST_DEFAULT, from_ms: None, to_ms: None };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let time = || number(name, value, 0..=LogRange::TIME_MAX);
        match name {
            "last" => range.last = number(name, value, 1..=LogRange::LAST_MAX)?,
            "from" => range.from_ms = Some(time()?),
            "to" => range.to_ms = Some(time()?),
            _ => return Err(format!("there is no {name:?}: last, from and to may be asked for")),
        }
    }
    Ok(range)
}

fn number<N>(name: &str, value: &str, bounds: RangeInclusive<N>) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let (least, most) = (bounds.start(), bounds.end());
    let mistake = || format!("{name} must be a whole number from {least} to {most}");
    value.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(mistake)
}

#[derive(Serialize)]
struct Refusal<'a> {
    success: bool,
    error: &'a str,
}

fn found<T: Serialize>(data: T) -> Response<String> {
    json(StatusCode::OK, &Answer::of(data))
}

fn refusal(status: StatusCode, error: &str) -> Response<String> {
    json(status, &Refusal { success: false, error })
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<String> {
    // Rows of texts and numbers can all be written.
    let (status, text) = match serde_json::to_string(body) {
        Ok(text) => (status, text),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    };
    let mut answer = Response::new(text);
    *answer.status_mut() = status;
    let answer = with(answer, header::CONTENT_TYPE, "application/json");
    let answer = with(answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    with(answer, header::CACHE_CONTROL, "no-store")
}

fn with(
    mut answer: Response<String>,
    name: header::HeaderName,
    value: &'static str,
) -> Response<String> {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

#[expect(
    clippy::disallowed_methods,
    reason = "people read the dates of the trail; they are never compared"
)]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
