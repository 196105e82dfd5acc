//! The slots of what takes a core for milliseconds (key stretching, learning), and the queue before them. It is bounded, and nobody gets
//! more than half of it: who finds no place is told so at once, and not after a wait that would have been for nothing.

use crate::metrics::Queue;
use gait_sdk::Visitor;
use ipnet::IpNet;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for each slot: at 25 ms a call, who comes last waits for less than two seconds.
const PLACES_PER_SLOT: usize = 64;
/// Longest wait for a slot, should calls take longer than that.
const WAIT: Duration = Duration::from_secs(5);

/// How many CPU-bound calls run and wait at once, over all plugins that share it.
#[derive(Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    places: Arc<Places>,
    queue: Queue,
}

/// Who waits or runs.
struct Places {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<Option<IpNet>, usize>,
}

/// A slot, with the place that it was waited for in.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// A place; given back when it is dropped.
struct Place {
    places: Arc<Places>,
    network: Option<IpNet>,
}

impl Slots {
    /// So many; `queue` tells who waits for them.
    pub fn new(count: usize, queue: Queue) -> Self {
        let places = Places {
            most: count * PLACES_PER_SLOT,
            taken: Mutex::default(),
        };
        Self {
            free: Arc::new(Semaphore::new(count)),
            places: Arc::new(places),
            queue,
        }
    }

    /// One of them, for a visitor or for nobody in particular; `None` if there is no place to wait, or none became free in time.
    pub(super) async fn take(&self, visitor: Option<&Visitor>) -> Option<Slot> {
        let slot = self.wait(visitor).await;
        if slot.is_none() {
            self.queue.refused.inc();
        }
        slot
    }

    async fn wait(&self, visitor: Option<&Visitor>) -> Option<Slot> {
        let place = Places::enter(&self.places, visitor.and_then(Visitor::prefix))?;
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            self.queue.waited.observe(0.0);
            return Some(slot(permit, place));
        }
        let _waiting = Waiting::new(&self.queue.waiting);
        #[allow(clippy::disallowed_methods, reason = "a stopwatch for metrics")]
        let begun = Instant::now();
        let permit = tokio::time::timeout(WAIT, self.free.clone().acquire_owned()).await;
        self.queue.waited.observe(begun.elapsed().as_secs_f64());
        permit.ok().and_then(Result::ok).map(|permit| slot(permit, place))
    }
}

fn slot(permit: OwnedSemaphorePermit, place: Place) -> Slot {
    Slot {
        _permit: permit,
        _place: place,
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(places: &Arc<Self>, network: Option<IpNet>) -> Option<Place> {
        let mut taken = places.lock();
        let own = taken.by_network.get(&network).copied().unwrap_or(0);
        if taken.all >= places.most || own >= places.most / 2 {
            return None;
        }
        taken.all += 1;
        taken.by_network.insert(network, own + 1);
        let places = places.clone();
        Some(Place { places, network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        match taken.by_network.get_mut(&self.network) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.by_network.remove(&self.network)),
        }
    }
}

/// Counts one who waits, for as long as it is there: who waits may give up at any moment.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use futures_util::FutureExt as _;

    fn at(address: &str) -> Visitor {
        Visitor {
            address: address.parse().ok(),
            user_agent: String::new(),
            device: None,
        }
    }

    fn one() -> Slots {
        Slots::new(1, Queue::default())
    }

    /// What comes without waiting: `Some(false)` is a refusal, `None` a wait.
    fn at_once(slots: &Slots, visitor: &Visitor) -> Option<bool> {
        slots.take(Some(visitor)).now_or_never().map(|slot| slot.is_some())
    }

    #[tokio::test]
    async fn one_network_gets_half_of_the_places_and_is_refused_at_once() {
        let slots = one();
        let (greedy, other) = (at("2001:db8::1"), at("192.0.2.1"));
        let held = slots.take(Some(&greedy)).await.unwrap();
        let mut waiting: Vec<_> = (1..PLACES_PER_SLOT / 2)
            .map(|_| Box::pin(slots.take(Some(&greedy))))
            .collect();
        for turn in &mut waiting {
            assert!(turn.now_or_never().is_none(), "it waits");
        }
        assert_eq!(at_once(&slots, &at("2001:db8::2")), Some(false), "no place");
        let mut patient = Box::pin(slots.take(Some(&other)));
        assert!((&mut patient).now_or_never().is_none(), "another has a place");
        drop((held, waiting));
        assert!(patient.await.is_some());
    }

    #[tokio::test]
    async fn places_are_given_back() {
        let slots = one();
        for number in 0..PLACES_PER_SLOT * 3 {
            assert_eq!(at_once(&slots, &at(&format!("192.0.2.{}", number % 250))), Some(true));
        }
        let taken = slots.places.lock();
        assert!(taken.all == 0 && taken.by_network.is_empty());
    }

    #[tokio::test]
    async fn when_all_places_are_taken_nobody_waits() {
        let slots = one();
        let visitors: Vec<_> = (0..PLACES_PER_SLOT).map(|number| at(&format!("192.0.2.{number}"))).collect();
        let _held = slots.take(Some(&visitors[0])).await.unwrap();
        let mut turns: Vec<_> = visitors[1..]
            .iter()
            .map(|visitor| Box::pin(slots.take(Some(visitor))))
            .collect();
        for turn in &mut turns {
            assert!(turn.now_or_never().is_none());
        }
        assert_eq!(at_once(&slots, &at("198.51.100.1")), Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_slot_is_counted_and_so_is_who_gets_none() {
        let metrics = crate::metrics::Metrics::default();
        let slots = Slots::new(1, metrics.queue.clone());
        let held = slots.take(None).await.unwrap();
        let waits = tokio::spawn({
            let slots = slots.clone();
            async move { slots.take(None).await.is_some() }
        });
        while slots.queue.waiting.get() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!waits.await.unwrap(), "the clock jumps to the end of the wait");
        assert_eq!((slots.queue.waiting.get(), slots.queue.refused.get()), (0, 1));
        drop(held);
        assert!(slots.take(None).await.is_some());
        assert!(metrics.encode().unwrap().contains("gait_plugin_wait_seconds_count 3\n"));
    }
}
