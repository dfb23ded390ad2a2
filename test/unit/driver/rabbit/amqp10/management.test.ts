import { describe, expect, it } from "vitest";
import { ConnectionLost } from "@/src/core/errors.js";
import { LinkDeclarations } from "@/src/driver/rabbit/amqp10/link-declarations.js";
import { Management } from "@/src/driver/rabbit/amqp10/management.js";
import { begun, encodedMessage, opened } from "@/test/fixtures/beds/raw-bed.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { answer, endSession, RawManagement } from "@/test/fixtures/peers/raw-rabbit.js";

const EXCHANGE = { exchange: "x y", type: "topic", durable: false, autoDelete: true } as const;
const QUEUE = {
  queue: "q/1",
  durable: true,
  autoDelete: false,
  arguments: { "x-queue-type": "quorum", "x-expires": 2 ** 33 },
};
const GET = { method: "GET", path: "/queues/q" } as const;

async function bed() {
  const { peer, connection } = await opened();
  const management = new Management(connection, () => {});
  return { peer, connection, management, declarations: new LinkDeclarations(connection, management) };
}

describe("the management of RabbitMQ 4", () => {
  it("is a pair of settled links of one name, opened for the first request", async () => {
    const { peer, management } = await bed();
    const done = management.request(GET);
    const { management: raw, attaches } = await RawManagement.paired(peer);
    const [receiving, sending] = attaches.map(({ fields }) => fields);
    for (const fields of [receiving, sending]) {
      expect(fields).toMatchObject({ name: "management 1", snd_settle_mode: 1, properties: { paired: true } });
    }
    expect([receiving?.["role"], sending?.["role"]]).toEqual([true, false]);
    for (const terminus of [receiving?.["source"], sending?.["target"]]) {
      expect(JSON.stringify(terminus)).toContain("/management");
    }
    const request = await raw.request();
    expect(request.text).toBe("GET /queues/q");
    raw.respond(request, "200");
    await done;
  });

  it("declares, binds and deletes by requests with a map as body", async () => {
    const { peer, declarations } = await bed();
    const all = Promise.all([
      declarations.declareExchange(EXCHANGE),
      declarations.declareQueue(QUEUE),
      declarations.declareQueue(QUEUE, true),
      declarations.bind("q/1", "x y", "k"),
      declarations.deleteQueue("q/1"),
      declarations.deleteExchange("x y"),
    ]);
    const { management: raw } = await RawManagement.paired(peer);
    const requests = [];
    while (requests.length < 6) requests.push(await raw.request());
    expect(requests.map(({ text }) => text)).toEqual([
      'PUT /exchanges/x%20y {"type":"topic","durable":false,"auto_delete":true}',
      'PUT /queues/q%2F1 {"durable":true,"auto_delete":false,"arguments":{"x-queue-type":"quorum","x-expires":"8589934592"}}',
      "GET /queues/q%2F1",
      'POST /bindings {"source":"x y","destination_queue":"q/1","binding_key":"k","arguments":{}}',
      "DELETE /queues/q%2F1",
      "DELETE /exchanges/x%20y",
    ]);
    for (const request of requests.reverse()) raw.respond(request, "204");
    await all;
  });

  it("an exchange is looked up by a link to it, one at a time", async () => {
    const { peer, declarations } = await bed();
    const lookUp = (exchange: string) => declarations.declareExchange({ ...EXCHANGE, exchange }, true);
    const missing = failureOf(lookUp("missing"));
    const others = Promise.all([lookUp("x y"), lookUp("not to be written")]);
    await begun(peer);
    const first = await peer.next("attach");
    expect(JSON.stringify(first.fields["target"])).toContain("/exchanges/missing");
    endSession(peer, first.channel, "amqp:not-found", "no exchange 'missing' in vhost '/'");
    expect(await missing).toMatchObject({ code: 404, text: "no exchange 'missing' in vhost '/'" });
    await begun(peer, {}, ["end"]);
    const second = await peer.next("attach");
    expect(JSON.stringify(second.fields["target"])).toContain("/exchanges/x%20y");
    answer(peer, second);
    const third = await peer.next("attach", ["detach"]);
    endSession(peer, third.channel, "amqp:unauthorized-access", "write access to exchange refused");
    await others;
  });

  it("a round trip is measured by a link of its own, several at a time", async () => {
    const { peer, management } = await bed();
    const measured = Promise.all([management.roundTripMs(), management.roundTripMs()]);
    await RawManagement.paired(peer);
    const attaches = [await peer.next("attach", ["flow"]), await peer.next("attach", ["detach"])];
    for (const attach of attaches) answer(peer, attach);
    expect(new Set(attaches.map(({ fields }) => fields["name"])).size).toBe(2);
    expect(await measured).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it.each([
    ["409", "inequivalent arg 'durable'", 406, "amqp:precondition-failed"],
    ["403", "queue starts with reserved prefix", 403, "amqp:unauthorized-access"],
    ["404", "queue 'q' not found", 404, "amqp:not-found"],
    ["400", "no exchange 'x' in vhost '/'", 404, "amqp:not-found"],
    ["400", "Feature `f` is deprecated.", 541, "amqp:internal-error"],
    ["503", undefined, 541, "amqp:internal-error"],
  ])("a response %s with the text %j is the refusal %i", async (status, text, code, condition) => {
    const { peer, management } = await bed();
    const failed = failureOf(management.request(GET));
    const { management: raw } = await RawManagement.paired(peer);
    raw.respond(await raw.request(), status, text);
    expect(await failed).toMatchObject({ name: "AmqpError", code, condition, text: text ?? `status ${status}` });
  });

  it("has eight requests without a response at most", async () => {
    const { peer, connection, management } = await bed();
    const done = Array.from({ length: 10 }, (_, n) => management.request({ method: "GET", path: `/queues/${n}` }));
    const { management: raw } = await RawManagement.paired(peer);
    const requests = [];
    while (requests.length < 8) requests.push(await raw.request());
    const next = raw.request();
    raw.respond(requests[3] as (typeof requests)[0], "200");
    expect((await next).text).toBe("GET /queues/8");
    await done[3];
    expect(peer.received.filter(({ name }) => name === "transfer").length).toBe(9);
    await Promise.all([connection.close(), ...done.map((request) => request.catch(() => {}))]);
  });

  it("of the requests without a response, the end of the session is the error of the first; the others are sent again", async () => {
    const { peer, management } = await bed();
    const [first, second, third] = ["1", "2", "3"].map((name) =>
      management.request({ method: "GET", path: `/queues/${name}` }),
    );
    const { management: raw } = await RawManagement.paired(peer);
    raw.respond(await raw.request(), "200");
    await first;
    for (let n = 0; n < 2; n++) await raw.request();
    const refused = failureOf(second as Promise<void>);
    raw.end("amqp:unauthorized-access", "configure access to queue '2' refused");
    expect(await refused).toMatchObject({ code: 403, text: "configure access to queue '2' refused" });
    const { management: again } = await RawManagement.paired(peer);
    const request = await again.request();
    expect(request.text).toBe("GET /queues/3");
    again.respond(request, "200");
    await third;
  });

  it("a response that cannot be read fails the first request, and the links are opened again", async () => {
    const { peer, management } = await bed();
    const failed = failureOf(management.request(GET));
    const { management: raw } = await RawManagement.paired(peer);
    await raw.request();
    raw.sendPayload(Uint8Array.of(0x00, 0x53, 0x99));
    expect(await failed).toMatchObject({ code: 541 });
    for (let n = 0; n < 2; n++) {
      const { fields, channel } = await peer.next("detach");
      peer.send("detach", { handle: fields["handle"], closed: true }, { channel });
    }
    const done = management.request(GET);
    const { management: again } = await RawManagement.paired(peer, false);
    again.respond(await again.request(), "200");
    await done;
  });

  it("a response to an unknown request is ignored", async () => {
    const { peer, management } = await bed();
    const done = management.request(GET);
    const { management: raw } = await RawManagement.paired(peer);
    const request = await raw.request();
    raw.sendPayload(encodedMessage({ correlationId: "unknown", subject: "404" }));
    raw.respond(request, "200");
    await done;
  });

  it("a broker that refuses the links refuses the requests", async () => {
    const { peer, management } = await bed();
    const failed = Promise.all([failureOf(management.request(GET)), failureOf(management.request(GET))]);
    const { channel } = await peer.next("begin");
    peer.send(
      "begin",
      { remote_channel: channel, next_outgoing_id: 0, incoming_window: 1, outgoing_window: 1 },
      { channel },
    );
    const { fields } = await peer.next("attach");
    peer.send("attach", { name: fields["name"], handle: 0, role: false, initial_delivery_count: 0 }, { channel });
    peer.send(
      "detach",
      { handle: 0, closed: true, error: { condition: "amqp:not-implemented", description: "no" } },
      { channel },
    );
    for (const error of await failed) expect(error).toMatchObject({ code: 541, text: "no" });
  });

  it("a link that ends while the other one is opened fails the requests, and the next one opens both again", async () => {
    const { peer, management } = await bed();
    const failed = failureOf(management.request(GET));
    await begun(peer);
    const receiving = await peer.next("attach");
    const { channel } = receiving;
    answer(peer, receiving, { initial_delivery_count: 0 });
    await peer.next("attach", ["flow"]);
    peer.send("detach", { handle: receiving.fields["handle"], closed: true }, { channel });
    expect(await failed).toMatchObject({ code: 541, text: "the broker has ended the links to its management" });
    const done = management.request(GET);
    await peer.next("detach", ["flow"]);
    const { management: raw } = await RawManagement.paired(peer, false);
    raw.respond(await raw.request(), "200");
    await done;
  });

  it("every request fails at the end of the connection", async () => {
    const { peer, management } = await bed();
    const failed = Promise.all([failureOf(management.request(GET)), failureOf(management.request(GET))]);
    const { management: raw } = await RawManagement.paired(peer);
    await raw.request();
    peer.hangUp();
    for (const error of await failed) expect(error).toBeInstanceOf(ConnectionLost);
    expect(await failureOf(management.request(GET))).toBeInstanceOf(ConnectionLost);
  });
});
