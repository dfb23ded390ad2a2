import { ConnectionPanel } from "./connection-panel.js";
import { FramesView } from "./frames-view.js";
import { LogView } from "./log-view.js";
import { NotificationsView } from "./notifications-view.js";
import { NotifyForm } from "./notify-form.js";
import { RpcConsole } from "./rpc-console.js";
import { ServerPanel } from "./server-panel.js";

/** Every page is a server of its own. */
const pageName = `page-${crypto.randomUUID().slice(0, 4)}`;
const frames = new FramesView();

new ConnectionPanel({
  views: [new RpcConsole(pageName), new ServerPanel(pageName), new NotificationsView(), new NotifyForm(pageName)],
  logger: new LogView(),
  onFrame: (connection, frame) => frames.add(connection, frame),
}).connect();
