//! Bytes that may be wanted once more in a session, within a bound.

use std::collections::{HashMap, VecDeque};

/// What an entry counts for beyond its bytes.
const OVERHEAD: usize = 64;

/// Keeps bytes by the numbers of mails; when they become too many, the oldest go.
#[derive(Debug, Default)]
pub(super) struct Cache {
    bound: usize,
    held: usize,
    bytes: HashMap<u32, (u64, Vec<u8>)>,
    /// Numbers and the ticks at which they were put in. Those that are gone may still be here.
    order: VecDeque<(u32, u64)>,
    ticks: u64,
}

impl Cache {
    /// A cache of no more than so many bytes.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            ..Self::default()
        }
    }

    /// Keeps these bytes, unless they alone are too many.
    pub(super) fn put(&mut self, number: u32, mut bytes: Vec<u8>) {
        self.take(number);
        if bytes.len() + OVERHEAD > self.bound {
            return;
        }
        bytes.shrink_to_fit();
        self.ticks += 1;
        self.held += bytes.len() + OVERHEAD;
        self.bytes.insert(number, (self.ticks, bytes));
        self.order.push_back((number, self.ticks));
        while self.held > self.bound
            && let Some((oldest, tick)) = self.order.pop_front()
        {
            if self.bytes.get(&oldest).is_some_and(|(own, _)| *own == tick) {
                self.take(oldest);
            }
        }
    }

    /// Hands the bytes out for good, if they are still here.
    pub(super) fn take(&mut self, number: u32) -> Option<Vec<u8>> {
        let (_, bytes) = self.bytes.remove(&number)?;
        self.held -= bytes.len() + OVERHEAD;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(numbers: &[u32]) -> Cache {
        let mut cache = Cache::new(3 * (10 + OVERHEAD));
        for number in numbers {
            cache.put(*number, vec![u8::try_from(*number).unwrap(); 10]);
        }
        cache
    }

    #[test]
    fn the_oldest_go_first() {
        let left = |mut cache: Cache| -> Vec<u32> {
            (0..10)
                .filter(|number| cache.take(*number).is_some())
                .collect()
        };
        assert_eq!(left(filled(&[1, 2, 3])), [1, 2, 3]);
        assert_eq!(left(filled(&[1, 2, 3, 4])), [2, 3, 4]);
        assert_eq!(
            left(filled(&[1, 2, 3, 1, 4])),
            [1, 3, 4],
            "1 was put in again"
        );
        let mut cache = filled(&[1, 2, 3]);
        assert_eq!(cache.take(2), Some(vec![2; 10]));
        assert_eq!(cache.take(2), None);
        cache.put(4, vec![0; 10]);
        cache.put(5, vec![0; 10_000]);
        assert_eq!(cache.held, 3 * (10 + OVERHEAD));
        assert_eq!(left(cache), [1, 3, 4]);
    }
}
