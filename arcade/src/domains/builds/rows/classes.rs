//! Classes with their tags. A class is found by its name in any case.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::BuildRows;
use crate::domains::builds::model::{Class, ClassHead, ClassList, Skills, TagList};
use crate::storage::{StorageError, as_json, from_json, placeholders};

/// A row for each tag of a class, or one without.
macro_rules! classes {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT c.id, c.name, c.description, c.icon, c.banner, c.character_image, ",
            $more,
            "t.tag FROM classes AS c LEFT JOIN classes_tagged AS t ON t.class_id = c.id ",
            $rest
        )
    };
}

const ALL: &str = classes!("", "ORDER BY c.name_lower");

const ONE: &str = classes!("c.skills, ", "WHERE c.name_lower = $1");

const SKILLS: &str = "SELECT skills FROM classes WHERE id = $1";

/// Locks the row, if there is one: two who make the same class meet at its unique name.
const NUMBER: &str = "UPDATE classes SET name_lower = name_lower WHERE name_lower = $1 RETURNING id";

const CHANGE: &str = "
    UPDATE classes SET name = $2, description = $3, icon = $4, banner = $5, character_image = $6,
        skills = $7
    WHERE id = $1";

const UNTAG: &str = "DELETE FROM classes_tagged WHERE class_id = $1";

/// One tag for each name, whoever names it first.
const TAG: &str = "INSERT INTO class_tags (name) VALUES ($1) ON CONFLICT DO NOTHING";

const TAGGED: &str = "INSERT INTO classes_tagged (class_id, tag) VALUES ($1, $2)";

impl BuildRows {
    /// Every class, in the order of their names.
    pub(in crate::domains::builds) async fn classes(&self) -> Result<ClassList, StorageError> {
        let rows = sqlx::query(ALL).fetch_all(self.store.pool()).await?;
        let mut classes: Vec<ClassHead> = Vec::new();
        for row in &rows {
            let one = head(row)?;
            match classes.last_mut().filter(|last| last.id == one.id) {
                Some(last) => last.tags.extend(one.tags),
                None => classes.push(one),
            }
        }
        // The databases do not agree on the order of words.
        classes.iter_mut().for_each(|class| class.tags.sort_unstable());
        Ok(ClassList { classes })
    }

    /// The class of this name, which is in lower case.
    pub(in crate::domains::builds) async fn class(
        &self,
        name_lower: &str,
    ) -> Result<Option<Class>, StorageError> {
        let rows = sqlx::query(ONE).bind(name_lower).fetch_all(self.store.pool()).await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let skills = from_json(first, "skills")?;
        let heads: Vec<ClassHead> = rows.iter().map(head).collect::<Result<_, _>>()?;
        let mut tags: Vec<String> = heads.iter().flat_map(|head| head.tags.clone()).collect();
        tags.sort_unstable();
        Ok(heads.into_iter().next().map(|head| Class { head: ClassHead { tags, ..head }, skills }))
    }

    /// The tags of the class of this name, which is in lower case.
    pub(in crate::domains::builds) async fn tags(
        &self,
        name_lower: &str,
    ) -> Result<Option<TagList>, StorageError> {
        Ok(self.class(name_lower).await?.map(|class| TagList { tags: class.head.tags }))
    }

    /// What there is to choose from in the class of this number.
    pub(in crate::domains::builds) async fn skills(
        connection: &mut AnyConnection,
        class: i64,
    ) -> Result<Option<Skills>, StorageError> {
        let row = sqlx::query(SKILLS).bind(class).fetch_optional(connection).await?;
        Ok(row.map(|row| from_json(&row, "skills")).transpose()?)
    }

    /// The number of the class of this name, which is in lower case.
    pub(in crate::domains::builds) async fn class_number(
        connection: &mut AnyConnection,
        name_lower: &str,
    ) -> Result<Option<i64>, StorageError> {
        Ok(sqlx::query_scalar(NUMBER).bind(name_lower).fetch_optional(connection).await?)
    }

    /// Writes what has become of a class.
    pub(in crate::domains::builds) async fn change_class(
        connection: &mut AnyConnection,
        class: &Class,
    ) -> Result<(), StorageError> {
        let Class { head, skills } = class;
        sqlx::query(CHANGE)
            .bind(head.id)
            .bind(head.name.as_str())
            .bind(head.description.as_str())
            .bind(head.icon.as_str())
            .bind(head.banner.as_str())
            .bind(head.character_image.as_str())
            .bind(as_json(skills)?)
            .execute(&mut *connection)
            .await?;
        sqlx::query(UNTAG).bind(head.id).execute(&mut *connection).await?;
        tag(connection, head).await
    }

    /// Writes classes with one statement, and their tags.
    pub(crate) async fn insert_classes(
        connection: &mut AnyConnection,
        classes: &[Class],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO classes (id, name, name_lower, description, icon, banner, \
             character_image, skills) VALUES {}",
            placeholders(classes.len(), 8)
        );
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for Class { head, skills } in classes {
            statement = statement
                .bind(head.id)
                .bind(head.name.as_str())
                .bind(head.name.to_lowercase())
                .bind(head.description.as_str())
                .bind(head.icon.as_str())
                .bind(head.banner.as_str())
                .bind(head.character_image.as_str())
                .bind(as_json(skills)?);
        }
        statement.execute(&mut *connection).await?;
        for class in classes {
            tag(connection, &class.head).await?;
        }
        Ok(())
    }
}

async fn tag(connection: &mut AnyConnection, class: &ClassHead) -> Result<(), StorageError> {
    for name in &class.tags {
        sqlx::query(TAG).bind(name.as_str()).execute(&mut *connection).await?;
        let tagged = sqlx::query(TAGGED).bind(class.id).bind(name.as_str());
        tagged.execute(&mut *connection).await?;
    }
    Ok(())
}

fn head(row: &AnyRow) -> Result<ClassHead, sqlx::Error> {
    Ok(ClassHead {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        icon: row.try_get("icon")?,
        banner: row.try_get("banner")?,
        character_image: row.try_get("character_image")?,
        tags: row.try_get::<Option<String>, _>("tag")?.into_iter().collect(),
    })
}
