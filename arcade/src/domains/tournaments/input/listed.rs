//! Decides which lists of tournaments can be asked for.

use super::STATUS;
use crate::domains::tournaments::words::Status;
use crate::http::{Fields, Input, LIMIT_DEFAULT, Page, id};

/// Which tournaments a list shows; `None` shows them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListFilter {
    /// Those of a status.
    pub status: Option<Status>,
    /// Those of a venue.
    pub venue_id: Option<i64>,
}

/// A page of a list whose venue, if there is one, the query names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListQuery {
    pub(crate) filter: ListFilter,
    pub(crate) page: Page,
}

impl Input for ListQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let status = fields.optional("status", STATUS);
        let venue_id = fields.optional("venueId", id());
        let page = Page::read(fields, LIMIT_DEFAULT);
        let filter = ListFilter { status: status?, venue_id: venue_id? };
        Some(ListQuery { filter, page: page? })
    }
}

/// A page of a list whose venue the path names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VenueQuery {
    pub(crate) status: Option<Status>,
    pub(crate) page: Page,
}

impl Input for VenueQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let status = fields.optional("status", STATUS);
        let page = Page::read(fields, LIMIT_DEFAULT);
        Some(VenueQuery { status: status?, page: page? })
    }
}
