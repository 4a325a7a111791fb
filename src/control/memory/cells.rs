//! Values: reading the program's memory, and the cells that hold the values of stores.
//!
//! All by volatile accesses of single words: no call of `memcpy`, which would be an interceptor of a sanitizer.

/// Largest atomic object, in bytes.
pub(super) const LARGEST: u32 = 16;

/// What is at an address of the program, extended with zeros.
#[inline]
pub(super) fn read(address: usize, size: u32) -> u128 {
    if size <= 8 && size.is_power_of_two() && address & (size as usize - 1) == 0 {
        // SAFETY: The program is about to access these bytes, or has just done so, and no other thread runs; they are aligned.
        unsafe {
            match size {
                1 => u128::from(std::ptr::with_exposed_provenance::<u8>(address).read_volatile()),
                2 => u128::from(std::ptr::with_exposed_provenance::<u16>(address).read_volatile()),
                4 => u128::from(std::ptr::with_exposed_provenance::<u32>(address).read_volatile()),
                _ => u128::from(std::ptr::with_exposed_provenance::<u64>(address).read_volatile()),
            }
        }
    } else if size == LARGEST && address & 7 == 0 {
        u128::from(read_word(address)) | u128::from(read_word(address + 8)) << 64
    } else {
        read_bytes(address, size)
    }
}

#[inline]
fn read_word(address: usize) -> u64 {
    // SAFETY: As in `read`, whose caller accesses 16 bytes; a half of them.
    unsafe { std::ptr::with_exposed_provenance::<u64>(address).read_volatile() }
}

/// Of any size and alignment.
#[cold]
fn read_bytes(address: usize, size: u32) -> u128 {
    let mut value = [0; LARGEST as usize];
    for (offset, byte) in value.iter_mut().enumerate().take(size as usize) {
        // SAFETY: The program accesses these bytes, and no other thread runs; a byte is always aligned.
        *byte = unsafe { std::ptr::with_exposed_provenance::<u8>(address + offset).read_volatile() };
    }
    u128::from_le_bytes(value)
}

/// Numbered cells of 16 bytes, on which the program may operate.
pub(super) struct Cells {
    cells: Vec<u128>,
}

impl Cells {
    pub(super) fn new(cells: usize) -> Self {
        Self { cells: vec![0; cells] }
    }

    pub(super) fn grow(&mut self, cells: usize) {
        self.cells.resize(cells, 0);
    }

    #[inline]
    fn pointer(&self, cell: usize) -> *const u128 {
        &raw const self.cells[cell]
    }

    #[inline]
    pub(super) fn get(&self, cell: usize) -> u128 {
        // SAFETY: A reference to it was just taken; volatile since the program writes to it by its address.
        unsafe { self.pointer(cell).read_volatile() }
    }

    #[inline]
    pub(super) fn set(&mut self, cell: usize, value: u128) {
        let pointer = &raw mut self.cells[cell];
        // SAFETY: A reference to it was just taken; volatile since the program reads it by its address.
        unsafe { pointer.write_volatile(value) }
    }

    /// Where the program finds it, until cells are added.
    #[inline]
    pub(super) fn address(&mut self, cell: usize) -> usize {
        (&raw mut self.cells[cell]).expose_provenance()
    }
}
