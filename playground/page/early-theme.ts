import { applyTheme, keptTheme } from "./parts/theme.js";

// Runs before the first paint, so that the page does not flash in the wrong colours.
applyTheme(keptTheme());
