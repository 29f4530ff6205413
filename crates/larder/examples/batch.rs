//! Many keys in one call: one query for all that is missing, whoever else asks meanwhile.
//!
//! ```sh
//! cargo run -p larder --example batch
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use larder::{Larder, Loaded, Lookup};

/// Stands for a table, and remembers each query.
#[derive(Clone, Default)]
struct Users {
    queries: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Users {
    /// `SELECT id, name FROM users WHERE id IN (…)`
    async fn by_ids(self, ids: Vec<u64>) -> Result<HashMap<u64, String>, io::Error> {
        println!("query for {ids:?}");
        self.queries.lock().unwrap_or_else(PoisonError::into_inner).push(ids.clone());
        // The query takes a while, so that the second batch below finds it running.
        tokio::task::yield_now().await;
        Ok(ids.into_iter().filter(|id| *id < 100).map(|id| (id, format!("user {id}"))).collect())
    }

    fn queries(&self) -> Vec<Vec<u64>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn names(users: &[Lookup<String>]) -> Vec<&str> {
    users.iter().map(|user| user.value().map_or("nobody", String::as_str)).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let larder = Larder::new("arcade")?;
    let users = larder.cache::<u64, String>("user").build()?;
    let table = Users::default();
    let by_ids = || {
        let table = table.clone();
        move |ids| table.clone().by_ids(ids)
    };

    // One query for the three; 404 is nobody, which is remembered too.
    let found = users.get_or_load_many(&[1, 2, 404], by_ids()).await?;
    println!("{:?}", names(&found));
    assert_eq!(names(&found), ["user 1", "user 2", "nobody"]);

    // Only what is missing is asked for, and the answers keep the order of the keys.
    let found = users.get_or_load_many(&[3, 2, 404, 1, 3], by_ids()).await?;
    assert_eq!(names(&found), ["user 3", "user 2", "nobody", "user 1", "user 3"]);
    assert_eq!(table.queries(), [vec![1, 2, 404], vec![3]]);

    // Two batches at once: the second one waits for what the first one loads already.
    let (first, second) = tokio::join!(
        users.get_or_load_many(&[10, 11], by_ids()),
        users.get_or_load_many(&[11, 12], by_ids()),
    );
    assert_eq!(names(&first?), ["user 10", "user 11"]);
    assert_eq!(names(&second?), ["user 11", "user 12"]);
    assert_eq!(table.queries()[2..], [vec![10, 11], vec![12]]);

    // What another system pushes is set, each value with a time of its own.
    let pushed = [(20, 60), (21, 5)].map(|(key, seconds)| {
        let value = Loaded::value(format!("pushed {key}"));
        (key, value.fresh_for(Duration::from_secs(seconds)))
    });
    assert!(users.set_many(pushed).await.iter().all(|outcome| outcome.stored));
    let known = users.get_many(&[21, 22]).await;
    println!("21 is known: {}, 22 is known: {}", known[0].is_some(), known[1].is_some());
    assert!(known[0].is_some() && known[1].is_none());
    Ok(())
}
