//! Sets of UIDs as commands name them (RFC 9051, `sequence-set`).

use std::fmt;

/// Longest set in one command: with the rest of the command it stays below 8,000 bytes,
/// which servers take (RFC 7162, section 4, has 8,192).
const LONGEST: usize = 7_000;

/// UIDs in ascending order. Ranges cover nothing that was not put in, so a set may name
/// mails to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UidSet {
    /// First and last; apart from each other, ascending.
    ranges: Vec<(u32, u32)>,
    /// The last range was asked for without an end. Only then it may be written with `*`,
    /// which names the newest mail whatever its UID is.
    open: bool,
}

impl UidSet {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn contains(&self, uid: u32) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= uid);
        let range = after.checked_sub(1).and_then(|at| self.ranges.get(at));
        range.is_some_and(|(_, last)| uid <= *last)
    }

    /// How many UIDs it names; `7:*` counts to the highest there can be.
    pub(super) fn len(&self) -> u64 {
        let span = |(first, last): &(u32, u32)| u64::from(*last) - u64::from(*first) + 1;
        self.ranges.iter().map(span).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// This set and the UIDs from `first` on.
    pub(super) fn and_from(mut self, first: u32) -> Self {
        self.ranges.retain(|(begin, _)| *begin < first);
        if let Some((_, last)) = self.ranges.last_mut() {
            *last = (*last).min(first.saturating_sub(1));
        }
        self.open = true;
        match self.ranges.last_mut() {
            Some((_, last)) if last.saturating_add(1) == first => *last = u32::MAX,
            _ => self.ranges.push((first, u32::MAX)),
        }
        self
    }

    /// Cut into sets that are short enough for one command each.
    pub(super) fn commands(&self) -> Vec<Self> {
        let mut sets = Vec::new();
        let mut set = Self::default();
        let mut length = 0;
        for &range in &self.ranges {
            let text = written(range, false).len() + 1;
            if length + text > LONGEST && !set.is_empty() {
                sets.push(std::mem::take(&mut set));
                length = 0;
            }
            set.ranges.push(range);
            length += text;
        }
        if !set.is_empty() {
            set.open = self.open;
            sets.push(set);
        }
        sets
    }

    /// Both halves, if there is more than one UID.
    pub(super) fn halves(&self) -> Option<(Self, Self)> {
        let half = usize::try_from(self.len() / 2).ok().filter(|n| *n > 0)?;
        Some((
            self.iter().take(half).collect(),
            self.iter().skip(half).collect(),
        ))
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        let mut uids: Vec<u32> = uids.into_iter().collect();
        uids.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in uids {
            match ranges.last_mut() {
                Some((_, last)) if uid <= last.saturating_add(1) => *last = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        Self {
            ranges,
            open: false,
        }
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let last = index + 1 == self.ranges.len();
            f.write_str(&written(*range, self.open && last))?;
        }
        Ok(())
    }
}

fn written((first, last): (u32, u32), open: bool) -> String {
    if open {
        format!("{first}:*")
    } else if first == last {
        first.to_string()
    } else {
        format!("{first}:{last}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(uids: &[u32]) -> UidSet {
        uids.iter().copied().collect()
    }

    #[test]
    fn only_what_was_put_in_is_covered() {
        let uids = set(&[9, 3, 4, 5, 11, 3]);
        assert_eq!(uids.to_string(), "3:5,9,11");
        assert_eq!(uids.len(), 5);
        assert!(!uids.contains(10) && uids.contains(11) && !uids.contains(2));
    }

    #[test]
    fn an_open_end_swallows_what_it_covers() {
        assert_eq!(set(&[2, 5, 6]).and_from(7).to_string(), "2,5:*");
        assert_eq!(set(&[2, 9, 20]).and_from(7).to_string(), "2,7:*");
        assert_eq!(set(&[]).and_from(1).to_string(), "1:*");
        assert!(set(&[]).and_from(7).contains(u32::MAX));
    }

    #[test]
    fn the_highest_uid_is_no_open_end() {
        let set = set(&[u32::MAX - 1, u32::MAX]);
        assert_eq!(set.to_string(), "4294967294:4294967295");
        assert_eq!(set.commands(), std::slice::from_ref(&set));
        assert_eq!(set.and_from(u32::MAX).to_string(), "4294967294:*");
    }

    #[test]
    fn two_thousand_scattered_uids_need_two_commands() {
        let scattered: UidSet = (0..2000).map(|n| 10_000 + 2 * n).collect();
        let commands = scattered.commands();
        assert_eq!(commands.len(), 2);
        assert!(commands.iter().all(|set| set.to_string().len() <= LONGEST));
        let again: Vec<u32> = commands.iter().flat_map(UidSet::iter).collect();
        assert_eq!(again, scattered.iter().collect::<Vec<_>>());
    }

    #[test]
    fn halves_end() {
        let (low, high) = set(&[1, 2, 3]).halves().unwrap();
        assert_eq!(
            (low.to_string(), high.to_string()),
            ("1".into(), "2:3".into())
        );
        assert_eq!(set(&[5]).halves(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_set_holds_exactly_its_uids(uids in prop::collection::vec(1..300_u32, 0..80)) {
            let set: UidSet = uids.iter().copied().collect();
            for uid in 0..310 {
                prop_assert_eq!(set.contains(uid), uids.contains(&uid));
            }
        }
    }
}
