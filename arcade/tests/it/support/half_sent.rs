//! A request that is sent in two parts, so that a test can act between them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// A request whose body is still to come.
pub(crate) struct HalfSent {
    pub(super) stream: TcpStream,
}

impl HalfSent {
    /// Begins a request to `path` and holds its two-byte body back.
    pub(crate) async fn begin(address: &str, token: &str, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-length: 2\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("send");
        HalfSent { stream }
    }

    /// Sends the body and reads the raw answer.
    pub(crate) async fn finish(mut self) -> String {
        self.stream.write_all(b"{}").await.expect("send");
        self.answer().await
    }

    /// Reads the raw answer to its end.
    pub(crate) async fn answer(mut self) -> String {
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut answer)).await;
        // A server that closes with bytes of ours unread resets the connection.
        drop(read.expect("an answer in time"));
        String::from_utf8_lossy(&answer).into_owned()
    }
}
