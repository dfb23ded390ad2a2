import { ConnectionPanel } from "./connection/connection-panel.js";
import { FramesView } from "./frames/frames-view.js";
import { LogView } from "./log/log-view.js";
import { LoadForm } from "./metrics/load-form.js";
import { MetricsView } from "./metrics/metrics-view.js";
import { NotificationsView } from "./notifications/notifications-view.js";
import { NotifyForm } from "./notifications/notify-form.js";
import { byId } from "./parts/elements.js";
import { Tabs } from "./parts/tabs.js";
import { themeSwitch } from "./parts/theme.js";
import { RpcConsole } from "./rpc/rpc-console.js";
import { ServerPanel } from "./serve/server-panel.js";
import { TopologyView } from "./topology/topology-view.js";

/** Name of this page's RPC server; each page has its own. */
const pageName = `page-${crypto.randomUUID().slice(0, 4)}`;
const frames = new FramesView();
const metrics = new MetricsView();
const topology = new TopologyView(pageName);
const onLatency = (ms: number): void => metrics.addLatency(ms);
const rpcConsole = new RpcConsole({ pageName, onLatency });
const serverPanel = new ServerPanel({
  pageName,
  onWantsCall: (topic, server) => {
    rpcConsole.fill({ topic, server, namespace: "", version: "", method: "whoami", args: "{}" });
    tabs.show("rpc");
  },
});
const tabs = new Tabs(byId("tabs", HTMLElement), (panel) => {
  metrics.show(panel === "metrics");
  topology.show(panel === "topology");
});
// Makes scrolling areas reachable by keyboard.
for (const scrolling of document.querySelectorAll<HTMLElement>(".rows, .scroll")) scrolling.tabIndex = 0;
themeSwitch(byId("theme", HTMLFieldSetElement), () => metrics.repaint());

new ConnectionPanel({
  pageName,
  views: [
    rpcConsole,
    serverPanel,
    new NotificationsView(),
    new NotifyForm(pageName),
    topology,
    new LoadForm(onLatency),
  ],
  logger: new LogView(),
  onFrame: (connection, frame) => {
    frames.add(connection, frame);
    metrics.addFrame(frame);
  },
}).connect();
