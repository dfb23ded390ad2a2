import { expect, test, vi } from "vitest";
import { onWake } from "@/src/entry/wake-events.js";

/** A window with a page, as far as anybody listens to it. */
function page() {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  return Object.assign(new EventTarget(), { document });
}

test("a window wakes when the network comes or goes, and when its page is shown again", {
  tags: ["failover:wake"],
}, () => {
  const window = page();
  const wake = vi.fn();
  onWake(wake, window);
  for (const type of ["online", "offline", "pageshow"]) window.dispatchEvent(new Event(type));
  for (const type of ["resume", "visibilitychange"]) window.document.dispatchEvent(new Event(type));
  expect(wake).toHaveBeenCalledTimes(5);
});

test("a page that is hidden or frozen does not wake: its timers are about to stand still", () => {
  const window = page();
  const wake = vi.fn();
  onWake(wake, window);
  window.document.visibilityState = "hidden";
  for (const type of ["visibilitychange", "freeze"]) window.document.dispatchEvent(new Event(type));
  expect(wake).not.toHaveBeenCalled();
});

test("a worker, which has no page, wakes by the network", () => {
  const worker = new EventTarget();
  const wake = vi.fn();
  onWake(wake, worker);
  worker.dispatchEvent(new Event("online"));
  expect(wake).toHaveBeenCalledTimes(1);
});

test("where there are no such events nothing happens", () => {
  onWake(vi.fn(), {})();
});

test("nothing wakes after the end", () => {
  const window = page();
  const wake = vi.fn();
  const end = onWake(wake, window);
  end();
  for (const type of ["online", "offline", "pageshow"]) window.dispatchEvent(new Event(type));
  for (const type of ["resume", "visibilitychange"]) window.document.dispatchEvent(new Event(type));
  expect(wake).not.toHaveBeenCalled();
});
