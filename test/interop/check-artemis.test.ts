import { expect, test } from "vitest";
import { Artemis } from "@/test/fixtures/beds/artemis.js";
import { type ArtemisAddressing, replaced } from "@/test/fixtures/beds/artemis-files.js";
import { ARTEMIS_LEGACY, ARTEMIS_ROUTABLE, type BusPlan, type Scheme } from "@/test/fixtures/beds/bus-plan.js";
import { type Finished, oslo } from "@/test/fixtures/processes/command.js";

interface Findings {
  report: Readonly<Record<string, unknown>>;
  checks: readonly { name: string; ok: boolean; detail: string; advice?: string }[];
  warnings: readonly string[];
}

function check(url: string, ...args: readonly string[]): Promise<Finished> {
  return oslo("check", "--url", url, "--timeout", "6", "--json", ...args);
}

const BUSES: readonly [name: string, scheme: Scheme, plan: BusPlan][] = [
  [ARTEMIS_ROUTABLE.name, "amqp", ARTEMIS_ROUTABLE],
  [ARTEMIS_ROUTABLE.name, "amqp+ws", ARTEMIS_ROUTABLE],
  [ARTEMIS_LEGACY.name, "amqp", ARTEMIS_LEGACY],
];

test.each(BUSES)(
  "check finds nothing wrong with %s, started from its recipe, by %s",
  { tags: ["check:good", "recipe:artemis"] },
  async (_name, scheme, plan) => {
    await using bus = await plan.start();
    const { status, stdout } = await check(bus.url(scheme), "--topic", "check-credit");
    const { report, checks, warnings }: Findings = JSON.parse(stdout);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect({ status, warnings }).toEqual({ status: 0, warnings: [] });
    expect(report).toMatchObject({
      product: "apache-activemq-artemis",
      addressing: plan.addressing,
      dynamicReplies: true,
      credit: expect.any(Number),
    });
  },
);

interface Lack {
  addressing: ArtemisAddressing;
  /** Parts of broker.xml that are removed. */
  stanzas: readonly RegExp[];
  /** Failed checks with their advice. */
  wrong: Readonly<Record<string, RegExp>>;
  warnings: readonly RegExp[];
}

/** Each stanza is removed in one case, and kept in another. */
const LACKING: readonly [what: string, lack: Lack][] = [
  [
    "fanouts, shared notifications, and no-expiry of shared requests",
    {
      addressing: "routable",
      stanzas: [
        setting("openstack.org/om/rpc/multicast/#"),
        setting("openstack.org/om/notify/anycast/#"),
        noExpiry("openstack.org/om/rpc/anycast/#"),
      ],
      wrong: {
        "rpc anycast, Python's links, a Python call's expiry": wants("openstack.org/om/rpc/anycast/#", "no-expiry"),
        "notify anycast, Python's links": wants("openstack.org/om/notify/anycast/#", "the routing type ANYCAST"),
      },
      warnings: [
        // a new address of Artemis is multicast anyway: only its expiry shows the lack
        wants("openstack.org/om/rpc/multicast/#", "no-expiry"),
        wants("openstack.org/om/notify/anycast/#", "no-expiry"),
      ],
    },
  ],
  [
    "requests, and the other notifications",
    {
      addressing: "routable",
      stanzas: [
        setting("openstack.org/om/rpc/anycast/#"),
        setting("openstack.org/om/rpc/unicast/#"),
        setting("openstack.org/om/notify/unicast/#"),
        setting("openstack.org/om/notify/multicast/#"),
      ],
      wrong: {
        "rpc unicast, Python's links": wants("openstack.org/om/rpc/unicast/#", "the routing type ANYCAST"),
        "rpc unicast, Python's links, a Python call's expiry": wants("openstack.org/om/rpc/unicast/#", "no-expiry"),
        "rpc anycast, Python's links": wants("openstack.org/om/rpc/anycast/#", "the routing type ANYCAST"),
        "rpc anycast, Python's links, a Python call's expiry": wants("openstack.org/om/rpc/anycast/#", "no-expiry"),
        "notify unicast, Python's links": wants("openstack.org/om/notify/unicast/#", "the routing type ANYCAST"),
      },
      warnings: [
        wants("openstack.org/om/notify/multicast/#", "no-expiry"),
        wants("openstack.org/om/notify/unicast/#", "no-expiry"),
      ],
    },
  ],
  [
    "legacy fanouts and shared requests",
    {
      addressing: "legacy",
      stanzas: [setting("unicast.#"), setting("broadcast.#")],
      wrong: {
        "anycast, Python's links": wants("unicast.#", "the routing type ANYCAST"),
        "anycast, Python's links, a Python call's expiry": wants("unicast.#", "no-expiry"),
      },
      warnings: [wants("broadcast.#", "no-expiry")],
    },
  ],
];

test.each(LACKING)(
  "check names the missing configuration of an Artemis without %s",
  { tags: ["check:lacking"], timeout: 120_000 },
  async (_what, { addressing, stanzas, ...lack }) => {
    const edit = (xml: string): string => stanzas.reduce((text, stanza) => replaced(text, stanza, ""), xml);
    await using artemis = await Artemis.start({ addressing, edit });
    const { status, stdout } = await check(`amqp://127.0.0.1:${artemis.address.port}/?addressing_mode=${addressing}`);
    const { checks, warnings }: Findings = JSON.parse(stdout);
    const wrong = checks.filter(({ ok }) => !ok).map(({ name, advice }) => [name, advice]);
    const expected = Object.entries(lack.wrong).map(([name, advice]) => [name, expect.stringMatching(advice)]);
    expect(Object.fromEntries(wrong)).toEqual(Object.fromEntries(expected));
    expect(warnings).toEqual(lack.warnings.map((warning) => expect.stringMatching(warning)));
    expect(status).toBe(5);
  },
);

function wants(match: string, what: string): RegExp {
  return new RegExp(`<address-setting match="${literally(match)}"> with ${what}; see oslo-messaging recipe artemis$`);
}

function setting(match: string): RegExp {
  return new RegExp(`<address-setting match="${literally(match)}">[\\s\\S]*?</address-setting>`);
}

function noExpiry(match: string): RegExp {
  return new RegExp(`(?<=<address-setting match="${literally(match)}">\\s*)<no-expiry>true</no-expiry>`);
}

function literally(text: string): string {
  return text.replace(/[.]/g, "\\.");
}
