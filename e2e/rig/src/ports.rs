//! Free ports. A port is asked of the system and given back, so that a server can take it: two
//! processes can be given the same one in between, and servers try another then.

use std::net::TcpListener;

/// A port on loopback on which nobody listens now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
