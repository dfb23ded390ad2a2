import { applyTheme, keptTheme } from "./parts/theme.js";

// Before the first paint, so that the page does not flash in the other colours.
applyTheme(keptTheme());
