//! The ephemeral store of a single node: a map in this process. It dies with the process, and by design nothing fails open for it.

use crate::ports::Clock;
use crate::store::{Ephemeral, Result, StoreError};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of keys and values for which there is room, for each entry of the capacity: what an entry takes on average, and more.
const BYTES_PER_ENTRY: usize = 1024;
/// Keys of this kind are made by strangers at will, so they get at most half of the room: whoever fills it keeps new people from
/// signing in, but not those who have signed in from their codes, watch tokens and counters.
const STRANGERS: &str = "flow:";

/// An [`Ephemeral`] in this process. Every method is atomic. When it is full it refuses new keys with [`StoreError::Away`]: it
/// never drops a living one, for a dropped counter or replay entry would open what it guards.
pub struct InProcess {
    clock: Arc<dyn Clock>,
    capacity: usize,
    entries: Mutex<Entries>,
}

struct Entry {
    value: Vec<u8>,
    dies_at_ms: i64,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<Arc<str>, Entry>,
    by_death: BTreeSet<(i64, Arc<str>)>,
    all: Tally,
    strangers: Tally,
}

/// How much is held.
#[derive(Clone, Copy, Default)]
struct Tally {
    entries: usize,
    bytes: usize,
}

impl Tally {
    fn add(&mut self, bytes: usize) {
        self.entries += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, bytes: usize) {
        self.entries -= 1;
        self.bytes -= bytes;
    }

    fn is_full(self, capacity: usize) -> bool {
        self.entries >= capacity || self.bytes >= capacity.saturating_mul(BYTES_PER_ENTRY)
    }
}

impl InProcess {
    /// A store of at most `capacity` living entries whose time is `clock`'s.
    pub fn new(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        Self {
            clock,
            capacity,
            entries: Mutex::default(),
        }
    }

    /// The entries that live now, and the time in milliseconds.
    fn living(&self) -> (MutexGuard<'_, Entries>, i64) {
        let now_ms = self.clock.now_ms();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.bury(now_ms);
        (entries, now_ms)
    }
}

impl Entries {
    /// Removes what has died.
    fn bury(&mut self, now_ms: i64) {
        while self.by_death.first().is_some_and(|(dies_at_ms, _)| *dies_at_ms <= now_ms) {
            let Some((_, key)) = self.by_death.pop_first() else { return };
            self.remove(&key);
        }
    }

    fn get(&self, key: &str) -> Option<&Vec<u8>> {
        self.by_key.get(key).map(|entry| &entry.value)
    }

    fn remove(&mut self, key: &str) -> Option<Vec<u8>> {
        let (key, entry) = self.by_key.remove_entry(key)?;
        let bytes = key.len() + entry.value.len();
        self.all.remove(bytes);
        if key.starts_with(STRANGERS) {
            self.strangers.remove(bytes);
        }
        self.by_death.remove(&(entry.dies_at_ms, key));
        Some(entry.value)
    }

    fn has_room(&self, key: &str, capacity: usize) -> bool {
        let strangers = key.starts_with(STRANGERS) && self.strangers.is_full(capacity.div_ceil(2));
        !self.all.is_full(capacity) && !strangers
    }

    fn set(&mut self, key: &str, value: Vec<u8>, dies_at_ms: i64, capacity: usize) -> Result<()> {
        if !self.by_key.contains_key(key) && !self.has_room(key, capacity) {
            return Err(StoreError::Away("the ephemeral store is full".to_owned()));
        }
        self.remove(key);
        let bytes = key.len() + value.len();
        self.all.add(bytes);
        if key.starts_with(STRANGERS) {
            self.strangers.add(bytes);
        }
        let key: Arc<str> = key.into();
        self.by_death.insert((dies_at_ms, key.clone()));
        self.by_key.insert(key, Entry { value, dies_at_ms });
        Ok(())
    }

    /// The count under `key` with the end of its window, if one is open.
    fn counted(&self, key: &str) -> Result<Option<(u64, i64)>> {
        let Some(entry) = self.by_key.get(key) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&entry.value).unwrap_or_default();
        match text.parse() {
            Ok(count) => Ok(Some((count, entry.dies_at_ms))),
            Err(_) => Err(StoreError::Damaged("a counter holds no number".to_owned())),
        }
    }
}

fn after(now_ms: i64, seconds: u32) -> i64 {
    now_ms.saturating_add(i64::from(seconds) * 1000)
}

#[async_trait]
impl Ephemeral for InProcess {
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn put(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<()> {
        let (mut entries, now_ms) = self.living();
        entries.set(key, value.to_vec(), after(now_ms, ttl_s), self.capacity)
    }

    async fn put_new(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<bool> {
        let (mut entries, now_ms) = self.living();
        if entries.get(key).is_some() {
            return Ok(false);
        }
        entries.set(key, value.to_vec(), after(now_ms, ttl_s), self.capacity)?;
        Ok(true)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.living().0.get(key).cloned())
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.living().0.remove(key))
    }

    async fn swap(&self, key: &str, old: &[u8], new: &[u8], ttl_s: u32) -> Result<bool> {
        let (mut entries, now_ms) = self.living();
        if entries.get(key).is_none_or(|value| value != old) {
            return Ok(false);
        }
        entries.set(key, new.to_vec(), after(now_ms, ttl_s), self.capacity)?;
        Ok(true)
    }

    /// The count is kept under `key` as decimal text, as Redis keeps it; `take` closes the window.
    async fn add(&self, key: &str, number: u64, window_s: u32) -> Result<u64> {
        let (mut entries, now_ms) = self.living();
        let (count, closes_at_ms) = entries.counted(key)?.unwrap_or((0, after(now_ms, window_s)));
        let count = count.saturating_add(number);
        entries.set(key, count.to_string().into_bytes(), closes_at_ms, self.capacity)?;
        Ok(count)
    }

    async fn uncount(&self, key: &str) -> Result<()> {
        let (mut entries, _) = self.living();
        let Some((count, closes_at_ms)) = entries.counted(key)? else {
            return Ok(());
        };
        let count = count.saturating_sub(1);
        entries.set(key, count.to_string().into_bytes(), closes_at_ms, self.capacity)
    }
}
