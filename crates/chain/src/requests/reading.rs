//! What a request says, as an intent: pure.

use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex};
use custody::policy::{Approval, Statement, UnixTime};
use messages::ledger::{ApprovalRecord, TransactionRequested};

use crate::intent::{Intent, IntentKey, IntentKeyError};

/// The longest subject that an order matters to, in bytes.
pub(super) const ORDER_SUBJECT_BYTES_MAX: usize = 200;

/// How many approvals a request may bring.
pub(super) const APPROVALS_MAX: usize = 32;

/// How many other requests a request may name that it depends on.
pub const REQUEST_DEPENDENCIES_MAX: usize = 16;

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// What is to be done. Where the request gives no gas limit it is 0 here, with which no lane takes it.
    pub(super) intent: Intent,
    /// What must have ended before it counts that its estimate fails.
    pub(super) depends_on: Vec<IntentKey>,
}

/// The request is not as it must be: nobody could carry it out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReadingError {
    #[error(transparent)]
    Key(IntentKeyError),
    #[error("`{field}` is no hexadecimal text with `0x` of {what}: {why}")]
    Hex { field: &'static str, what: &'static str, why: String },
    #[error("`value_wei` is no number in decimal digits: {why}")]
    Value { why: String },
    #[error("`order_subject` has {bytes} bytes; 1 to {max} without control characters are allowed", max = ORDER_SUBJECT_BYTES_MAX)]
    OrderSubject { bytes: usize },
    #[error("there are {count} approvals, more than {max}", max = APPROVALS_MAX)]
    TooManyApprovals { count: usize },
    #[error("it depends on {count} requests, more than {max}", max = REQUEST_DEPENDENCIES_MAX)]
    TooManyDependencies { count: usize },
    #[error("`depends_on` has a text that is no key")]
    Dependency(#[source] IntentKeyError),
    #[error("it depends on `{key}`, which is no other request of the same service")]
    ForeignDependency { key: IntentKey },
}

/// Reads the request.
pub(super) fn read(request: &TransactionRequested) -> Result<Asked, ReadingError> {
    let intent = intent(request)?;
    if request.depends_on.len() > REQUEST_DEPENDENCIES_MAX {
        return Err(ReadingError::TooManyDependencies { count: request.depends_on.len() });
    }
    let key = |text: &String| IntentKey::parse(text).map_err(ReadingError::Dependency);
    let depends_on = request.depends_on.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    // A service's name has no `/`, so that what stands before the first one is whose a key is.
    let service = |key: &IntentKey| key.as_str().split_once('/').map(|(service, _)| service.to_owned());
    let is_foreign = |key: &&IntentKey| **key == intent.key || service(key) != service(&intent.key);
    if let Some(key) = depends_on.iter().find(is_foreign) {
        return Err(ReadingError::ForeignDependency { key: key.clone() });
    }
    Ok(Asked { intent, depends_on })
}

fn intent(request: &TransactionRequested) -> Result<Intent, ReadingError> {
    let key = IntentKey::parse(&request.key).map_err(ReadingError::Key)?;
    if let Some(subject) = &request.order_subject
        && (subject.is_empty() || subject.len() > ORDER_SUBJECT_BYTES_MAX || subject.chars().any(char::is_control))
    {
        return Err(ReadingError::OrderSubject { bytes: subject.len() });
    }
    let target = match &request.target {
        Some(target) => TxKind::Call(Address::from(fixed("target", "20 bytes", target)?)),
        None => TxKind::Create,
    };
    let value_wei = match &request.value_wei {
        Some(value) => decimal(value)?,
        None => U256::ZERO,
    };
    if request.approvals.len() > APPROVALS_MAX {
        return Err(ReadingError::TooManyApprovals { count: request.approvals.len() });
    }
    Ok(Intent {
        key,
        target,
        data: Bytes::from(any("data", "whole bytes", &request.data)?),
        value_wei,
        gas_limit: request.gas_limit.unwrap_or_default(),
        subject: request.description.clone(),
        approvals: request.approvals.iter().map(approval).collect::<Result<_, _>>()?,
    })
}

fn approval(record: &ApprovalRecord) -> Result<Approval, ReadingError> {
    let statement = Statement {
        approver: Address::from(fixed("approver", "20 bytes", &record.approver)?),
        role: record.role.clone(),
        subject: B256::from(fixed("subject", "32 bytes", &record.subject)?),
        issued_at: UnixTime(record.issued_at),
        expires_at: UnixTime(record.expires_at),
    };
    let bytes: [u8; 65] = fixed("signature", "65 bytes", &record.signature)?;
    let refused = |error: alloy_primitives::SignatureError| ReadingError::Hex {
        field: "signature",
        what: "65 bytes",
        why: error.to_string(),
    };
    Ok(Approval { statement, signature: Signature::from_raw_array(&bytes).map_err(refused)? })
}

fn fixed<const N: usize>(field: &'static str, what: &'static str, text: &str) -> Result<[u8; N], ReadingError> {
    let bytes = any(field, what, text)?;
    let count = bytes.len();
    bytes.try_into().map_err(|_| ReadingError::Hex { field, what, why: format!("it has {count} bytes") })
}

fn any(field: &'static str, what: &'static str, text: &str) -> Result<Vec<u8>, ReadingError> {
    let refused = |why: String| ReadingError::Hex { field, what, why };
    let digits = text.strip_prefix("0x").ok_or_else(|| refused("it does not begin with `0x`".to_owned()))?;
    // Which character is wrong is said, and not the text: it may be long.
    hex::decode(digits).map_err(|error| refused(error.to_string()))
}

fn decimal(text: &str) -> Result<U256, ReadingError> {
    if text.is_empty() || text.len() > 78 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ReadingError::Value { why: "it has other characters, or too many".to_owned() });
    }
    U256::from_str_radix(text, 10).map_err(|error| ReadingError::Value { why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> TransactionRequested {
        TransactionRequested {
            key: "tokens/mint/1".to_owned(),
            chain_id: 1337,
            lane_group: "treasury".to_owned(),
            order_subject: Some("asset/1".to_owned()),
            target: Some(format!("0x{}", "cc".repeat(20))),
            data: "0x0102".to_owned(),
            value_wei: Some("12".to_owned()),
            gas_limit: Some(50_000),
            depends_on: Vec::new(),
            description: "mint".to_owned(),
            approvals: Vec::new(),
        }
    }

    #[test]
    fn a_request_says_the_whole_intent() {
        let read = intent(&request()).unwrap();
        let key = IntentKey::parse("tokens/mint/1").unwrap();
        let expected = Intent::call(key, Address::repeat_byte(0xcc), Bytes::from_static(&[1, 2]), 50_000, "mint");
        assert_eq!(read, Intent { value_wei: U256::from(12), ..expected });
        let creation = TransactionRequested { target: None, order_subject: None, value_wei: None, ..request() };
        assert!(intent(&creation).unwrap().target.is_create());
    }

    #[test]
    fn a_request_depends_on_others_of_its_service() {
        let of = |keys: &[&str]| {
            let depends_on = keys.iter().map(|key| (*key).to_owned()).collect();
            read(&TransactionRequested { gas_limit: None, depends_on, ..request() })
        };
        let asked = of(&["tokens/mint/0", "tokens/x"]).unwrap();
        assert_eq!((asked.intent.gas_limit, asked.depends_on.len()), (0, 2));
        let refused = |keys: &[&str]| of(keys).unwrap_err().to_string();
        assert_eq!(refused(&["bonds/1"]), "it depends on `bonds/1`, which is no other request of the same service");
        for own_or_nobodys in ["tokens/mint/1", "tokens", "tokens2/1"] {
            assert!(refused(&[own_or_nobodys]).ends_with("no other request of the same service"));
        }
        assert_eq!(refused(&["tokens/0", ""]), "`depends_on` has a text that is no key");
        assert_eq!(refused(&["tokens/0"; 17]), "it depends on 17 requests, more than 16");
        assert!(of(&["tokens/0"; 16]).is_ok());
    }

    #[test]
    fn what_nobody_could_carry_out_is_refused_with_the_field_that_is_wrong() {
        let of = |change: fn(&mut TransactionRequested)| {
            let mut bad = request();
            change(&mut bad);
            intent(&bad).unwrap_err().to_string()
        };
        let record = || ApprovalRecord {
            approver: format!("0x{}", "01".repeat(20)),
            role: "risk".to_owned(),
            subject: format!("0x{}", "02".repeat(32)),
            issued_at: 1,
            expires_at: 2,
            signature: format!("0x{}1b", "03".repeat(64)),
        };
        assert!(intent(&TransactionRequested { approvals: vec![record()], ..request() }).is_ok());
        let expected = [
            (of(|bad| bad.key = "a\n".to_owned()), "intent key has 2 bytes"),
            (of(|bad| bad.target = Some("0x01".to_owned())), "`target` is no hexadecimal text with `0x` of 20 bytes"),
            (of(|bad| bad.data = "01".to_owned()), "it does not begin with `0x`"),
            (of(|bad| bad.data = "0x012".to_owned()), "`data` is no hexadecimal text"),
            (of(|bad| bad.value_wei = Some("1e3".to_owned())), "`value_wei` is no number"),
            (of(|bad| bad.value_wei = Some("9".repeat(78))), "`value_wei` is no number"),
            (of(|bad| bad.order_subject = Some(String::new())), "`order_subject` has 0 bytes"),
            (of(|bad| bad.order_subject = Some("x".repeat(201))), "`order_subject` has 201 bytes"),
        ];
        for (told, words) in expected {
            assert!(told.contains(words), "{told}");
        }
        let short = ApprovalRecord { signature: "0x03".to_owned(), ..record() };
        let bad = TransactionRequested { approvals: vec![short], ..request() };
        assert!(intent(&bad).unwrap_err().to_string().contains("`signature`"));
        let many = TransactionRequested { approvals: vec![record(); APPROVALS_MAX + 1], ..request() };
        assert!(intent(&many).unwrap_err().to_string().starts_with("there are 33 approvals"));
    }
}
