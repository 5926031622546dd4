//! One look at the running day for all who ask at about the same time.

use super::{Http, ask_engine, look};
use crate::budget::MonthSoFar;
use crate::standing::Present;
use crate::watch::{Closely, Picture, Watch, see, see_closely};
use quoteclock_rules::DayPlan;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// For so long a look is as good as new.
const FRESH_FOR: Duration = Duration::from_millis(100);
/// How often it is asked whether the stored days are others.
const MONTH_AFTER: Duration = Duration::from_secs(5);

/// What has been seen, and when.
#[derive(Default)]
pub(crate) struct Looking(tokio::sync::Mutex<Looked>);

#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    watch: Watch,
    picture: Option<Arc<Picture>>,
    month: Option<Arc<MonthSoFar>>,
    month_key: Option<MonthKey>,
    month_asked: Option<Instant>,
}

/// What the month was read of.
#[derive(Clone, PartialEq, Eq)]
struct MonthKey {
    registries: u64,
    written: Vec<Option<SystemTime>>,
}

impl Looking {
    /// How everything stands; `None` if no day runs.
    pub(crate) async fn now(&self, shown: &Arc<Http>) -> Option<Present> {
        let mut looked = self.0.lock().await;
        if looked.at.is_none_or(|at| FRESH_FOR <= at.elapsed()) {
            let mark = looked.watch.mark();
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let seen = match ask_engine(shown, see(mark, sender)).await {
                Some(()) => receiver.await.ok().flatten(),
                None => None,
            };
            looked.at = Some(Instant::now());
            looked.picture = seen.map(|seen| Arc::new(looked.watch.add(seen)));
        }
        let picture = Arc::clone(looked.picture.as_ref()?);
        looked.see_to_month(shown, &picture.plan).await;
        let month = looked.month.clone().filter(|month| month.is_of(&picture.plan));
        Some(Present { picture, month })
    }

    /// However short ago the last look was, the next is a new one.
    #[cfg(test)]
    pub(crate) async fn is_stale(&self) {
        self.0.lock().await.at = None;
    }

    /// The same, and one sign-up closely; `None` if it is not measured.
    pub(crate) async fn closely(
        &self,
        shown: &Arc<Http>,
        market_maker: &str,
        issue: &str,
    ) -> Option<(Present, Closely)> {
        let present = self.now(shown).await?;
        let looked = self.0.lock().await;
        let known = looked.watch.known(market_maker, issue)?;
        let closely = look(shown, move |day, _| see_closely(day, known)).await.flatten()?;
        Some((present, closely))
    }
}

impl Looked {
    /// Reads the month where the registry or the stored days are others than when it was read.
    async fn see_to_month(&mut self, shown: &Arc<Http>, plan: &Arc<DayPlan>) {
        let is_of_day = self.month.as_ref().is_some_and(|month| month.is_of(plan));
        let registries = shown.desk.registries();
        let same_registry = self.month_key.as_ref().is_some_and(|key| key.registries == registries);
        let is_recent = self.month_asked.is_some_and(|asked| asked.elapsed() < MONTH_AFTER);
        if is_recent && same_registry && (is_of_day || self.month.is_none()) {
            return;
        }
        self.month_asked = Some(Instant::now());
        let (db, desk, plan) = (shown.db.clone(), Arc::clone(&shown.desk), Arc::clone(plan));
        let known = self.month_key.clone().filter(|_| is_of_day);
        let read = move || {
            let written = ["", "-wal"].map(|ending| {
                let mut name = db.file.clone().into_os_string();
                name.push(ending);
                std::fs::metadata(name).and_then(|file| file.modified()).ok()
            });
            let key = MonthKey { registries, written: written.to_vec() };
            if known.as_ref() == Some(&key) {
                return None;
            }
            Some((key, MonthSoFar::read(&db, &desk.registry(), &plan)))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Some((key, Ok(month)))) => (self.month_key, self.month) = (Some(key), Some(Arc::new(month))),
            Ok(Some((key, Err(error)))) => {
                tracing::error!(error = %format!("{error:#}"), "reading the month of the running day");
                (self.month_key, self.month) = (Some(key), None);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "reading the month of the running day"),
        }
    }
}
