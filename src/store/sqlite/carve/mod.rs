//! Rows out of a token's file that SQLite may not be able to read any more: looked for in every page of the file and of its log,
//! whatever has become of the structure around them.
//!
//! What is found may be a row, a row as it was before, or chance: nothing here can tell. The seal can.

mod images;
mod page;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use super::failure;
use crate::error::{Error, Result};
use crate::store::Item;
use images::{Image, Images, Moment, Page};
use record::Shape;

/// A token's file, damaged or not. It is read, and nothing else.
pub struct Carving<'a> {
    images: Images,
    path: &'a Path,
}

/// What looks like a row.
pub struct Found {
    /// The row.
    pub item: Item,
    /// Where it is.
    pub place: Place,
    /// Whether SQLite would look for it on this page now, if it could: nothing that was committed later has taken the page's place,
    /// as far as can be told.
    pub is_current: bool,
    /// Whether the page itself says that there is a row.
    pub is_listed: bool,
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    image: Image,
    at: u16,
    /// At which its overflow pages are looked for.
    moment: Moment,
}

impl<'a> Carving<'a> {
    /// Opens the file, and the log beside it if there is one. Their format is not looked at: what has that much left of it is no case
    /// for this.
    ///
    /// # Errors
    /// [`Error::DeviceError`] when they cannot be read, as in every function here.
    pub fn open(path: &'a Path) -> Result<Self> {
        let images = Images::open(path).map_err(|error| failure::of_system(&error, "read", path))?;
        Ok(Self { images, path })
    }

    /// Shows everything that looks like a row, an id as often as it is found.
    ///
    /// # Errors
    /// Those of `each`, which end it; [`Error::DeviceError`] also when somebody has written meanwhile.
    pub fn each(&self, each: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
        for (image, moment) in self.images.all() {
            let page = self.read(|images| images.read(image))?;
            let is_current = self.images.is_current(image);
            for (at, bytes) in (0_u16..).zip((0..page.len()).filter_map(|at| page.get(at..))) {
                let Some(shape) = Shape::at(bytes) else { continue };
                let place = Place { image, at, moment };
                if let Some(item) = self.item(&shape, bytes, moment)? {
                    let is_listed = page::lists(&page, at.into(), &shape);
                    each(Found { item, place, is_current, is_listed })?;
                }
            }
        }
        match self.read(Images::is_still)? {
            true => Ok(()),
            false => Err(Error::DeviceError(format!("{} is being written to", self.path.display()).into())),
        }
    }

    /// What was found there.
    pub fn again(&self, place: Place) -> Result<Option<Item>> {
        let page = self.read(|images| images.read(place.image))?;
        let bytes = page.get(usize::from(place.at)..).unwrap_or_default();
        Shape::at(bytes).map_or(Ok(None), |shape| self.item(&shape, bytes, place.moment))
    }

    fn item(&self, shape: &Shape, bytes: &[u8], moment: Moment) -> Result<Option<Item>> {
        Ok(self.record(shape, bytes, moment)?.and_then(|record| shape.item(&record)))
    }

    /// The whole record that begins with these bytes of a page; what is not there any more is nothing.
    fn record(&self, shape: &Shape, bytes: &[u8], moment: Moment) -> Result<Option<Vec<u8>>> {
        let local = shape.table.local(shape.length, images::PAGE);
        // Nothing is longer than all there is.
        if shape.length as u64 > self.images.length() || shape.length > LONGEST {
            return Ok(None);
        }
        let Some((here, rest)) = bytes.split_at_checked(local) else { return Ok(None) };
        let mut record = here.to_vec();
        let mut next = rest.first_chunk().map(|number| u32::from_be_bytes(*number));
        while let Some(missing) = shape.length.checked_sub(record.len()).filter(|missing| *missing > 0) {
            let Some(number) = next.filter(|number| *number > 1) else { return Ok(None) };
            let page = self.read(|images| images.page(number, moment))?;
            let Some((after, content)) = page.as_ref().and_then(|page: &Page| page.split_first_chunk()) else {
                return Ok(None);
            };
            record.extend(content.iter().take(missing));
            next = Some(u32::from_be_bytes(*after));
        }
        Ok(Some(record))
    }

    fn read<T>(&self, how: impl FnOnce(&Images) -> io::Result<T>) -> Result<T> {
        how(&self.images).map_err(|error| failure::of_system(&error, "read", self.path))
    }
}

/// Longer rows are not looked for: a false header would have all of the file read for nothing.
const LONGEST: usize = 1 << 26;
