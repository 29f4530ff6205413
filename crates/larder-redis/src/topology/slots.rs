//! What a cluster says about its hash slots, and the slot of a shard.

use redis::Value;

use crate::address::Address;
use crate::fault::Fault;

pub(super) const VERB: &str = "cluster slots";

/// So many hash slots has every cluster.
const SLOTS: u16 = 16_384;

/// Slots that one master keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    first: u64,
    last: u64,
    pub(super) master: Address,
}

/// The hash slot of a hash tag (Redis Cluster specification: CRC16-XMODEM).
pub(super) fn slot_of(hash_tag: &[u8]) -> u16 {
    crc16::State::<crc16::XMODEM>::calculate(hash_tag) % SLOTS
}

/// The master of a slot, if it has one.
pub(super) fn master_of(ranges: &[Range], slot: u16) -> Option<&Address> {
    let slot = u64::from(slot);
    ranges.iter().find(|range| (range.first..=range.last).contains(&slot)).map(|range| &range.master)
}

/// Reads the answer to `CLUSTER SLOTS` of this server.
pub(super) fn ranges_of(answer: Value, asked: &Address) -> Result<Vec<Range>, Fault> {
    let Value::Array(ranges) = answer else { return Err(Fault::unexpected(VERB, &answer)) };
    ranges
        .into_iter()
        .map(|range| range_of(&range, asked).ok_or_else(|| Fault::unexpected(VERB, &range)))
        .collect()
}

/// First slot, last slot, then the master: host, port, and more that does not matter here.
fn range_of(range: &Value, asked: &Address) -> Option<Range> {
    let Value::Array(parts) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = parts.as_slice() else {
        return None;
    };
    let [host, Value::Int(port), ..] = master.as_slice() else { return None };
    let host = match (host, asked) {
        (Value::BulkString(host), _) if !host.is_empty() && host != b"?" => {
            String::from_utf8_lossy(host).into_owned()
        }
        // A server that does not know its own name has the one by which it was reached.
        (_, Address::Tcp(host, _)) => host.clone(),
        (_, Address::Unix(_)) => return None,
    };
    Some(Range {
        first: u64::try_from(*first).ok()?,
        last: u64::try_from(*last).ok()?,
        master: Address::Tcp(host, u16::try_from(*port).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp(host.into(), port)
    }

    fn said(host: Value) -> Value {
        let master = Value::Array(vec![host, Value::Int(7001), Value::BulkString(b"id".to_vec())]);
        Value::Array(vec![Value::Array(vec![Value::Int(0), Value::Int(5460), master])])
    }

    #[test]
    fn the_slot_of_the_specification_is_found() {
        // Appendix A of the specification, and its example of a hash tag.
        assert_eq!(crc16::State::<crc16::XMODEM>::calculate(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"user1000"), 3443);
    }

    #[test]
    fn a_slot_has_the_master_of_its_range() {
        let said = said(Value::BulkString(b"10.0.0.7".to_vec()));
        let ranges = ranges_of(said, &tcp("seed", 7000)).expect("ranges");
        assert_eq!(master_of(&ranges, 5460), Some(&tcp("10.0.0.7", 7001)));
        assert_eq!(master_of(&ranges, 5461), None);
    }

    #[test]
    fn a_master_without_a_name_is_where_it_was_asked() {
        for host in [Value::Nil, Value::BulkString(Vec::new()), Value::BulkString(b"?".to_vec())] {
            let ranges = ranges_of(said(host), &tcp("seed", 7000)).expect("ranges");
            assert_eq!(master_of(&ranges, 1), Some(&tcp("seed", 7001)));
        }
    }

    #[test]
    fn an_answer_of_another_form_is_a_fault() {
        let wrong = Value::Array(vec![Value::Array(vec![Value::Int(1)])]);
        for answer in [Value::Nil, wrong] {
            assert!(ranges_of(answer, &tcp("seed", 7000)).is_err());
        }
    }
}
