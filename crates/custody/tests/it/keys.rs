//! Keys of a token: made, found, listed, used, and refused where they are not what they must be.

use std::thread;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::Session;
use custody::{KeyStore, KeystoreError, Purpose, SignError, Token, TokenError};

use crate::softhsm::{PIN, SoftHsm, alone, custody, label, sign};

/// DER of the object identifiers of two curves.
const SECP256K1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// How often a key signs here: some half of the signatures have a high `s` as the token makes them.
const SIGNATURES: u64 = 250;

/// A key that another program makes, each half under the label and id that it is given.
fn foreign_key(session: &Session, curve: &[u8], public: (&str, &str), private: (&str, &str), is_extractable: bool) {
    let names = |(label, id): (&str, &str)| {
        [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(id.into())].into_iter()
    };
    let public = names(public).chain([Attribute::Private(false), Attribute::EcParams(curve.to_vec())]);
    let kind = [Attribute::Private(true), Attribute::Sensitive(true), Attribute::Sign(true)];
    let private = names(private).chain(kind).chain([Attribute::Extractable(is_extractable)]);
    let (public, private): (Vec<_>, Vec<_>) = (public.collect(), private.collect());
    let _ = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
}

fn refusal(hsm: &SoftHsm, token: &Token, key: &str) -> TokenError {
    token.check(&label(key), &hsm.pin()).unwrap_err()
}

#[test]
fn a_key_is_made_listed_without_pin_found_by_another_process_and_signs_for_its_address() {
    alone(|hsm| {
        hsm.make_token("other");
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        assert_eq!(token.list().unwrap(), []);
        let made = token.create_key(&label("bank-a"), Purpose::Transactions, &hsm.pin()).unwrap();
        let auditor = token.create_key(&label("auditor"), Purpose::Statements, &hsm.pin()).unwrap();
        drop(token);
        // All sessions and logins are gone, as they are for a process that starts.
        hsm.stop();
        hsm.start();
        let token = hsm.find("lastro");
        assert_eq!(token.list().unwrap(), [auditor, made.clone()]);
        assert_eq!(hsm.find("other").list().unwrap(), []);
        assert_eq!(token.check(&label("bank-a"), &hsm.pin()).unwrap(), made);

        let mut custody = custody();
        let store = KeyStore::Token(token);
        let open = |custody: &mut custody::Custody, key: &str| custody.open_key(&store, &label(key), &hsm.pin());
        assert_eq!(open(&mut custody, "bank-a").unwrap(), made.address);
        let _ = open(&mut custody, "auditor").unwrap();
        assert_eq!(sign(&custody, "bank-a", 7), Ok(made.address));
        assert!(matches!(sign(&custody, "auditor", 7), Err(SignError::WrongPurpose { .. })));
        assert!(custody.reveal_test_key(&label("bank-a")).is_err());
        let missing = open(&mut custody, "bank-b").unwrap_err();
        assert!(matches!(missing, KeystoreError::Token { source: TokenError::NoSuchKey { .. }, .. }));
    });
}

#[test]
fn every_signature_recovers_to_the_key_and_has_a_low_s() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let address = token.create_key(&label("a"), Purpose::Transactions, &hsm.pin()).unwrap().address;
        let mut custody = custody();
        let _ = custody.open_key(&KeyStore::Token(token), &label("a"), &hsm.pin()).unwrap();
        for nonce in 0..SIGNATURES {
            assert_eq!(sign(&custody, "a", nonce), Ok(address));
        }
    });
}

#[test]
fn two_keys_sign_at_once_from_two_threads_with_two_sessions() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let keys = ["a", "b"];
        let made = keys.map(|key| token.create_key(&label(key), Purpose::Transactions, &hsm.pin()).unwrap().address);
        let (mut custody, store) = (custody(), KeyStore::Token(token));
        for key in keys {
            let _ = custody.open_key(&store, &label(key), &hsm.pin()).unwrap();
        }
        thread::scope(|scope| {
            for _ in 0..2 {
                let _ = scope.spawn(|| {
                    for nonce in 0..SIGNATURES / 2 {
                        assert_eq!(keys.map(|key| sign(&custody, key, nonce).unwrap()), made);
                    }
                });
            }
        });
    });
}

#[test]
fn a_key_that_is_made_cannot_be_read_and_one_that_could_be_is_refused() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let _ = token.create_key(&label("a"), Purpose::Transactions, &hsm.pin()).unwrap();
        let session = hsm.session("lastro");
        let private = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap();
        let flags = [AttributeType::Extractable, AttributeType::Sensitive, AttributeType::NeverExtractable];
        let expected = [Attribute::Extractable(false), Attribute::Sensitive(true), Attribute::NeverExtractable(true)];
        assert_eq!(session.get_attributes(private[0], &flags).unwrap(), expected);
        assert_eq!(session.get_attributes(private[0], &[AttributeType::Value]).unwrap(), []);

        let names = ("loose", "lastro:transactions:loose");
        foreign_key(&session, &SECP256K1, names, names, true);
        assert!(matches!(refusal(hsm, &token, "loose"), TokenError::Extractable { .. }));
    });
}

#[test]
fn a_key_of_a_ceremony_is_used_if_label_and_id_say_what_it_is_for() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let session = hsm.session_of_user("lastro");
        let ours = ("ceremony", "lastro:transactions:ceremony");
        foreign_key(&session, &SECP256K1, ours, ours, false);
        foreign_key(&session, &SECP256K1, ("web", "\x01"), ("web", "\x01"), false);
        let listed = token.list().unwrap();
        assert_eq!(listed, [token.check(&label("ceremony"), &hsm.pin()).unwrap()]);
        let error = refusal(hsm, &token, "web");
        assert_eq!(
            error.to_string(),
            r"key `web` in token `lastro` has the id `\x01`, not `lastro:transactions:web` or `lastro:statements:web`"
        );
    });
}

#[test]
fn a_label_is_never_given_twice_and_one_that_is_there_twice_is_refused() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let create = |purpose| token.create_key(&label("a"), purpose, &hsm.pin());
        let _ = create(Purpose::Transactions).unwrap();
        assert!(matches!(create(Purpose::Transactions), Err(TokenError::LabelTaken { .. })));
        assert!(matches!(create(Purpose::Statements), Err(TokenError::LabelTaken { .. })));
        let names = ("a", "lastro:transactions:a");
        foreign_key(&hsm.session("lastro"), &SECP256K1, names, names, false);
        assert!(matches!(refusal(hsm, &token, "a"), TokenError::AmbiguousKey { kind: "private key", count: 2, .. }));
    });
}

#[test]
fn halves_that_do_not_belong_together_and_other_curves_are_refused() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let session = hsm.session_of_user("lastro");
        let (x, y) = (("x", "lastro:transactions:x"), ("y", "lastro:transactions:y"));
        foreign_key(&session, &SECP256K1, x, y, false);
        foreign_key(&session, &SECP256K1, y, x, false);
        assert!(matches!(refusal(hsm, &token, "x"), TokenError::WrongSignature { length_bytes: 64, .. }));
        let p256 = ("p256", "lastro:transactions:p256");
        foreign_key(&session, &P256, p256, p256, false);
        assert!(matches!(refusal(hsm, &token, "p256"), TokenError::PublicKey { .. }));
        assert!(matches!(token.list(), Err(TokenError::PublicKey { label, .. }) if label == "p256"));
    });
}

#[test]
fn nothing_prints_the_pin() {
    alone(|hsm| {
        hsm.make_token("lastro");
        let token = hsm.find("lastro");
        let made = token.create_key(&label("a"), Purpose::Transactions, &hsm.pin()).unwrap();
        let mut custody = custody();
        let store = KeyStore::Token(token.clone());
        let _ = custody.open_key(&store, &label("a"), &hsm.pin()).unwrap();
        let wrong = hsm.find("lastro").check(&label("a"), &hsm.passphrase("wrong-7193"));
        hsm.stop();
        hsm.start();
        hsm.set_pin("lastro", "another-pin");
        let texts = [
            format!("{custody:#?} {store:#?} {token:?} {made:?}"),
            format!("{wrong:?}"),
            format!("{:?}", sign(&custody, "a", 0)),
            format!("{}", sign(&custody, "a", 0).unwrap_err()),
            format!("{:?}", token.check(&label("a"), &hsm.passphrase("wrong-7193"))),
            format!("{:?}", hsm.pin()),
        ];
        for text in texts {
            assert!(
                !text.contains(PIN) && !text.contains("7193") && !text.contains(&format!("{:?}", PIN.as_bytes())),
                "{text}"
            );
        }
    });
}
