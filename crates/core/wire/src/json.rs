//! Reading and writing vendor JSON without losing what nobody asked for.
//!
//! An object is read field by field: what a decoder takes is gone, what is left becomes the `Extra`
//! of the canonical form, byte for byte. A field of an unexpected type is treated like an unknown one,
//! and `null` like an absent one.

mod fields;
mod object;

pub(crate) use fields::{Fields, count, elements, objects, text};
pub(crate) use object::{Object, array, nested, object, object_of, string};
