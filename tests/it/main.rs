//! The one integration binary: everything that is tested from outside a single module.

#[cfg(test)]
mod store_damage;
