//! Numbers as bytes: LEB128 of 7 bits a byte, signed ones in zigzag.

use std::fmt;

use crate::task_graph::validate::{Invalid, MAX_OBJECTS};

/// Bytes that are no task graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// They end where more must come.
    CutOff,
    /// What is at this place, counted from 0, cannot stand there.
    Wrong { place: usize, what: &'static str },
    /// They hold a task graph that is not valid.
    Invalid(Invalid),
}

impl fmt::Display for Undecodable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => formatter.write_str("it ends too early; it was cut off"),
            Self::Wrong { place, what } => write!(formatter, "byte {place}: {what}"),
            Self::Invalid(invalid) => write!(formatter, "its task graph is not valid: {invalid}"),
        }
    }
}

impl std::error::Error for Undecodable {}

/// Appends numbers to bytes.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn number(&mut self, value: impl Into<u64>) {
        let mut left = value.into();
        while left >= 0x80 {
            self.0.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.0.push(left as u8);
    }

    pub(super) fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63) as u64);
    }

    pub(super) fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    pub(super) fn numbers(&mut self, values: &[u32]) {
        self.length(values.len());
        for &value in values {
            self.number(value);
        }
    }
}

/// Takes numbers off bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from `place` on.
    #[must_use]
    pub fn new(bytes: &'a [u8], place: usize) -> Self {
        Self { bytes, place }
    }

    /// What is wrong with the byte before this place.
    #[must_use]
    pub fn wrong(&self, what: &'static str) -> Undecodable {
        Undecodable::Wrong { place: self.place.saturating_sub(1), what }
    }

    /// A number, in its shortest form.
    ///
    /// # Errors
    /// The bytes end, or the number has more than 64 bits or a longer form than it needs.
    pub fn number(&mut self) -> Result<u64, Undecodable> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.place).ok_or(Undecodable::CutOff)?;
            self.place += 1;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits || byte == 0 && shift > 0 {
                return Err(self.wrong("a number of more bits than it needs or fits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.wrong("a number of more than 64 bits"))
    }

    /// A number of at most 32 bits.
    ///
    /// # Errors
    /// As [`Reader::number`], or it is larger.
    pub fn short(&mut self) -> Result<u32, Undecodable> {
        let value = self.number()?;
        u32::try_from(value).map_err(|_| self.wrong("a number of more than 32 bits"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Undecodable> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The length of a list of at most `most` elements, of which each takes a byte or more; so whoever makes room for
    /// them takes no more memory than a multiple of what the bytes take.
    ///
    /// # Errors
    /// It cannot be that long.
    pub fn length(&mut self, most: usize) -> Result<usize, Undecodable> {
        let length = self.number()?;
        if length > most as u64 {
            return Err(self.wrong("a list longer than any of its kind"));
        }
        if length > (self.bytes.len() - self.place) as u64 { Err(Undecodable::CutOff) } else { Ok(length as usize) }
    }

    pub(super) fn list<T>(
        &mut self,
        most: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, Undecodable>,
    ) -> Result<Vec<T>, Undecodable> {
        (0..self.length(most)?).map(|_| element(self)).collect()
    }

    pub(super) fn numbers(&mut self) -> Result<Vec<u32>, Undecodable> {
        self.list(MAX_OBJECTS, Self::short)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// There are bytes left.
    pub fn end(self) -> Result<(), Undecodable> {
        if self.place == self.bytes.len() {
            return Ok(());
        }
        Err(Undecodable::Wrong { place: self.place, what: "bytes after the end" })
    }
}
