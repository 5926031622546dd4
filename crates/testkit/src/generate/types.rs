//! What a type of a scheme asks for: limits, hours, criteria, and limits at times of the day.

use super::choices::Choices;

/// The limits of a type, small enough for a few orders to reach them.
pub(super) fn type_limits(choices: &mut Choices<'_>) -> &'static str {
    choices.of(&[
        "max_spread_bps = 100\nmax_spread_ticks = 3\nmin_value = 300\n",
        "max_spread_bps = 25.5\nmin_value = 500\n",
        "max_spread_bps = \"25.5\"\nmin_quantity = 20\n",
        "max_spread_ticks = 1\nmin_value = 1000\n",
        "max_spread_bps = 200\nmin_quantity = 20\n",
        "max_spread_ticks = 2\nmin_value = 300\nmin_quantity = 5\n",
        "max_spread_bps = 50\nmax_spread_ticks = 2\nmin_value = 2000\nmin_quantity = 25\n",
        "max_spread_bps = 300\nspread_base = \"offer\"\nmin_quantity = 20\nmin_value = 2500\nsize_rule = \"any\"\n",
        "max_spread_bps = 100\nspread_base = \"bid\"\nmin_quantity = 20\nmax_size_divergence_pct = 50\n",
        "max_spread_bps = 50\nmin_quantity = 20\nmax_size_divergence_pct = 33.3333\nspread_base = \"mid\"\n",
        "max_spread_abs = \"0.5\"\nmin_value = 300\nsize_rule = \"all\"\nsides = \"both\"\n",
        "max_spread_abs = 2\nmax_spread_bps = 10\nmin_quantity = 9\nmin_value = 300\nsides = \"either\"\n",
        "bands = [{ up_to = 102, max_spread_abs = \"0.2\" }, { up_to = 1999.5, max_spread_bps = 50, max_spread_ticks = 1 }, \
         { max_spread_bps = 20 }]\nmin_quantity = 10\n",
        "max_spread_bps = 100\nmin_value = 1000\nmin_quantity_from_value = \"reference\"\n",
        "max_spread_bps = 100\nmin_value = 1000\nmin_quantity = 12\nmin_quantity_from_value = \"side\"\n",
        "max_spread_ticks = 2\nmin_value = 700\nmin_quantity = 9\nmin_quantity_from_value = \"side\"\nsize_rule = \"any\"\n",
        "max_spread_bps = 100\nmin_quantity = 5\nmin_resting = \"90s\"\n",
        "max_spread_bps = 200\nmin_value = 300\nsides = \"either\"\nmin_resting = \"20m\"\n",
        "limits_from = \"issue\"\n",
        "limits_from = \"issue\"\nmax_spread_ticks = 1\nmin_value = 400\nmax_size_divergence_pct = 50\n",
        "limits_from = \"issue\"\nmin_quantity = 3\nmin_quantity_from_value = \"reference\"\nsides = \"either\"\n",
    ])
}

/// When a type requires quotes, where not as everywhere.
pub(super) fn type_hours(choices: &mut Choices<'_>) -> &'static str {
    choices.of(&[
        "",
        "",
        "",
        "",
        "phases = [\"continuous\", \"auction\"]\n",
        "phases = [\"auction\", \"special_quote\"]\nrequired_pct = 90\n",
        "windows = [\"09:05-09:40\", \"12:00-13:30\"]\nphases = [\"sequential_quote\"]\n",
        "windows = [\"09:30-23:50\"]\nstart_delay = \"0s\"\n",
        "start_delay = \"7m\"\n",
    ])
}

/// Criteria of the type before: none names a limit of the spread, which does not go beside bands.
pub(super) fn criteria(choices: &mut Choices<'_>) -> &'static str {
    choices.of(&[
        "",
        "",
        "",
        "[[types.T.criteria]]\nname = \"cont\"\nphases = [\"continuous\"]\nmax_size_divergence_pct = 50\nrequired_pct = 50\n\
         [[types.T.criteria]]\nname = \"auction\"\nphases = [\"auction\"]\nmin_quantity = 7\n",
        "need = 1\n[[types.T.criteria]]\nname = \"b\"\nsides = \"either\"\nwindows = [\"09:10-10:10\", \"12:45-23:00\"]\n\
         start_delay = \"2m\"\n[[types.T.criteria]]\nname = \"a\"\nmin_resting = \"5m\"\n\
         [[types.T.criteria]]\nname = \"c\"\nmin_quantity = 30\nsize_rule = \"any\"\n",
    ])
}

/// Other limits of the type before, at some times. Where that type has bands, or a word that does not go with them, they are
/// left out by whoever reads them.
pub(super) fn regimes(choices: &mut Choices<'_>) -> &'static str {
    choices.of(&[
        "",
        "",
        "[[types.T.regimes]]\nwindows = [\"09:30-10:30\", \"13:00-14:00\"]\nmin_quantity = 2\n",
        "[[types.T.regimes]]\nwindows_from = \"issue\"\nmin_quantity = 40\n",
        "[[types.T.regimes]]\nwindows_from = \"issue\"\nmin_quantity = 40\n[[types.T.regimes]]\nwindows = [\"09:15-14:45\"]\n\
         min_quantity = 3\nmax_size_divergence_pct = 50\n",
    ])
}
