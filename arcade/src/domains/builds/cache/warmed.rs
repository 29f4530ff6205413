//! What of builds and classes outlives a restart as hot keys: what everybody sees. What only an owner or
//! an admin sees is loaded for them once they ask.

use super::{BuildCaches, loads, shown};
use crate::warming::Sets;

impl BuildCaches {
    /// What of this domain is warmed: what was hot when the process before ended.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let classes = self.classes.supplied(move |()| loads::classes(rows.clone()));
        let rows = self.rows.clone();
        let class = self.class.supplied(move |key| loads::class(rows.clone(), key));
        let rows = self.rows.clone();
        let class_tags = self.class_tags.supplied(move |key| loads::class_tags(rows.clone(), key));
        let rows = self.rows.clone();
        let load = move |keys| loads::public(rows.clone(), keys);
        let builds = self.builds.supplied_many(shown::tags, load);
        let rows = self.rows.clone();
        let load = move |keys| loads::likes(rows.clone(), keys);
        let likes = self.likes.supplied_many(|_| Vec::new(), load);
        let rows = self.rows.clone();
        let lists = self.lists.supplied(move |key| loads::list(rows.clone(), key));
        let rows = self.rows.clone();
        let boards = self.boards.supplied(move |key| loads::board(rows.clone(), key));
        let sets = sets.restored(&classes).restored(&class).restored(&class_tags);
        sets.restored(&builds).restored(&likes).restored(&lists).restored(&boards)
    }
}
