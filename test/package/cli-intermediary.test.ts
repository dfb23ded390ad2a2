import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { type Frame, getRpcTransport, type TransportOptions } from "@/src/entry/node.js";
import { oslo, Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";

describe("intermediary", { timeout: 60_000 }, () => {
  it("intermediary prints its two ports, and ends with status 0 by Ctrl-C while clients are connected", async () => {
    await using intermediary = new Running("intermediary");
    const ports = await intermediary.line("its ports", (line) => line);
    expect(ports).toEqual({ tcp: expect.any(Number), ws: expect.any(Number) });
    expect(ports["tcp"]).not.toBe(ports["ws"]);
    await using _listener = await Running.ready("listen", "--url", `amqp://127.0.0.1:${ports["tcp"]}/`);
    expect(await intermediary.interrupt()).toBe(0);
  });

  it("intermediary logs URLs for clients, with its options and the place of a password", async () => {
    const args = ["--kind", "broker", "--user", "jo@e:s3cret", "--option", "rpc_address_prefix=cloud/rpc"];
    await using intermediary = await RunningIntermediary.start(...args);
    await expect.poll(() => intermediary.stderr, { timeout: 20_000 }).toContain("URLs for clients");
    const [tcp = "", ws = ""] = intermediary.stderr.match(/amqp\S+/g) ?? [];
    expect(tcp).toBe(`amqp://jo%40e:PASSWORD@${intermediary.tcp}/?rpc_address_prefix=cloud%2Frpc`);
    expect(ws).toBe(`amqp+ws://jo%40e:PASSWORD@${intermediary.ws}/?rpc_address_prefix=cloud%2Frpc`);
    expect(intermediary.stderr).not.toContain("s3cret");
    for (const url of [tcp, ws]) {
      await using transport = getRpcTransport(url.replace("PASSWORD", "s3cret"), { logger: null });
      await transport.connect();
    }
  });

  it("intermediary accepts pages of each --origin, and names the option when it refuses another", async () => {
    const [first, second] = ["https://one.example", "https://two.example:8443"];
    await using intermediary = await RunningIntermediary.start("--origin", first, "--origin", `${second}/`);
    expect(await opens(intermediary, first)).toBe(true);
    expect(await opens(intermediary, second)).toBe(true);
    expect(await opens(intermediary, "https://three.example")).toBe(false);
    await expect
      .poll(() => intermediary.stderr, { timeout: 20_000 })
      .toMatch(/^warning: .*"https:\/\/three\.example" is not allowed.*--origin/m);
  });

  it("intermediary --product sets the product in the Open", async () => {
    await using intermediary = await RunningIntermediary.start("--product", "post-office");
    const { stdout } = await oslo("check", "--url", `amqp://${intermediary.tcp}/`, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ report: { product: "post-office" } });
  });

  it("intermediary --option shapes its addresses", async () => {
    const option = ["--option", "rpc_address_prefix=cloud/rpc", "--option", "multicast_address=all"];
    await using intermediary = await RunningIntermediary.start("--kind", "broker", ...option);
    const args = ["--url", `amqp://${intermediary.tcp}/`, ...option, "--topic", "t"];
    await using first = await Running.ready("serve", ...args, "--server", "first");
    await using second = await Running.ready("serve", ...args, "--server", "second");
    expect((await oslo("cast", ...args, "--fanout", "note", '{"arg":"to all"}')).status).toBe(0);
    for (const server of [first, second]) {
      await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain("to all");
    }
  });

  it("intermediary offers the mechanisms of --sasl, and accepts the tokens of --token", {
    tags: ["intermediary:sasl"],
  }, async () => {
    const logins = ["--user", "joe:secret", "--token", "t0ken", "--token", "other"];
    const sasl = ["--sasl", "OAUTHBEARER", "--sasl", "SCRAM-SHA-256"];
    await using intermediary = await RunningIntermediary.start("--kind", "broker", ...logins, ...sasl);
    const connect = async (options: TransportOptions): Promise<Frame | undefined> => {
      const frames: Frame[] = [];
      const url = `amqp://joe:secret@${intermediary.tcp}/`;
      await using transport = getRpcTransport(url, {
        logger: null,
        ...options,
        onFrame: (frame) => frames.push(frame),
      });
      await transport.connect();
      return frames.find(({ performative }) => performative === "sasl-init");
    };
    expect(await connect({})).toMatchObject({ fields: { mechanism: "SCRAM-SHA-256" } });
    const credentials = () => ({ token: "t0ken" });
    expect(await connect({ credentials })).toMatchObject({ fields: { mechanism: "OAUTHBEARER" } });
    const args = ["--url", `amqp://joe:secret@${intermediary.tcp}/?sasl_mechanisms=PLAIN`, "--timeout", "1"];
    const refused = await oslo("notify", ...args, "--publisher-id", "p", "--event-type", "e", "{}");
    expect(refused.stderr).toContain(
      "no common SASL mechanism: the peer offers OAUTHBEARER, SCRAM-SHA-256, the client allows PLAIN",
    );
    expect(intermediary.stderr).not.toMatch(/t0ken|secret/);
  });

  it("intermediary has the virtual hosts of --vhost, each with its own addresses", {
    tags: ["intermediary:virtual-hosts"],
  }, async () => {
    await using intermediary = await RunningIntermediary.start("--vhost", "red", "--vhost", "blue");
    const at = (name: string) => ["--url", `amqp://${intermediary.tcp}/${name}?pseudo_vhost=false`, "--topic", "t"];
    await using _red = await Running.ready("serve", ...at("red"), "--server", "in red");
    await using _blue = await Running.ready("serve", ...at("blue"), "--server", "in blue");
    expect((await oslo("call", ...at("red"), "whoami")).stdout).toContain("in red");
    expect((await oslo("call", ...at("blue"), "whoami")).stdout).toContain("in blue");
    const { stderr } = await oslo("call", ...at("green"), "--timeout", "1", "whoami");
    expect(stderr).toContain('there is no virtual host "green"');
  });

  it("intermediary names the option whose port is in use", async () => {
    await using intermediary = await RunningIntermediary.start();
    const [, port = ""] = intermediary.ws.split(":");
    const { status, stderr } = await oslo("intermediary", "--ws", port);
    expect(status).toBe(64);
    expect(stderr).toMatch(new RegExp(`--ws: cannot listen on 127.0.0.1:${port}`));
  });
});

describe("a command that is interrupted before it is done", { timeout: 60_000 }, () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("a call that is interrupted by %s ends with status %i", async (signal, status) => {
    await using intermediary = await RunningIntermediary.start();
    const args = ["--url", `amqp://${intermediary.tcp}/`, "--topic", "t"];
    await using _server = await Running.ready("serve", ...args, "--server", "s");
    await using call = new Running("call", ...args, "slow", '{"secs":30}');
    await expect.poll(() => connections(intermediary), { timeout: 20_000 }).toBe(2);
    expect(await call.end(signal)).toBe(status);
  });
});

/** Whether a page of the origin can open a WebSocket. */
function opens({ ws }: RunningIntermediary, origin: string): Promise<boolean> {
  const socket = new WebSocket(`ws://${ws}/`, ["amqp"], { origin });
  return new Promise((resolve) => {
    socket.on("open", () => {
      resolve(true);
      socket.close();
    });
    socket.on("error", () => resolve(false));
  });
}

function connections({ stderr }: RunningIntermediary): number {
  return stderr.match(/ connected /g)?.length ?? 0;
}
