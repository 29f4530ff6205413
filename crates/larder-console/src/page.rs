//! Decides which files the page is made of, and what a browser may do with them. The page itself is in
//! the folder `page`; it holds no data, so that everybody may have it.

use http::header::{self, HeaderName};
use http::{HeaderValue, Response};

/// Where the page is. All else that it needs lies beside it, by paths relative to its own, so that it
/// also works where a proxy puts something in front of them.
pub const PAGE_PATH: &str = "/console";

/// Nothing comes from elsewhere or goes elsewhere, no text becomes a script, and no other page shows it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // A page of another release would ask questions that this one does not answer.
    (header::CACHE_CONTROL, "no-store"),
];

/// A file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageFile {
    /// Where it is.
    pub path: &'static str,
    /// What it is for, as one sentence.
    pub about: &'static str,
    /// Its content type.
    pub kind: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// Every file of the page. They hold no data and need no token.
pub const PAGE: [PageFile; 4] = [
    PageFile {
        path: PAGE_PATH,
        about: "The caches as a page.",
        kind: "text/html; charset=utf-8",
        text: include_str!("../page/index.html"),
    },
    PageFile {
        path: "/console/page.js",
        about: "What the page does.",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../page/page.js"),
    },
    PageFile {
        path: "/console/page.css",
        about: "How the page looks.",
        kind: "text/css; charset=utf-8",
        text: include_str!("../page/page.css"),
    },
    PageFile {
        path: "/console/icon.svg",
        about: "The page's icon.",
        kind: "image/svg+xml",
        text: include_str!("../page/icon.svg"),
    },
];

impl PageFile {
    /// The answer to who asks for it, with all that its browser must be told.
    pub fn answer(&self) -> Response<String> {
        let mut answer = Response::new(self.text.to_owned());
        let kind = (header::CONTENT_TYPE, self.kind);
        for (name, value) in HEADERS.into_iter().chain([kind]) {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// The address of the page of the server at `origin`, such as `http://127.0.0.1:3000`, with a token for
/// it. The token is in the fragment, which no browser sends to anybody; the page takes it from there.
pub fn link(origin: &str, token: &str) -> String {
    format!("{origin}{PAGE_PATH}#token={token}")
}
