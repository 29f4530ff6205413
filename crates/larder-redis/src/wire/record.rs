//! Records of the log as bytes: version, kind, mode, the two hashes of the name, the name. The
//! hashes come along because scripts cannot compute them.

use larder::Pattern;
use larder::key::pattern::PatternKind;
use larder::record::{Change, LogRecord, Mode, Name, NameKind, Record};
use larder::shard::Epoch;

use super::reader::Reader;

const VERSION: u8 = 1;
const ANCHORED: u8 = b'a';
const FINISHED: u8 = b'f';
const GLOB: u8 = b'g';
const REGEX: u8 = b'x';

/// The longest name, in bytes: a longer one is no name of ours.
const NAME_BYTES_MAX: usize = 64 << 10;

/// The most records that one pushed message may carry.
const PUSHED_MAX: usize = 4096;

fn byte_of(mode: Mode) -> u8 {
    match mode {
        Mode::Hard => b'h',
        Mode::Soft => b's',
    }
}

fn mode_of(byte: u8) -> Option<Mode> {
    match byte {
        b'h' => Some(Mode::Hard),
        b's' => Some(Mode::Soft),
        _ => None,
    }
}

/// The mode as scripts are told it.
pub(crate) fn mode_bytes(mode: Mode) -> [u8; 1] {
    [byte_of(mode)]
}

pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let Record { name, mode } = record;
    let hash = name.hash();
    let mut bytes = vec![VERSION, name.kind() as u8, byte_of(*mode)];
    bytes.extend(hash.row0().to_le_bytes());
    bytes.extend(hash.row1().to_le_bytes());
    bytes.extend(name.bytes());
    bytes
}

pub(crate) fn encode_anchor() -> Vec<u8> {
    vec![VERSION, ANCHORED]
}

pub(crate) fn encode_finish(pattern: &Pattern, mode: Mode, anchor: u64) -> Vec<u8> {
    let kind = match pattern.kind() {
        PatternKind::Glob => GLOB,
        PatternKind::Regex => REGEX,
    };
    let mut bytes = vec![VERSION, FINISHED, byte_of(mode), kind];
    bytes.extend(anchor.to_le_bytes());
    bytes.extend(pattern.source().as_bytes());
    bytes
}

/// `None`: these bytes are no change of this version.
pub(crate) fn decode(bytes: &[u8]) -> Option<Change> {
    let mut bytes = Reader::of(bytes);
    if bytes.byte()? != VERSION {
        return None;
    }
    match bytes.byte()? {
        ANCHORED => Some(Change::Anchored),
        FINISHED => finished(bytes),
        kind => invalidated(kind, bytes),
    }
}

fn finished(mut bytes: Reader<'_>) -> Option<Change> {
    let mode = mode_of(bytes.byte()?)?;
    let kind = match bytes.byte()? {
        GLOB => PatternKind::Glob,
        REGEX => PatternKind::Regex,
        _ => return None,
    };
    let anchor = bytes.number()?;
    let pattern = Pattern::new(kind, std::str::from_utf8(bytes.rest()).ok()?).ok()?;
    Some(Change::Finished { pattern, mode, anchor })
}

fn invalidated(kind: u8, mut bytes: Reader<'_>) -> Option<Change> {
    let kinds = [NameKind::Root, NameKind::Cache, NameKind::Prefix, NameKind::Tag, NameKind::Key];
    let kind = kinds.into_iter().find(|known| *known as u8 == kind)?;
    let mode = mode_of(bytes.byte()?)?;
    // Each node counts with the hashes of the names themselves.
    bytes.take(8)?;
    let name = Some(bytes.rest()).filter(|name| name.len() <= NAME_BYTES_MAX)?;
    Some(Change::Invalidated(Record { name: Name::from_parts(kind, name), mode }))
}

/// What a server tells who listens.
#[derive(Debug)]
pub(crate) enum Message {
    /// The lease of a key has ended; the bytes are the encoded key.
    Woken(Vec<u8>),
    /// Records were appended.
    Pushed(Epoch, Vec<LogRecord>),
}

/// `None`: not a message of ours.
pub(crate) fn decode_message(bytes: &[u8]) -> Option<Message> {
    let mut bytes = Reader::of(bytes);
    match bytes.byte()? {
        b'w' => Some(Message::Woken(bytes.rest().to_vec())),
        b'r' => pushed(bytes),
        _ => None,
    }
}

fn pushed(mut bytes: Reader<'_>) -> Option<Message> {
    let epoch = Epoch(bytes.wide()?);
    let first = bytes.number()?;
    let mut records = Vec::new();
    while !bytes.is_empty() && records.len() < PUSHED_MAX {
        let length = usize::try_from(bytes.short()?).ok()?;
        let change = decode(bytes.take(length)?)?;
        let position = first.checked_add(records.len() as u64)?;
        records.push(LogRecord { position, change });
    }
    Some(Message::Pushed(epoch, records))
}

#[cfg(test)]
mod tests {
    use larder::record::Tag;

    use super::*;

    fn tag() -> Record {
        Record { name: Name::tag(&Tag::new("builds")), mode: Mode::Soft }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        match decode(&encode(&tag())) {
            Some(Change::Invalidated(record)) => assert_eq!(record, tag()),
            found => panic!("{found:?}"),
        }
    }

    #[test]
    fn the_bytes_of_a_record_are_frozen() {
        let hash = tag().name.hash();
        let mut expected = b"\x01ts".to_vec();
        expected.extend(hash.row0().to_le_bytes());
        expected.extend(hash.row1().to_le_bytes());
        expected.extend(b"builds");
        assert_eq!(encode(&tag()), expected);
    }

    #[test]
    fn a_finish_comes_back_with_its_pattern() {
        let pattern = Pattern::regex("rooms:[0-9]+").expect("a pattern");
        match decode(&encode_finish(&pattern, Mode::Hard, 77)) {
            Some(Change::Finished { pattern: found, mode: Mode::Hard, anchor: 77 }) => {
                assert_eq!(found, pattern);
            }
            found => panic!("{found:?}"),
        }
    }

    #[test]
    fn bytes_that_are_cut_off_are_no_record() {
        let bytes = encode(&tag());
        for length in 0..11 {
            assert!(decode(&bytes[..length]).is_none(), "{length} bytes are a record");
        }
    }

    #[test]
    fn forged_messages_are_none() {
        for bytes in [&b""[..], b"r", b"x", b"r123", &[b'r'; 40]] {
            assert!(decode_message(bytes).is_none(), "{bytes:?}");
        }
    }
}
