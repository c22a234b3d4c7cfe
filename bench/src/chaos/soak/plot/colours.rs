/// Colours of the workers, which people with any colour vision tell apart.
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

pub(super) fn colour(worker: usize) -> &'static str {
    COLOURS[worker % COLOURS.len()]
}
