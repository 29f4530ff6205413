//! Every form gives back what it was given, or nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::*;
use crate::shard::{Epoch, ServerTime};

const LIMIT: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, crate::Entry)]
struct Room {
    name: String,
    players: Vec<u32>,
    note: Option<String>,
}

fn room(players: u32) -> Room {
    Room {
        name: "The old mill".into(),
        players: (0..players).map(|at| at % 50).collect(),
        note: None,
    }
}

/// Left out when it is false, so that positions shift.
#[derive(Debug, PartialEq, Serialize, Deserialize, crate::Entry)]
struct Shifty {
    #[serde(default, skip_serializing_if = "is_false")]
    open: bool,
    seats: u8,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn entry(fingerprint: u64) -> StoredEntry {
    StoredEntry {
        id: 1,
        epoch: Epoch(2),
        as_of: 3,
        soft: false,
        tags: Arc::from([]),
        fresh_until: ServerTime(1),
        expires_at: ServerTime(1),
        ends_at: None,
        load_cost: std::time::Duration::ZERO,
        loaded_at: ServerTime(0),
        fingerprint,
        payload: None,
    }
}

/// A cache of the codec that reads every form.
fn reader() -> Form {
    Form { codec: Codec::Postcard, ..Form::default() }
}

fn read(payload: &Payload) -> Option<Room> {
    unpack(&reader(), &entry(Room::FINGERPRINT), payload, LIMIT)
}

fn forms() -> Vec<Form> {
    let codecs = [
        Codec::Json,
        Codec::Postcard,
        #[cfg(feature = "msgpack")]
        Codec::MessagePack,
    ];
    let compressions = [
        Compression::Off,
        Compression::Lz4,
        #[cfg(feature = "zstd")]
        Compression::Zstd { level: 1 },
    ];
    let of =
        |codec| compressions.map(move |compression| Form { codec, compression, ..Form::default() });
    codecs.into_iter().flat_map(of).collect()
}

#[test]
fn a_value_comes_back_from_every_form() {
    for form in forms() {
        for room in [room(0), room(10_000)] {
            let payload = form.pack(&room, LIMIT).expect("it has this form");
            assert_eq!(read(&payload), Some(room), "{form:?}");
        }
    }
}

#[test]
fn a_long_value_is_stored_in_less_than_half_and_a_short_one_as_it_is() {
    let form = Form::default();
    let long = serde_json::to_vec(&room(20_000)).expect("JSON").len();
    let stored = form.pack(&room(20_000), LIMIT).expect("it fits").bytes.len();
    assert!(stored < long / 2, "{stored} of {long} bytes");
    let short = serde_json::to_vec(&room(3)).expect("JSON");
    assert_eq!(*form.pack(&room(3), LIMIT).expect("it fits").bytes, *short);
}

#[test]
fn what_does_not_get_shorter_stays_as_it_is() {
    let mut state = 7_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(2_000)
    .collect();
    let form = Form { codec: Codec::Postcard, ..Form::default() };
    let payload = form.pack(&noise, LIMIT).expect("it fits");
    assert_eq!(payload.form >> 4, 0);
    assert_eq!(unpack(&reader(), &entry(Vec::<u8>::FINGERPRINT), &payload, LIMIT), Some(noise));
}

#[test]
fn a_value_of_more_than_the_limit_is_not_shared() {
    let form = Form::default();
    let bytes = serde_json::to_vec(&room(100)).expect("JSON").len();
    assert!(form.pack(&room(100), bytes).is_ok());
    assert_eq!(form.pack(&room(100), bytes - 1), Err(NotKept::TooLargeToShare));
}

#[test]
fn a_value_that_would_be_read_back_as_another_one_is_not_shared() {
    let form = Form { codec: Codec::Postcard, ..Form::default() };
    assert!(form.pack(&Shifty { open: true, seats: 1 }, LIMIT).is_ok());
    // One byte, which would be read as `open`, and then nothing.
    let shifted = form.pack(&Shifty { open: false, seats: 1 }, LIMIT);
    assert_eq!(shifted, Err(NotKept::NoStoredForm));
}

#[test]
fn a_value_without_a_form_is_not_shared() {
    let by_pair = std::collections::BTreeMap::from([((1_u8, 2_u8), 3_u8)]);
    assert_eq!(Form::default().pack(&by_pair, LIMIT), Err(NotKept::NoStoredForm));
}

#[test]
fn a_value_of_another_type_or_form_is_a_miss() {
    let payload = Form::default().pack(&room(1), LIMIT).expect("it fits");
    assert_eq!(unpack::<Room>(&reader(), &entry(Room::FINGERPRINT ^ 1), &payload, LIMIT), None);
    for form in (0..=u8::MAX).filter(|form| *form != payload.form) {
        assert_eq!(read(&Payload { form, ..payload.clone() }), None, "form {form:#x}");
    }
}

#[test]
fn a_forged_length_makes_no_room_and_is_a_miss() {
    for length in [0, 10, LIMIT as u32 + 1, u32::MAX] {
        let bytes = [&length.to_le_bytes()[..], &[0x1F, b'a', 1, 0, 0xFF, 0xFF, 0xFF, 0x00]].concat();
        let payload = Payload { form: 0x11, bytes: bytes.into() };
        assert_eq!(read(&payload), None, "{length}");
    }
}

#[test]
fn hostile_bytes_are_a_miss() {
    let whole: Vec<Payload> =
        forms().iter().map(|form| form.pack(&room(2_000), LIMIT).expect("it fits")).collect();
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    for _ in 0..5_000 {
        let payload = &whole[next(whole.len())];
        let mut bytes = payload.bytes[..next(payload.bytes.len() + 1)].to_vec();
        for _ in 0..next(4) {
            if let Some(at) = bytes.len().checked_sub(1).map(|last| next(last + 1)) {
                bytes[at] = next(256) as u8;
            }
        }
        // Whatever comes out, nothing panics; the checksum of the envelope is what rejects it.
        if let Some(room) = read(&Payload { form: payload.form, bytes: bytes.into() }) {
            assert!(room.players.len() <= LIMIT);
        }
    }
}

#[test]
fn a_value_of_more_than_the_limit_is_not_read() {
    for form in forms() {
        let payload = form.pack(&room(20_000), LIMIT).expect("it fits");
        let read: Option<Room> = unpack(&reader(), &entry(Room::FINGERPRINT), &payload, 10_000);
        assert_eq!(read, None, "{form:?}");
    }
}

#[test]
fn a_form_without_limits_is_read_only_by_caches_that_chose_it() {
    let payload = reader().pack(&room(1), LIMIT).expect("it fits");
    let entry = entry(Room::FINGERPRINT);
    assert_eq!(unpack(&reader(), &entry, &payload, LIMIT), Some(room(1)));
    assert_eq!(unpack::<Room>(&Form::default(), &entry, &payload, LIMIT), None);
}
