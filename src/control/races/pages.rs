//! Where the records of each granule of the program's memory begin: a table of pages, found by hashing.
//!
//! An execution begins at once: what is of another generation counts as empty, and is never cleared.

use std::ops::Range;

use super::records::NONE;
use super::room;

/// Bytes whose records are kept together.
pub const GRANULE: usize = 8;
/// Granules of a page, which is one of the system's.
const CELLS: usize = 512;
/// Pages of the program's memory that are known at most, as a rule: 256 MiB of it.
pub const MOST: usize = 1 << 16;
/// Generations before all is cleared, so that a tag holds one and the number of a page.
const GENERATIONS: u32 = 1 << 28;
/// Pages that are found without hashing.
const NEAR: usize = 64;

#[derive(Clone, Copy)]
struct Cell {
    generation: u32,
    first: u32,
    /// The thread that made all of them, or `SEVERAL`.
    owner: u32,
}

/// Not one thread alone.
const SEVERAL: u32 = u32::MAX;

impl Cell {
    const EMPTY: Self = Self { generation: 0, first: NONE, owner: SEVERAL };
}

struct Page {
    number: usize,
    /// The last one in which it was used.
    generation: u32,
}

#[derive(Clone, Copy)]
struct Near {
    /// Of the page and the generation; 0 for none.
    tag: u64,
    /// The first cell.
    cell: usize,
}

pub struct Pages {
    generation: u32,
    /// Those of the first page, then of the second, and so on.
    cells: Vec<Cell>,
    pages: Vec<Page>,
    /// Indices of pages plus one, by hash; 0 for none. At most half of them are in use.
    index: Vec<u32>,
    near: Box<[Near; NEAR]>,
    /// Granules that found no page.
    pub missed: u64,
    /// Pages that there can be.
    most: usize,
}

impl Pages {
    pub fn new(most: usize) -> Self {
        Self {
            generation: 1,
            cells: Vec::new(),
            pages: Vec::new(),
            index: vec![0; 256],
            near: Box::new([Near { tag: 0, cell: 0 }; NEAR]),
            missed: 0,
            most,
        }
    }

    /// Nothing is known any more.
    pub fn clear(&mut self) {
        self.generation += 1;
        if self.generation == GENERATIONS {
            self.cells.fill(Cell::EMPTY);
            self.pages.iter_mut().for_each(|page| page.generation = 0);
            self.near.fill(Near { tag: 0, cell: 0 });
            self.generation = 1;
        }
    }

    /// The cell of a granule, if its page was used lately.
    #[inline]
    pub fn near(&self, granule: usize) -> Option<usize> {
        let page = granule / CELLS;
        let near = &self.near[page % NEAR];
        (near.tag == self.tag(page)).then_some(near.cell + granule % CELLS)
    }

    #[inline]
    fn tag(&self, page: usize) -> u64 {
        (page as u64).wrapping_mul(u64::from(GENERATIONS)) | u64::from(self.generation)
    }

    /// The cell of a granule; `None` if there are too many pages.
    #[inline]
    pub fn cell(&mut self, granule: usize) -> Option<usize> {
        self.near(granule).or_else(|| self.find_or_make(granule))
    }

    /// The first record in a cell.
    #[inline]
    pub fn first(&self, cell: usize) -> u32 {
        let cell = &self.cells[cell];
        if cell.generation == self.generation { cell.first } else { NONE }
    }

    /// Sets it, when that thread has added a record.
    #[inline]
    pub fn set_first(&mut self, cell: usize, first: u32, thread: usize) {
        let Cell { generation, first: before, owner } = self.cells[cell];
        let is_new = generation != self.generation || before == NONE;
        let owner = if is_new || owner == thread as u32 { thread as u32 } else { SEVERAL };
        self.cells[cell] = Cell { generation: self.generation, first, owner };
    }

    /// The first record in a cell all of whose records that thread made.
    #[inline]
    pub fn first_of(&self, cell: usize, thread: usize) -> Option<u32> {
        let Cell { generation, first, owner } = self.cells[cell];
        (generation == self.generation && owner == thread as u32).then_some(first)
    }

    /// Replaces the first record of each granule in a range that has one.
    pub fn each_known(&mut self, granules: Range<usize>, mut change: impl FnMut(usize, u32) -> u32) {
        let numbers = granules.start / CELLS..granules.end.div_ceil(CELLS);
        if numbers.len() <= self.pages.len() {
            for number in numbers {
                if let Some(page) = self.find(number) {
                    self.change_in(page, &granules, &mut change);
                }
            }
        } else {
            for page in 0..self.pages.len() {
                if numbers.contains(&self.pages[page].number) {
                    self.change_in(page, &granules, &mut change);
                }
            }
        }
    }

    /// Gives the first record of each granule that has one.
    pub fn each(&self, mut look: impl FnMut(u32)) {
        for (page, cells) in self.pages.iter().zip(self.cells.chunks_exact(CELLS)) {
            if page.generation == self.generation {
                cells.iter().filter(|cell| cell.generation == self.generation).for_each(|cell| look(cell.first));
            }
        }
    }

    fn change_in(&mut self, page: usize, granules: &Range<usize>, change: &mut impl FnMut(usize, u32) -> u32) {
        let Page { number, generation } = self.pages[page];
        if generation != self.generation {
            return;
        }
        let start = number * CELLS;
        for granule in granules.start.max(start)..granules.end.min(start + CELLS) {
            let cell = &mut self.cells[page * CELLS + granule % CELLS];
            if cell.generation == self.generation && cell.first != NONE {
                cell.first = change(granule, cell.first);
            }
        }
    }

    #[inline]
    fn slot(&self, number: usize) -> usize {
        let mask = self.index.len() - 1;
        let mut slot = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - self.index.len().ilog2());
        while self.index[slot] != 0 && self.pages[self.index[slot] as usize - 1].number != number {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn find(&self, number: usize) -> Option<usize> {
        (self.index[self.slot(number)] as usize).checked_sub(1)
    }

    #[inline(never)]
    fn find_or_make(&mut self, granule: usize) -> Option<usize> {
        let number = granule / CELLS;
        let Some(page) = self.find(number).or_else(|| self.make(number)) else {
            self.missed += 1;
            return None;
        };
        self.pages[page].generation = self.generation;
        let cell = page * CELLS;
        self.near[number % NEAR] = Near { tag: self.tag(number), cell };
        Some(cell + granule % CELLS)
    }

    #[cold]
    fn make(&mut self, number: usize) -> Option<usize> {
        if self.pages.len() == self.most {
            return self.make_of_old(number);
        }
        let page = self.pages.len();
        room::made(&mut self.pages, page + 1);
        room::made(&mut self.cells, (page + 1) * CELLS);
        self.pages.push(Page { number, generation: 0 });
        self.cells.resize((page + 1) * CELLS, Cell::EMPTY);
        if self.pages.len() * 2 > self.index.len() {
            let slots = self.index.len() * 2;
            room::made(&mut self.index, slots);
            self.index.resize(slots, 0);
            self.index_all();
        } else {
            let slot = self.slot(number);
            self.index[slot] = page as u32 + 1;
        }
        Some(page)
    }

    /// Takes one that is not in use; all such pages are lost with it, but of them nothing is known anyway.
    fn make_of_old(&mut self, number: usize) -> Option<usize> {
        let page = self.pages.iter().position(|page| page.generation != self.generation)?;
        self.pages[page].number = number;
        self.near.fill(Near { tag: 0, cell: 0 });
        self.index_all();
        Some(page)
    }

    fn index_all(&mut self) {
        self.index.fill(0);
        for page in 0..self.pages.len() {
            let slot = self.slot(self.pages[page].number);
            self.index[slot] = page as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_very_many_executions_what_was_known_is_not_taken_for_the_present() {
        let mut pages = Pages::new(MOST);
        let early = pages.cell(1000).expect("room");
        pages.set_first(early, 1, 0);
        pages.generation = GENERATIONS - 1;
        let late = pages.cell(9000).expect("room");
        pages.set_first(late, 2, 0);
        pages.clear();
        assert_eq!((pages.generation, pages.near(1000), pages.near(9000)), (1, None, None));
        assert_eq!((pages.cell(1000), pages.cell(9000)), (Some(early), Some(late)));
        assert_eq!((pages.first(early), pages.first(late)), (NONE, NONE));
    }
}
