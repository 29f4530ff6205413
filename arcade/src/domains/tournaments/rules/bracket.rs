//! Decides who meets whom first.

/// Two seeds of the first round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pairing {
    /// The better seed, from 1.
    pub(crate) better: usize,
    /// The other one; without one it is a bye.
    pub(crate) other: Option<usize>,
}

/// The first round of `players` seeds: the two best can meet in the last round only, the four best
/// not before the round of four. Where places stay empty, the best seeds have the byes. Both
/// formats begin alike; they part where the first losers play on.
pub(crate) fn first_round(players: usize) -> Vec<Pairing> {
    if players < 2 {
        return Vec::new();
    }
    let mut order = vec![1];
    while order.len() < players {
        // Twice the places: next to each seed comes the one that completes the new sum.
        let sum = order.len() * 2 + 1;
        order = order.into_iter().flat_map(|seed| [seed, sum - seed]).collect();
    }
    let pairing = |pair: &[usize]| {
        let (better, other) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        Pairing { better, other: (other <= players).then_some(other) }
    };
    order.chunks_exact(2).map(pairing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(players: usize) -> Vec<(usize, Option<usize>)> {
        first_round(players).into_iter().map(|pairing| (pairing.better, pairing.other)).collect()
    }

    #[test]
    fn the_best_seeds_meet_as_late_as_they_can() {
        assert_eq!(seeds(2), [(1, Some(2))]);
        assert_eq!(seeds(4), [(1, Some(4)), (2, Some(3))]);
        assert_eq!(seeds(8), [(1, Some(8)), (4, Some(5)), (2, Some(7)), (3, Some(6))]);
    }

    #[test]
    fn the_best_seeds_have_the_byes() {
        assert_eq!(seeds(3), [(1, None), (2, Some(3))]);
        assert_eq!(seeds(5), [(1, None), (4, Some(5)), (2, None), (3, None)]);
    }

    #[test]
    fn every_seed_plays_once_whatever_the_number() {
        for players in 2..=256 {
            let round = first_round(players);
            let mut seen: Vec<usize> = round
                .iter()
                .flat_map(|pairing| [Some(pairing.better), pairing.other])
                .flatten()
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, (1..=players).collect::<Vec<_>>());
            assert_eq!(round.len(), players.next_power_of_two() / 2);
        }
    }
}
