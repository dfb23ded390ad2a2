import type { Notifier, Priority } from "oslo-messaging";
import { pause } from "../src/core/timers.js";

interface Story {
  priority: Priority;
  eventType: string;
  payload: object;
}

const INTERVAL_MS = 2_000;

/** Typical events of a cloud, in every priority. */
const STORIES: readonly Story[] = [
  { priority: "info", eventType: "compute.instance.create.start", payload: { instance: "vm-17", flavor: "m1.small" } },
  { priority: "debug", eventType: "scheduler.host.selected", payload: { instance: "vm-17", host: "compute-3" } },
  { priority: "sample", eventType: "telemetry.cpu", payload: { host: "compute-3", percent: 71.5 } },
  { priority: "info", eventType: "compute.instance.create.end", payload: { instance: "vm-17", seconds: 8.2 } },
  { priority: "audit", eventType: "compute.instance.exists", payload: { instance: "vm-17", project: "demo" } },
  { priority: "warn", eventType: "volume.usage.high", payload: { volume: "vol-4", percent: 91 } },
  { priority: "error", eventType: "compute.instance.create.error", payload: { instance: "vm-18", reason: "no host" } },
  { priority: "critical", eventType: "storage.backend.down", payload: { backend: "ceph-1" } },
];

/** Sends the stories one after another until `signal` is aborted. A story without a listener is lost. Never rejects. */
export async function sendDemoNotifications(notifier: Notifier, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { priority, eventType, payload } of STORIES) {
      if (signal.aborted) return;
      await notifier[priority]({}, eventType, payload, { timeoutMs: INTERVAL_MS, signal });
      await pause(INTERVAL_MS, signal).catch(() => {});
    }
  }
}
