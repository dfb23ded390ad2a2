import { ConfigurationError, InvalidTarget } from "../../exceptions.js";
import { Target, type TargetLike, toTarget } from "../../target.js";
import type { Priority } from "../notification.js";

/**
 * The targets whose links a listener attaches: each topic with each priority. The exchange is ignored, because notifiers
 * never set one.
 *
 * @throws InvalidTarget for a target without a topic.
 * @throws ConfigurationError when there are no targets or no priorities.
 */
export function listenerTargets(targets: readonly TargetLike[], priorities: readonly Priority[]): readonly Target[] {
  if (targets.length === 0) throw new ConfigurationError("targets", "at least one is required");
  if (priorities.length === 0) throw new ConfigurationError("endpoints", "none has a method for a priority");
  return targets.flatMap((target) => {
    const { topic } = toTarget(target);
    if (!topic) throw new InvalidTarget("A target must have topic specified", toTarget(target));
    return priorities.map((priority) => new Target({ topic: `${topic}.${priority}` }));
  });
}
