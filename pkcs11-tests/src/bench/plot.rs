//! Plots: throughput by size, and rate by threads. Nothing is filled, and colours are of middle lightness, so that they can be
//! read on light and dark pages.

use std::fs;
use std::ops::Range;
use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::figures::{Field, Measured, Row};
use super::operation::{Operation, short};
use crate::failure::{Failure, Result};

/// Draws a plot by size for each family and one by threads for each operation, if its name is wanted; the names of those.
pub fn draw(folder: &Path, field: &Field, rows: &[Row], is_wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    fs::create_dir_all(folder)?;
    let mut drawn = Vec::new();
    let mut draw = |name: String, plot: &dyn Fn(&Path) -> Result<()>| -> Result<()> {
        if is_wanted(&name) {
            plot(&folder.join(format!("{name}.svg")))?;
            drawn.push(name);
        }
        Ok(())
    };
    let mut families: Vec<&str> = rows.iter().filter_map(|row| row.operation.family()).collect();
    families.dedup();
    for family in families {
        let of_family = rows.iter().filter(|row| row.operation.family() == Some(family));
        let lines = lines(field, |side| {
            of_family.clone().filter_map(|row| Some((row.operation.size()?, throughput(row, side)?))).collect()
        });
        draw(family.to_owned(), &|path| by_size(path, family, &lines))?;
    }
    for row in rows.iter().filter(|_| field.threads.len() > 1) {
        let lines = lines(field, |side| rates(field, row, side));
        draw(format!("{}-threads", row.operation.name()), &|path| by_threads(path, row.operation, &lines))?;
    }
    Ok(drawn)
}

/// A side's name, its colour, and its points: size or threads, and what it does a second.
struct Line<'a> {
    name: &'a str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// A line for each side that has points.
fn lines(field: &Field, points: impl Fn(usize) -> Vec<(usize, f64)>) -> Vec<Line<'_>> {
    let points = |side| points(side).into_iter().map(|(at, figure)| (at as f64, figure)).collect();
    let sides = field.names.iter().zip(COLOURS.iter().cycle()).enumerate();
    let lines = sides.map(|(side, (name, colour))| Line { name, colour: *colour, points: points(side) });
    lines.filter(|line| !line.points.is_empty()).collect()
}

/// MiB a second, of one thread.
fn throughput(row: &Row, side: usize) -> Option<f64> {
    let median = row.sides.get(side)?.median(0)?;
    Some(row.operation.size()? as f64 / (1 << 20) as f64 * 1e9 / median)
}

/// Operations a second by threads.
fn rates(field: &Field, row: &Row, side: usize) -> Vec<(usize, f64)> {
    let median = |place: usize| row.sides.get(side).and_then(|side: &Measured| side.median(place));
    let by_threads = field.threads.iter().enumerate();
    by_threads.filter_map(|(place, threads)| Some((*threads, 1e9 / median(place)?))).collect()
}

fn by_size(path: &Path, family: &str, lines: &[Line]) -> Result<()> {
    let (Some(sizes), Some(figures)) = (range(lines, |point| point.0), range(lines, |point| point.1)) else {
        return Ok(());
    };
    let x = (sizes.start..sizes.end.max(sizes.start * 4.0)).log_scale().base(4.0);
    // Above is room for the names.
    let y = (figures.start / 1.5..figures.end * 5.0).log_scale();
    chart(path, &format!("{family}: MiB/s by bytes of a message"), lines, x, y, |size| short(*size as usize))
}

fn by_threads(path: &Path, operation: Operation, lines: &[Line]) -> Result<()> {
    let (Some(threads), Some(figures)) = (range(lines, |point| point.0), range(lines, |point| point.1)) else {
        return Ok(());
    };
    let (x, y) = (1.0..threads.end.max(2.0), 0.0..figures.end * 1.3);
    let whole = |threads: &f64| if threads.fract() == 0.0 { threads.to_string() } else { String::new() };
    chart(path, &format!("{}: operations/s by threads", operation.name()), lines, x, y, whole)
}

/// From the least to the greatest.
fn range(lines: &[Line], of: impl Fn(&(f64, f64)) -> f64) -> Option<Range<f64>> {
    let all = || lines.iter().flat_map(|line| &line.points).map(&of);
    Some(all().min_by(f64::total_cmp)?..all().max_by(f64::total_cmp)?)
}

fn chart<X, Y>(path: &Path, title: &str, lines: &[Line], x: X, y: Y, x_label: impl Fn(&f64) -> String) -> Result<()>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let area = SVGBackend::new(path, (720, 400)).into_drawing_area();
    let chart = || -> std::result::Result<(), Box<dyn std::error::Error>> {
        let mut chart = ChartBuilder::on(&area)
            .caption(title, (FONT, 18, &GREY))
            .margin(12)
            .margin_right(24)
            .x_label_area_size(32)
            .y_label_area_size(72)
            .build_cartesian_2d(x, y)?;
        let mut mesh = chart.configure_mesh();
        mesh.axis_style(GREY).label_style((FONT, 13, &GREY)).light_line_style(TRANSPARENT);
        mesh.bold_line_style(GREY.mix(0.25)).x_label_formatter(&x_label).y_label_formatter(&figure).draw()?;
        for line in lines {
            let colour = line.colour;
            let drawn = LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)).point_size(3);
            let drawn = chart.draw_series(drawn)?.label(line.name);
            drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        let labels = &mut chart.configure_series_labels();
        labels.label_font((FONT, 13, &GREY)).position(SeriesLabelPosition::UpperLeft).draw()?;
        Ok(area.present()?)
    };
    let chart = chart();
    chart.map_err(|reason| Failure::new(format!("{}: {reason}", path.display())))
}

const FONT: &str = "sans-serif";
const GREY: RGBColor = RGBColor(128, 128, 128);
const COLOURS: [RGBColor; 5] = [
    RGBColor(59, 130, 246),
    RGBColor(232, 113, 10),
    RGBColor(22, 163, 74),
    RGBColor(192, 38, 211),
    RGBColor(140, 140, 60),
];

/// As people write it.
fn figure(figure: &f64) -> String {
    match *figure {
        figure if figure >= 1e6 => format!("{} M", figure / 1e6),
        figure if figure >= 1e3 => format!("{} k", figure / 1e3),
        figure => figure.to_string(),
    }
}
