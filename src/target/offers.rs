//! Reads what a runtime offers from its file, before anything of it is executed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use object::read::elf::ElfFile64;
use object::{Object as _, ObjectSegment, ObjectSymbol};

use crate::model::offers::{BYTES, Offers};

/// The variable that THREADBARE_RUNTIME defines.
const SYMBOL: &str = "threadbare_offers";

/// What the target in this shared object offers. The probes of the tests say nothing and are asked for nothing.
///
/// # Errors
/// The file cannot be read, or was compiled against other headers.
pub(super) fn of(object: &Path) -> Result<Offers> {
    let bytes = fs::read(object).with_context(|| format!("cannot read {}", object.display()))?;
    let file = ElfFile64::<object::Endianness>::parse(&*bytes).context("the linker's output is no ELF file")?;
    let mut symbols = file.dynamic_symbols();
    let Some(symbol) = symbols.find(|symbol| symbol.is_definition() && symbol.name() == Ok(SYMBOL)) else {
        return Ok(Offers::default());
    };
    let mut segments = file.segments();
    let found = segments.find_map(|segment| segment.data_range(symbol.address(), BYTES as u64).ok().flatten());
    let said = found.and_then(|data| data.try_into().ok()).with_context(|| format!("{SYMBOL} has no value"))?;
    Offers::read(said).map_err(|why| anyhow!(why))
}
