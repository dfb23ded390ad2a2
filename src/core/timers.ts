/** The longest time that a timer of a JavaScript engine can wait, 24 days: a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
