//! The build planner of the demo world: classes with their starter builds, what users made of them,
//! and who likes which. A build in three is private, and nobody likes what nobody sees.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::filling::Filling;
use super::{BEGIN_MS, SPAN_MS, World};
use crate::auth::UserId;
use crate::domains::builds::{
    Ability, Build, BuildGraph, BuildRows, Choice, Class, Daevanion, LEVEL_MAX, NewBuild, NewClass,
    Passive, STIGMA_COST, Shortcut, Skill, SkillKind, Skills, Stigma, starter,
};
use crate::storage::StorageError;

const STREAM: u64 = 6;

/// How many users there are for each build.
const USERS_A_BUILD: u32 = 2;

/// The most likes of a build.
const LIKES_MAX: u32 = 12;

const ABILITIES: i64 = 12;
const PASSIVES: i64 = 10;
const STIGMAS: i64 = 8;

/// The levels of a skill that unlock its specialties.
const UNLOCK_LEVELS: [i64; 3] = [8, 12, 16];

const CLASSES: [(&str, &[&str]); 8] = [
    ("Assassin", &["damage", "melee"]),
    ("Chanter", &["melee", "support"]),
    ("Cleric", &["heal", "support"]),
    ("Elementalist", &["damage", "magic"]),
    ("Gladiator", &["damage", "melee"]),
    ("Ranger", &["damage", "ranged"]),
    ("Sorcerer", &["damage", "magic"]),
    ("Templar", &["melee", "tank"]),
];

const PLANS: [&str; 6] = ["Solo", "Arena", "Siege", "Dungeon", "Leveling", "Duel"];

pub(super) async fn fill(filling: &mut Filling<'_>) -> Result<(), StorageError> {
    let world = filling.world;
    let mut random = world.random(STREAM);
    let classes: Vec<Class> = (1..).zip(CLASSES).map(|(id, class)| class_of(id, class)).collect();
    filling
        .part("classes", classes.len() as u32, async |connection, _| {
            let starters: Vec<Build> =
                classes.iter().map(|class| starter(class, class.head.id, BEGIN_MS)).collect();
            BuildRows::insert_classes(connection, &classes).await?;
            BuildRows::insert(connection, &starters).await
        })
        .await?;
    let mut public: Vec<Build> = Vec::new();
    filling
        .part("builds", world.users / USERS_A_BUILD, async |connection, ids| {
            let made: Vec<Build> =
                ids.iter().map(|id| build(world, *id, &classes, &mut random)).collect();
            public.extend(made.iter().filter(|build| !build.head.private).cloned());
            BuildRows::insert(connection, &made).await
        })
        .await?;
    let likes: Vec<(i64, UserId, i64)> =
        public.iter().flat_map(|build| likes(world, build, &mut random)).collect();
    filling
        .part("likes", likes.len() as u32, async |connection, ids| {
            let first = ids.first().map_or(0, |id| *id as usize - 1);
            BuildRows::insert_likes(connection, &likes[first..first + ids.len()]).await
        })
        .await?;
    BuildRows::settle_likes(filling.connection).await
}

fn class_of(id: i64, (name, tags): (&str, &[&str])) -> Class {
    let picture = |what: &str| format!("/images/classes/{}-{what}.webp", name.to_lowercase());
    let new = NewClass {
        description: format!("The {name}: {}.", tags.join(" and ")),
        icon: picture("icon"),
        banner: picture("banner"),
        character_image: picture("character"),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        skills: Skills {
            abilities: (1..=ABILITIES).map(|id| skill(name, "Ability", id, ABILITIES)).collect(),
            passives: (1..=PASSIVES).map(|id| passive(name, id)).collect(),
            stigmas: (1..=STIGMAS).map(|id| skill(name, "Stigma", id, STIGMAS)).collect(),
        },
    };
    new.named(id, name.to_owned())
}

/// A skill with specialties, after which the next one of `all` can follow.
fn skill(class: &str, kind: &str, id: i64, all: i64) -> Skill {
    let choice = |(place, unlock_level): (i64, i64)| Choice {
        id: id * 10 + place,
        description: format!("Specialty {place} of {kind} {id}."),
        unlock_level,
    };
    Skill {
        name: format!("{class} {kind} {id}"),
        description: format!("What a {class} does with {kind} {id}."),
        icon: format!("/images/skills/{}-{id}.webp", kind.to_lowercase()),
        choices: (1..).zip(UNLOCK_LEVELS).map(choice).collect(),
        chains: vec![id % all + 1],
        ..passive(class, id)
    }
}

fn passive(class: &str, id: i64) -> Skill {
    Skill {
        id,
        name: format!("{class} Passive {id}"),
        description: format!("What a {class} has with Passive {id}."),
        icon: format!("/images/skills/passive-{id}.webp"),
        max_level: LEVEL_MAX,
        choices: Vec::new(),
        chains: Vec::new(),
    }
}

/// A build; the numbers before it are those of the starter builds.
fn build(world: World, number: i64, classes: &[Class], random: &mut ChaCha8Rng) -> Build {
    let class = &classes[random.random_range(0..classes.len() as u32) as usize];
    let plan = PLANS[random.random_range(0..PLANS.len() as u32) as usize];
    let owner = world.frequent_user(random);
    let new = NewBuild {
        name: format!("{plan} {} {number}", class.head.name),
        class_id: class.head.id,
        private: random.random_ratio(1, 3),
        base_sp: 231,
        extra_sp: random.random_range(0..=20),
        base_stp: 40,
        extra_stp: random.random_range(0..=5),
        graph: graph(random),
    };
    let at_ms = BEGIN_MS + number * SPAN_MS / 2 / i64::from(world.users);
    new.of(owner, number + classes.len() as i64, at_ms)
}

fn graph(random: &mut ChaCha8Rng) -> BuildGraph {
    let mut level = || random.random_range(1..=LEVEL_MAX);
    let abilities = (1..=4).map(|ability_id| {
        let level = level();
        let open = (1..).zip(UNLOCK_LEVELS).filter(|(_, unlock)| *unlock <= level);
        let choices = open.map(|(place, _)| ability_id * 10 + place).collect();
        let chains = vec![ability_id + 1];
        Ability { ability_id, level, max_level: LEVEL_MAX, choices, chains }
    });
    let abilities = abilities.collect();
    let passive = |passive_id| Passive { passive_id, level: level(), max_level: LEVEL_MAX };
    let passives = (1..=3).map(passive).collect();
    let stigma = |stigma_id| Stigma {
        stigma_id,
        level: level(),
        max_level: LEVEL_MAX,
        cost: STIGMA_COST,
        choices: Vec::new(),
        chains: Vec::new(),
    };
    let stigmas = (1..=2).map(stigma).collect();
    let nodes = random.random_range(1..=6);
    let shortcut = |slot, kind, label: Option<&str>| Shortcut {
        slot,
        kind,
        skill_id: 1,
        label: label.map(str::to_owned),
    };
    BuildGraph {
        abilities,
        passives,
        stigmas,
        daevanion: Daevanion { nezekan: (1..=nodes).collect(), ..Daevanion::default() },
        shortcuts: vec![
            shortcut(1, SkillKind::Ability, Some("Opener")),
            shortcut(2, SkillKind::Stigma, None),
        ],
    }
}

/// Neighbours like a build one after the other, so that no user likes it twice.
fn likes(world: World, build: &Build, random: &mut ChaCha8Rng) -> Vec<(i64, UserId, i64)> {
    let count = random.random_range(0..=LIKES_MAX.min(world.users));
    let first = random.random_range(0..world.users);
    let like = |place: u32| {
        let user = UserId(i64::from((first + place) % world.users) + 1);
        (build.head.id, user, BEGIN_MS + SPAN_MS / 2 + i64::from(place) * 60_000 + build.head.id)
    };
    (0..count).map(like).collect()
}
