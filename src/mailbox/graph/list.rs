//! Which mails there are, and their summaries.
//!
//! All pages are read before anything is done with a mail: moving one would shift those behind it
//! from one page to another.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::message::{PLACE, id_of, received_of, summary_of};
use super::service::{Ask, Content, Service};
use super::{GraphMailbox, INBOX, Told, batch};
use crate::clock;
use crate::mailbox::{Each, Error, Listing, MailId, Outcome, Summary};
use crate::message::Fault;
use crate::net::clean;
use crate::net::http::{self, query_value};

/// Mails of a page with all that makes a summary: more may take the service too long.
const PAGE: usize = 100;
/// Mails of a page with their ids alone, as many as the service gives.
const PLACES: usize = 1000;
/// More pages than this are no list.
const MOST_PAGES: usize = 2_000;
/// More mails than this are no Inbox.
const MOST_MAILS: usize = 500_000;
/// Graph tells times in whole seconds and compares fractions of them.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// What is known of the mails in the Inbox.
#[derive(Default)]
pub(super) struct Roll {
    /// Ids and times of receipt, oldest first.
    mails: Vec<(MailId, DateTime<Utc>)>,
    places: HashMap<MailId, usize>,
}

impl Roll {
    /// Of mails as the service lists them, the newest first, perhaps some of them twice.
    fn of(mut mails: Vec<(MailId, DateTime<Utc>)>) -> Self {
        let mut known = HashSet::new();
        mails.retain(|(id, _)| known.insert(id.clone()));
        mails.reverse();
        // Those of the same second stay in the service's order, which knows fractions.
        mails.sort_by_key(|(_, received)| *received);
        let ids = mails.iter().map(|(id, _)| id.clone());
        Self {
            places: ids.zip(0..).collect(),
            mails,
        }
    }

    /// The span of these mails, if reading all of it takes no more requests than asking for each.
    fn span_of(&self, ids: &[MailId]) -> Option<Span> {
        let places = ids.iter().map(|id| self.places.get(id).copied());
        let places: Vec<usize> = places.collect::<Option<_>>()?;
        let (first, last) = (*places.iter().min()?, *places.iter().max()?);
        let within = last - first + 1;
        let time = |place: usize| self.mails.get(place).map(|(_, received)| *received);
        let span = Span {
            from: time(first),
            before: time(last).map(|time| time + SECOND),
        };
        (within.div_ceil(PAGE) <= ids.len().div_ceil(batch::MOST)).then_some(span)
    }
}

/// Times of receipt: from the first on and before the second.
#[derive(Clone, Copy, Default)]
struct Span {
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Span {
    /// The mails of this span, the newest first. What is ordered by has to come first in a filter,
    /// where there is one (otherwise: InefficientFilter).
    fn ask(self, fields: &str, top: usize) -> Ask {
        let bound = |relation: &str, time: DateTime<Utc>| {
            format!(
                "receivedDateTime {relation} {}",
                time.format("%Y-%m-%dT%H:%M:%SZ")
            )
        };
        let bounds = [
            self.from.map(|time| bound("ge", time)),
            self.before.map(|time| bound("lt", time)),
        ];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        let mut path = format!("{INBOX}/messages?{fields}");
        if !bounds.is_empty() {
            path += &format!("&$filter={}", query_value(&bounds.join(" and ")));
        }
        path += &format!(
            "&$orderby={}&$top={top}",
            query_value("receivedDateTime desc")
        );
        Ask::get("GET messages", path)
    }
}

/// A part of a list.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
}

/// The pages of a list, asked for one by one.
pub(super) struct Pages<'a> {
    service: &'a Service,
    ask: Ask,
    left: Left,
    read: usize,
}

enum Left {
    All,
    From(String),
    Nothing,
}

impl<'a> Pages<'a> {
    /// A list of which nothing has been read.
    pub(super) fn of(service: &'a Service, ask: Ask) -> Self {
        Self {
            service,
            ask,
            left: Left::All,
            read: 0,
        }
    }

    /// A list whose first page has been read.
    pub(super) fn after(service: &'a Service, ask: Ask, first: &Page) -> Self {
        Self {
            left: first.next.clone().map_or(Left::Nothing, Left::From),
            ..Self::of(service, ask)
        }
    }

    /// What stands on the next page; it may be nothing though there are more.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        if self.read == MOST_PAGES {
            let what = format!("it has more than {MOST_PAGES} pages");
            return Err(self.service.protocol(self.ask.name, &what));
        }
        self.read += 1;
        let page: Page = match &self.left {
            Left::All => self.service.json(&self.ask)?,
            Left::From(link) => self.service.follow(&self.ask, link)?,
            Left::Nothing => return Ok(None),
        };
        self.left = page.next.map_or(Left::Nothing, Left::From);
        Ok(Some(page.value))
    }
}

impl GraphMailbox {
    /// The ids of all mails received since then.
    pub(super) fn list_since(&mut self, since: Option<DateTime<Utc>>) -> Result<Listing, Error> {
        let now = clock::now();
        let span = Span {
            from: since,
            before: None,
        };
        let mut mails = Vec::new();
        let mut pages = Pages::of(&self.service, span.ask(PLACE, PLACES));
        while let Some(page) = pages.next()? {
            for message in page {
                let received = received_of(&message).unwrap_or(now);
                mails.push((self.id(&message)?, received));
            }
            if mails.len() > MOST_MAILS {
                let what = format!("it has more than {MOST_MAILS} mails");
                return Err(self.service.protocol("GET messages", &what));
            }
        }
        self.roll = Roll::of(mails);
        Ok(Listing {
            ids: self.roll.mails.iter().map(|(id, _)| id.clone()).collect(),
            ..Listing::default()
        })
    }

    pub(super) fn summaries_of(&mut self, ids: &[MailId]) -> Result<Each<Summary>, Error> {
        let now = clock::now();
        let mut found = HashMap::new();
        if let Some(span) = self.roll.span_of(ids) {
            match self.read_span(span, ids, now, &mut found) {
                // One of them is too large, and shows when it is asked for by itself.
                Err(Error::Http(http::Error::TooLarge { .. })) => {}
                read => read?,
            }
        }
        // Those that a span leaves out have vanished as a rule; but a list from which another
        // program takes mails while it is read may leave out any.
        let missing = ids.iter().filter(|id| !found.contains_key(id));
        let missing: Vec<&MailId> = missing.collect();
        self.ask_each(&missing, now, &mut found)?;
        let found = ids.iter().filter_map(|id| found.remove_entry(id));
        Ok(found.collect())
    }

    fn read_span(
        &self,
        span: Span,
        ids: &[MailId],
        now: DateTime<Utc>,
        found: &mut HashMap<MailId, Outcome<Summary>>,
    ) -> Result<(), Error> {
        let wanted: HashSet<&MailId> = ids.iter().collect();
        let mut pages = Pages::of(&self.service, span.ask(&self.summary, PAGE));
        while let Some(page) = pages.next()? {
            for message in page {
                let id = self.id(&message)?;
                if wanted.contains(&id) {
                    let summary = summary(&id, &message, now);
                    found.insert(id, summary);
                }
            }
        }
        Ok(())
    }

    fn ask_each(
        &self,
        ids: &[&MailId],
        now: DateTime<Utc>,
        found: &mut HashMap<MailId, Outcome<Summary>>,
    ) -> Result<(), Error> {
        for ids in ids.chunks(batch::MOST) {
            let place = format!("?{}", self.summary);
            let ask = |id: &&MailId| Ask::of_mail("GET message", id, &place);
            let asks: Vec<Ask> = ids.iter().map(ask).collect();
            let answers = self.service.ask_all(&asks)?;
            for ((id, ask), answer) in ids.iter().zip(&asks).zip(answers) {
                let outcome = match self.service.told(ask, answer)? {
                    Told::Content(content) => read(id, content, now),
                    Told::Gone => continue,
                    Told::Fault(words) => Err(Fault::Unreadable(words)),
                    Told::TooLarge => Err(too_large()),
                };
                found.insert((*id).clone(), outcome);
            }
        }
        Ok(())
    }

    fn id(&self, message: &Value) -> Result<MailId, Error> {
        let id = id_of(message);
        id.ok_or_else(|| {
            self.service
                .protocol("GET messages", "a mail has no usable id")
        })
    }
}

fn read(id: &MailId, content: Content, now: DateTime<Utc>) -> Outcome<Summary> {
    let message: Value = content
        .json()
        .map_err(|error| Fault::Unreadable(clean(&error.to_string(), 200)))?;
    summary(id, &message, now)
}

fn summary(id: &MailId, message: &Value, now: DateTime<Utc>) -> Outcome<Summary> {
    summary_of(id.clone(), message, now).map_err(|error| Fault::Unreadable(clean(&error, 200)))
}

fn too_large() -> Fault {
    Fault::Unreadable("what the service says of it has no end that fits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(minutes: i64) -> DateTime<Utc> {
        let noon: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        noon + TimeDelta::minutes(minutes)
    }

    fn id(number: i64) -> MailId {
        MailId::new(format!("M{number}"))
    }

    fn roll(count: i64) -> Roll {
        let newest_first = (0..count).rev().map(|number| (id(number), time(number)));
        Roll::of(newest_first.collect())
    }

    #[test]
    fn the_oldest_comes_first_and_each_once() {
        let listed = [(3, 5), (2, 5), (1, 5), (2, 5), (0, 7)];
        let listed = listed.map(|(number, minute)| (id(number), time(minute)));
        let roll = Roll::of(listed.to_vec());
        let ids: Vec<_> = roll.mails.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["M1", "M2", "M3", "M0"]);
    }

    #[test]
    fn the_way_with_fewer_requests_is_taken() {
        let roll = roll(1000);
        let is_span = |numbers: Vec<i64>| {
            let ids: Vec<_> = numbers.into_iter().map(id).collect();
            roll.span_of(&ids).is_some()
        };
        assert!(is_span(vec![5]));
        assert!(is_span((0..100).collect()));
        assert!(is_span((0..1000).collect()));
        assert!(is_span(vec![0, 99]), "one page or one batch");
        assert!(!is_span(vec![0, 100]), "two pages or one batch");
        assert!(
            !is_span((0..60).map(|n| n * 10).collect()),
            "six pages or three batches"
        );
        assert!(!is_span(vec![5, 2000]), "one that the list does not know");
        assert!(!is_span(vec![]));
    }

    #[test]
    fn a_filter_begins_with_what_is_ordered_by() {
        let of = |from, before| Span { from, before }.ask(PLACE, 7).path;
        assert_eq!(
            of(None, None),
            "mailFolders/inbox/messages?$select=id,receivedDateTime&$orderby=receivedDateTime%20desc&$top=7"
        );
        assert!(of(Some(time(0)), Some(time(1))).contains(
            "&$filter=receivedDateTime%20ge%202026-11-21T12:00:00Z%20and%20receivedDateTime%20lt%202026-11-21T12:01:00Z&"
        ));
    }
}
