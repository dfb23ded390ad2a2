import { performBy } from "./performer.js";

performBy(globalThis);
