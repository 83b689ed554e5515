//! Cutting what is fetched into batches that memory can hold.

/// How many bytes one batch may announce; a single mail may be longer.
pub(super) const BATCH: u64 = 16 * 1024 * 1024;

/// What a batch may hold beyond what was announced: servers count line ends and cached
/// sizes differently.
pub(super) const SLACK: u64 = BATCH;

/// Cuts a list so that each batch announces at most 16 MiB or is a single item.
pub(super) fn cut<T>(items: Vec<T>, size: impl Fn(&T) -> u64) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut announced = 0_u64;
    for item in items {
        let own = size(&item);
        announced = announced.saturating_add(own);
        match batches.last_mut() {
            Some(batch) if announced <= BATCH => batch.push(item),
            _ => {
                batches.push(vec![item]);
                announced = own;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_stay_below_the_bound_or_hold_one_item() {
        let cut = cut(
            vec![BATCH / 2, BATCH / 2, 1, BATCH * 3, 5, u64::MAX, 0],
            |n| *n,
        );
        assert_eq!(
            cut,
            [
                vec![BATCH / 2, BATCH / 2],
                vec![1],
                vec![BATCH * 3],
                vec![5],
                vec![u64::MAX],
                vec![0]
            ]
        );
        assert!(super::cut(Vec::<u64>::new(), |n| *n).is_empty());
    }
}
