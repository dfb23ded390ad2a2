import { expect, it } from "vitest";
import { socketErrorText } from "@/src/transports/socket-error-text.js";
import { tlsErrorText } from "@/src/transports/tls-error-text.js";
import { workerErrorText } from "@/src/transports/worker-error-text.js";

const withCode = (error: Error, facts: object): Error => Object.assign(error, facts);

it.each<[string, unknown, string]>([
  [
    "describes a system error",
    withCode(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }),
    "connection refused",
  ],
  [
    "describes the AggregateError of several attempts",
    withCode(new AggregateError([]), { code: "ECONNREFUSED" }),
    "connection refused",
  ],
  [
    "keeps the message of an unknown system error",
    withCode(new Error("read EIO"), { code: "EIO", syscall: "read" }),
    "read EIO",
  ],
  [
    "describes a system error of Deno",
    withCode(new Error("Connection refused (os error 111)"), { code: "ECONNREFUSED" }),
    "connection refused",
  ],
  [
    "keeps the message of an error that borrows a system code",
    withCode(new Error("socket hang up"), { code: "ECONNRESET" }),
    "socket hang up",
  ],
  ["uses the name of an error without message", new TypeError(), "TypeError"],
  ["keeps a thrown value that is no error", "out of luck", "out of luck"],
])("socketErrorText %s", (_case, thrown, expected) => {
  expect(socketErrorText(thrown)).toBe(expected);
});

it.each([
  ["invalid peer certificate: UnknownIssuer", "the certificate is not signed by a trusted CA"],
  ["invalid peer certificate: Expired", "the certificate has expired"],
  ["received fatal alert: CertificateRequired", "the peer requires a certificate"],
  ["received corrupt message of type InvalidContentType", "the peer does not speak TLS"],
  ["received fatal alert: InternalError", "received fatal alert: InternalError"],
  ["error:1000045c:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED", "the peer requires a certificate"],
  ["error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER", "the peer does not speak TLS"],
])("tlsErrorText describes the TLS errors of Deno and Bun: %s", (message, expected) => {
  expect(tlsErrorText(new Error(message))).toBe(expected);
});

it("workerErrorText adds a hint about trusted CAs to TLS addresses only", () => {
  const to = { scheme: "amqp", hostname: "h", port: 1 };
  const thrown = new Error("internal error");
  expect(workerErrorText(thrown, to)).toBe("internal error");
  expect(workerErrorText(thrown, { ...to, scheme: "amqps" })).toMatch(/^internal error .*a CA that it trusts/);
});
