//! Decides what `arcade doctor` asks, and in which order: one part that is dead keeps no other from being
//! looked at.

use arcade::doctor::{self, Finding, Grade};
use arcade::journal::Journals;
use arcade::settings::{RedisMode, Settings};
use arcade::shared_tier::SharedTier;
use arcade::wall;
use larder::behind::JournalError;

use crate::greeting::tell;
use crate::opened;

/// Prints every finding; one that is bad fails the command.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut told = Told::default();
    told.tell(of_database(&settings).await)?;
    told.tell(of_journal(&settings).await)?;
    look_at_redis(&settings, &mut told).await?;
    anyhow::ensure!(told.bad == 0, "{} findings are bad", told.bad);
    Ok(())
}

/// What was printed.
#[derive(Default)]
struct Told {
    bad: usize,
}

impl Told {
    fn tell(&mut self, finding: Finding) -> anyhow::Result<()> {
        self.bad += usize::from(finding.grade == Grade::Bad);
        tell(finding)
    }
}

async fn of_database(settings: &Settings) -> Finding {
    let asking = async {
        let store = opened(settings).await?;
        let answer = store.ping().await;
        store.close().await;
        anyhow::Ok(answer?)
    };
    match asking.await {
        Ok(()) => doctor::good("database", "it answers"),
        Err(error) => doctor::bad("database", format!("{error:#}")),
    }
}

/// Whether acknowledged writes are kept where they are to be; in Redis, whether its user may do that, and it keeps
/// what it confirms.
async fn of_journal(settings: &Settings) -> Finding {
    let journals = Journals::of(settings);
    let bad = |error: JournalError| doctor::bad("journal", format!("{journals}: {error}"));
    match journals.missing_rights().await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => return doctor::rights("journal", &missing),
        Err(error) => return bad(error),
    }
    match journals.check().await {
        Ok(()) => doctor::good("journal", &journals.to_string()),
        Err(error) => bad(error),
    }
}

async fn look_at_redis(settings: &Settings, told: &mut Told) -> anyhow::Result<()> {
    let tier = match SharedTier::open(&settings.redis) {
        Ok(tier) => tier,
        Err(error) => return told.tell(doctor::bad("redis", error.to_string())),
    };
    if tier.mode() == RedisMode::Off {
        return told.tell(doctor::good("redis", "off: the cache is this process's own"));
    }
    // First: whoever lacks a right may not be able to join.
    match tier.missing_rights().await {
        Ok(missing) => told.tell(doctor::rights("cache", &missing))?,
        Err(error) => return told.tell(doctor::bad("redis", error.to_string())),
    }
    told.tell(match tier.joined().await {
        Ok(joined) => doctor::parameters(&joined),
        Err(error) => doctor::bad("redis", error.to_string()),
    })?;
    let reports = match tier.reports().await {
        Ok(reports) => reports,
        Err(error) => return told.tell(doctor::bad("redis", error.to_string())),
    };
    let now_ms = u64::try_from(wall::now_ms()).unwrap_or(0);
    let mut findings = reports.iter().flat_map(|report| doctor::findings(report, now_ms));
    findings.try_for_each(|finding| told.tell(finding))?;
    told.tell(match tier.count_keys().await {
        Ok(count) => doctor::keys(count, settings.redis.values_max),
        Err(error) => doctor::bad("keys", error.to_string()),
    })
}
