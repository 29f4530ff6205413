//! Sessions that live while they are used, on a clock that this program turns itself: time is
//! injected, so what takes an hour is shown in no time.
//!
//! ```sh
//! cargo run -p larder --example sessions
//! ```

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::clock::{Clock, Moment};
use larder::{Larder, Loaded};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, larder::Entry)]
struct Session {
    user: String,
}

/// A clock that stands still unless it is turned. Timers never fire: this program needs none.
struct Sundial(AtomicU64);

impl Sundial {
    fn turn(&self, minutes: u64) {
        println!("… {minutes} minutes later");
        self.0.fetch_add(minutes * 60_000_000_000, Ordering::SeqCst);
    }
}

impl Clock for Sundial {
    fn coarse(&self) -> Moment {
        self.precise()
    }

    fn precise(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::SeqCst))
    }

    fn with_suspend(&self) -> Moment {
        self.precise()
    }

    fn sleep_until(&self, _: Moment) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(Sundial(AtomicU64::new(0)));
    let larder = Larder::builder("arcade").clock(clock.clone()).build()?;
    let sessions = larder
        .cache::<String, Session>("user:session")
        .fresh_for(Duration::from_secs(3_600))
        .jitter(0.0)
        .sliding()
        .build()?;
    let (token, user) = ("3f9a".to_owned(), "ada".to_owned());

    assert!(sessions.set(&token, Session { user }).await.stored);
    for _ in 0..3 {
        clock.turn(50);
        let session = sessions.get(&token).await.ok_or("the session expired while in use")?;
        println!("{:?} is still here", session.value().map(|session| session.user.as_str()));
        assert!(!session.is_stale());
    }

    clock.turn(60);
    assert!(sessions.get(&token).await.is_none());
    println!("an hour without a click, and the session is over");

    // What ends by itself says when: no click carries it past that.
    let guest = |_| async {
        let session = Loaded::value(Session { user: "guest".to_owned() });
        Ok::<_, io::Error>(session.kept_at_most(Duration::from_secs(5_400)))
    };
    sessions.get_or_load(&token, guest).await?;
    for is_open in [true, false] {
        clock.turn(50);
        assert_eq!(sessions.exists(&token).await, is_open);
    }
    println!("the guest has clicked, and is out after an hour and a half all the same");

    // Signing in again, then out: the session is gone at once, on every node.
    let sign_in = |_| async { Ok::<_, io::Error>(Session { user: "ada".to_owned() }) };
    sessions.get_or_load(&token, sign_in).await?;
    assert!(sessions.remove(&token).await.position().is_some());
    assert!(!sessions.exists(&token).await);
    println!("signed out");
    Ok(())
}
