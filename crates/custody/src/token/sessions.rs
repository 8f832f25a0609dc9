//! Sessions with one token: how many, who is logged in, and what happens when one is lost.
//!
//! A session serves one thread at a time, so there is a bounded number of them, lent and given back. Login is the whole process's
//! matter (PKCS #11 2.40, section 5.6): it goes one at a time, and ends for good with the first PIN that is refused, since a token
//! counts wrong ones. Sessions are closed only when they are known to live: the handle of a dead one may belong to another by now.

use std::collections::BTreeMap;
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error as Answer;
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use parking_lot::{Condvar, Mutex};

use crate::key::KeyLabel;
use crate::passphrase::Passphrase;
use crate::token::TokenPlace;
use crate::token::answer::{self, Meaning};
use crate::token::error::TokenError;

/// The sessions with one token.
pub(super) struct Sessions {
    module: Pkcs11,
    place: TokenPlace,
    pool: Mutex<Pool>,
    freed: Condvar,
    login: Mutex<Login>,
}

/// What is lent.
struct Pool {
    idle: Vec<Held>,
    /// Idle ones and lent ones. Never more than the place allows.
    open: usize,
}

/// What is known of the PIN.
enum Login {
    Untried,
    With(Passphrase),
    /// Whoever is next may have a wrong one too, and tokens count: this token gets no PIN any more from here.
    Refused {
        answer: String,
    },
}

/// A session and the handles of private keys that were found with it.
pub(super) struct Held {
    pub(super) session: Session,
    pub(super) private_keys: BTreeMap<KeyLabel, ObjectHandle>,
}

/// Why work with a session failed: the module said so, or what it gave is not what it must be.
pub(super) enum Fault {
    Module(Answer),
    Token(TokenError),
}

impl From<Answer> for Fault {
    fn from(answer: Answer) -> Self {
        Self::Module(answer)
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl Sessions {
    /// Loads the module and starts it, unless something in this process did.
    pub(super) fn load(place: &TokenPlace) -> Result<Self, TokenError> {
        let failed =
            |answer: &Answer| TokenError::Module { module: place.module.clone(), answer: answer::text(answer) };
        let module = Pkcs11::new(&place.module).map_err(|answer| failed(&answer))?;
        start(&module).map_err(|answer| failed(&answer))?;
        let pool = Mutex::new(Pool { idle: Vec::new(), open: 0 });
        let login = Mutex::new(Login::Untried);
        Ok(Self { module, place: place.clone(), pool, freed: Condvar::new(), login })
    }

    pub(super) fn place(&self) -> &TokenPlace {
        &self.place
    }

    /// The slot of the token, looked up each time: numbers of slots change when tokens come and go.
    pub(super) fn slot(&self) -> Result<Slot, Fault> {
        let (mut found, mut present) = (Vec::new(), Vec::new());
        for slot in self.module.get_slots_with_token()? {
            // One that cannot be read is not ours, or was taken out this moment.
            let Ok(token) = self.module.get_token_info(slot) else { continue };
            if token.token_initialized() {
                present.push(token.label().to_owned());
                found.extend((token.label() == self.place.token.as_str()).then_some(slot));
            }
        }
        let token = self.name();
        match found[..] {
            [slot] => Ok(slot),
            [] => Err(TokenError::NoToken { token, module: self.place.module.clone(), present }.into()),
            _ => Err(TokenError::AmbiguousToken { token, count: found.len() }.into()),
        }
    }

    /// A session that sees what everybody may see. It is closed when dropped.
    pub(super) fn public_session(&self) -> Result<Session, Fault> {
        Ok(self.module.open_ro_session(self.slot()?)?)
    }

    /// A session that may change what is in the token; it is logged in if another is. It is closed when dropped.
    pub(super) fn writing_session(&self) -> Result<Session, Fault> {
        Ok(self.module.open_rw_session(self.slot()?)?)
    }

    /// Logs in with the PIN, unless that was done. After one that was refused none is sent, whichever it is.
    pub(super) fn log_in(&self, pin: &Passphrase) -> Result<(), TokenError> {
        let mut login = self.login.lock();
        match &*login {
            Login::With(known) if known.is(pin) => return Ok(()),
            Login::With(_) => return Err(TokenError::PinDiffers { token: self.name() }),
            Login::Refused { answer } => return Err(self.pin_refused(answer)),
            Login::Untried => {}
        }
        let held = self.open_with(pin, &mut login)?;
        *login = Login::With(pin.copy());
        drop(login);
        let mut pool = self.pool.lock();
        if pool.open < self.place.sessions_max.get() {
            pool.open += 1;
            pool.idle.push(held);
        } else {
            close(held);
        }
        Ok(())
    }

    /// Does the work with a session. If that or the token was lost, another is opened and the work is done once more, so it must
    /// be such that doing it twice does no harm.
    pub(super) fn with<T>(
        &self,
        action: &'static str,
        work: impl Fn(&mut Held) -> Result<T, Fault>,
    ) -> Result<T, TokenError> {
        let mut lease = self.lend()?;
        let answer = match lease.work(&work) {
            Ok(done) => return Ok(done),
            Err(Fault::Token(error)) => return Err(error),
            Err(Fault::Module(answer)) => answer,
        };
        let meaning = answer::meaning(&answer);
        lease.end(meaning);
        match meaning {
            Meaning::SessionGone | Meaning::SessionUseless | Meaning::TokenGone | Meaning::Vendor => {}
            Meaning::Busy | Meaning::Pin | Meaning::Refusal => return Err(self.error(action, &answer)),
        }
        if answer::is_not_started(&answer) {
            // All sessions went with the module.
            self.forget_idle();
        }
        lease.held = Some(self.open()?);
        lease.work(&work).map_err(|fault| match fault {
            Fault::Token(error) => error,
            Fault::Module(answer) => {
                lease.end(answer::meaning(&answer));
                self.error(action, &answer)
            }
        })
    }

    /// The error that the module's answer is.
    pub(super) fn error(&self, action: &'static str, answer: &Answer) -> TokenError {
        let (token, text) = (self.name(), answer::text(answer));
        match answer::meaning(answer) {
            Meaning::Pin => self.pin_refused(&text),
            Meaning::SessionGone | Meaning::SessionUseless | Meaning::TokenGone | Meaning::Busy | Meaning::Vendor => {
                TokenError::Unreachable { token, action, answer: text }
            }
            Meaning::Refusal => TokenError::Refused { token, action, answer: text },
        }
    }

    fn lend(&self) -> Result<Lease<'_>, TokenError> {
        let waited = self.place.session_wait_max;
        let deadline = Instant::now() + waited;
        let mut pool = self.pool.lock();
        let max = self.place.sessions_max.get();
        while pool.idle.is_empty() && pool.open >= max {
            if self.freed.wait_until(&mut pool, deadline).timed_out() && pool.idle.is_empty() && pool.open >= max {
                return Err(TokenError::SessionsExhausted { token: self.name(), max, waited });
            }
        }
        let idle = pool.idle.pop();
        pool.open += usize::from(idle.is_none());
        assert!(pool.open <= max, "more sessions are open than the place allows");
        drop(pool);
        let mut lease = Lease { sessions: self, held: idle };
        if lease.held.is_none() {
            lease.held = Some(self.open()?);
        }
        Ok(lease)
    }

    /// Opens another session with the PIN that is known.
    fn open(&self) -> Result<Held, TokenError> {
        let mut login = self.login.lock();
        let pin = match &*login {
            Login::With(pin) => pin.copy(),
            Login::Refused { answer } => return Err(self.pin_refused(answer)),
            Login::Untried => return Err(self.pin_refused("none was given")),
        };
        self.open_with(&pin, &mut login)
    }

    fn open_with(&self, pin: &Passphrase, login: &mut Login) -> Result<Held, TokenError> {
        let held = self.open_started().map_err(|fault| self.unopened(fault))?;
        // The library wipes its copy when it drops it.
        let raw = RawAuthPin::new(Box::new(pin.as_bytes().to_vec()));
        let Err(answer) = held.session.login_with_raw(UserType::User, &raw) else { return Ok(held) };
        if answer::is_logged_in_already(&answer) {
            return Ok(held);
        }
        close(held);
        match answer::meaning(&answer) {
            // A code that nobody knows may mean the PIN, so it counts as that here.
            Meaning::Pin | Meaning::Vendor | Meaning::Refusal => {
                let text = answer::text(&answer);
                *login = Login::Refused { answer: text.clone() };
                Err(self.pin_refused(&text))
            }
            Meaning::SessionGone | Meaning::SessionUseless | Meaning::TokenGone | Meaning::Busy => {
                Err(self.error("log in", &answer))
            }
        }
    }

    /// Opens a session, and starts the module for it if somebody in this process stopped that.
    fn open_started(&self) -> Result<Held, Fault> {
        match self.open_session() {
            Err(Fault::Module(answer)) if answer::is_not_started(&answer) => {
                start(&self.module)?;
                self.open_session()
            }
            other => other,
        }
    }

    fn open_session(&self) -> Result<Held, Fault> {
        let session = self.module.open_ro_session_no_drop(self.slot()?)?;
        Ok(Held { session, private_keys: BTreeMap::new() })
    }

    /// The error that a session could not be opened.
    pub(super) fn unopened(&self, fault: Fault) -> TokenError {
        match fault {
            Fault::Token(error) => error,
            Fault::Module(answer) => self.error("open a session", &answer),
        }
    }

    fn forget_idle(&self) {
        let mut pool = self.pool.lock();
        pool.open -= pool.idle.len();
        pool.idle.clear();
    }

    fn name(&self) -> String {
        self.place.token.to_string()
    }

    fn pin_refused(&self, answer: &str) -> TokenError {
        TokenError::PinRefused { token: self.name(), answer: answer.to_owned() }
    }
}

/// The last session that is closed logs the process out.
impl Drop for Sessions {
    fn drop(&mut self) {
        self.pool.get_mut().idle.drain(..).for_each(close);
    }
}

/// A session that is lent. When it is dropped, it is given back, or its place in the number of sessions is.
struct Lease<'a> {
    sessions: &'a Sessions,
    held: Option<Held>,
}

impl Lease<'_> {
    fn work<T>(&mut self, work: impl Fn(&mut Held) -> Result<T, Fault>) -> Result<T, Fault> {
        work(
            self.held
                .as_mut()
                .expect("a lease has its session until that is ended, and gets another before it works on"),
        )
    }

    /// Lets a session go that an answer of this meaning came from.
    fn end(&mut self, meaning: Meaning) {
        if let Some(held) = self.held.take() {
            match meaning {
                Meaning::SessionGone | Meaning::TokenGone => drop(held),
                Meaning::SessionUseless | Meaning::Busy | Meaning::Pin | Meaning::Vendor | Meaning::Refusal => {
                    close(held);
                }
            }
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut pool = self.sessions.pool.lock();
        match self.held.take() {
            Some(held) => pool.idle.push(held),
            None => pool.open -= 1,
        }
        drop(pool);
        let _ = self.sessions.freed.notify_one();
    }
}

fn start(module: &Pkcs11) -> Result<(), Answer> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(answer) if answer::is_started_already(&answer) => Ok(()),
        other => other,
    }
}

/// Closes the session. One that cannot be closed is gone, which is as good.
fn close(held: Held) {
    drop(held.session.close());
}
