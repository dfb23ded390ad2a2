import { constants } from "node:os";
import { CommanderError } from "commander";
import {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
  MessageDeliveryFailure,
  MessagingTimeout,
  RemoteError,
} from "../entry/node.js";

/** How the process ends. Every command's help shows it. */
export const EXIT_STATUS_HELP = `
Exit status:
  0   done; for serve, listen and intermediary also: ended by Ctrl-C once ready, and closed cleanly
  1   the remote method failed: its type and message are on stderr
  2   no answer in time
  3   the message could not be delivered
  4   not connected and authenticated in time
  5   connected, and check found something wrong
  64  wrong use, URL or option
  70  anything else
  130 interrupted by Ctrl-C (143 by SIGTERM) before it was done`;

/** The command line asks for what cannot be. The message names the argument, and never a value that may be secret. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** No host could be connected to in time. `cause` is what the last attempt failed with. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
}

/** `check` is done, and not everything is as it should be. What, it has printed. */
export class ChecksFailed extends Error {
  override readonly name = "ChecksFailed";
}

/** The user, or whoever reads our output, wants us to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: "SIGINT" | "SIGTERM" | "SIGPIPE";

  constructor(signal: Interrupted["signal"]) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** The exit status that stands for what a command threw. */
export function exitStatus(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  if (error instanceof Interrupted) return 128 + constants.signals[error.signal];
  if (isNotConnected(error)) return 4;
  if (error instanceof ChecksFailed) return 5;
  if (error instanceof RemoteError) return 1;
  if (error instanceof MessagingTimeout) return 2;
  if (error instanceof MessageDeliveryFailure) return 3;
  return isWrongUse(error) ? 64 : 70;
}

function isNotConnected(error: unknown): boolean {
  if (error instanceof NotConnected) return true;
  return (error instanceof MessagingTimeout || error instanceof MessageDeliveryFailure) && error.phase === "connecting";
}

const wrongUse = [UsageError, ConfigurationError, DriverLoadFailure, InvalidTarget, InvalidTransportURL];

function isWrongUse(error: unknown): boolean {
  return wrongUse.some((type) => error instanceof type);
}

/** What the user is told: the error, then its causes, but for those that a line above quotes already. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = [error instanceof RemoteError ? `${error.excType}: ${error.value}` : `${error.name}: ${error.message}`];
  for (const { message } of causesOf(error)) {
    if (!lines.some((line) => line.includes(message))) lines.push(`  because: ${message}`);
  }
  return lines.join("\n");
}

/** From the nearest. A chain that comes back to itself ends there. */
function causesOf(error: Error): ReadonlySet<Error> {
  const causes = new Set<Error>();
  for (let { cause } = error; cause instanceof Error && !causes.has(cause); cause = cause.cause) causes.add(cause);
  return causes;
}
