//! The widest arithmetic that the processor at hand has, for the few loops that are worth it. Changes no result: every
//! product, sum and root is rounded as ever, only more of them side by side; nothing is fused.

/// Runs a loop compiled for the processor found at run time. What it calls must be inlined to gain by it.
#[inline(always)]
pub fn widest<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
