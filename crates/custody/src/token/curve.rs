//! What tokens say of secp256k1, and what Ethereum wants of it: points, and signatures that recover.

use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_primitives::{Address, B256, Signature};
use secp256k1::PublicKey;

use crate::secret::address_of;

/// DER of the object identifier 1.3.132.0.10, secp256k1 (SEC 2, section A.2.1): the `CKA_EC_PARAMS` of its keys.
pub(super) const SECP256K1_OID_DER: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

/// An uncompressed point, in bytes: 4, x, y (SEC 1, section 2.3.3).
const POINT_BYTES: usize = 65;

/// A token's signature, in bytes: `r`, `s`.
const SIGNATURE_BYTES: usize = 64;

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
    let raw: &[u8; SIGNATURE_BYTES] = raw.try_into().ok()?;
    let signature = Signature::from_bytes_and_parity(raw, false).normalized_s();
    let is_its = |signature: &Signature| recover_signer(signature, hash).is_ok_and(|address| address == signer);
    let signature = [false, true].into_iter().map(|parity| signature.with_parity(parity)).find(is_its)?;
    assert!(signature.normalize_s().is_none(), "a signature with a high s was about to leave custody");
    Some(signature)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, keccak256, uint};
    use proptest::prelude::*;
    use secp256k1::{SECP256K1, SecretKey};
    use zeroize::Zeroizing;

    use super::*;
    use crate::secret::Secret;

    /// The curve's order (SEC 2, section 2.4.1).
    const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

    fn key() -> SecretKey {
        SecretKey::from_byte_array(keccak256(b"a key of this test").0).unwrap()
    }

    /// The key's own signature, and its address.
    fn signed(hash: [u8; 32]) -> (Signature, Address) {
        let secret = Secret::new(Zeroizing::new(key().secret_bytes())).unwrap();
        (secret.sign(hash.into()), secret.address())
    }

    fn bytes(signature: &Signature) -> [u8; SIGNATURE_BYTES] {
        *signature.as_bytes().first_chunk().unwrap()
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
            let (signature, address) = signed(hash);
            let mut raw = bytes(&signature);
            if is_high {
                raw[32..].copy_from_slice(&(ORDER - signature.s()).to_be_bytes::<32>());
            }
            prop_assert_eq!(recoverable(&raw, hash.into(), address), Some(signature));
        }

        #[test]
        fn what_the_key_did_not_sign_is_thrown_away(hash: [u8; 32], raw: Vec<u8>, other: [u8; 20], above: u64) {
            let (signature, address) = signed(hash);
            let right = bytes(&signature);
            prop_assert_eq!(recoverable(&raw, hash.into(), address), None);
            prop_assert_eq!(recoverable(&right, hash.into(), other.into()), None);
            prop_assert_eq!(recoverable(&right, keccak256(hash), address), None);
            // Numbers that are no members of the curve's order are not taken for others that are.
            let zero = [0; 32];
            for s in [zero, (ORDER + U256::from(above)).to_be_bytes(), U256::MAX.to_be_bytes()] {
                prop_assert_eq!(recoverable(&[&right[..32], &s].concat(), hash.into(), address), None);
                prop_assert_eq!(recoverable(&[&s, &right[32..]].concat(), hash.into(), address), None);
            }
        }
    }
}
