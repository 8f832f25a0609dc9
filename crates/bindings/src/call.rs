//! Calls by a text of ABI: which function is called, and what one of its arguments says.
//!
//! For whoever must judge a call by data instead of types: the text is data too.

use alloy_dyn_abi::{DynSolValue, JsonAbiExt as _, Specifier as _};
use alloy_json_abi::Function;
use alloy_primitives::U256;

/// A function of a contract, with the names of its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallShape {
    function: Function,
}

/// The text is no function of Solidity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no function such as `mint(address to, uint256 amount)`: {reason}")]
pub struct CallShapeError {
    text: String,
    reason: String,
}

impl CallShape {
    /// Reads a function such as `mint(address to, uint256 amount)`.
    ///
    /// ```
    /// use bindings::call::CallShape;
    ///
    /// let mint = CallShape::parse("mint(address to, uint256 amount)")?;
    /// assert_eq!(mint.selector(), [0x40, 0xc1, 0x0f, 0x19]);
    /// # Ok::<(), bindings::call::CallShapeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is no function, or names types that Solidity's ABI does not have.
    pub fn parse(text: &str) -> Result<Self, CallShapeError> {
        let refused = |reason: String| CallShapeError { text: text.to_owned(), reason };
        let function = Function::parse(text).map_err(|error| refused(error.to_string()))?;
        for argument in &function.inputs {
            let _ = argument.resolve().map_err(|error| refused(error.to_string()))?;
        }
        Ok(Self { function })
    }

    /// The first four bytes of a call.
    pub fn selector(&self) -> [u8; 4] {
        self.function.selector().0
    }

    /// Which argument, counted from 0, has this name and is an unsigned integer.
    pub fn uint_argument(&self, name: &str) -> Option<usize> {
        let is_it =
            |ty: &str| ty.strip_prefix("uint").is_some_and(|bits| bits.bytes().all(|byte| byte.is_ascii_digit()));
        self.function.inputs.iter().position(|argument| argument.name == name && is_it(&argument.ty))
    }

    /// Whether the input calls this function, written in the one way that encoders write it.
    pub fn is_call(&self, input: &[u8]) -> bool {
        self.arguments(input).is_some()
    }

    /// The unsigned integer at this argument of the call. None if the input is no call of the function in the one way that encoders
    /// write it, or has something else there.
    pub fn uint_of(&self, input: &[u8], argument: usize) -> Option<U256> {
        self.arguments(input)?.get(argument)?.as_uint().map(|(value, _)| value)
    }

    fn arguments(&self, input: &[u8]) -> Option<Vec<DynSolValue>> {
        let encoded = input.strip_prefix(&self.selector())?;
        let arguments = self.function.abi_decode_input(encoded).ok()?;
        // Contracts read past what they do not need; what was understood must be all that is there.
        (self.function.abi_encode_input(&arguments).ok()? == input).then_some(arguments)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use alloy_sol_types::SolCall as _;

    use super::*;
    use crate::drex::RealDigital;

    #[test]
    fn an_argument_is_read_from_the_call_that_was_meant() {
        let mint = CallShape::parse("mint(address to, uint256 amount)").unwrap();
        let input = RealDigital::mintCall { to: Address::repeat_byte(7), amount: U256::from(100) }.abi_encode();
        assert_eq!(mint.selector(), RealDigital::mintCall::SELECTOR);
        assert_eq!(
            (mint.uint_argument("amount"), mint.uint_argument("to"), mint.uint_argument("x")),
            (Some(1), None, None)
        );
        assert_eq!(mint.uint_of(&input, 1), Some(U256::from(100)));
        assert!(mint.is_call(&input));
        let mut dirty = input.clone();
        dirty[4] = 1;
        let long = [input.as_slice(), &[0]].concat();
        for other in [&input[..3], &input[..67], &long, &dirty] {
            assert_eq!(mint.uint_of(other, 1), None, "{other:?}");
        }
        assert_eq!(mint.uint_of(&input, 0), None);
    }

    #[test]
    fn a_text_that_is_no_function_is_refused() {
        for bad in ["", "mint", "mint(address", "mint(amount amount)", "mint(uint7 amount)"] {
            assert!(CallShape::parse(bad).is_err(), "{bad}");
        }
    }
}
