import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { servePage } from "@/playground/page-server.js";
import type { Listening } from "@/src/core/byte-stream.js";

describe("the server of the playground's page", () => {
  let server: Listening;

  beforeAll(async () => {
    server = await servePage(new Map([["/", { type: "text/html; charset=utf-8", body: "<p>ü" }]]));
  });

  afterAll(() => server?.close());

  test.each(["127.0.0.1", "localhost"])(
    "the page server serves its files to requests for the host %s",
    async (name) => {
      const response = await ask({ host: `${name}:${server.port}` });
      expect(response).toMatchObject({ status: 200, body: "<p>ü" });
      expect(response.headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "content-length": "5" });
    },
  );

  test.each(["evil.example", "127.0.0.1.evil.example", "127.0.0.1", "127.0.0.1:1"])(
    "the page server refuses requests for the host %j, which may be another site's name for this address",
    async (host) => {
      expect(await ask({ host })).toMatchObject({ status: 403 });
    },
  );

  test("the page server answers 404 to all other paths", async () => {
    for (const path of ["/package.json", "/../package.json", "/%2e%2e/package.json", "//", "/constructor"]) {
      expect(await ask({ path })).toMatchObject({ status: 404 });
    }
  });

  test("the page server answers HEAD without a body, and refuses all other methods", async () => {
    expect(await ask({ method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    for (const method of ["POST", "PUT", "DELETE"]) expect(await ask({ method })).toMatchObject({ status: 405 });
  });

  test("the page server's policy allows nothing inline, no other origins, and no text as HTML", async () => {
    for (const path of ["/", "/nothing"]) {
      const { headers } = await ask({ path });
      const policy = String(headers["content-security-policy"]).split("; ");
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
        ]),
      );
      expect(policy.join(" ")).not.toMatch(/unsafe/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
  });

  async function ask({ method = "GET", path = "/", host = `127.0.0.1:${server.port}` }): Promise<Answer> {
    const asking = request({
      host: "127.0.0.1",
      port: server.port,
      method,
      path,
      headers: { host },
      agent: false,
    }).end();
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    const chunks: Buffer[] = await response.toArray();
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
  }
});

interface Answer {
  status: number | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}
