//! The tournaments of the demo world: the older, the further. Players were invited, so nobody has
//! paid and nothing is ever paid back.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::filling::{Filling, ROWS_PER_STATEMENT};
use super::{BEGIN_MS, SPAN_MS, World, words};
use crate::domains::tournaments::{
    Format, GameType, Match, MatchStatus, NewParticipant, Participant, Status, Tournament,
    TournamentRows, first_round,
};
use crate::storage::{StorageError, numbers};

const STREAM: u64 = 3;

const VENUES: i64 = 20;
const HOUR_MS: i64 = 3_600_000;
const SIZES: [u32; 5] = [4, 8, 8, 16, 32];

/// A race to seven, as pool has it.
const FRAMES_TO_WIN: u32 = 7;

pub(super) async fn fill(filling: &mut Filling<'_>) -> Result<(), StorageError> {
    let world = filling.world;
    let mut drawing = Drawing { world, random: world.random(STREAM), matches: 0 };
    filling
        .part("tournaments", world.tournaments, async |connection, ids| {
            let drawn: Vec<Drawn> = ids.iter().map(|id| drawing.tournament(*id)).collect();
            let tournaments: Vec<Tournament> =
                drawn.iter().map(|drawn| drawn.tournament.clone()).collect();
            TournamentRows::insert(connection, &tournaments).await?;
            let participants: Vec<NewParticipant> =
                drawn.iter().flat_map(|drawn| drawn.participants.clone()).collect();
            for batch in participants.chunks(ROWS_PER_STATEMENT) {
                TournamentRows::insert_participants(connection, batch).await?;
            }
            let matches: Vec<Match> = drawn.into_iter().flat_map(|drawn| drawn.matches).collect();
            for batch in matches.chunks(ROWS_PER_STATEMENT) {
                TournamentRows::insert_matches(connection, batch).await?;
            }
            Ok(())
        })
        .await?;
    // Those that users make get the numbers after these.
    for (name, taken) in [("tournaments", world.tournaments), ("matches", drawing.matches)] {
        numbers::take(filling.connection, name, taken).await?;
    }
    Ok(())
}

struct Drawn {
    tournament: Tournament,
    participants: Vec<NewParticipant>,
    matches: Vec<Match>,
}

struct Drawing {
    world: World,
    random: ChaCha8Rng,
    /// How many matches there are so far.
    matches: u32,
}

impl Drawing {
    fn tournament(&mut self, id: i64) -> Drawn {
        let tournament = self.terms(id);
        let users = match tournament.status {
            Status::Upcoming => Vec::new(),
            Status::Registration => {
                let players = self.random.random_range(0..tournament.max_players);
                self.users(players)
            }
            _ => self.users(tournament.max_players),
        };
        let drawn = matches!(tournament.status, Status::Active | Status::Live | Status::Completed);
        let matches = if drawn { self.played(&tournament, &users) } else { Vec::new() };
        let over = tournament.status == Status::Completed;
        let participant = |(user_id, seed): (i64, u32)| NewParticipant {
            tournament_id: id,
            participant: Participant {
                user_id,
                seed: drawn.then_some(seed),
                final_rank: over.then(|| final_rank(&matches, user_id)),
            },
            paid_minor: 0,
            registered_at_ms: tournament.created_at_ms + i64::from(seed) * 60_000,
        };
        let participants = users.into_iter().zip(1..).map(participant).collect();
        Drawn { tournament, participants, matches }
    }

    fn terms(&mut self, id: i64) -> Tournament {
        let created_at_ms = BEGIN_MS + id * SPAN_MS / i64::from(self.world.tournaments);
        let starts_at_ms = created_at_ms + self.random.random_range(24..=168) * HOUR_MS;
        let status = self.status(id);
        let game_type = self.one_of(&[GameType::EightBall, GameType::NineBall, GameType::TenBall]);
        let sponsored = self.random.random_ratio(1, 5);
        let entry_fee_minor = self.one_of(&[0, 0, 1_000_000, 2_500_000, 5_000_000]);
        let max_players = self.one_of(&SIZES).min(self.world.users.max(2));
        // What the losers of a double elimination play is not drawn, so none is further than that.
        let format = match status {
            Status::Live | Status::Completed => Format::Single,
            _ => self.one_of(&[Format::Single, Format::Single, Format::Double]),
        };
        Tournament {
            id,
            name: words::tournament(&mut self.random, id),
            venue_id: self.random.random_range(1..=VENUES),
            status,
            format,
            game_type,
            starts_at_ms,
            ends_at_ms: starts_at_ms + self.random.random_range(3..=8) * HOUR_MS,
            max_players,
            entry_fee_minor,
            prize_pool_minor: entry_fee_minor * i64::from(max_players),
            rewards: self.one_of(&["", "A cue", "A place in the next league"]).to_owned(),
            sponsored,
            sponsor_name: sponsored.then(|| "Chalk & Co".to_owned()),
            sponsor_banner_url: sponsored.then(|| "https://chalk.example/banner.png".to_owned()),
            created_at_ms,
        }
    }

    /// Of twenty tournaments, in the order of their making: ten over, one called off, two live, two
    /// active, three open, two announced.
    fn status(&mut self, id: i64) -> Status {
        let twentieth = (id - 1) * 20 / i64::from(self.world.tournaments);
        match twentieth {
            5 => Status::Cancelled,
            ..=10 => Status::Completed,
            11..=12 => Status::Live,
            13..=14 => Status::Active,
            15..=17 => Status::Registration,
            _ => Status::Upcoming,
        }
    }

    fn one_of<T: Copy>(&mut self, words: &[T]) -> T {
        words[self.random.random_range(0..words.len() as u32) as usize]
    }

    /// So many different users, or all there are.
    fn users(&mut self, count: u32) -> Vec<i64> {
        let (mut drawn, mut seen) = (Vec::new(), BTreeSet::new());
        while drawn.len() < count.min(self.world.users) as usize {
            let user = i64::from(self.random.random_range(1..=self.world.users));
            if seen.insert(user) {
                drawn.push(user);
            }
        }
        drawn
    }

    /// The matches of a tournament, as far as it is.
    fn played(&mut self, tournament: &Tournament, seeds: &[i64]) -> Vec<Match> {
        let mut matches: Vec<Match> = first_round(seeds.len())
            .into_iter()
            .zip(1..)
            .map(|(pairing, place)| {
                let other = pairing.other.map(|seed| seeds[seed - 1]);
                self.matched(tournament, (1, place), seeds[pairing.better - 1], other)
            })
            .collect();
        let mut round = 1;
        let mut last = matches.clone();
        // One that is live is in its second round, where nobody has won yet.
        while last.len() > 1 && last.iter().all(|one| one.winner.is_some()) {
            round += 1;
            let winners: Vec<i64> = last.iter().filter_map(|one| one.winner).collect();
            let next = winners.chunks_exact(2).zip(1..);
            last = next
                .map(|(pair, place)| self.matched(tournament, (round, place), pair[0], Some(pair[1])))
                .collect();
            matches.extend(last.iter().cloned());
        }
        matches
    }

    fn matched(
        &mut self,
        tournament: &Tournament,
        (round, place): (u32, u32),
        player_a: i64,
        player_b: Option<i64>,
    ) -> Match {
        self.matches += 1;
        let scheduled_at_ms = tournament.starts_at_ms + i64::from(round - 1) * HOUR_MS;
        let status = match (tournament.status, round) {
            _ if player_b.is_none() => MatchStatus::Completed,
            (Status::Active, _) => self.one_of(&[MatchStatus::Scheduled, MatchStatus::Ready]),
            (Status::Live, 2..) => self.one_of(&[MatchStatus::Active, MatchStatus::Paused]),
            _ => MatchStatus::Completed,
        };
        let begun = !matches!(status, MatchStatus::Scheduled | MatchStatus::Ready);
        let over = status == MatchStatus::Completed;
        let a_wins = player_b.is_none() || self.random.random_ratio(3, 5);
        let most = if over { FRAMES_TO_WIN } else { FRAMES_TO_WIN - 1 };
        let less = self.random.random_range(0..FRAMES_TO_WIN);
        let (score_a, score_b) = match (begun && player_b.is_some(), a_wins) {
            (false, _) => (0, 0),
            (true, true) => (most, less),
            (true, false) => (less, most),
        };
        let (winner, loser) =
            if a_wins { (Some(player_a), player_b) } else { (player_b, Some(player_a)) };
        Match {
            id: i64::from(self.matches),
            tournament_id: tournament.id,
            round,
            place,
            player_a,
            player_b,
            score_a,
            score_b,
            winner: winner.filter(|_| over),
            loser: loser.filter(|_| over),
            status,
            wager_minor: self.one_of(&[0, 0, 500_000]),
            table: begun.then(|| self.random.random_range(1..=12)),
            scheduled_at_ms,
            started_at_ms: begun.then_some(scheduled_at_ms),
            ended_at_ms: over.then_some(scheduled_at_ms + HOUR_MS / 2),
        }
    }
}

/// Who lost in the last round is second; those who lost in the one before it are both third.
fn final_rank(matches: &[Match], user: i64) -> u32 {
    let last = matches.iter().map(|one| one.round).max().unwrap_or(0);
    let lost = matches.iter().find(|one| one.loser == Some(user));
    lost.map_or(1, |lost| (1 << (last - lost.round)) + 1)
}
