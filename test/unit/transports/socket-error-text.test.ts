import { expect, it } from "vitest";
import { socketErrorText } from "@/src/transports/socket-error-text.js";
import { tlsErrorText } from "@/src/transports/tls-error-text.js";
import { workerErrorText } from "@/src/transports/worker-error-text.js";

const withCode = (error: Error, facts: object): Error => Object.assign(error, facts);

it.each<[string, unknown, string]>([
  [
    "a system error in words",
    withCode(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }),
    "connection refused",
  ],
  [
    "the sum of several attempts in words",
    withCode(new AggregateError([]), { code: "ECONNREFUSED" }),
    "connection refused",
  ],
  [
    "a system error that has no words as it is",
    withCode(new Error("read EIO"), { code: "EIO", syscall: "read" }),
    "read EIO",
  ],
  [
    "a system error of Deno in words",
    withCode(new Error("Connection refused (os error 111)"), { code: "ECONNREFUSED" }),
    "connection refused",
  ],
  [
    "an error that borrows a code as it is",
    withCode(new Error("socket hang up"), { code: "ECONNRESET" }),
    "socket hang up",
  ],
  ["an error that says nothing by its name", new TypeError(), "TypeError"],
  ["what is no error as it is", "out of luck", "out of luck"],
])("tells %s", (_what, thrown, expected) => {
  expect(socketErrorText(thrown)).toBe(expected);
});

it.each([
  ["invalid peer certificate: UnknownIssuer", "the certificate is not signed by a CA that is trusted here"],
  ["invalid peer certificate: Expired", "the certificate has expired"],
  ["received fatal alert: CertificateRequired", "the peer requires a certificate"],
  ["received corrupt message of type InvalidContentType", "the peer does not speak TLS"],
  ["received fatal alert: InternalError", "received fatal alert: InternalError"],
  ["error:1000045c:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED", "the peer requires a certificate"],
  ["error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER", "the peer does not speak TLS"],
])("tells what the TLS of Deno and Bun says: %s", (message, expected) => {
  expect(tlsErrorText(new Error(message))).toBe(expected);
});

it("tells a worker what TLS may lack, and only where there is TLS", () => {
  const to = { scheme: "amqp", hostname: "h", port: 1 };
  const thrown = new Error("internal error");
  expect(workerErrorText(thrown, to)).toBe("internal error");
  expect(workerErrorText(thrown, { ...to, scheme: "amqps" })).toMatch(
    /^internal error .*a CA that their runtime trusts/,
  );
});
