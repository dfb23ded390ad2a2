import { ADDRESSING } from "./addressing.js";
import { CONFIGURATION } from "./configuration.js";
import { CONNECTION } from "./connection.js";
import { NOTIFICATIONS } from "./notifications.js";
import type { Requirements } from "./requirement.js";
import { RPC } from "./rpc.js";
import { SECURITY } from "./security.js";
import { SENDING } from "./sending.js";
import { TOOLS } from "./tools.js";

/**
 * Requirements of the driver by id. A test names those that it shows, `{ tags: ["rpc:call:reply"] }`;
 * test/package/requirements.test.ts checks that each has one. `npx vitest run --tags-filter "rpc:monitor:*"` runs the tests of some.
 */
const ALL = {
  ...RPC,
  ...NOTIFICATIONS,
  ...SENDING,
  ...ADDRESSING,
  ...CONNECTION,
  ...SECURITY,
  ...CONFIGURATION,
  ...TOOLS,
} as const satisfies Requirements;

export type RequirementId = keyof typeof ALL;

export const REQUIREMENTS: Requirements = ALL;

declare module "vitest" {
  interface TestTags {
    requirement: RequirementId;
  }
}

/** For vitest's configuration: a test with another tag fails. */
export const TAGS = Object.entries(ALL).map(([id, { behaviour }]) => ({
  name: id as RequirementId,
  description: behaviour,
}));

/** Test functions of oslo.messaging that do not apply, with the reason. */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  "CallTestCase.test_mandatory_call":
    "the mandatory flag is the rabbit driver's (TransportOptions.at_least_once): upstream skips it for amqp://",
  "NotifyTestCase.test_compression":
    "kombu_compression and compression_codec are options of the rabbit and kafka drivers: without them it is test_simple",
  "MetricsTestCase.test_functional":
    "it runs the separate oslo.metrics daemon, behind a Unix socket of the host, which no option of this driver asks for",
};
