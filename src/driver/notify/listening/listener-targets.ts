import { kindOf } from "../../../core/kinds.js";
import { ConfigurationError, InvalidTarget } from "../../exceptions.js";
import { Target, type TargetLike, toTarget } from "../../target.js";
import type { Priority } from "../notification.js";

/**
 * The targets that a listener listens to: each topic, in its exchange, with each priority.
 *
 * @throws TypeError for targets that are not in an array.
 * @throws InvalidTarget for a target without a topic.
 * @throws ConfigurationError when there are no targets or no endpoints.
 */
export function listenerTargets(targets: readonly TargetLike[], priorities: readonly Priority[]): readonly Target[] {
  if (!Array.isArray(targets)) throw new TypeError(`the targets must be an array of them, not ${kindOf(targets)}`);
  if (targets.length === 0) throw new ConfigurationError("targets", "at least one is required");
  if (priorities.length === 0) throw new ConfigurationError("endpoints", "at least one is required");
  return targets.flatMap((target) => {
    const { topic, exchange } = toTarget(target);
    if (!topic) throw new InvalidTarget("A target must have topic specified", toTarget(target));
    return priorities.map((priority) => new Target({ exchange, topic: `${topic}.${priority}` }));
  });
}
