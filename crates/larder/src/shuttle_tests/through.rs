//! Writes through the cache: of two at once the older value never stays, and nobody who asks after
//! one gets less.

use shuttle::thread;

use super::explore;
use super::stage::{By, Stage, Through};

/// Two writers at once; each later read asserts that it is not older than what both have told.
fn check_writers(stage: &Stage, one: Through, other: Through) {
    let writing = thread::spawn({
        let stage = stage.clone();
        move || stage.write_through(one)
    });
    stage.write_through(other);
    stage.peek();
    writing.join().expect("the other has written");
    stage.peek();
    stage.read();
    stage.end();
}

#[test]
fn of_two_writers_of_a_key_the_older_value_never_stays() {
    explore(|| check_writers(&Stage::embedded(), Through::Key, Through::Key));
}

#[test]
fn of_two_writers_whose_results_name_the_key_the_older_value_never_stays() {
    explore(|| check_writers(&Stage::embedded(), Through::Result, Through::Result));
}

#[test]
fn of_a_writer_of_a_key_and_one_whose_result_names_it_the_older_value_never_stays() {
    explore(|| check_writers(&Stage::embedded(), Through::Key, Through::Result));
}

/// A reader that loaded before the write cannot keep what it has over what was written.
#[test]
fn no_read_after_a_write_through_is_older_than_it() {
    explore(|| {
        let stage = Stage::embedded();
        let reader = thread::spawn({
            let stage = stage.clone();
            move || {
                stage.read();
                stage.peek();
            }
        });
        stage.write_through(Through::Key);
        stage.peek();
        reader.join().expect("the reader was answered");
        stage.peek();
        stage.end();
    });
}

/// An invalidation by somebody who has written past the cache wins over a write that came before.
fn check_invalidation(by: By, through: Through) {
    let stage = Stage::embedded();
    let writing = thread::spawn({
        let stage = stage.clone();
        move || stage.write_through(through)
    });
    stage.write(by);
    stage.peek();
    writing.join().expect("written");
    stage.peek();
    stage.end();
}

#[test]
fn no_value_that_was_written_before_a_hard_key_is_found_after_it() {
    explore(|| check_invalidation(By::Key, Through::Key));
}

#[test]
fn no_value_that_was_written_before_a_tag_is_found_after_it() {
    explore(|| check_invalidation(By::Tag, Through::Key));
}

#[test]
fn no_value_that_was_created_before_a_tag_is_found_after_it() {
    explore(|| check_invalidation(By::Tag, Through::Result));
}
