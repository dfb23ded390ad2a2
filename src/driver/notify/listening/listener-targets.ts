import { ConfigurationError, InvalidTarget } from "../../exceptions.js";
import { Target, type TargetLike, toTarget } from "../../target.js";
import type { Priority } from "../notification.js";

/**
 * What a listener of these targets listens on: every topic for each priority. The exchange is not used: notifiers never
 * name one.
 *
 * @throws InvalidTarget without a topic; ConfigurationError when there is nothing to listen for.
 */
export function listenerTargets(targets: readonly TargetLike[], priorities: readonly Priority[]): readonly Target[] {
  if (targets.length === 0) throw new ConfigurationError("targets", "there must be one at least");
  if (priorities.length === 0) throw new ConfigurationError("endpoints", "none handles any priority");
  return targets.flatMap((target) => {
    const { topic } = toTarget(target);
    if (!topic) throw new InvalidTarget("A target must have topic specified", toTarget(target));
    return priorities.map((priority) => new Target({ topic: `${topic}.${priority}` }));
  });
}
