//! Sections that hold text, added to ELF files as they lie on disk and read from them. The linker joins sections of one
//! name, in the order in which it takes the files; nothing of them is loaded.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Where things stand in the file header and in the header of a section (ELF specification, "ELF Header", "Sections").
const TABLE: usize = 0x28;
const COUNT: usize = 0x3c;
const NAMES: usize = 0x3e;
const HEADER: usize = 64;
/// A number of sections from here on stands in the header of section 0.
const MANY: u64 = 0xff00;
/// Sections of a file: at most, against files that are broken.
const MOST_SECTIONS: u64 = 1 << 24;

const OFFSET: usize = 0x18;
const SIZE: usize = 0x20;
const LINK: usize = 0x28;
const PROGBITS: u32 = 1;

/// Whether a file begins as a 64-bit ELF file of little-endian numbers does.
#[must_use]
pub fn is_elf(path: &Path) -> bool {
    let mut start = [0; 6];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"\x7fELF\x02\x01"
}

/// Adds text at the end of the section `name` of an ELF file, which comes into being if there is none. Only what is new is
/// written, and the file's header last, so that the file is whole at any moment.
///
/// # Errors
/// The file is no ELF file, or cannot be written.
pub fn add(path: &Path, name: &str, text: &str) -> Result<()> {
    add_to(path, name, text.as_bytes()).with_context(|| format!("cannot add to {}", path.display()))
}

fn add_to(path: &Path, name: &str, text: &[u8]) -> Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut start = [0; HEADER];
    file.read_exact(&mut start)?;
    let mut sections = headers(&mut file, &start)?;
    let names = match number(&start, NAMES, 2) {
        0xffff => number(sections.first().context("no sections")?, LINK, 4),
        index => index,
    } as usize;
    ensure!(names < sections.len(), "it has no names of sections");
    let known = content(&mut file, &sections[names])?;
    let found = sections.iter().position(|section| name_of(section, &known) == name.as_bytes());
    let end = file.seek(SeekFrom::End(0))?;
    let mut added = Vec::new();
    if let Some(found) = found {
        added.extend(content(&mut file, &sections[found])?);
        added.extend(text);
        set(&mut sections[found], OFFSET, 8, end);
        set(&mut sections[found], SIZE, 8, added.len() as u64);
    } else {
        added.extend(text);
        let mut section = vec![0; HEADER];
        set(&mut section, 0, 4, known.len() as u64);
        set(&mut section, 4, 4, PROGBITS.into());
        set(&mut section, OFFSET, 8, end);
        set(&mut section, SIZE, 8, added.len() as u64);
        set(&mut section, 0x30, 8, 1); // Its alignment.
        sections.push(section);
        set(&mut sections[names], OFFSET, 8, end + added.len() as u64);
        added.extend(&known);
        added.extend(name.as_bytes());
        added.push(0);
        set(&mut sections[names], SIZE, 8, (known.len() + name.len() + 1) as u64);
    }
    let table = (end + added.len() as u64).next_multiple_of(8);
    added.resize((table - end) as usize, 0);
    let count = sections.len() as u64;
    let (short, long) = if count < MANY { (count, 0) } else { (0, count) };
    set(&mut sections[0], SIZE, 8, long);
    sections.iter().for_each(|section| added.extend(section));
    set(&mut start, TABLE, 8, table);
    set(&mut start, COUNT, 2, short);
    file.seek(SeekFrom::Start(end))?;
    file.write_all(&added)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file.write_all(&start)?)
}

/// The headers of all sections.
fn headers(file: &mut File, start: &[u8]) -> Result<Vec<Vec<u8>>> {
    ensure!(start.starts_with(b"\x7fELF\x02\x01"), "it is no 64-bit ELF file");
    let table = number(start, TABLE, 8);
    ensure!(table != 0, "it has no sections");
    file.seek(SeekFrom::Start(table))?;
    let mut first = vec![0; HEADER];
    file.read_exact(&mut first)?;
    let count = match number(start, COUNT, 2) {
        0 => number(&first, SIZE, 8),
        count => count,
    };
    ensure!(count > 0 && count < MOST_SECTIONS, "its table of sections is broken");
    let mut all = vec![first];
    for _ in 1..count {
        let mut header = vec![0; HEADER];
        file.read_exact(&mut header)?;
        all.push(header);
    }
    Ok(all)
}

fn content(file: &mut File, section: &[u8]) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(number(section, OFFSET, 8)))?;
    let mut content = Vec::new();
    let size = number(section, SIZE, 8);
    file.take(size).read_to_end(&mut content)?;
    ensure!(content.len() as u64 == size, "it ends within a section");
    Ok(content)
}

fn name_of<'a>(section: &[u8], names: &'a [u8]) -> &'a [u8] {
    let name = names.get(number(section, 0, 4) as usize..).unwrap_or_default();
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The number of so many bytes that stands at a place.
fn number(bytes: &[u8], place: usize, length: usize) -> u64 {
    bytes[place..place + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn set(bytes: &mut [u8], place: usize, length: usize, number: u64) {
    bytes[place..place + length].copy_from_slice(&number.to_le_bytes()[..length]);
}
