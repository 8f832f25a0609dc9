//! What tokens say of secp256k1, and what Ethereum wants of it: points, and signatures that recover.

use alloy_primitives::{Address, B256, Signature};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature as PlainSignature};
use secp256k1::{Message, PublicKey, SECP256K1};

use crate::secret::{address_of, signature_of};

/// DER of the object identifier 1.3.132.0.10, secp256k1 (SEC 2, section A.2.1): the `CKA_EC_PARAMS` of its keys.
pub(super) const SECP256K1_OID_DER: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

/// An uncompressed point, in bytes: 4, x, y (SEC 1, section 2.3.3).
const POINT_BYTES: usize = 65;

/// DER's beginning of an OCTET STRING of 65 bytes.
const OCTET_STRING_OF_A_POINT: [u8; 2] = [0x04, 0x41];

/// The address of a `CKA_EC_POINT`. The standard wants the point inside a DER OCTET STRING (PKCS #11 2.40, section 2.3.3); some
/// modules give it bare.
pub(super) fn address_of_point(bytes: &[u8]) -> Result<Address, String> {
    let point = match bytes.strip_prefix(&OCTET_STRING_OF_A_POINT) {
        Some(inner) if bytes.len() == POINT_BYTES + OCTET_STRING_OF_A_POINT.len() => inner,
        _ => bytes,
    };
    if point.len() != POINT_BYTES {
        return Err(format!("its {} bytes are no uncompressed point", bytes.len()));
    }
    // The library checks that the point lies on the curve.
    PublicKey::from_slice(point).map(|key| address_of(&key)).map_err(|error| error.to_string())
}

/// The signature with low `s` that recovers to `signer`, made from the 64 bytes `r`, `s` of a token. A token says nothing of the
/// parity, so both are tried. The two parities beyond belong to an `r` above the curve's order, which one signature in 2^127 has.
pub(super) fn recoverable(raw: &[u8], hash: B256, signer: Address) -> Option<Signature> {
    let mut plain = PlainSignature::from_compact(raw).ok()?;
    plain.normalize_s();
    let message = Message::from_digest(hash.0);
    let with_parity = |id| RecoverableSignature::from_compact(&plain.serialize_compact(), id).ok();
    let is_its = |signed: &RecoverableSignature| {
        SECP256K1.recover_ecdsa(message, signed).is_ok_and(|key| address_of(&key) == signer)
    };
    let signed = [RecoveryId::Zero, RecoveryId::One].into_iter().filter_map(with_parity).find(is_its)?;
    let signature = signature_of(&signed);
    assert!(signature.normalize_s().is_none(), "a signature with a high s was about to leave custody");
    Some(signature)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, keccak256, uint};
    use proptest::prelude::*;
    use secp256k1::SecretKey;

    use super::*;

    /// The curve's order (SEC 2, section 2.4.1).
    const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

    fn key() -> SecretKey {
        SecretKey::from_byte_array(keccak256(b"a key of this test").0).unwrap()
    }

    #[test]
    fn a_point_is_taken_bare_and_wrapped_and_only_on_the_curve() {
        let public = PublicKey::from_secret_key(SECP256K1, &key());
        let bare = public.serialize_uncompressed();
        let wrapped = [&OCTET_STRING_OF_A_POINT[..], &bare].concat();
        assert_eq!(address_of_point(&bare), Ok(address_of(&public)));
        assert_eq!(address_of_point(&wrapped), Ok(address_of(&public)));
        let mut off = bare;
        off[64] ^= 1;
        assert!(address_of_point(&off).is_err());
        for bad in [&[][..], &bare[..64], &wrapped[..66], &[wrapped.as_slice(), &[0]].concat(), &public.serialize()] {
            assert!(address_of_point(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn a_signature_with_high_or_low_s_becomes_the_one_that_the_key_makes_itself(hash: [u8; 32], is_high: bool) {
            let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash), &key());
            let address = address_of(&PublicKey::from_secret_key(SECP256K1, &key()));
            let mut raw = signed.to_standard().serialize_compact();
            if is_high {
                let high = ORDER - U256::from_be_slice(&raw[32..]);
                raw[32..].copy_from_slice(&high.to_be_bytes::<32>());
            }
            prop_assert_eq!(recoverable(&raw, hash.into(), address), Some(signature_of(&signed)));
        }

        #[test]
        fn what_the_key_did_not_sign_is_thrown_away(hash: [u8; 32], raw: Vec<u8>, other: [u8; 20]) {
            let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash), &key());
            let address = address_of(&PublicKey::from_secret_key(SECP256K1, &key()));
            let right = signed.to_standard().serialize_compact();
            prop_assert_eq!(recoverable(&raw, hash.into(), address), None);
            prop_assert_eq!(recoverable(&right, hash.into(), other.into()), None);
            prop_assert_eq!(recoverable(&right, keccak256(hash), address), None);
            prop_assert_eq!(recoverable(&[0; 64], hash.into(), address), None);
        }
    }
}
