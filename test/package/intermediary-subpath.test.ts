import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { CARRIED, carryBus, type Libraries } from "@/test/fixtures/beds/page-bus.js";
import { projectPath } from "@/test/fixtures/project.js";
import { importsOf, nodeGlobalsOf } from "@/test/fixtures/source.js";

const dist = projectPath("dist");
const url = (name: string): string => pathToFileURL(join(dist, name)).href;

/** Those of the same folder. */
async function libraries(folder: "." | "web", root: string): Promise<Libraries> {
  const [oslo, embedded] = await Promise.all(
    [root, "intermediary.js"].map((name) => import(/* @vite-ignore */ url(join(folder, name)))),
  );
  return { oslo, embedded };
}

describe("oslo-messaging/intermediary", { timeout: 60_000 }, () => {
  it.each(["router", "broker"] as const)(
    "oslo-messaging/intermediary carries RPC and notifications in memory with a %s, and shares classes with the root",
    async (kind) => {
      expect(await carryBus({ libraries: await libraries("web", "web.js"), kind })).toEqual(CARRIED);
      expect(await carryBus({ libraries: await libraries(".", "node.js"), kind })).toEqual(CARRIED);
    },
  );

  it("dist/web/intermediary.js imports only chunks, and reads no global of Node", async () => {
    const web = join(dist, "web/intermediary.js");
    expect((await importsOf(web)).filter((name) => !name.startsWith("./chunk-"))).toEqual([]);
    expect(await nodeGlobalsOf(web)).toEqual([]);
  });

  it("oslo-messaging/intermediary exports the same names everywhere, except the listeners", async () => {
    const names = async (folder: "." | "web", root: string) => Object.keys((await libraries(folder, root)).embedded);
    const listeners = ["listenTcp", "listenWebSocket"];
    expect((await names(".", "node.js")).filter((name) => !listeners.includes(name))).toEqual(
      await names("web", "web.js"),
    );
  });
});
