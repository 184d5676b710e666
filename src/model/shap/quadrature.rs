//! Gauss-Legendre quadrature on 0 to 1: `Q` nodes integrate every polynomial of degree below `2 Q` exactly.
//! Knows nothing of trees; a Shapley value is such an integral because |S|! (n - |S| - 1)! / n! is the integral of
//! t^|S| (1 - t)^(n - |S| - 1).

/// Each node, its distance from 1 and its weight.
#[derive(Clone, Debug)]
pub(super) struct Rule<const Q: usize> {
    pub node: [f64; Q],
    pub rest: [f64; Q],
    pub weight: [f64; Q],
}

impl<const Q: usize> Rule<Q> {
    pub fn new() -> Self {
        let mut rule = Self { node: [0.0; Q], rest: [0.0; Q], weight: [0.0; Q] };
        for place in 0..Q {
            let mut x = (std::f64::consts::PI * (place as f64 + 0.75) / (Q as f64 + 0.5)).cos();
            let mut slope = 1.0;
            // Newton's steps double the right digits each: six are plenty from this start.
            for _ in 0..8 {
                let (value, derivative) = legendre(Q, x);
                slope = derivative;
                x -= value / derivative;
            }
            rule.node[place] = f64::midpoint(1.0, x);
            rule.rest[place] = f64::midpoint(1.0, -x);
            rule.weight[place] = 1.0 / ((1.0 - x) * (1.0 + x) * slope * slope);
        }
        rule
    }
}

/// The Legendre polynomial of this degree and its derivative.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=degree {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const Q: usize>() {
        let rule = Rule::<Q>::new();
        for power in 0..2 * Q {
            let sum: f64 = (0..Q).map(|q| rule.weight[q] * rule.node[q].powi(power as i32)).sum();
            let exact = 1.0 / (power as f64 + 1.0);
            assert!((sum - exact).abs() < 1e-14, "{Q} nodes, power {power}: {sum} for {exact}");
        }
    }

    #[test]
    fn powers_below_twice_the_nodes_are_integrated_exactly() {
        check::<2>();
        check::<4>();
        check::<6>();
        check::<8>();
        check::<16>();
        check::<32>();
    }
}
