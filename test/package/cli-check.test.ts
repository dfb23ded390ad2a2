import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { withoutCredit } from "@/src/driver/sending/likely-reason.js";
import { oslo, Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";

interface Findings {
  report: Readonly<Record<string, unknown>>;
  checks: readonly { name: string; ok: boolean; detail: string; advice?: string }[];
  warnings: readonly string[];
}

async function findings(url: string, ...args: readonly string[]): Promise<Findings & { status: number | undefined }> {
  const { status, stdout } = await oslo("check", "--url", url, "--json", ...args);
  return { status, ...JSON.parse(stdout) };
}

/** The checks of a bus that has routable addresses and does all that the driver needs. */
const GOOD = [
  { name: "rpc multicast", ok: true, detail: "both listeners got the message" },
  { name: "rpc unicast", ok: true, detail: "one listener got the message" },
  { name: "rpc unicast, a Python call's expiry", ok: true, detail: "a message that expired in 1970 came" },
  { name: "rpc anycast", ok: true, detail: "one listener got the message" },
  { name: "rpc anycast, a Python call's expiry", ok: true, detail: "a message that expired in 1970 came" },
  { name: "notify multicast", ok: true, detail: "both listeners got the message" },
  { name: "notify unicast", ok: true, detail: "one listener got the message" },
  { name: "notify anycast", ok: true, detail: "one listener got the message" },
  { name: "replies", ok: true, detail: "a message to the address that the peer made came" },
];

describe("check", { timeout: 60_000 }, () => {
  it.each([
    ["router", "tcp"],
    ["router", "ws"],
    ["broker", "tcp"],
  ] as const)(
    "check --json prints that our %s is good, over %s, letter for letter",
    {
      tags: ["check:good"],
    },
    async (kind, by) => {
      await using intermediary = await RunningIntermediary.start("--kind", kind);
      const url = by === "tcp" ? `amqp://${intermediary.tcp}/` : `amqp+ws://${intermediary.ws}/`;
      const { status, stdout } = await oslo("check", "--url", url, "--json");
      const report = {
        protocol: "AMQP 1.0",
        host: intermediary[by],
        encrypted: false,
        mechanism: "ANONYMOUS",
        product: `oslo-messaging-${kind}`,
        addressing: "routable",
        dynamicReplies: true,
        roundTripMs: 0,
        addressingReason: "what the driver takes for this product",
      };
      const json = stdout.replace(/"roundTripMs":\d+(\.\d+)?,/, '"roundTripMs":0,');
      expect(json).toBe(`${JSON.stringify({ report, checks: GOOD, warnings: [] })}\n`);
      expect(status).toBe(0);
    },
  );

  it("check prints text unless --json is given", { tags: ["check:text"] }, async () => {
    await using intermediary = await RunningIntermediary.start("--user", "ann:s3cret");
    const url = `amqp://ann:s3cret@${intermediary.tcp}/?addressing_mode=legacy`;
    const { status, stdout, stderr } = await oslo("check", "--url", url);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^mechanism +\S+/m);
    expect(stdout).toMatch(/^addressing +legacy: addressing_mode says so$/m);
    for (const name of ["multicast", "unicast", "anycast", "replies"])
      expect(stdout).toMatch(new RegExp(`^ok +${name}:`, "m"));
    expect(stdout + stderr).not.toContain("s3cret");
  });

  it("check names the prefix whose fanouts reach only one listener, and ends with status 5", {
    tags: ["check:lacking"],
  }, async () => {
    await using intermediary = await RunningIntermediary.start("--product", "qpid-dispatch-router");
    const { status, checks } = await findings(
      `amqp://${intermediary.tcp}/?rpc_address_prefix=acme/rpc`,
      "--timeout",
      "5",
    );
    expect(status).toBe(5);
    expect(checks.filter(({ ok }) => !ok)).toEqual([
      {
        name: "rpc multicast",
        ok: false,
        detail: "only one of two listeners got the message",
        advice:
          "addresses that begin with acme/rpc/multicast are not multicast here: the configuration wants " +
          "address { prefix: acme/rpc/multicast distribution: multicast }; see oslo-messaging recipe qdrouterd",
      },
    ]);
  });

  it("check names the unicast prefix whose messages reach every listener", {
    tags: ["check:lacking"],
  }, async () => {
    await using intermediary = await RunningIntermediary.start("--option", "multicast_address=unicast");
    const { status, checks } = await findings(`amqp://${intermediary.tcp}/`, "--timeout", "5");
    expect(status).toBe(5);
    const unicast = checks.find(({ name }) => name === "rpc unicast");
    expect(unicast).toMatchObject({ ok: false, detail: "both listeners got the message" });
    expect(unicast?.advice).toContain("openstack.org/om/rpc/unicast do not lead to exactly one listener");
  });

  it("check prints the credit for a target, which a router gives only while a server listens", {
    tags: ["check:credit"],
  }, async () => {
    await using intermediary = await RunningIntermediary.start("--kind", "router");
    const url = `amqp://${intermediary.tcp}/`;
    const target = ["--topic", "calc", "--server", "host-a"];
    const before = await findings(url, ...target);
    expect(before).toMatchObject({ status: 5, report: { credit: 0 } });
    const name = "credit for <Target topic=calc, server=host-a>";
    expect(before.checks).toEqual([
      ...GOOD,
      {
        name,
        ok: false,
        detail: "no message would be taken now",
        advice: withoutCredit("router"),
      },
    ]);
    await using _server = await Running.ready("serve", "--url", url, ...target);
    const { status, report, checks } = await findings(url, ...target);
    expect(status).toBe(0);
    const credit = Number(report["credit"]);
    expect(credit).toBeGreaterThan(0);
    expect(checks).toEqual([...GOOD, { name, ok: true, detail: `${credit} messages would be taken now` }]);
  });

  it("check takes URL, mechanism and exchange from a service's file", async () => {
    const user = ["--user", "nova:s3cret"];
    await using intermediary = await RunningIntermediary.start("--kind", "router", ...user);
    const folder = await mkdtemp(join(tmpdir(), "oslo-check-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const conf = join(folder, "nova.conf");
    const url = `amqp://nova:s3cret@${intermediary.tcp}/`;
    const amqp = "[oslo_messaging_amqp]\nsasl_mechanisms = PLAIN\naddressing_mode = legacy\nretry_quickly = true\n";
    await writeFile(conf, `[DEFAULT]\ntransport_url = ${url}\ncontrol_exchange = nova\n${amqp}`);
    const legacy = ["--url", url, "--option", "addressing_mode=legacy"];
    const target = ["--topic", "compute", "--server", "host-a"];
    await using _server = await Running.ready("serve", ...legacy, "--exchange", "nova", ...target);
    const { status, stdout, stderr } = await oslo("check", "--conf", conf, "--json", ...target);
    const { report, checks }: Findings = JSON.parse(stdout);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report).toMatchObject({ mechanism: "PLAIN", addressing: "legacy", credit: expect.any(Number) });
    expect(status).toBe(0);
    expect(stderr).toContain("warning: [oslo_messaging_amqp] retry_quickly is ignored: unknown option\n");
    expect(stdout + stderr).not.toContain("s3cret");
  });

  it("check warns if the Python driver would use other addresses", async () => {
    await using intermediary = await RunningIntermediary.start(
      "--kind",
      "broker",
      "--product",
      "Apache Qpid Broker-J Core",
    );
    const { status, warnings } = await findings(`amqp://${intermediary.tcp}/`);
    expect({ status, warnings }).toEqual({
      status: 0,
      warnings: [
        "the Python driver takes routable addresses for Apache Qpid Broker-J Core: it needs addressing_mode = legacy",
      ],
    });
  });
});
