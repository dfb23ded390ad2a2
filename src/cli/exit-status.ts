import { constants } from "node:os";
import { CommanderError } from "commander";
import { DeclarationRefused } from "../driver/rabbit/declaration-refused.js";
import {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
  MessageDeliveryFailure,
  MessagingTimeout,
  RemoteError,
} from "../entry/node.js";

/** The exit statuses, for the help of every command. */
export const EXIT_STATUS_HELP = `
Exit status:
  0   success; for serve, listen, intermediary and relay also: stopped by Ctrl-C once ready, and closed cleanly
  1   the remote method failed; the error's type and message are on stderr
  2   timed out
  3   the message could not be delivered; for serve and listen: the broker refuses a queue
  4   not connected and authenticated in time
  5   connected, but a check failed
  64  usage error (bad URL, option or argument)
  70  internal error
  130 interrupted by Ctrl-C (143 by SIGTERM) before the command was done`;

/** The command line is invalid. The message names the argument, and never has a value that may be secret. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** No host was connected in time. `cause` is the error of the last attempt. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
}

/** `check` is done and printed its findings, and at least one check failed. */
export class ChecksFailed extends Error {
  override readonly name = "ChecksFailed";
}

/** The process received a signal, or stdout was closed: the command must end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: "SIGINT" | "SIGTERM" | "SIGPIPE";

  constructor(signal: Interrupted["signal"]) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** The exit status for an error that a command threw. */
export function exitStatus(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  if (error instanceof Interrupted) return 128 + constants.signals[error.signal];
  if (isNotConnected(error)) return 4;
  if (error instanceof ChecksFailed) return 5;
  if (error instanceof RemoteError) return 1;
  if (error instanceof MessagingTimeout) return 2;
  if (error instanceof MessageDeliveryFailure || error instanceof DeclarationRefused) return 3;
  return isUsageError(error) ? 64 : 70;
}

function isNotConnected(error: unknown): boolean {
  if (error instanceof NotConnected) return true;
  return isFailedMessage(error) && error.phase === "connecting";
}

function isFailedMessage(error: unknown): error is MessagingTimeout | MessageDeliveryFailure {
  return error instanceof MessagingTimeout || error instanceof MessageDeliveryFailure;
}

const USAGE_ERRORS = [UsageError, ConfigurationError, DriverLoadFailure, InvalidTarget, InvalidTransportURL];

function isUsageError(error: unknown): boolean {
  return USAGE_ERRORS.some((type) => error instanceof type);
}

/**
 * The error as text: one line for it, then one for each cause whose message is not in a line above. A remote error is
 * followed by its stack trace instead, if it has one.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = [error instanceof RemoteError ? `${error.excType}: ${error.value}` : `${error.name}: ${error.message}`];
  // The message of a failed message ends in the text of its cause.
  const first = isFailedMessage(error) && error.cause instanceof Error ? error.cause : error;
  for (const { message } of causesOf(first)) {
    if (!lines.some((line) => line.includes(message))) lines.push(`  because: ${message}`);
  }
  if (error instanceof RemoteError) lines.push(error.traceback.join("").trimEnd());
  return lines.filter((line) => line !== "").join("\n");
}

/** The causes of an error, the nearest first. A circular chain ends where it repeats. */
function causesOf(error: Error): ReadonlySet<Error> {
  const causes = new Set<Error>();
  for (let { cause } = error; cause instanceof Error && !causes.has(cause); cause = cause.cause) causes.add(cause);
  return causes;
}
