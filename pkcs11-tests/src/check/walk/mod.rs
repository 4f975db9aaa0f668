//! Walks at random through sessions, logins, operations and objects, each step against a small model of the standard.

mod act;
mod expected;
mod model;
mod step;

use std::collections::BTreeMap;
use std::ptr;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::code;
use super::module::call;
use super::suite::Check;
use super::trial::Trial;
use super::verdict::Outcome;
use super::world::World;

use act::Act;
use model::Model;
use step::{Mix, Step};

/// The checks.
pub fn checks() -> Vec<Check> {
    let walk = |(name, section, mix): (&str, &'static str, Mix)| {
        Check::new("walk", name, section, move |trial| walk(trial, mix))
    };
    [
        ("sessions and logins", "5.6", Mix::SESSIONS),
        ("operations", "5.8", Mix::OPERATIONS),
        ("everything", "5", Mix::EVERYTHING),
    ]
    .map(walk)
    .into()
}

/// So many different deviations are enough of one walk.
const MOST: usize = 20;
/// So many steps before a deviation are told with it.
const TRAIL: usize = 6;

fn walk(trial: &mut Trial<'_>, mix: Mix) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let mut act = Act::new(world)?;
    start_again(world)?;
    let mut random = StdRng::seed_from_u64(world.settings.seed);
    let can = act.can();
    let mut model = Model::new(can);
    let mut deviations: BTreeMap<String, ()> = BTreeMap::new();
    let mut trail: Vec<Step> = Vec::new();
    for number in 0..world.settings.steps {
        let step = model.choose(mix, &mut random);
        trial.at(&format!("step {number}: {step:?}"));
        let expected = model.expected(&step);
        let seen = act.perform(&step, &model);
        let wrong = match expected.contains(&seen.code) {
            true => model.follow(&step, &seen).err(),
            false => Some(code::name(seen.code)),
        };
        let Some(wrong) = wrong else {
            trail.push(step);
            if trail.len() > TRAIL {
                trail.remove(0);
            }
            act.follow(&model)?;
            continue;
        };
        // The same kind of step with the same answer is told once.
        if deviations.insert(format!("{} {wrong}", step.kind()), ()).is_none() {
            let names: Vec<String> = expected.iter().map(|code| code::name(*code)).collect();
            let before: Vec<String> = trail.iter().map(|step| format!("{step:?}")).collect();
            let at = format!("step {number}, {step:?} after {}", before.join(", "));
            trial.holds(&at, &names.join(" or "), false, || wrong);
        }
        if deviations.len() >= MOST {
            break;
        }
        // Nobody knows where the module is now.
        start_again(world)?;
        model = Model::new(can);
        trail.clear();
    }
    Ok(())
}

/// Initialised, and nothing else.
fn start_again(world: &World) -> Outcome {
    call!(world.module, C_Finalize(ptr::null_mut()));
    world.initialize()
}
