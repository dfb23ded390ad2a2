import { describe, expect, it } from "vitest";
import { oslo } from "@/test/fixtures/processes/command.js";

describe("recipe", { timeout: 60_000 }, () => {
  it.each([
    ["qdrouterd", ["http: yes", "prefix: openstack.org/om/rpc/multicast", "prefix: broadcast"]],
    ["skrouterd", ["http: yes", "prefix: openstack.org/om/rpc/multicast", "prefix: broadcast"]],
    ["qpidd", ["queue-patterns=exclusive", "topic-patterns=broadcast"]],
    ["artemis", ['match="openstack.org/om/rpc/multicast/#"', "<no-expiry>true</no-expiry>"]],
    ["broker-j", ["WS", "nodeAutoCreationPolicies"]],
    ["rabbitmq", ["rabbit_transient_quorum_queue", "add_vhost", "set_permissions"]],
  ])("recipe prints only the configuration of %s", { tags: ["recipe:products"] }, async (name, parts) => {
    const { status, stdout, stderr } = await oslo("recipe", name);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const part of parts) expect(stdout).toContain(part);
  });

  it("recipe follows the address options, the host and the ports", { tags: ["recipe:options"] }, async () => {
    const options = ["addressing_mode=routable", "rpc_address_prefix=acme/rpc", "multicast_address=every"];
    const given = options.flatMap((option) => ["--option", option]);
    const at = ["--host", "10.0.0.1", "--port", "15672", "--ws-port", "15673", "--anonymous"];
    const { status, stdout } = await oslo("recipe", "qdrouterd", ...given, ...at);
    expect(status).toBe(0);
    expect(stdout).toContain("prefix: acme/rpc/every\n    distribution: multicast");
    expect(stdout).not.toMatch(/prefix: (openstack\.org\/om\/rpc|broadcast)/);
    expect(stdout).toMatch(/host: 10\.0\.0\.1\n {4}port: 15672\n[\s\S]*port: 15673\n[\s\S]*http: yes/);
    expect(stdout).toContain("authenticatePeer: no");
  });
});
