//! What a module's answer means for whoever asked: one table, without a rest.

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

/// What to do after an answer that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The session or the whole module is gone, and its handle may soon be another's: do not close it, open another.
    SessionGone,
    /// The session is there and good for nothing, logged out or stuck in an operation: close it, open another.
    SessionUseless,
    /// The token is gone: look for it again.
    TokenGone,
    /// No room now.
    Busy,
    /// The PIN. Never try again.
    Pin,
    /// The manufacturer's own: after a signature it mostly is a lost connection; after a login it may be the PIN.
    Vendor,
    /// It would answer the same again.
    Refusal,
}

/// What the answer means.
pub(super) fn meaning(error: &Error) -> Meaning {
    match error {
        Error::Pkcs11(answer, _) => meaning_of_answer(*answer),
        Error::LibraryLoading(_)
        | Error::NotSupported
        | Error::TryFromInt(_)
        | Error::TryFromSlice(_)
        | Error::ParseInt(_)
        | Error::Utf8(_)
        | Error::NulError(_)
        | Error::NullFunctionPointer
        | Error::MissingSymbol(_)
        | Error::InvalidValue
        | Error::PinNotSet => Meaning::Refusal,
    }
}

/// Whether the module was never started, or somebody in this process stopped it.
pub(super) fn is_not_started(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(RvError::CryptokiNotInitialized, _))
}

/// Whether somebody in this process started the module before.
pub(super) fn is_started_already(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _))
}

/// Whether the token is logged in already, by another session of this process.
pub(super) fn is_logged_in_already(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(RvError::UserAlreadyLoggedIn, _))
}

/// What a module answers who is not logged in, for searches: they find nothing private instead of saying so.
pub(super) fn logged_out() -> Error {
    Error::Pkcs11(RvError::UserNotLoggedIn, Function::FindObjects)
}

/// The answer's name and the function that gave it: the library's own text is a paragraph of the standard.
pub(super) fn text(error: &Error) -> String {
    match error {
        Error::Pkcs11(answer, function) => format!("{answer:?} from C_{function:?}"),
        other => other.to_string(),
    }
}

// A new code must decide here, so there is no `_`. Grouped by meaning, in the order of `RvError` inside a group. It is one table, so
// its lines are filled by hand.
#[rustfmt::skip]
fn meaning_of_answer(answer: RvError) -> Meaning {
    use RvError as Rv;
    match answer {
        Rv::SessionClosed | Rv::SessionHandleInvalid | Rv::CryptokiNotInitialized => Meaning::SessionGone,
        Rv::GeneralError
        | Rv::FunctionFailed
        | Rv::DeviceError
        | Rv::FunctionCanceled
        | Rv::KeyHandleInvalid
        | Rv::ObjectHandleInvalid
        | Rv::OperationActive
        | Rv::OperationNotInitialized
        | Rv::UserNotLoggedIn => Meaning::SessionUseless,
        Rv::SlotIdInvalid | Rv::DeviceRemoved | Rv::TokenNotPresent | Rv::TokenNotRecognized => Meaning::TokenGone,
        Rv::HostMemory | Rv::CantLock | Rv::DeviceMemory | Rv::SessionCount => Meaning::Busy,
        Rv::PinIncorrect
        | Rv::PinInvalid
        | Rv::PinLenRange
        | Rv::PinExpired
        | Rv::PinLocked
        | Rv::UserPinNotInitialized
        | Rv::PinTooWeak => Meaning::Pin,
        Rv::VendorDefined(_) | Rv::UnknownErrorCode(_) => Meaning::Vendor,
        Rv::Cancel | Rv::ArgumentsBad | Rv::NoEvent | Rv::NeedToCreateThreads | Rv::AttributeReadOnly
        | Rv::AttributeSensitive | Rv::AttributeTypeInvalid | Rv::AttributeValueInvalid | Rv::ActionProhibited
        | Rv::DataInvalid | Rv::DataLenRange | Rv::EncryptedDataInvalid | Rv::EncryptedDataLenRange
        | Rv::FunctionNotParallel | Rv::FunctionNotSupported | Rv::CurveNotSupported | Rv::KeySizeRange
        | Rv::KeyTypeInconsistent | Rv::KeyNotNeeded | Rv::KeyChanged | Rv::KeyNeeded | Rv::KeyIndigestible
        | Rv::KeyFunctionNotPermitted | Rv::KeyNotWrappable | Rv::KeyUnextractable | Rv::MechanismInvalid
        | Rv::MechanismParamInvalid | Rv::SessionParallelNotSupported | Rv::SessionReadOnly | Rv::SessionExists
        | Rv::SessionReadOnlyExists | Rv::SessionReadWriteSoExists | Rv::SignatureInvalid
        | Rv::SignatureLenRange | Rv::TemplateIncomplete | Rv::TemplateInconsistent | Rv::TokenWriteProtected
        | Rv::UnwrappingKeyHandleInvalid | Rv::UnwrappingKeySizeRange | Rv::UnwrappingKeyTypeInconsistent
        | Rv::UserAlreadyLoggedIn | Rv::UserTypeInvalid | Rv::UserAnotherAlreadyLoggedIn | Rv::UserTooManyTypes
        | Rv::WrappedKeyInvalid | Rv::WrappedKeyLenRange | Rv::WrappingKeyHandleInvalid
        | Rv::WrappingKeySizeRange | Rv::WrappingKeyTypeInconsistent | Rv::RandomSeedNotSupported
        | Rv::RandomNoRng | Rv::DomainParamsInvalid | Rv::BufferTooSmall | Rv::SavedStateInvalid
        | Rv::InformationSensitive | Rv::StateUnsaveable | Rv::CryptokiAlreadyInitialized | Rv::MutexBad
        | Rv::MutexNotLocked | Rv::NewPinMode | Rv::NextOtp | Rv::ExceededMaxIterations
        | Rv::FipsSelfTestFailed | Rv::LibraryLoadFailed | Rv::PublicKeyInvalid | Rv::FunctionRejected => Meaning::Refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_the_pin_is_never_tried_again_and_a_lost_session_is() {
        for pin in [RvError::PinIncorrect, RvError::PinLocked, RvError::PinExpired, RvError::UserPinNotInitialized] {
            assert_eq!(meaning_of_answer(pin), Meaning::Pin);
        }
        for gone in [RvError::SessionHandleInvalid, RvError::SessionClosed, RvError::CryptokiNotInitialized] {
            assert_eq!(meaning_of_answer(gone), Meaning::SessionGone);
        }
        for useless in [RvError::UserNotLoggedIn, RvError::DeviceError, RvError::KeyHandleInvalid] {
            assert_eq!(meaning_of_answer(useless), Meaning::SessionUseless);
        }
        assert_eq!(meaning_of_answer(RvError::DeviceRemoved), Meaning::TokenGone);
        assert_eq!(meaning_of_answer(RvError::VendorDefined(0x8000_0001)), Meaning::Vendor);
    }

    #[test]
    fn an_answer_is_named_in_one_line() {
        let error = Error::Pkcs11(RvError::PinIncorrect, Function::Login);
        assert_eq!(text(&error), "PinIncorrect from C_Login");
    }
}
