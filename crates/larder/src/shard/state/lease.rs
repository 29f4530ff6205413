//! Who may load a key. A lease is a token compared for equality: a missing one is nobody's.

use std::ops::Bound;

use super::{Effects, Lease, Live, ShardState, Step};
use crate::key::EncodedKey;
use crate::shard::{LeaseReply, StoredEntry, Token};

/// How many leases each grant looks at for being expired: more than it adds, so that leases of
/// holders that died cannot pile up.
const SWEPT_PER_GRANT: usize = 2;

impl ShardState {
    /// Asks to be the one who loads `key`, see [`crate::shard::Shard::lease`].
    pub fn lease(
        &mut self,
        step: &Step,
        key: &EncodedKey,
        token: Token,
        seen: Option<u128>,
    ) -> LeaseReply {
        let reply = self.live(step).lease(key, token, seen);
        if matches!(reply, LeaseReply::Granted { .. }) {
            self.sweep_leases(step);
        }
        reply
    }

    /// Lengthens the lease of `key` if `token` holds it; its `as_of` stays.
    pub fn renew(&mut self, step: &Step, key: &EncodedKey, token: Token) -> bool {
        let mut live = self.live(step);
        let expires_at = step.now.plus(live.settings.lease_ttl);
        match live.lease_of(key) {
            Some(lease) if lease.token == token => {
                lease.expires_at = expires_at;
                true
            }
            _ => false,
        }
    }

    /// Gives the lease of `key` back if `token` holds it.
    pub fn release(&mut self, step: &Step, key: &EncodedKey, token: Token, effects: &mut Effects) {
        self.live(step).take_lease(key, token, effects);
    }

    fn sweep_leases(&mut self, step: &Step) {
        let from = self.swept.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let leases = &mut self.parts.leases;
        let range = leases.range::<EncodedKey, _>((from, Bound::Unbounded));
        let looked: Vec<EncodedKey> =
            range.take(SWEPT_PER_GRANT).map(|(key, _)| key.clone()).collect();
        for key in &looked {
            if leases.get(key).is_some_and(|lease| lease.expires_at <= step.now) {
                leases.remove(key);
            }
        }
        // At the end the sweep starts over.
        self.swept = looked.into_iter().nth(SWEPT_PER_GRANT - 1);
    }
}

impl Live<'_> {
    fn lease(&mut self, key: &EncodedKey, token: Token, seen: Option<u128>) -> LeaseReply {
        let held = self.lease_of(key).map(|lease| (lease.token, lease.epoch, lease.as_of));
        if let Some((holder, epoch, as_of)) = held
            && holder == token
        {
            // The answer to the first try was lost. What was loaded since began at its position.
            return LeaseReply::Granted { epoch, as_of };
        }
        if let Some(entry) = self.value_of(key).filter(|entry| Some(entry.id) != seen) {
            let entry = entry.clone();
            return LeaseReply::Filled { entry, epoch: self.meta.epoch, head: self.meta.head };
        }
        if let Some(lease) = self.lease_of(key) {
            lease.awaited = true;
            return LeaseReply::Held;
        }
        self.grant(key, token)
    }

    fn grant(&mut self, key: &EncodedKey, token: Token) -> LeaseReply {
        let (epoch, as_of) = (self.meta.epoch, self.meta.head);
        // Who waited for a lease of an older epoch waits for this one now.
        let awaited =
            self.leases.get(key).is_some_and(|old| old.awaited && self.now < old.expires_at);
        let expires_at = self.now.plus(self.settings.lease_ttl);
        self.leases.insert(key.clone(), Lease { token, epoch, as_of, awaited, expires_at });
        LeaseReply::Granted { epoch, as_of }
    }

    /// The lease of this epoch that has not expired.
    fn lease_of(&mut self, key: &EncodedKey) -> Option<&mut Lease> {
        let epoch = self.meta.epoch;
        self.leases.get_mut(key).filter(|lease| lease.epoch == epoch && self.now < lease.expires_at)
    }

    /// The value of this epoch that has not expired.
    pub(super) fn value_of(&self, key: &EncodedKey) -> Option<&StoredEntry> {
        let alive =
            |entry: &&StoredEntry| entry.epoch == self.meta.epoch && self.now < entry.expires_at;
        self.values.get(key).filter(alive)
    }

    /// Removes the lease if `token` holds it, whatever its epoch, and wakes who waits.
    pub(super) fn take_lease(
        &mut self,
        key: &EncodedKey,
        token: Token,
        effects: &mut Effects,
    ) -> Option<Lease> {
        if self.leases.get(key)?.token != token {
            return None;
        }
        self.void_lease(key, effects).filter(|lease| self.now < lease.expires_at)
    }

    /// Removes the lease, whoever holds it, and wakes who waits.
    pub(super) fn void_lease(&mut self, key: &EncodedKey, effects: &mut Effects) -> Option<Lease> {
        let lease = self.leases.remove(key)?;
        if lease.awaited {
            effects.woken.push(key.clone());
        }
        Some(lease)
    }
}
