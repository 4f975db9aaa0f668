//! The figures for programs. Times are nanoseconds per operation.

use serde_json::{Value, json};

use super::figures::{Field, Measured, Row};
use super::machine::Machine;
use super::side::Side;

/// All that is known.
pub fn report(machine: &Machine, field: &Field, sides: &[Side], rows: &[Row]) -> Value {
    json!({
        "machine": machine.json(),
        "modules": field.names.iter().zip(sides).filter_map(|(name, side)| module(name, side)).collect::<Value>(),
        "threads": field.threads,
        "rows": rows.iter().map(|row| self::row(field, row)).collect::<Value>(),
    })
}

fn module(name: &str, side: &Side) -> Option<Value> {
    let mut module = side.about.clone();
    module.as_object_mut()?.extend([("name".to_owned(), name.into()), ("file".to_owned(), side.file()?.into())]);
    Some(module)
}

fn row(field: &Field, row: &Row) -> Value {
    let sides = field.names.iter().zip(&row.sides).enumerate();
    json!({
        "operation": row.operation.name(),
        "family": row.operation.family(),
        "bytes": row.operation.size(),
        "own_cost_ns": field.has_bare.then(|| row.own_cost()),
        "sides": sides.map(|(place, (name, side))| self::side(field, name, side, row.ratio(place))).collect::<Value>(),
    })
}

fn side(field: &Field, name: &str, side: &Measured, ratio: Option<f64>) -> Value {
    let lack = match &side.rounds {
        Ok(rounds) => {
            let threads = rounds.iter().zip(&field.threads).enumerate();
            let threads = threads.map(|(place, (_, threads))| {
                json!({
                    "threads": threads,
                    "best_ns": side.best(place),
                    "median_ns": side.median(place),
                    "gain": side.gain(place),
                })
            });
            return json!({
                "name": name,
                "rounds": side.count(),
                "disturbed_turns": side.disturbed,
                "ratio": ratio,
                "threads": threads.collect::<Value>(),
            });
        }
        Err(lack) => lack,
    };
    json!({ "name": name, "lacks": { "reason": lack.reason, "code": lack.code, "is_fault": lack.is_fault } })
}
