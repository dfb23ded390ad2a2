import { expect, test } from "vitest";
import golden from "@/test/data/rabbit-golden.json";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { comparable } from "@/test/fixtures/peers/comparable-frames.js";
import { FrameRecorder, type RecordedFrame } from "@/test/fixtures/peers/recorded-frames.js";
import { PythonNotifier } from "@/test/fixtures/python/python.js";

test.each(["messaging", "messagingv2"] as const)(
  "the recorder sees the recorded frames of the Python notifier %s",
  async (driver) => {
    const { node, virtualHost } = await rabbitMqBed("3.10.8");
    await using recorder = await FrameRecorder.start(node.address);
    const expected = golden.scenarios[`notifier_${driver}`] as readonly RecordedFrame[];
    const [topic = "", priority = ""] = `${expected.find(({ m }) => m === "basic.publish")?.a?.["routing_key"]}`.split(
      ".",
    );
    const notifier = await PythonNotifier.start(node.url(virtualHost, recorder.address));
    const notification = { driver, topic, priority, publisherId: "peers.host1", eventType: "compute.instance.create" };
    for (const i of [0, 1]) {
      await notifier.notify({ ...notification, context: { request_id: "req-1" }, payload: { i, s: "hé" } });
    }
    await notifier.stop(); // closes the connection
    expect(comparable(recorder.frames)).toEqual(comparable(expected));
    const start = recorder.frames.find(({ m }) => m === "connection.start-ok");
    expect(start?.a).toMatchObject({
      mechanism: "AMQPLAIN",
      response: "***",
      client_properties: { product: "py-amqp" },
    });
  },
);
