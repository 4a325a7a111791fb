//! What a search that came to its end may claim.

use super::grouped;
use crate::model::extent::Extent;
use crate::model::left_out::LeftOut;
use crate::model::settings::StrategyName;

/// Says of a search that ended what was tried, what was left out and how often, and how many executions differ.
#[must_use]
pub fn text(strategy: StrategyName, left_out: &LeftOut, extent: Option<&Extent>) -> String {
    let what = what_was_tried(strategy, left_out);
    extent.map_or_else(|| what.clone(), |extent| format!("{what}; {}", distinct(extent)))
}

/// Says how many executions differ.
fn distinct(extent: &Extent) -> String {
    let Extent { executions, distinct, may_be_more, .. } = *extent;
    let at_least = if may_be_more { "at least " } else { "" };
    format!(
        "{at_least}{} of {} executions differ in reads-from and modification order",
        grouped(distinct),
        grouped(executions)
    )
}

fn what_was_tried(strategy: StrategyName, left_out: &LeftOut) -> String {
    let bound = if strategy == StrategyName::Exhaustive { "" } else { " within the bound" };
    if left_out.is_empty() {
        return format!("every schedule{bound} was tried");
    }
    let LeftOut { set_aside, fair, cut, strayed, raced_unseen, newest, unjudged, unseen } = *left_out;
    let counted = [
        (set_aside, "a thread was set aside in a loop that waits"),
        (fair, "a long execution went on with fair turns"),
        (cut, "an execution was cut at its last scheduling point"),
        (strayed, "an execution did not go the way it was sent, since the program depends on more than its schedule"),
        (
            raced_unseen,
            "an access of a thread to its own stack, which is no scheduling point, raced with another thread's",
        ),
        (unjudged, "an access was not judged for races, for want of room"),
        (newest, "a thread had to read the newest store, after it had read older ones again and again"),
    ];
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    let mut parts = counted.map(|(count, what)| format!("{what} ({})", grouped(*count))).collect::<Vec<_>>();
    let named = [
        (unseen.plain, "plain accesses are no scheduling points with `--points sync`"),
        (
            unseen.unchecked,
            "with this compiler, accesses that AddressSanitizer does not check are no scheduling points",
        ),
        (unseen.prebuilt, "atomic operations and accesses in prebuilt code are no scheduling points"),
    ];
    parts.extend(named.iter().filter(|(is_so, _)| *is_so).map(|(_, what)| (*what).to_owned()));
    format!("the search{bound} ended, but not every schedule was tried: {}", parts.join(", "))
}

/// Says of a search that did not come to its end how far it came.
#[must_use]
pub fn so_far(extent: &Extent) -> String {
    let Extent { executions, repeated, estimate, .. } = *extent;
    let like = if repeated > 0 { format!(", {} of them like others", grouped(repeated)) } else { String::new() };
    format!(
        "the search is not over: {} executions of about {}{like}; {}",
        grouped(executions),
        grouped(estimate),
        distinct(extent)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::left_out::Unseen;

    #[test]
    fn a_search_that_is_not_over_says_how_long_it_would_take() {
        let extent = Extent { executions: 3_000, estimate: 41_000, distinct: 1_900, ..Extent::default() };
        let said = "the search is not over: 3,000 executions of about 41,000";
        let differ = "; 1,900 of 3,000 executions differ in reads-from and modification order";
        assert_eq!(so_far(&extent), format!("{said}{differ}"));
        let repeated = Extent { repeated: 2, ..extent };
        assert_eq!(so_far(&repeated), format!("{said}, 2 of them like others{differ}"));
    }

    #[test]
    fn nothing_may_be_left_out_of_every_schedule() {
        assert_eq!(
            text(StrategyName::ExhaustiveWithin(2), &LeftOut::default(), None),
            "every schedule within the bound was tried"
        );
        let left_out = LeftOut { set_aside: 1_200, cut: 3, ..LeftOut::default() };
        let said = "the search ended, but not every schedule was tried: a thread was set aside in a loop that waits (1,200), \
                    an execution was cut at its last scheduling point (3)";
        assert_eq!(text(StrategyName::Exhaustive, &left_out, None), said);
        let extent = Extent { executions: 6, distinct: 4, ..Extent::default() };
        assert_eq!(
            text(StrategyName::Exhaustive, &LeftOut::default(), Some(&extent)),
            "every schedule was tried; 4 of 6 executions differ in reads-from and modification order"
        );
        let unseen = LeftOut { unseen: Unseen { unchecked: true, ..Unseen::default() }, ..LeftOut::default() };
        let said = "the search ended, but not every schedule was tried: with this compiler, accesses that AddressSanitizer \
                    does not check are no scheduling points";
        assert_eq!(text(StrategyName::Exhaustive, &unseen, None), said);
    }
}
