//! The writer: changes the price and dies at the point that it is told.

use std::pin::pin;
use std::task::{Context, Waker};

use larder_outbox_crashes::{Node, Point};

/// On one thread, so that nothing is sent while this function does not wait.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, namespace, redis_port, point] = &words[..] else {
        panic!("outbox-writer URL NAMESPACE REDIS_PORT POINT");
    };
    let redis_port = redis_port.parse().expect("a port");
    let point = point.parse().expect("the name of a point");
    let node = Node::open(url, namespace, redis_port).await;
    write(&node, point).await;
    panic!("{point} was passed alive");
}

/// The end of the process, at once: nothing is dropped, nothing is told.
fn die_at(point: Point, here: Point) {
    if point == here {
        std::process::abort();
    }
}

async fn write(node: &Node, point: Point) {
    die_at(point, Point::BeforeBegin);
    let mut transaction = node.pool.begin().await.expect("begin");
    die_at(point, Point::AfterBegin);
    node.reprice(&mut transaction).await;
    die_at(point, Point::AfterStatement);
    let noted = node.outbox.invalidate(&mut *transaction, node.wrong()).await.expect("noted");
    die_at(point, Point::AfterRow);
    if point == Point::RolledBack {
        transaction.rollback().await.expect("rolled back");
        noted.rolled_back();
        return die_at(point, Point::RolledBack);
    }
    let mut committing = pin!(transaction.commit());
    if point == Point::CommitOnItsWay {
        drop(committing.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        std::process::abort();
    }
    committing.await.expect("committed");
    die_at(point, Point::AfterCommit);
    let mut sending = pin!(noted.committed());
    if point == Point::Hidden {
        drop(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        assert!(!node.holds(), "it is hidden with the first poll");
        std::process::abort();
    }
    drop(sending.await);
    die_at(point, Point::Appended);
    let mut relay = node.outbox.relay(node.pool.clone());
    let gone = async { while node.rows().await > 0 {} };
    tokio::select! {
        () = relay.run() => {}
        () = gone => die_at(point, Point::Deleted),
    }
}
