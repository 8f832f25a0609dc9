//! Old state tests hold no signed transaction but its fields, each a list to choose from, and the sender's key.

use super::Indexes;
use crate::transaction::testing::signed_bytes;
use alloy_consensus::{TxEip1559, TxEip2930, TxLegacy};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Bytes, TxKind, U256};
use secp256k1::SecretKey;
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    data: Vec<Bytes>,
    gas_limit: Vec<U256>,
    value: Vec<U256>,
    nonce: U256,
    gas_price: Option<U256>,
    max_fee_per_gas: Option<U256>,
    max_priority_fee_per_gas: Option<U256>,
    access_lists: Option<Vec<Option<AccessList>>>,
    to: String,
    secret_key: U256,
}

/// The signed bytes of the transaction that `indexes` choose, or why there can be none.
pub(super) fn sign(template: &Json, indexes: &Indexes, chain_id: u64) -> Result<Bytes, String> {
    let foreign = ["maxFeePerBlobGas", "blobVersionedHashes", "authorizationList"];
    if foreign.iter().any(|field| template.get(field).is_some()) {
        return Err("no signed bytes, and the transaction is of a type that is not signed here".to_owned());
    }
    let template = Template::deserialize(template)
        .map_err(|error| format!("no signed bytes, and its fields are none that could be signed: {error}"))?;
    let key = SecretKey::from_byte_array(template.secret_key.to_be_bytes()).map_err(|error| error.to_string())?;
    let to = if template.to.is_empty() { TxKind::Create } else { TxKind::Call(template.to.parse().unwrap()) };
    let (nonce, gas_limit) = (template.nonce.saturating_to(), template.gas_limit[indexes.gas].saturating_to());
    let (value, input) = (template.value[indexes.value], template.data[indexes.data].clone());
    let gas_price = template.gas_price.unwrap_or_default().saturating_to();
    let access_list = template.access_lists.map(|lists| lists.get(indexes.data).cloned().flatten().unwrap_or_default());
    Ok(if let Some(max_fee) = template.max_fee_per_gas {
        let max_priority_fee_per_gas = template.max_priority_fee_per_gas.unwrap_or_default().saturating_to();
        let (max_fee_per_gas, access_list) = (max_fee.saturating_to(), access_list.unwrap_or_default());
        signed_bytes(
            TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            },
            &key,
        )
    } else if let Some(access_list) = access_list {
        signed_bytes(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }, &key)
    } else {
        // Without a chain id, as these tests are.
        signed_bytes(TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input }, &key)
    })
}
