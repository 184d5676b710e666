//! The widest registers that the processor at hand has, for the few loops that are worth it. Changes no result: every
//! product, sum and root is rounded as ever, only more of them side by side; nothing is fused but in
//! `product`.

pub mod product;

/// A loop that may be compiled once for each kind of processor.
pub trait Wide {
    type Output;

    /// Written `#[inline(always)]`, as is what it calls: only what is inlined gains by the registers.
    fn run(self) -> Self::Output;
}

struct Once<W>(W);

impl<W: Wide> pulp::NullaryFnOnce for Once<W> {
    type Output = W::Output;

    #[inline(always)]
    fn call(self) -> W::Output {
        self.0.run()
    }
}

/// Runs the loop as compiled for the processor that is found at run time.
pub fn widest<W: Wide>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(Once(work))
}
