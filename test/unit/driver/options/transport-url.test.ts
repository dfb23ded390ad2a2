import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidTransportURL } from "@/src/driver/exceptions.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import vectors from "@/test/data/url-vectors.json";

describe("the vectors of oslo.messaging's own tests", () => {
  it.each(vectors.parse)("parses $url ($name)", { tags: ["url:grammar"] }, ({ url, expect: expected }) => {
    const parsed = TransportURL.parse(url);
    expect(parsed.scheme).toBe(expected.transport);
    expect(parsed.virtualHost ?? null).toBe(expected.virtual_host);
    expect(parsed.hosts.map(parts)).toEqual(expected.hosts);
  });

  it.each(vectors.format)(
    "formats $expected ($name)",
    { tags: ["url:grammar"] },
    ({ transport, virtual_host, hosts, expected }) => {
      const url = new TransportURL({ scheme: transport, virtualHost: virtual_host ?? undefined, hosts });
      expect(url.format({ secrets: true })).toBe(expected);
    },
  );

  it("all 15 parsing and 5 formatting vectors are present", () => {
    expect([vectors.parse.length, vectors.format.length]).toEqual([15, 5]);
  });
});

describe("parsing", () => {
  it.each([
    ["amqp://h", undefined],
    ["amqp://h/", ""],
    ["amqp://h//", "/"],
    ["amqp://h/%2Fa", "/a"],
    ["amqp://h/a%20b+c", "a b+c"],
    ["amqp://h/%C3%A9%zz%ff", "é%zz\ufffd"],
    ["amqp://h?trace=1", undefined],
  ])("parsing finds the virtual host of %s", (url, virtualHost) => {
    expect(TransportURL.parse(url).virtualHost).toBe(virtualHost);
  });

  it.each([
    ["amqp://h/?a=1&a=2", { a: "1,2" }],
    ["amqp://h/?a=&b=1", { b: "1" }],
    ["amqp://h/?a&b=1", { b: "1" }],
    ["amqp://h?a=x+y%2Bz&b=c=d", { a: "x y+z", b: "c=d" }],
    ["amqp://h/v?a=b?c/d", { a: "b?c/d" }],
    ["amqp://h/?&&", {}],
  ])("parsing reads the query of %s", (url, query) => {
    expect(TransportURL.parse(url).query).toEqual(query);
  });

  it("parsing keeps the query key __proto__", () => {
    expect(Object.entries(TransportURL.parse("amqp://h/?__proto__=x").query)).toEqual([["__proto__", "x"]]);
  });

  it.each([
    ["", []],
    [",h1,,h2,", [host("h1"), host("h2")]],
    ["joe@realm:pw@h", [host("h", null, "joe@realm", "pw")]],
    ["u:p:q@h", [host("h", null, "u", "p:q")]],
    ["u:@h", [host("h", null, "u", "")]],
    [":pw@h", [host("h", null, "", "pw")]],
    ["u@h", [host("h", null, "u")]],
    ["u+x:p+y@h", [host("h", null, "u+x", "p+y")]],
    ["u%40:%2F%3F%23%2C@h", [host("h", null, "u@", "/?#,")]],
    ["u:p@", [host(null, null, "u", "p")]],
    [":5672", [host(null, 5672)]],
    ["h:", [host("h")]],
    ["[::1]:,u:p@h:", [host("::1"), host("h", null, "u", "p")]],
    ["[::1]", [host("::1")]],
    ["[::1]:80", [host("::1", 80)]],
    ["fe80::1", [host("fe80::1")]],
    ["Host.Example", [host("Host.Example")]],
    ["u:p@h1,h2:1", [host("h1", null, "u", "p"), host("h2", 1)]],
  ])("parsing reads the hosts of %s", (authority, hosts) => {
    expect(TransportURL.parse(`amqp://${authority}/`).hosts.map(parts)).toEqual(hosts);
  });

  it("parsing puts the scheme into lower case and keeps its suffix after the plus", () => {
    expect(TransportURL.parse("AMQP+WS://h/").scheme).toBe("amqp+ws");
  });

  it("parsing applies the default scheme to a URL without a scheme", () => {
    expect(TransportURL.parse("//h/v", "amqp").toString()).toBe("amqp://h/v");
    expect(TransportURL.parse("", "amqp").toString()).toBe("amqp:///");
  });

  it.each([
    ["//h/", "No scheme"],
    ["", "No scheme"],
    ["127.0.0.1:5672", "No scheme"],
    ["amqp:host", '"//"'],
    ["localhost:5672", '"//"'],
    ["amqp://h:5672:1/", "port"],
    ["amqp://h:x/", "port"],
    ["amqp://h:0/", "from 1 to 65535"],
    ["amqp://h:65536/", "from 1 to 65535"],
    ["amqp://h:-1/", "port"],
    ["amqp://[::1/", "brackets"],
    ["amqp://[::1]x/", "brackets"],
    ["amqp://::1]/", "brackets"],
    ["amqp://h/v#part", "%23"],
    ["amqp://h/v\n", "control character"],
  ])("parsing %j throws an InvalidTransportURL with the reason", (url, reason) => {
    const error = caught(() => TransportURL.parse(url));
    expect(error).toBeInstanceOf(InvalidTransportURL);
    expect(error.message).toContain(reason);
  });

  it("parsing a number throws, for it is not a string", () => {
    const parse: (url: never) => TransportURL = TransportURL.parse;
    expect(() => parse(5672 as never)).toThrow("Wrong URL type");
  });
});

describe("secrets", () => {
  const url = TransportURL.parse("amqp://u:s3cr3t@h1:1,v:s3cr3t@h2/vh?ssl_key_password=s3cr3t&trace=1");

  it("printing a URL never shows its secrets", () => {
    const printed = [
      String(url),
      JSON.stringify({ url, hosts: url.hosts, host: { ...url.hosts[0] } }),
      inspect(url, { showHidden: true, depth: 9, getters: true }),
      inspect(url.hosts, { showHidden: true, depth: 9, getters: true }),
      inspect({ url: [url] }, { depth: 9 }),
    ];
    for (const text of printed) expect(text).not.toContain("s3cr3t");
    expect(String(url)).toBe("amqp://u:***@h1:1,v:***@h2/vh?ssl_key_password=***&trace=1");
  });

  it("format({ secrets: true }) and TransportHost.password contain the secrets", () => {
    expect(url.format({ secrets: true })).toBe("amqp://u:s3cr3t@h1:1,v:s3cr3t@h2/vh?ssl_key_password=s3cr3t&trace=1");
    expect(url.hosts.map((host) => host.password)).toEqual(["s3cr3t", "s3cr3t"]);
  });

  it.each([
    "amqp://u:s3cr3t@h:x/",
    "amqp://u:s3/cr3t@h:5672/",
    "amqp://u:a,s3cr3t@h/",
    "amqp://u:s3cr3t#@h/",
    "amqp://u:s3cr3t?@h/",
    "amqp://u:s3cr3t",
    "amqp://u:s3cr3t/vh",
    "amqp://u1:p@h1,u2:s3cr3t/",
    "amqp://u:s3cr3t@[::1/",
    "//u:s3cr3t@h/",
    "u:s3cr3t@h",
    "amqp:u:s3cr3t@h",
    "amqp//u:s3cr3t@h",
    "amqp://u:s3cr3t\n@h",
    "amqp://h:x?ssl_key_password=s3cr3t",
    "//h?ssl_key_password=s3cr3t",
  ])("the error for %j contains no secret", (text) => {
    const error = caught(() => TransportURL.parse(text));
    expect(error.message).toContain("***");
    expect(inspect(error)).not.toMatch(/s3|cr3t/);
  });

  it("neither errors nor toString() show a password in any generated URL", () => {
    const junk = fc.string({ unit: fc.constantFrom(..."abc:/?#[]@,&=\n%1") });
    fc.assert(
      fc.property(fc.constantFrom("amqp://", "amqp:", "//"), junk, junk, junk, (start, user, around, host) => {
        const text = `${start}${user}:${around}SECRET${around}@${host}`;
        try {
          const parsed = TransportURL.parse(text);
          // Within a password it must not show. Elsewhere it is part of a name.
          if (parsed.hosts.some(({ password }) => password?.includes("SECRET")))
            expect(`${parsed}`).not.toContain("SECRET");
        } catch (error) {
          expect(String(error)).not.toContain("SECRET");
        }
      }),
    );
  });
});

describe("formatting", () => {
  it("parsing a formatted URL gives the same parts", () => {
    const text = fc.option(fc.string({ unit: "grapheme", minLength: 1 }), { nil: undefined });
    const hostname = fc.constantFrom("h", "h.example", "::1", "10.0.0.1");
    const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
    const hosts = fc.array(fc.record({ hostname, port, username: text, password: text }));
    const query = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(hosts, text, query, (hosts, virtualHost, query) => {
        const formatted = new TransportURL({ scheme: "amqp", hosts, virtualHost, query }).format({ secrets: true });
        const parsed = TransportURL.parse(formatted);
        expect(parsed.hosts.map(parts)).toEqual(
          hosts.map(({ hostname, port, username, password }) => {
            // A password without a user name is one with an empty user name, as in oslo.
            return host(hostname, port, username ?? (password === undefined ? null : ""), password);
          }),
        );
        expect(parsed.virtualHost ?? "").toBe(virtualHost ?? "");
        expect(parsed.query).toEqual(query);
      }),
    );
  });

  it.each([
    ["virtualHost", { virtualHost: "v\ud800" }],
    ["query", { query: { trace: "\udc00" } }],
    ["query", { query: { "\udc00": "1" } }],
    ["hostname", { hosts: [{ hostname: "h" }, { hostname: "\ud83d" }] }],
    ["username", { hosts: [{ username: "\ud83d-" }] }],
    ["password", { hosts: [{ password: "s3cr3t\ud83d" }] }],
  ])("half a surrogate pair in the %s is refused by name, without showing a password", (part, init) => {
    const error = caught(() => new TransportURL({ scheme: "amqp", ...init }));
    expect(error).toBeInstanceOf(InvalidTransportURL);
    expect(error.message).toContain(`${part} contains half a surrogate pair`);
    expect(error.message).not.toContain("s3cr3t");
  });

  it("half a surrogate pair in the text of a URL is refused, and a whole pair is not", () => {
    expect(() => TransportURL.parse("amqp://h/v\ud83d")).toThrow("virtualHost contains half a surrogate pair");
    expect(TransportURL.parse("amqp://😀:😀@h/😀?a=😀").toString()).toContain("%F0%9F%98%80");
  });
});

type Parts = { hostname: string | null; port: number | null; username: string | null; password: string | null };

function host(
  hostname: string | null,
  port: number | null | undefined = null,
  username: string | null | undefined = null,
  password: string | null | undefined = null,
): Parts {
  return { hostname, port, username, password };
}

function parts({ hostname, port, username, password }: TransportURL["hosts"][number]): Parts {
  return host(hostname ?? null, port, username, password);
}

function caught(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
