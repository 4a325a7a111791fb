//! The variables of a program by what its DWARF tells: static ones and those in the frames of functions, with the members
//! of their types.

use std::collections::BTreeMap;

use gimli::{AttributeValue, DebuggingInformationEntry, EndianSlice, Operation, RunTimeEndian, Unit, UnitOffset};
use object::{Object as _, ObjectSection as _};

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;
type Entry<'a, 'b> = DebuggingInformationEntry<'a, 'b, Slice<'a>, usize>;

/// Members within members, at most.
const DEEPEST: usize = 16;

/// What is known of a program.
#[derive(Default)]
pub struct DebugInfo<'a> {
    dwarf: gimli::Dwarf<Slice<'a>>,
    units: Vec<Unit<Slice<'a>>>,
    /// Static variables by their offsets.
    statics: BTreeMap<u64, Kind>,
    /// By where they begin.
    functions: Vec<Function>,
}

/// A type, in one of the units.
#[derive(Clone, Copy)]
struct Kind {
    unit: usize,
    offset: UnitOffset,
}

/// Code from one offset to another, and the variables in its frame.
struct Function {
    low: u64,
    high: u64,
    base: Option<Base>,
    locals: Vec<Local>,
}

/// What offsets in a frame count from.
#[derive(Clone, Copy)]
enum Base {
    /// The canonical frame address.
    End,
    /// The frame pointer, so two words below that.
    Pointer,
}

struct Local {
    name: String,
    offset: i64,
    kind: Kind,
}

impl<'a> DebugInfo<'a> {
    /// Reads that of a shared object; what cannot be read names nothing.
    pub fn of(file: &object::File<'a>) -> Self {
        Self::read(file).unwrap_or_default()
    }

    fn read(file: &object::File<'a>) -> gimli::Result<Self> {
        let dwarf = gimli::Dwarf::load(|id| {
            let data = file.section_by_name(id.name()).and_then(|section| section.data().ok()).unwrap_or_default();
            Ok::<_, gimli::Error>(EndianSlice::new(data, RunTimeEndian::Little))
        })?;
        let mut headers = dwarf.units();
        let mut units = Vec::new();
        while let Some(header) = headers.next()? {
            units.push(dwarf.unit(header)?);
        }
        let mut info = Self { dwarf, units, ..Self::default() };
        for unit in 0..info.units.len() {
            // One that cannot be read leaves the others.
            let _ = info.collect(unit);
        }
        info.functions.sort_by_key(|function| function.low);
        Ok(info)
    }

    fn collect(&mut self, number: usize) -> gimli::Result<()> {
        let unit = &self.units[number];
        let mut entries = unit.entries();
        let mut depth = 0;
        // The functions that the entry is in, with their depths.
        let mut inside: Vec<(isize, Function)> = Vec::new();
        let (mut functions, mut statics) = (Vec::new(), Vec::new());
        while let Some((delta, entry)) = entries.next_dfs()? {
            depth += delta;
            while let Some((_, function)) = inside.pop_if(|(begin, _)| *begin >= depth) {
                functions.push(function);
            }
            match entry.tag() {
                gimli::DW_TAG_subprogram => {
                    if let Some(function) = self.function(unit, entry)? {
                        inside.push((depth, function));
                    }
                }
                gimli::DW_TAG_variable | gimli::DW_TAG_formal_parameter => {
                    let Some(place) = self.place(unit, entry)? else { continue };
                    let Some(offset) = Self::type_of(unit, entry)? else { continue };
                    let kind = Kind { unit: number, offset };
                    match (place, inside.last_mut()) {
                        (Place::Static(address), _) => statics.push((address, kind)),
                        (Place::Frame(offset), Some((_, function))) => {
                            if let Some(name) = self.name(unit, entry)? {
                                function.locals.push(Local { name, offset, kind });
                            }
                        }
                        (Place::Frame(_), None) => {}
                    }
                }
                _ => {}
            }
        }
        functions.extend(inside.into_iter().map(|(_, function)| function));
        self.functions.extend(functions);
        self.statics.extend(statics);
        Ok(())
    }

    fn function(&self, unit: &Unit<Slice<'a>>, entry: &Entry<'_, '_>) -> gimli::Result<Option<Function>> {
        let address = |value| self.dwarf.attr_address(unit, value);
        let Some(low) = entry.attr_value(gimli::DW_AT_low_pc)?.map(address).transpose()?.flatten() else {
            return Ok(None);
        };
        let high = match entry.attr_value(gimli::DW_AT_high_pc)? {
            Some(AttributeValue::Udata(length)) => low + length,
            Some(value) => address(value)?.unwrap_or(low),
            None => low,
        };
        let base = match entry.attr_value(gimli::DW_AT_frame_base)? {
            Some(AttributeValue::Exprloc(expression)) => match expression.operations(unit.encoding()).next()? {
                Some(Operation::CallFrameCFA) => Some(Base::End),
                Some(Operation::Register { register }) if register == FRAME_POINTER => Some(Base::Pointer),
                _ => None,
            },
            _ => None,
        };
        Ok(Some(Function { low, high, base, locals: Vec::new() }))
    }

    fn place(&self, unit: &Unit<Slice<'a>>, entry: &Entry<'_, '_>) -> gimli::Result<Option<Place>> {
        let Some(AttributeValue::Exprloc(expression)) = entry.attr_value(gimli::DW_AT_location)? else {
            return Ok(None);
        };
        let mut operations = expression.operations(unit.encoding());
        let place = match operations.next()? {
            Some(Operation::Address { address }) => Place::Static(address),
            Some(Operation::AddressIndex { index }) => Place::Static(self.dwarf.address(unit, index)?),
            Some(Operation::FrameOffset { offset }) => Place::Frame(offset),
            _ => return Ok(None),
        };
        // One that lies behind a pointer is elsewhere.
        Ok(operations.next()?.is_none().then_some(place))
    }

    fn type_of(unit: &Unit<Slice<'a>>, entry: &Entry<'_, '_>) -> gimli::Result<Option<UnitOffset>> {
        match entry.attr_value(gimli::DW_AT_type)? {
            Some(AttributeValue::UnitRef(offset)) => Ok(Some(offset)),
            _ => match origin(entry)? {
                Some(offset) => Self::type_of(unit, &unit.entry(offset)?),
                None => Ok(None),
            },
        }
    }

    fn name(&self, unit: &Unit<Slice<'a>>, entry: &Entry<'_, '_>) -> gimli::Result<Option<String>> {
        match entry.attr_value(gimli::DW_AT_name)? {
            Some(value) => Ok(Some(self.dwarf.attr_string(unit, value)?.to_string_lossy().into_owned())),
            None => match origin(entry)? {
                Some(offset) => self.name(unit, &unit.entry(offset)?),
                None => Ok(None),
            },
        }
    }

    /// The members that lie at an offset in the static variable at that place, such as `.head.next`.
    pub fn members_of_static(&self, variable: u64, offset: u64) -> Option<String> {
        let kind = self.statics.get(&variable)?;
        self.members(*kind, offset).ok().flatten()
    }

    /// The variable at an address in the frame of the function that was called from around `code`, whose frame ends at `end`.
    pub fn local(&self, code: u64, end: u64, address: u64) -> Option<String> {
        let function = self.function_at(code)?;
        let base = match function.base? {
            Base::End => end,
            Base::Pointer => end.checked_sub(2 * size_of::<u64>() as u64)?,
        };
        function.locals.iter().find_map(|local| {
            let offset = address.checked_sub(base.checked_add_signed(local.offset)?)?;
            let size = self.size(local.kind).ok().flatten()?;
            let members = (offset < size).then(|| self.members(local.kind, offset).ok().flatten()).flatten()?;
            Some(format!("{}{members}", local.name))
        })
    }

    /// Whether two places in the code are in one function.
    pub fn is_same_function(&self, one: u64, other: u64) -> bool {
        one == other || self.function_at(one).is_some_and(|function| (function.low..function.high).contains(&other))
    }

    fn function_at(&self, code: u64) -> Option<&Function> {
        let after = self.functions.partition_point(|function| function.low <= code);
        self.functions[..after].last().filter(|function| code < function.high)
    }

    fn size(&self, kind: Kind) -> gimli::Result<Option<u64>> {
        let unit = &self.units[kind.unit];
        let entry = unit.entry(kind.offset)?;
        if let Some(size) = entry.attr_value(gimli::DW_AT_byte_size)?.and_then(|size| size.udata_value()) {
            return Ok(Some(size));
        }
        let Some(AttributeValue::UnitRef(offset)) = entry.attr_value(gimli::DW_AT_type)? else { return Ok(None) };
        let inner = self.size(Kind { offset, ..kind })?;
        if entry.tag() != gimli::DW_TAG_array_type {
            return Ok(inner);
        }
        let mut count = 1;
        let mut tree = unit.entries_tree(Some(kind.offset))?;
        let mut children = tree.root()?.children();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            let number = |name| entry.attr_value(name).map(|value| value.and_then(|value| value.udata_value()));
            let bound = number(gimli::DW_AT_count)?.or(number(gimli::DW_AT_upper_bound)?.map(|last| last + 1));
            count *= bound.unwrap_or_default();
        }
        Ok(inner.map(|inner| inner * count))
    }

    /// What the parts of a type are called that lie at an offset; those of the C++ library's own types are not told.
    fn members(&self, mut kind: Kind, mut offset: u64) -> gimli::Result<Option<String>> {
        let mut path = String::new();
        for _ in 0..DEEPEST {
            let unit = &self.units[kind.unit];
            let entry = unit.entry(kind.offset)?;
            let inner = match entry.attr_value(gimli::DW_AT_type)? {
                Some(AttributeValue::UnitRef(offset)) => Some(Kind { offset, ..kind }),
                _ => None,
            };
            match (entry.tag(), inner) {
                (gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type | gimli::DW_TAG_union_type, _) => {
                    let Some((name, begin, member)) = self.member(kind, offset)? else { return Ok(Some(path)) };
                    if let Some(name) = name {
                        if name.starts_with('_') {
                            return Ok(Some(path));
                        }
                        path.push('.');
                        path.push_str(&name);
                    }
                    (kind, offset) = (member, offset - begin);
                }
                (gimli::DW_TAG_array_type, Some(inner)) => {
                    let size = self.size(inner)?.unwrap_or_default().max(1);
                    path.push_str(&format!("[{}]", offset / size));
                    (kind, offset) = (inner, offset % size);
                }
                (
                    gimli::DW_TAG_typedef
                    | gimli::DW_TAG_const_type
                    | gimli::DW_TAG_volatile_type
                    | gimli::DW_TAG_atomic_type,
                    Some(inner),
                ) => kind = inner,
                _ => return Ok(Some(path)),
            }
        }
        Ok(Some(path))
    }

    /// The member or base at an offset of a class: its name, where it begins and its type.
    fn member(&self, kind: Kind, offset: u64) -> gimli::Result<Option<(Option<String>, u64, Kind)>> {
        let unit = &self.units[kind.unit];
        let mut tree = unit.entries_tree(Some(kind.offset))?;
        let mut children = tree.root()?.children();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            let is_base = entry.tag() == gimli::DW_TAG_inheritance;
            if !is_base && entry.tag() != gimli::DW_TAG_member {
                continue;
            }
            let begin = entry.attr_value(gimli::DW_AT_data_member_location)?.and_then(|begin| begin.udata_value());
            let Some(AttributeValue::UnitRef(of_member)) = entry.attr_value(gimli::DW_AT_type)? else { continue };
            let member = Kind { offset: of_member, ..kind };
            // A static member lies elsewhere, and one of a union at its beginning.
            let is_static = entry.attr_value(gimli::DW_AT_external)?.is_some();
            let begin = begin.unwrap_or_default();
            let size = self.size(member)?.unwrap_or_default();
            if !is_static && (begin..begin + size).contains(&offset) {
                let name = if is_base { None } else { self.name(unit, entry)? };
                return Ok(Some((name, begin, member)));
            }
        }
        Ok(None)
    }
}

#[cfg(target_arch = "x86_64")]
const FRAME_POINTER: gimli::Register = gimli::X86_64::RBP;
#[cfg(target_arch = "aarch64")]
const FRAME_POINTER: gimli::Register = gimli::AArch64::X29;

/// Where a variable lies.
enum Place {
    Static(u64),
    Frame(i64),
}

/// What an entry completes.
fn origin(entry: &Entry<'_, '_>) -> gimli::Result<Option<UnitOffset>> {
    for name in [gimli::DW_AT_abstract_origin, gimli::DW_AT_specification] {
        if let Some(AttributeValue::UnitRef(offset)) = entry.attr_value(name)? {
            return Ok(Some(offset));
        }
    }
    Ok(None)
}
