//! Notices between the nodes that share a Postgres database (LISTEN, NOTIFY).

use super::row::fail;
use super::{Database, Engine};
use gait_core::store::Result;
use sqlx::postgres::PgListener;

const CHANNEL: &str = "gait_changed";

/// What other nodes tell, until the connection breaks.
pub struct Notices(PgListener);

impl Notices {
    /// The next notice; none when the connection broke, and notices may be lost.
    pub async fn next(&mut self) -> Option<String> {
        let notice = self.0.try_recv().await.ok()??;
        Some(notice.payload().to_owned())
    }
}

impl Database {
    /// Tells every node that listens, this one too. On SQLite there is no other.
    ///
    /// # Errors
    /// The database is away.
    pub async fn notify(&self, text: &str) -> Result<()> {
        if let Engine::Postgres { .. } = self.engine {
            let mut db = self.write().await?;
            let notify = db.sql("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text);
            notify.fetch_optional().await?;
        }
        Ok(())
    }

    /// Listens from now on. `None` on SQLite, where nobody tells anything.
    ///
    /// # Errors
    /// The database is away.
    pub async fn listen(&self) -> Result<Option<Notices>> {
        let Engine::Postgres { listening, .. } = &self.engine else {
            return Ok(None);
        };
        let mut listener = PgListener::connect_with(listening).await.map_err(fail)?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await.map_err(fail)?;
        Ok(Some(Notices(listener)))
    }
}
