//! The words of the demo world. Their order is part of it: a change changes every demo.

use rand::Rng;

/// What can happen to a user.
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) priority: &'static str,
    pub(super) title: &'static str,
    pub(super) message: &'static str,
}

const fn event(
    kind: &'static str,
    priority: &'static str,
    title: &'static str,
    message: &'static str,
) -> Event {
    Event { kind, priority, title, message }
}

const EVENTS: [Event; 20] = [
    event("match_invite", "high", "You are challenged", "{other} wants to play a match."),
    event("match_won", "normal", "You won", "You won your match against {other}."),
    event("match_lost", "normal", "You lost", "{other} won your match."),
    event("tournament_invite", "high", "Tournament invitation", "{other} invites you."),
    event("tournament_started", "high", "Your tournament begins", "{other} is your first opponent."),
    event("tournament_won", "normal", "Tournament won", "You beat {other} in the final."),
    event("tournament_cancelled", "high", "Tournament cancelled", "{other} called it off."),
    event("friend_request", "normal", "Friend request", "{other} wants to be your friend."),
    event("friend_accepted", "low", "New friend", "{other} accepted your request."),
    event("message_received", "normal", "New message", "{other} wrote to you."),
    event("item_sold", "normal", "Item sold", "{other} bought your item."),
    event("item_bought", "low", "Item bought", "{other} sold you an item."),
    event("offer_received", "normal", "New offer", "{other} made you an offer."),
    event("clan_invite", "normal", "Clan invitation", "{other} invites you to a clan."),
    event("clan_promoted", "low", "Promotion", "{other} promoted you in your clan."),
    event("dojo_captured", "high", "Dojo captured", "{other} captured your dojo."),
    event("dojo_defended", "normal", "Dojo defended", "You held your dojo against {other}."),
    event("achievement", "low", "Achievement", "You reached the mark that {other} set."),
    event("level_up", "low", "New level", "You are level with {other} now."),
    event("maintenance", "high", "Maintenance", "Your match with {other} is put off."),
];

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Bela", "Chen", "Dana", "Emil", "Fatou", "Grace", "Hugo", "Ines", "Jonas", "Kim", "Lena",
    "Mika", "Noor", "Otto", "Priya",
];

const LAST_NAMES: [&str; 16] = [
    "Abe", "Berg", "Costa", "Diaz", "Eriks", "Fox", "Gupta", "Hahn", "Ito", "Jansen", "Kaya",
    "Lopez", "Moreau", "Novak", "Okafor", "Petrov",
];

pub(super) fn event_of(random: &mut impl Rng) -> &'static Event {
    &EVENTS[random.random_range(0..EVENTS.len() as u32) as usize]
}

pub(super) fn name(random: &mut impl Rng) -> String {
    let mut pick = |names: &[&'static str; 16]| names[random.random_range(0..16u32) as usize];
    format!("{} {}", pick(&FIRST_NAMES), pick(&LAST_NAMES))
}

const SEASONS: [&str; 8] =
    ["Winter", "Spring", "Summer", "Autumn", "Friday", "Midnight", "Harbour", "Old Town"];

const CONTESTS: [&str; 6] = ["Open", "Classic", "Cup", "Masters", "Shootout", "Showdown"];

pub(super) fn tournament(random: &mut impl Rng, number: i64) -> String {
    let season = SEASONS[random.random_range(0..SEASONS.len() as u32) as usize];
    let contest = CONTESTS[random.random_range(0..CONTESTS.len() as u32) as usize];
    format!("{season} {contest} {number}")
}
