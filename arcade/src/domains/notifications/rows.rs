//! The SQL of notifications. Every statement names the user, so none can reach another's rows.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::model::{Notification, NotificationPage, UnreadCount};
use crate::auth::UserId;
use crate::http::Page;
use crate::storage::{StorageError, Store};

/// Counts and items come from one statement: two would each see the database at another moment.
const PAGE: &str = "
    SELECT counts.total, counts.unread, n.id, n.kind, n.title, n.message, n.payload, n.priority,
           n.created_at_ms, n.read_at_ms
    FROM (SELECT COUNT(*) AS total, COUNT(*) - COUNT(read_at_ms) AS unread
          FROM notifications WHERE user_id = $1) AS counts
    LEFT JOIN (SELECT * FROM notifications WHERE user_id = $1
               ORDER BY created_at_ms DESC, id DESC LIMIT $2 OFFSET $3) AS n ON 1 = 1
    ORDER BY n.created_at_ms DESC, n.id DESC";

const UNREAD: &str = "
    SELECT COUNT(*) AS unread FROM notifications WHERE user_id = $1 AND read_at_ms IS NULL";

/// The first time of reading stays.
const READ: &str = "
    UPDATE notifications SET read_at_ms = COALESCE(read_at_ms, $3)
    WHERE id = $1 AND user_id = $2
    RETURNING id, kind, title, message, payload, priority, created_at_ms, read_at_ms";

const READ_ALL: &str = "
    UPDATE notifications SET read_at_ms = $2 WHERE user_id = $1 AND read_at_ms IS NULL";

const DELETE: &str = "DELETE FROM notifications WHERE id = $1 AND user_id = $2";

/// The notifications in the database.
#[derive(Debug, Clone)]
pub struct NotificationRows {
    store: Store,
}

/// A notification to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Whose it is.
    pub user: UserId,
    /// The notification.
    pub notification: Notification,
}

impl NotificationRows {
    /// The notifications in `store`.
    pub fn new(store: Store) -> Self {
        NotificationRows { store }
    }

    pub(super) async fn page(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<NotificationPage, StorageError> {
        let rows = sqlx::query(PAGE)
            .bind(user.0)
            .bind(i64::from(page.limit))
            .bind(page.skipped())
            .fetch_all(self.store.pool())
            .await?;
        let (total, unread) = match rows.first() {
            Some(row) => (count(row, "total")?, count(row, "unread")?),
            None => (0, 0),
        };
        let on_page = rows.iter().filter_map(|row| match row.try_get::<Option<i64>, _>("id") {
            Ok(None) => None,
            Ok(Some(_)) => Some(notification(row)),
            Err(fault) => Some(Err(fault)),
        });
        Ok(NotificationPage {
            items: on_page.collect::<Result<_, _>>()?,
            total,
            unread,
            page: page.number,
            limit: page.limit,
            pages: total.div_ceil(u64::from(page.limit)),
        })
    }

    pub(super) async fn unread_count(&self, user: UserId) -> Result<UnreadCount, StorageError> {
        let row = sqlx::query(UNREAD).bind(user.0).fetch_one(self.store.pool()).await?;
        Ok(UnreadCount { unread: count(&row, "unread")? })
    }

    /// Marks one as read. `None` if the user has no such notification.
    pub(super) async fn read(
        connection: &mut AnyConnection,
        user: UserId,
        id: i64,
        now_ms: i64,
    ) -> Result<Option<Notification>, StorageError> {
        let statement = sqlx::query(READ).bind(id).bind(user.0).bind(now_ms);
        let row = statement.fetch_optional(connection).await?;
        Ok(row.as_ref().map(notification).transpose()?)
    }

    /// Marks all as read and gives how many were unread.
    pub(super) async fn read_all(
        connection: &mut AnyConnection,
        user: UserId,
        now_ms: i64,
    ) -> Result<u64, StorageError> {
        let statement = sqlx::query(READ_ALL).bind(user.0).bind(now_ms);
        Ok(statement.execute(connection).await?.rows_affected())
    }

    /// Removes one and gives how many went: one or none.
    pub(super) async fn delete(
        connection: &mut AnyConnection,
        user: UserId,
        id: i64,
    ) -> Result<u64, StorageError> {
        let statement = sqlx::query(DELETE).bind(id).bind(user.0);
        Ok(statement.execute(connection).await?.rows_affected())
    }

    /// Writes `new` with one statement.
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        new: &[NewNotification],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO notifications (id, user_id, kind, title, message, payload, priority, \
             created_at_ms, read_at_ms) VALUES {}",
            crate::storage::placeholders(new.len(), 9)
        );
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for NewNotification { user, notification } in new {
            let payload = serde_json::to_string(&notification.payload)
                .map_err(|fault| sqlx::Error::Encode(fault.into()))?;
            statement = statement
                .bind(notification.id)
                .bind(user.0)
                .bind(notification.kind.as_str())
                .bind(notification.title.as_str())
                .bind(notification.message.as_str())
                .bind(payload)
                .bind(notification.priority.as_str())
                .bind(notification.created_at_ms)
                .bind(notification.read_at_ms);
        }
        statement.execute(connection).await?;
        Ok(())
    }
}

fn count(row: &AnyRow, column: &str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    Ok(number.unsigned_abs())
}

fn notification(row: &AnyRow) -> Result<Notification, sqlx::Error> {
    let payload: String = row.try_get("payload")?;
    let payload: BTreeMap<String, String> = serde_json::from_str(&payload).map_err(|fault| {
        sqlx::Error::ColumnDecode { index: "payload".to_owned(), source: fault.into() }
    })?;
    let read_at_ms: Option<i64> = row.try_get("read_at_ms")?;
    Ok(Notification {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        title: row.try_get("title")?,
        message: row.try_get("message")?,
        payload,
        priority: row.try_get("priority")?,
        read: read_at_ms.is_some(),
        read_at_ms,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}
