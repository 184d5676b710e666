<<<<<<< HEAD
//! The one integration binary: everything that is tested from outside a single module.

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tidy;
=======
//! The integration tests, as one binary.

mod store_damage;
>>>>>>> h-store
