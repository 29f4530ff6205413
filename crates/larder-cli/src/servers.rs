//! Decides whom to ask, with which token, and what to say when there is no answer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use larder_console::Answer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body};

/// A server that says nothing for so long is given up.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Servers {
    /// A server; give it again, or separate by commas, to ask several.
    #[arg(
        long = "url",
        global = true,
        env = "LARDER_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:3000"
    )]
    urls: Vec<String>,
    /// The token of an admin.
    #[arg(long, global = true, env = "LARDER_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Where a server in development writes its token.
    #[arg(
        long,
        global = true,
        env = "ARCADE_DATA",
        default_value = ".arcade",
        value_name = "DIRECTORY"
    )]
    data: PathBuf,
}

impl Servers {
    /// What each server answers at `path`, with its URL. `query` goes to each.
    ///
    /// # Errors
    /// One of them does not answer, or not what was asked for.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<Vec<(&str, T)>> {
        self.each(path, |agent, url, bearer| {
            let mut request = agent.get(url).header("authorization", bearer);
            for (name, value) in query {
                request = request.query(name, value);
            }
            request.call()
        })
    }

    /// What each server answers at `path` to being told this, with its URL.
    ///
    /// # Errors
    /// One of them does not answer, or does not take it.
    pub(crate) fn tell<T: DeserializeOwned>(
        &self,
        path: &str,
        what: &impl Serialize,
    ) -> anyhow::Result<Vec<(&str, T)>> {
        let body = serde_json::to_string(what)?;
        self.each(path, |agent, url, bearer| {
            let request = agent.post(url).header("authorization", bearer);
            request.content_type("application/json").send(body.as_str())
        })
    }

    fn each<T: DeserializeOwned>(
        &self,
        path: &str,
        send: impl Fn(&Agent, &str, &str) -> Result<Response<Body>, ureq::Error>,
    ) -> anyhow::Result<Vec<(&str, T)>> {
        let bearer = format!("Bearer {}", self.token()?);
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let answer = |url: &String| {
            let whole = format!("{}{path}", url.trim_end_matches('/'));
            let answer = send(&agent, &whole, &bearer);
            data(url, path, answer.with_context(|| format!("{url} does not answer"))?)
        };
        self.urls.iter().map(|url| Ok((url.as_str(), answer(url)?))).collect()
    }

    fn token(&self) -> anyhow::Result<String> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let path = self.data.join("token");
        let token = fs::read_to_string(&path).with_context(|| {
            format!("no --token, no LARDER_TOKEN, and {} cannot be read", path.display())
        })?;
        Ok(token.trim().to_owned())
    }
}

/// What an answer holds, or in words why it holds nothing.
fn data<T: DeserializeOwned>(url: &str, path: &str, mut answer: Response<Body>) -> anyhow::Result<T> {
    let status = answer.status().as_u16();
    let text = answer
        .body_mut()
        .read_to_string()
        .with_context(|| format!("the answer of {url} breaks off"))?;
    match status {
        200 | 202 => {
            let answer: Answer<T> = serde_json::from_str(&text)
                .with_context(|| format!("{url} answers something else than this command knows"))?;
            Ok(answer.data)
        }
        401 | 403 => Err(anyhow!(
            "{url} does not take the token ({status}): it wants that of an admin, good for an hour"
        )),
        404 => Err(anyhow!("{url} has no {path}: is it a larder server?")),
        _ => Err(anyhow!("{url} answers {status}: {}", text.trim())),
    }
}
