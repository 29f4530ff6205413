//! The catalogue: every cache as it was set up, its keys by the names of their parts.

use std::sync::Arc;

use larder::{Key, Larder};

use crate::support::{node, seconds};

#[derive(Key)]
struct Page {
    user: u64,
    kind: Option<Kind>,
    number: u32,
}

#[derive(Key)]
enum Kind {
    #[key(text = "new")]
    Newest,
    By {
        author: Arc<str>,
    },
}

#[derive(Key)]
#[key(text = "settings")]
struct Settings;

fn key_of<K: Key>(larder: &Larder, name: &str) -> String {
    drop(larder.cache::<K, u32>(name).build().expect("a cache"));
    let listed = larder.catalogue().into_iter().find(|listing| listing.name == name);
    listed.expect("it is listed").key
}

#[tokio::test]
async fn a_key_is_shown_by_the_names_of_its_parts() {
    let (_clock, larder) = node();
    assert_eq!(
        key_of::<Page>(&larder, "pages"),
        "pages:{user}:(none|some:(new|By:{author})):{number}"
    );
    assert_eq!(key_of::<Settings>(&larder, "one"), "one:settings");
    assert_eq!(key_of::<(u64, String)>(&larder, "pairs"), "pairs:{0}:{1}");
    assert_eq!(key_of::<Vec<u64>>(&larder, "lists"), "lists:{key}");
    assert_eq!(key_of::<()>(&larder, "only"), "only");
}

#[test]
fn a_key_reads_as_its_shape_says() {
    let kinds = [(None, "none"), (Some(Kind::Newest), "some:new")];
    let by = Kind::By { author: Arc::from("ann") };
    for (kind, text) in kinds.into_iter().chain([(Some(by), "some:By:ann")]) {
        let page = Page { user: 7, kind, number: 2 };
        assert_eq!(larder::key::text("pages", &page), format!("pages:7:{text}:2"));
    }
}

#[tokio::test]
async fn caches_are_listed_by_name_with_what_they_were_set_up_with() {
    let (_clock, larder) = node();
    let rooms = larder.cache::<u64, Vec<String>>("rooms");
    drop(rooms.fresh_for(seconds(1_800)).stale_for(seconds(60)).sliding().build().expect("a cache"));
    drop(larder.cache::<u64, u32>("assets").build().expect("a cache"));
    let listed = larder.catalogue();
    let names: Vec<&str> = listed.iter().map(|listing| listing.name.as_str()).collect();
    assert_eq!(names, ["assets", "rooms"]);
    let rooms = &listed[1];
    assert_eq!(
        (rooms.fresh_for, rooms.stale_for, rooms.sliding),
        (seconds(1_800), seconds(60), true)
    );
    assert_eq!((rooms.value.as_str(), listed[0].sliding), ("Vec<String>", false));
}
