//! Several connections at a time, each for as many mails as it is good for.
//!
//! The first connection is made alone: what is wrong with the server or the credentials shows
//! once, not once per connection (ten wrong passwords lock an account), and is the answer for all
//! mails. The others join in while it is at work, and a worker without a connection leaves the
//! mails to the rest.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::login::log_in;
use super::opening;
use super::session::Session;
use super::{Login, Pool, Settings};
use crate::net::{Connection, Security, Trace};
use crate::send::{Checked, Delivery, Error, Mail, Warning};

/// For a good-bye.
const FAREWELL: Duration = Duration::from_secs(2);
/// After so many mails in a row that lost their connection a worker leaves the server alone: each
/// of them may have taken all the time there is.
const MOST_LOSSES: usize = 2;

/// The connections to one server.
#[derive(Debug)]
pub(in crate::send) struct Connections {
    settings: Settings,
    trace: Trace,
    idle: Mutex<Vec<Link>>,
    opened: AtomicUsize,
    warnings: Mutex<Vec<Warning>>,
}

/// A connection and its past.
#[derive(Debug)]
struct Link {
    session: Session<Connection>,
    /// When the last mail was over; `None` before the first one.
    used: Option<Instant>,
}

/// What is done with a connection before a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Use,
    Check,
    Replace,
}

/// The mails of one call, and what became of them.
struct Work<'a> {
    mails: &'a [Mail],
    state: Mutex<State>,
}

struct State {
    waiting: VecDeque<usize>,
    done: Vec<Option<Result<Delivery, Error>>>,
    /// Why mails are left over, if there are any.
    failure: Option<Error>,
}

impl Connections {
    pub(in crate::send) fn new(settings: Settings, trace: Trace) -> Self {
        Self {
            settings,
            trace,
            idle: Mutex::default(),
            opened: AtomicUsize::new(0),
            warnings: Mutex::default(),
        }
    }

    /// Sends mails in parallel. The answers stand in the order of the mails.
    pub(in crate::send) fn send(&self, mails: &[Mail]) -> Vec<Result<Delivery, Error>> {
        if mails.is_empty() {
            return Vec::new();
        }
        let first = match self.ready(None) {
            Ok(link) => link,
            Err(error) => return mails.iter().map(|_| Err(error.clone())).collect(),
        };
        let work = Work::new(mails);
        let others = self.settings.pool.size.min(mails.len()).saturating_sub(1);
        thread::scope(|scope| {
            for number in 0..others {
                let worker = thread::Builder::new().name(format!("sender {number}"));
                // Without more threads fewer mails go out at a time.
                if worker
                    .spawn_scoped(scope, || self.serve(None, &work))
                    .is_err()
                {
                    break;
                }
            }
            self.serve(Some(first), &work);
        });
        work.results()
    }

    /// Makes a connection, which stays for the first mail.
    pub(in crate::send) fn check(&self) -> Result<Checked, Error> {
        let link = self.ready(None)?;
        locked(&self.idle).push(link);
        Ok(match self.settings.login {
            Login::None => Checked::Connected,
            Login::Password { .. } | Login::Token { .. } | Login::GivenToken { .. } => {
                Checked::LoggedIn
            }
        })
    }

    /// What has been noticed since the last call.
    pub(in crate::send) fn warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut *locked(&self.warnings))
    }

    /// Says good-bye on all connections at the same time.
    pub(in crate::send) fn close(self) {
        let idle = std::mem::take(&mut *locked(&self.idle));
        thread::scope(|scope| {
            for link in idle {
                scope.spawn(move || link.session.quit(FAREWELL));
            }
        });
    }

    /// Sends mails for as long as there are some and a connection can be had.
    fn serve(&self, mut first: Option<Link>, work: &Work<'_>) {
        let mut link = None;
        let mut losses = 0;
        while work.is_left() {
            let ready = match first.take() {
                Some(first) => Ok(first),
                None => self.ready(link.take()),
            };
            let mut ready = match ready {
                Ok(ready) => ready,
                Err(error) => return work.give_up(error),
            };
            let Some((index, mail)) = work.next() else {
                link = Some(ready);
                break;
            };
            let mut result = ready.session.deliver(mail);
            let stale = ready.used.is_some() && ready.session.was_lost_early();
            if let (Err(Error::Connection(_)), true) = (&result, stale) {
                // Servers close connections that they find idle for too long or used often enough;
                // nothing of this mail was sent.
                match self.open() {
                    Ok(fresh) => ready = fresh,
                    Err(error) => {
                        work.put_back(index);
                        return work.give_up(error);
                    }
                }
                result = ready.session.deliver(mail);
            }
            ready.used = Some(Instant::now());
            link = Some(ready).filter(|ready| ready.session.is_usable());
            let lost = result.as_ref().err().filter(|e| e.is_connection());
            let lost = lost.map(Error::for_others);
            losses = if lost.is_some() { losses + 1 } else { 0 };
            work.done(index, result);
            if let (Some(error), MOST_LOSSES..) = (lost, losses) {
                return work.give_up(error);
            }
        }
        locked(&self.idle).extend(first.or(link));
    }

    /// A connection that a mail can go over: this one, an idle one, or a new one.
    fn ready(&self, link: Option<Link>) -> Result<Link, Error> {
        let mut candidate = link;
        loop {
            let Some(mut link) = candidate.or_else(|| locked(&self.idle).pop()) else {
                return self.open();
            };
            match link.fate(&self.settings.pool) {
                Fate::Use => return Ok(link),
                Fate::Check if link.session.is_alive() => return Ok(link),
                // Nobody is there to hear a good-bye.
                Fate::Check => {}
                Fate::Replace => link.session.quit(FAREWELL),
            }
            candidate = None;
        }
    }

    fn open(&self) -> Result<Link, Error> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let Settings {
            endpoint, login, ..
        } = &self.settings;
        let opened = opening::open(endpoint, &self.trace, number)?;
        if !opened.encrypted {
            self.warn_of_clear_text();
        }
        let (mut wire, capabilities) = (opened.wire, opened.capabilities);
        let expires = log_in(&mut wire, &capabilities, login)?;
        Ok(Link {
            session: Session::new(wire, capabilities, expires),
            used: None,
        })
    }

    fn warn_of_clear_text(&self) {
        let server = self.settings.endpoint.server();
        let login = !matches!(self.settings.login, Login::None);
        let warning = match self.settings.endpoint.security {
            Security::StartTls => Warning::NoStartTls { server, login },
            Security::None if login => Warning::LoginInClear { server },
            Security::None | Security::StartTlsRequired | Security::Tls => return,
        };
        let mut warnings = locked(&self.warnings);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

impl Link {
    fn fate(&self, pool: &Pool) -> Fate {
        let now = Instant::now();
        match self.used {
            None => Fate::Use,
            Some(used) => {
                let left = self
                    .session
                    .expires()
                    .map(|expires| expires.saturating_duration_since(now));
                fate(now.saturating_duration_since(used), left, pool)
            }
        }
    }
}

/// What becomes of a connection after so much time without a mail, with so much time left to its
/// log-in.
fn fate(idle: Duration, left: Option<Duration>, pool: &Pool) -> Fate {
    if idle >= pool.max_idle || left.is_some_and(|left| left <= pool.token_margin) {
        Fate::Replace
    } else if idle >= pool.check_idle {
        Fate::Check
    } else {
        Fate::Use
    }
}

impl<'a> Work<'a> {
    fn new(mails: &'a [Mail]) -> Self {
        Self {
            mails,
            state: Mutex::new(State {
                waiting: (0..mails.len()).collect(),
                done: mails.iter().map(|_| None).collect(),
                failure: None,
            }),
        }
    }

    fn is_left(&self) -> bool {
        !locked(&self.state).waiting.is_empty()
    }

    fn next(&self) -> Option<(usize, &'a Mail)> {
        let index = locked(&self.state).waiting.pop_front()?;
        Some((index, self.mails.get(index)?))
    }

    fn put_back(&self, index: usize) {
        locked(&self.state).waiting.push_front(index);
    }

    fn done(&self, index: usize, result: Result<Delivery, Error>) {
        if let Some(place) = locked(&self.state).done.get_mut(index) {
            *place = Some(result);
        }
    }

    /// There is no connection for one of the workers; the others may go on.
    fn give_up(&self, error: Error) {
        locked(&self.state).failure = Some(error);
    }

    fn results(self) -> Vec<Result<Delivery, Error>> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let failure = state.failure;
        let left_over = || {
            // Mails are left over only after a failure.
            Err(failure
                .clone()
                .unwrap_or_else(|| Error::NobodyTook(Vec::new())))
        };
        state
            .done
            .into_iter()
            .map(|result| result.unwrap_or_else(left_over))
            .collect()
    }
}

/// Nothing that is done under these locks can leave anything half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_decides_what_becomes_of_a_connection() {
        let seconds = Duration::from_secs;
        let pool = Pool {
            size: 1,
            check_idle: seconds(30),
            max_idle: seconds(300),
            token_margin: seconds(10),
        };
        let table = [
            (0, None, Fate::Use),
            (29, None, Fate::Use),
            (30, None, Fate::Check),
            (299, None, Fate::Check),
            (300, None, Fate::Replace),
            (0, Some(11), Fate::Use),
            (0, Some(10), Fate::Replace),
            (0, Some(0), Fate::Replace),
            (30, Some(3600), Fate::Check),
        ];
        for (idle, left, expected) in table {
            assert_eq!(
                fate(seconds(idle), left.map(seconds), &pool),
                expected,
                "{idle} {left:?}"
            );
        }
        let always = Pool {
            check_idle: Duration::ZERO,
            ..pool
        };
        assert_eq!(fate(Duration::ZERO, None, &always), Fate::Check);
    }
}
