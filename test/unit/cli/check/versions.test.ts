import { expect, test } from "vitest";
import { warningOnVersion } from "@/src/cli/check/versions.js";

test.each([
  ["qpid-dispatch-router", "0.7.9"],
  ["qpid-dispatch-router", "0.6-SNAPSHOT"],
  ["qpid-cpp", "0.33"],
  ["qpid-cpp", "0.4"],
  ["RabbitMQ", "3.2.4"],
])("check warns that %s %s is too old", { tags: ["check:versions"] }, (product, version) => {
  expect(warningOnVersion(product, version)).toContain(`${product} ${version} is too old`);
});

test.each([
  ["qpid-dispatch-router", "0.8.0"],
  ["qpid-dispatch-router", "0.8"],
  ["qpid-dispatch-router", "1.19.0"],
  ["qpid-cpp", "0.34"],
  ["qpid-cpp", "1.39.0"],
  ["qpid-cpp", "unknown"],
  ["RabbitMQ", "3.3.0"],
  ["RabbitMQ", "4.3.6"],
  ["qpid-cpp", undefined],
  ["apache-activemq-artemis", "0.1"],
  [undefined, "0.1"],
])("check does not warn of %s %s", { tags: ["check:versions"] }, (product, version) => {
  expect(warningOnVersion(product, version)).toBeUndefined();
});
