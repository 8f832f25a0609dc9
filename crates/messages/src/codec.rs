//! Reading and writing of length-prefixed fields, which metadata and frames are made of. All integers are big-endian.

/// Bytes end before what they should hold, or hold what they may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end early.
    #[error("{what} ends at byte {bytes}, {missing} bytes too early")]
    Ends {
        /// What was read.
        what: &'static str,
        /// How many bytes there are.
        bytes: usize,
        /// How many are missing.
        missing: usize,
    },
    /// Bytes are left over.
    #[error("{what} has {bytes} bytes left over")]
    LeftOver {
        /// What was read.
        what: &'static str,
        /// How many.
        bytes: usize,
    },
    /// A field is not what it must be.
    #[error("{what}: field `{field}` {why}")]
    Field {
        /// What was read.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads from the front of some bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, called `what` in errors.
    #[must_use]
    pub const fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, bytes, at: 0 }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let left = self.bytes.len() - self.at;
        if count > left {
            return Err(CodecError::Ends { what: self.what, bytes: self.bytes.len(), missing: count - left });
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// If something is left.
    pub const fn end(self) -> Result<(), CodecError> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            bytes => Err(CodecError::LeftOver { what: self.what, bytes }),
        }
    }

    /// The error that a field is wrong.
    #[must_use]
    pub fn field_error(&self, field: &'static str, why: impl Into<String>) -> CodecError {
        CodecError::Field { what: self.what, field, why: why.into() }
    }
}
