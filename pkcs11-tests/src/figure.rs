//! Figures: the one in the middle, and how times are written.

/// The one in the middle of those that are numbers; none of none.
pub fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().filter(|figure| figure.is_finite()).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

/// Nanoseconds, with three digits that count.
pub fn time(nanos: f64) -> String {
    let (value, unit) = match nanos.abs() {
        size if size < 1e3 => return format!("{nanos:.0} ns"),
        size if size < 1e6 => (nanos / 1e3, "us"),
        _ => (nanos / 1e6, "ms"),
    };
    let digits = match value.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let written = [0.4, -92.0, 999.0, 1234.0, 45678.0, 345_678.0, 5e6, 1.5e9].map(time);
        assert_eq!(written, ["0 ns", "-92 ns", "999 ns", "1.23 us", "45.7 us", "346 us", "5.00 ms", "1500 ms"]);
    }

    #[test]
    fn what_is_no_number_has_no_part_in_the_median() {
        assert_eq!(median([3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([f64::NAN]), None);
    }
}
