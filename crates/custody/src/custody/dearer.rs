//! Signing anew what was signed before, at a higher price.

use alloy_consensus::transaction::SignerRecoverable as _;
use alloy_consensus::{Transaction as _, TxEnvelope, TypedTransaction};
use alloy_eips::eip2718::Decodable2718 as _;

use super::{Custody, SignError, SignedTransaction};
use crate::key::KeyLabel;

impl Custody {
    /// Signs the transaction in `unsigned`, if `before` is the same signed by this key at a lower price: with the same nonce one of
    /// the two is mined at most. What the key's policy allowed is allowed still, and nothing more is spent than the price of gas,
    /// which no policy limits: whoever calls this bounds how often.
    ///
    /// # Errors
    ///
    /// As [`Custody::sign_transaction`]; or the two differ in more than the price, or it is not higher.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn sign_dearer(
        &self,
        label: &KeyLabel,
        before: &[u8],
        unsigned: &[u8],
        chain_id: u64,
    ) -> Result<SignedTransaction, SignError> {
        let (key, transaction) = self.examine(label, unsigned, chain_id)?;
        let refused = |what| Err(SignError::NotDearer { label: label.clone(), what });
        let Ok(signed) = TxEnvelope::decode_2718_exact(before) else {
            return refused("what was signed before is no transaction");
        };
        if signed.recover_signer().ok() != Some(key.signer.address()) {
            return refused("another key signed it before");
        }
        let before = TypedTransaction::from(signed);
        if at_price_of(before.clone(), &transaction).as_ref() != Some(&transaction) {
            return refused("it differs in more than its price");
        }
        if transaction.max_fee_per_gas() <= before.max_fee_per_gas()
            || transaction.max_priority_fee_per_gas() < before.max_priority_fee_per_gas()
        {
            return refused("its price is not higher");
        }
        key.sign(label, transaction, unsigned)
    }
}

/// The transaction at the price of another; `None` if the two are of different types.
fn at_price_of(transaction: TypedTransaction, other: &TypedTransaction) -> Option<TypedTransaction> {
    Some(match (transaction, other) {
        (TypedTransaction::Legacy(mut transaction), TypedTransaction::Legacy(other)) => {
            transaction.gas_price = other.gas_price;
            transaction.into()
        }
        (TypedTransaction::Eip2930(mut transaction), TypedTransaction::Eip2930(other)) => {
            transaction.gas_price = other.gas_price;
            transaction.into()
        }
        (TypedTransaction::Eip1559(mut transaction), TypedTransaction::Eip1559(other)) => {
            transaction.max_fee_per_gas = other.max_fee_per_gas;
            transaction.max_priority_fee_per_gas = other.max_priority_fee_per_gas;
            transaction.into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction as _, TxEip1559, TxLegacy};
    use alloy_primitives::{Address, Bytes, U256};

    use super::*;
    use crate::key::Purpose;
    use crate::network::{Network, ProfileName};

    const CHAIN_ID: u64 = 1337;

    fn legacy(gas_price: u128) -> TxLegacy {
        TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce: 7,
            gas_price,
            gas_limit: 50_000,
            to: Address::repeat_byte(2).into(),
            value: U256::ZERO,
            input: Bytes::from_static(&[1, 2]),
        }
    }

    fn eip1559(max_fee_per_gas: u128, max_priority_fee_per_gas: u128) -> TxEip1559 {
        let TxLegacy { nonce, gas_limit, to, value, input, .. } = legacy(0);
        TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list: alloy_eips::eip2930::AccessList::default(),
            input,
        }
    }

    #[test]
    fn the_same_at_a_higher_price_is_signed_and_nothing_else() {
        let mut custody = Custody::new(Network { profile: ProfileName::embedded(), chain_id: CHAIN_ID });
        let [ours, other] = ["bank-a", "bank-b"].map(|label| KeyLabel::parse(label).unwrap());
        for label in [&ours, &other] {
            let _ = custody.add_test_key(label.clone(), Purpose::Transactions).unwrap();
        }
        let signed =
            |label: &KeyLabel, unsigned: Vec<u8>| custody.sign_transaction(label, &unsigned, CHAIN_ID).unwrap().raw;
        let before = signed(&ours, legacy(8).encoded_for_signing());
        let dearer = |before: &[u8], unsigned: Vec<u8>| {
            custody.sign_dearer(&ours, before, &unsigned, CHAIN_ID).map_err(|error| error.to_string())
        };
        let again = dearer(&before, legacy(9).encoded_for_signing()).unwrap();
        assert_eq!(again.raw, signed(&ours, legacy(9).encoded_for_signing()));
        let before_1559 = signed(&ours, eip1559(8, 1).encoded_for_signing());
        assert!(dearer(&before_1559, eip1559(9, 2).encoded_for_signing()).is_ok());

        let refused = |before: &[u8], unsigned: Vec<u8>, why: &str| {
            let told = dearer(before, unsigned).unwrap_err();
            assert_eq!(told, format!("key `bank-a` does not sign the transaction anew: {why}"));
        };
        let more = "it differs in more than its price";
        for other in [
            TxLegacy { nonce: 8, ..legacy(9) },
            TxLegacy { to: Address::repeat_byte(3).into(), ..legacy(9) },
            TxLegacy { value: U256::from(1), ..legacy(9) },
            TxLegacy { gas_limit: 50_001, ..legacy(9) },
            TxLegacy { input: Bytes::from_static(&[1, 3]), ..legacy(9) },
        ] {
            refused(&before, other.encoded_for_signing(), more);
        }
        refused(&before, eip1559(9, 9).encoded_for_signing(), more);
        refused(&before, legacy(8).encoded_for_signing(), "its price is not higher");
        refused(&before_1559, eip1559(9, 0).encoded_for_signing(), "its price is not higher");
        let foreign = signed(&other, legacy(8).encoded_for_signing());
        refused(&foreign, legacy(9).encoded_for_signing(), "another key signed it before");
        refused(&[1], legacy(9).encoded_for_signing(), "what was signed before is no transaction");
    }
}
