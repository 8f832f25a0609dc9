//! What goes wrong between this process and a token: lost sessions, tokens that are gone, wrong PINs, no module.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use custody::{Custody, KeyStore, Purpose, SignError, Token, TokenError, TokenPlace};

use crate::softhsm::{PIN, SoftHsm, alone, custody, label, sign};

/// How often somebody logs out while others sign.
const LOGOUTS: usize = 5;

/// A custody with key `a` of token `lastro`.
fn custody_of(hsm: &SoftHsm, token: Token) -> Custody {
    let _ = token.create_key(&label("a"), Purpose::Transactions, &hsm.pin()).unwrap();
    let mut custody = custody();
    let _ = custody.open_key(&KeyStore::Token(token), &label("a"), &hsm.pin()).unwrap();
    custody
}

fn source(signed: Result<alloy_primitives::Address, SignError>) -> TokenError {
    match signed {
        Err(SignError::Refused { source, .. } | SignError::Unavailable { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_signs_on_after_somebody_logged_out_or_stopped_the_module() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let custody = custody_of(hsm, hsm.find("lastro"));
        let address = sign(&custody, "a", 0).unwrap();
        hsm.session("lastro").logout().unwrap();
        assert_eq!(sign(&custody, "a", 1), Ok(address));
        hsm.stop();
        assert_eq!(sign(&custody, "a", 2), Ok(address));
        // Every session is closed, and the module gives their handles to others.
        hsm.stop();
        hsm.start();
        let _strangers = [hsm.session("lastro"), hsm.session("lastro")];
        assert_eq!(sign(&custody, "a", 3), Ok(address));
        assert_eq!(sign(&custody, "a", 4), Ok(address));
    });
}

#[test]
fn two_threads_sign_on_while_somebody_logs_out() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let custody = custody_of(hsm, hsm.find("lastro"));
        let address = sign(&custody, "a", 0).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                let _ = scope.spawn(|| {
                    for nonce in 0..100 {
                        // It may be logged out again while it tries once more. Then it says so, and the next call goes on.
                        let is_out = |signed: &Result<_, _>| matches!(signed, Err(SignError::Unavailable { .. }));
                        let signed = (0..=LOGOUTS).map(|_| sign(&custody, "a", nonce)).find(|signed| !is_out(signed));
                        assert_eq!(signed, Some(Ok(address)));
                    }
                });
            }
            for _ in 0..LOGOUTS {
                let _ = hsm.session("lastro").logout();
            }
        });
    });
}

#[test]
fn a_token_that_is_gone_is_named_with_those_that_are_there_and_signs_when_it_is_back() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let custody = custody_of(hsm, hsm.find("lastro"));
        let address = sign(&custody, "a", 0).unwrap();
        let aside = hsm.folder().join("aside");
        hsm.stop();
        fs::rename(hsm.tokens(), &aside).unwrap();
        fs::create_dir(hsm.tokens()).unwrap();
        hsm.start();
        hsm.make_token("other");
        let gone = sign(&custody, "a", 1);
        assert!(matches!(gone, Err(SignError::Refused { .. })));
        let error = source(gone);
        assert!(
            matches!(&error, TokenError::NoToken { token, present, .. } if token == "lastro" && *present == ["other"])
        );
        assert!(error.to_string().ends_with("connect the token or correct its label"), "{error}");
        hsm.stop();
        fs::rename(hsm.tokens(), hsm.folder().join("other")).unwrap();
        fs::rename(&aside, hsm.tokens()).unwrap();
        hsm.start();
        assert_eq!(sign(&custody, "a", 1), Ok(address));
    });
}

#[test]
fn a_missing_token_two_of_a_label_and_a_missing_module_are_told_apart() {
    alone(|hsm| {
        let find = |place: &TokenPlace| Token::find(place).unwrap_err();
        let place = |token| hsm.place(token, 1, Duration::ZERO);
        hsm.make_token("twin");
        assert!(matches!(find(&place("lastro")), TokenError::NoToken { present, .. } if present == ["twin"]));
        hsm.make_token("twin");
        assert!(matches!(find(&place("twin")), TokenError::AmbiguousToken { count: 2, .. }));
        for module in [Path::new("/nonexistent/module.so").to_owned(), hsm.folder().join("softhsm2.conf")] {
            let error = find(&TokenPlace { module, ..place("twin") });
            assert!(matches!(error, TokenError::Module { .. }), "{error}");
            assert!(error.to_string().contains("install it or correct its path"), "{error}");
        }
    });
}

#[test]
fn after_a_wrong_pin_no_pin_is_sent_until_the_token_is_found_anew() {
    alone(|hsm| {
        hsm.make_token("lastro");
        drop(custody_of(hsm, hsm.find("lastro")));
        let token = hsm.find("lastro");
        let wrong = hsm.passphrase("wrong-pin");
        let refused = token.check(&label("a"), &wrong).unwrap_err();
        assert!(matches!(&refused, TokenError::PinRefused { answer, .. } if answer == "PinIncorrect from C_Login"));
        // What is sent from now on would be right, so who is refused did not ask.
        for pin in ["wrong-pin", "third-pin", "wrong-pin"] {
            hsm.set_pin("lastro", pin);
            assert_eq!(token.check(&label("a"), &hsm.passphrase(pin)).unwrap_err(), refused);
            assert_eq!(
                token.create_key(&label("b"), Purpose::Transactions, &hsm.passphrase(pin)).unwrap_err(),
                refused
            );
        }
        // Another start is a person's decision.
        assert!(hsm.find("lastro").check(&label("a"), &wrong).is_ok());
    });
}

#[test]
fn a_pin_that_changed_under_a_key_is_sent_once_and_other_pins_of_an_open_token_not_at_all() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let custody = custody_of(hsm, token.clone());
        let differs = token.check(&label("a"), &hsm.passphrase("another-pin"));
        assert_eq!(differs, Err(TokenError::PinDiffers { token: "lastro".to_owned() }));
        hsm.stop();
        hsm.start();
        hsm.set_pin("lastro", "another-pin");
        let refused = sign(&custody, "a", 1);
        assert!(matches!(refused, Err(SignError::Refused { .. })));
        assert!(matches!(source(refused), TokenError::PinRefused { .. }));
        hsm.set_pin("lastro", PIN);
        assert!(matches!(source(sign(&custody, "a", 1)), TokenError::PinRefused { .. }));
    });
}

#[test]
fn who_waits_too_long_for_a_session_is_told_the_limit() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let custody = custody_of(hsm, Token::find(&hsm.place("lastro", 1, Duration::ZERO)).unwrap());
        let (until, is_told) = (Instant::now() + Duration::from_secs(60), AtomicBool::new(false));
        let exhausted = |nonce| match sign(&custody, "a", nonce) {
            Ok(_) => None,
            Err(SignError::Unavailable { source, .. }) => Some(source.to_string()),
            Err(other) => panic!("{other:?}"),
        };
        // Four threads, one session, no patience. They end when one of them was told.
        let goes_on = |_: &u64| !is_told.load(Ordering::Relaxed) && Instant::now() < until;
        let work = || {
            let told = (0..u64::MAX).take_while(goes_on).find_map(exhausted);
            let _ = is_told.fetch_or(told.is_some(), Ordering::Relaxed);
            told
        };
        let found: BTreeSet<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        let told = ["all 1 sessions of token `lastro` were in use for 0 ms".to_owned()];
        assert_eq!(found, BTreeSet::from(told));
    });
}
