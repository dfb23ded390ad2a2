import { performBy } from "./performer.js";

globalThis.addEventListener("connect", (event) => {
  for (const port of (event as MessageEvent).ports) performBy(port);
});
