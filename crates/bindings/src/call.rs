//! Calls by a function's text: which function is called, and what one of its arguments says.
//!
//! For whoever must judge a call by data instead of types: the text is data too.

use alloy_dyn_abi::{DynSolValue, JsonAbiExt as _, Specifier as _};
use alloy_json_abi::{Function, Param};
use alloy_primitives::U256;

/// A function of a contract, with the names of its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallShape {
    function: Function,
}

/// A call that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    arguments: Vec<DynSolValue>,
}

/// The text is no function of Solidity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no function such as `mint(address to, uint256 amount)`: {reason}")]
pub struct CallShapeError {
    text: String,
    reason: String,
}

/// A name is not that of one argument which is an unsigned integer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UintArgumentError {
    /// The name is empty, as that of every argument without one. Give the argument a name: it need not be the contract's.
    #[error("an argument is named by a text that is not empty")]
    NoName,
    /// No argument has the name.
    #[error("no argument has this name")]
    Missing,
    /// Several arguments have the name. Give them different ones.
    #[error("{count} arguments have this name, and it must be one")]
    Ambiguous {
        /// How many.
        count: usize,
    },
    /// The argument is something else.
    #[error("the argument is `{found}`, no unsigned integer")]
    OtherType {
        /// Its type.
        found: String,
    },
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
    ///
    /// # Errors
    ///
    /// It is not clear which is meant, or that is something else.
    pub fn uint_argument(&self, name: &str) -> Result<usize, UintArgumentError> {
        let named = |&(_, argument): &(usize, &Param)| argument.name == name;
        let found: Vec<(usize, &Param)> = self.function.inputs.iter().enumerate().filter(named).collect();
        match found[..] {
            _ if name.is_empty() => Err(UintArgumentError::NoName),
            [] => Err(UintArgumentError::Missing),
            [(place, argument)] if is_uint(&argument.ty) => Ok(place),
            [(_, argument)] => Err(UintArgumentError::OtherType { found: argument.ty.clone() }),
            _ => Err(UintArgumentError::Ambiguous { count: found.len() }),
        }
    }

    /// Reads a call of this function. None if the input is none in the one way that encoders write it.
    pub fn read(&self, input: &[u8]) -> Option<Call> {
        let encoded = input.strip_prefix(&self.selector())?;
        let arguments = self.function.abi_decode_input(encoded).ok()?;
        // Contracts read past what they do not need; what was understood must be all that is there.
        (self.function.abi_encode_input(&arguments).ok()? == input).then_some(Call { arguments })
    }
}

impl Call {
    /// The unsigned integer at this argument, counted from 0; none if there is something else.
    pub fn uint(&self, argument: usize) -> Option<U256> {
        self.arguments.get(argument)?.as_uint().map(|(value, _)| value)
    }
}

fn is_uint(ty: &str) -> bool {
    ty.strip_prefix("uint").is_some_and(|bits| bits.bytes().all(|byte| byte.is_ascii_digit()))
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
        let call = mint.read(&input).unwrap();
        assert_eq!([call.uint(1), call.uint(0), call.uint(2)], [Some(U256::from(100)), None, None]);
        let mut dirty = input.clone();
        dirty[4] = 1;
        let long = [input.as_slice(), &[0]].concat();
        for other in [&input[..3], &input[..67], &long, &dirty] {
            assert_eq!(mint.read(other), None, "{other:?}");
        }
    }

    #[test]
    fn an_argument_is_named_so_that_it_is_clear_which_is_meant() {
        let shape =
            CallShape::parse("f(address to, uint256 amount, uint8, uint256 x, bytes x, uint256[] many)").unwrap();
        assert_eq!(shape.uint_argument("amount"), Ok(1));
        assert_eq!(shape.uint_argument(""), Err(UintArgumentError::NoName));
        assert_eq!(shape.uint_argument("value"), Err(UintArgumentError::Missing));
        assert_eq!(shape.uint_argument("x"), Err(UintArgumentError::Ambiguous { count: 2 }));
        for (name, ty) in [("to", "address"), ("many", "uint256[]")] {
            assert_eq!(shape.uint_argument(name), Err(UintArgumentError::OtherType { found: ty.to_owned() }));
        }
    }

    #[test]
    fn a_text_that_is_no_function_is_refused() {
        for bad in ["", "mint", "mint(address", "mint(amount amount)", "mint(uint7 amount)"] {
            assert!(CallShape::parse(bad).is_err(), "{bad}");
        }
    }
}
