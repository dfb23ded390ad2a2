// Removes unused code of rhea from every bundle. rhea is a complete AMQP client and server, but the control plane
// (src/core/connection/control/control.ts) uses it only to open and close connections, sessions and links. Its socket, timers,
// SASL, messages, deliveries and logs are removed, and the later ticks in which it closes what the control plane has closed
// before. Its codec is replaced by that of the sources.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as esbuild from "esbuild";
import ts from "typescript";

/**
 * Statements to remove, by file. A statement is named by the variable that it declares or assigns, by `if` and its condition,
 * or else by its text; a statement in a function is prefixed with the function's name. `then` and `else` after a condition
 * name one branch. Calls of removed functions are removed too; their effects are not used.
 */
const UNREACHED = {
  "connection.js": [
    ...["sasl", "fs", "os", "path", "net", "tls"],
    ...["find_connect_config", "get_default_connect_config", "get_socket_id", "restrict", "backoff", "get_connect_fn"],
    ...["connection_details", "byte_to_hex", "buffer_to_hex", "clearObject"],
    ...members("Connection.prototype", [
      ...["_disconnect", "_reconnect", "_reset_remote_state", "connect", "reconnect", "set_reconnect", "_connect"],
      ...["accept", "abort_socket", "init", "connected", "sasl_failed", "_get_peer_details", "output", "input", "idle"],
      ...["on_error", "eof", "_disconnected", "get_peer_certificate", "get_tls_socket"],
      ...["attach_sender", "open_sender", "attach_receiver", "open_receiver", "send"],
      ...["find_sender", "find_receiver", "find_link", "each_receiver", "each_sender", "each_link"],
      ...["is_open", "is_remote_open", "is_closed", "_register", "remove_all_sessions"],
    ]),
    ...["transfer", "disposition", "flow"].map((name) => `delegate_to_session('${name}')`),
    ...["session_per_connection", "set_reconnect", "remote_property_shortcut"],
    ...within("Connection", [
      ...["reconnect", "set_reconnect(reconnect, this)", "if (!this.options.connection_details)"],
      ...["self", "aliases.forEach"],
      ...members("this", ["session_policy", "sasl_transport", "transport", "conn_established_counter"]),
      ...members("this", ["heartbeat_out", "heartbeat_in", "abort_idle", "socket_ready"]),
      ...members("this", ["scheduled_reconnect", "default_sender"]),
      ...members("this", ["session_buffer_size", "container", "closed_with_non_fatal_error"]),
      "if ((options.transport === 'tls' || options.transport === 'ssl')\n            && options.servername === undefined && options.host !== undefined)",
      ...["if (!this.options.id)", "if (!this.options.container_id)"],
    ]),
    ...["conn_counter", "Connection.prototype._is_fatal"],
    ...within("Connection", ["if (options) else"]),
    "Connection.prototype.dispatch: if (this.container) then",
    "Connection.prototype.get_option: if (this.container) then",
    "Connection.prototype._context: if (this.container)",
    "Connection.prototype._handle_error: if (!this._is_fatal(error.condition))",
    "Connection.prototype.get_error: if (this.transport_error)",
    ...within("Connection.prototype.on_close", ["if (this.heartbeat_out)", "self", "process.nextTick"]),
  ],
  "endpoint.js": [
    ...members("EndpointState.prototype", ["mark", "disconnected", "reconnect", "is_open", "is_closed"]),
    ...within("EndpointState.prototype.init", members("this", ["initialised", "marker"])),
    ...within("EndpointState.prototype.open", members("this", ["initialised", "marker"])),
    "EndpointState.prototype.close: this.marker",
  ],
  "errors.js": ["ConnectionError.prototype.toJSON", "TypeError", "util.inherits(TypeError, ProtocolError)"],
  "frames.js": [
    ...members("frames", ["read_header", "write_header", "sasl_frame", "read_frame", "write_frame"]),
    ...["flow", "transfer", "disposition"].flatMap((name) => [name, `define_frame(frames.TYPE_AMQP, ${name})`]),
    ...["mechanisms", "init", "challenge", "response", "outcome"]
      .map((name) => `sasl_${name}`)
      .flatMap((name) => [name, `define_frame(frames.TYPE_SASL, ${name})`]),
  ],
  "link.js": [
    ...["message", "FlowController", "FlowController.prototype.update", "auto_settle", "auto_accept", "LinkError"],
    ...["require('util').inherits(LinkError, Error)", "aliases", "remote_property_shortcut"],
    ...members("link", ["is_open", "is_remote_open", "is_itself_closed", "is_closed", "_disconnect", "_reconnect"]),
    ...["link.has_credit", "link.get_option"],
    ...["link.init: this.observers", "link.dispatch: EventEmitter.prototype.emit.apply(this.observers, arguments)"],
    "link.dispatch: if (this.listeners(name).length) then",
    ...members("Sender.prototype", ["_get_drain", "set_drained", "next_tag", "sendable"]),
    ...members("Sender.prototype", ["on_flow", "on_transfer", "send"]),
    ...members("Receiver.prototype", ["on_flow", "flow", "drain_credit", "add_credit", "_get_drain"]),
    "Receiver.prototype.set_credit_window",
    ...within("link.init", ["this.issue_flow", "this.delivery_count", "this.credit", "self", "aliases.forEach"]),
    "link._process: if (this.issue_flow && this.state.local_open)",
    ...within("link.on_detach", ["if (this._incomplete)", "if (!handled)", "self", "token", "process.nextTick"]),
    ...within("Sender", [
      ...["this._draining", "this._drained", "this.tag", "if (this.get_option('autosettle', true))", "sender"],
      "if (this.get_option('treat_modified_as_released', true))",
    ]),
    ...within("Receiver", [
      ...["this.drain", "this.set_credit_window(this.get_option('credit_window', 1000))"],
      "if (this.get_option('autoaccept', true))",
      "if (this.local.attach.rcv_settle_mode === 1 && this.get_option('autosettle', true))",
    ]),
  ],
  "session.js": [
    ...["message", "SessionError", "require('util').inherits(SessionError, Error)"],
    ...["CircularBuffer", "DEFAULT_BUFFER_SIZE", "get_buffer_size", "validate_buffer_size"],
    ...members("CircularBuffer.prototype", ["available", "push", "pop_if", "by_id", "get_head", "get_tail"]),
    ...["write_dispositions", "notify_sendable", "is_sender_sendable"],
    ...members("Outgoing.prototype", ["available", "compute_max_payload", "transfer_window", "send"]),
    ...members("Outgoing.prototype", ["on_begin", "on_flow", "on_disposition", "update", "process"]),
    ...within("Outgoing", members("this", ["deliveries", "updated", "pending_dispositions", "next_delivery_id"])),
    ...within("Outgoing", members("this", ["next_pending_delivery", "remote_next_transfer_id", "remote_window"])),
    "Outgoing: this.connection",
    ...members("Incoming.prototype", ["on_begin", "on_transfer", "on_flow", "on_disposition", "update", "process"]),
    ...within("Incoming", members("this", ["updated", "next_delivery_id", "max_transfer_id"])),
    ...within("Incoming", members("this", ["remote_next_transfer_id", "remote_window", "deliveries"])),
    "Incoming: Object.defineProperty(this, 'window', { get: function () { return this.deliveries.available(); } })",
    ...within("Session", members("this", ["session_buffer_size", "observers"])),
    "Session.prototype.dispatch: EventEmitter.prototype.emit.apply(this.observers, arguments)",
    "Session.prototype.dispatch: if (this.listeners(name).length) then",
    "Session.prototype.end: if (error)",
    "merge: if (f === 'properties' && defaults.properties) then",
    ...within("attach", [
      "if (typeof args === 'string') then",
      ...["if (!opts.name)", "if (typeof opts[t] === 'string')"],
      ...["if (l.is_sender() && opts.source === undefined)", "if (l.is_receiver() && opts.target === undefined)"],
    ]),
    ...members("Session.prototype", [
      ...["_disconnect", "_reconnect", "open_sender", "open_receiver", "send", "_write_flow"],
      ...["find_sender", "find_receiver", "find_link", "each_receiver", "each_sender", "each_link"],
      ...["is_open", "is_remote_open", "is_itself_closed", "is_closed"],
      ...["on_disposition", "on_flow", "on_transfer"],
    ]),
    ...within("Session.prototype._process", [
      ...["was_blocked", "if (was_blocked && this.outgoing.deliveries.available())"],
      ...["this.outgoing.process()", "this.incoming.process(this)"],
    ]),
    ...within("Session.prototype.on_begin", [
      ...["this.outgoing.on_begin(frame.performative)", "this.incoming.on_begin(frame.performative)"],
    ]),
    ...within("Session.prototype.on_end", ["if (!handled)", "self", "token", "process.nextTick"]),
  ],
  "transport.js": [
    ...members("Transport.prototype", ["has_writes_pending", "peek_size", "read", "write"]),
    ...within("Transport", members("this", ["identifier", "protocol_id", "frame_type", "handler"])),
    ...within("Transport", members("this", ["header_sent", "header_received", "write_complete", "read_complete"])),
  ],
  "util.js": [
    "parse_uuid",
    ...members("util", [
      "allocate_buffer",
      "generate_uuid",
      "uuid4",
      "uuid_to_string",
      "string_to_uuid",
      "clone",
      "and",
    ]),
    ...members("util", ["is_sender", "is_receiver", "sender_filter", "receiver_filter", "is_defined"]),
  ],
};

/** The module in the place of rhea's own codec. */
const types = join(import.meta.dirname, "../src/core/connection/control/rhea-types.ts");

/**
 * esbuild plugin that removes the unused statements, and replaces the codec. Throws when a statement is missing: the lists are
 * for another version of rhea. `external`: the codec is imported and not bundled.
 */
export function trimmedRhea(external = false) {
  return {
    name: "trimmed-rhea",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/types\.js$/ }, ({ importer }) =>
        /[\\/]rhea[\\/]lib[\\/]/.test(importer) ? { path: types, external } : undefined,
      );
      onLoad({ filter: /[\\/]rhea[\\/]lib[\\/]\w+\.js$/ }, async ({ path }) => ({
        contents: trim(basename(path), await readFile(path, "utf8")),
      }));
    },
  };
}

/** Writes the trimmed rhea as one module for Node and returns the path: tests of the sources use the same code as the package. */
export async function writeTrimmedRhea(path) {
  const stdin = { contents: `export { default } from "rhea/lib/connection.js"`, resolveDir: import.meta.dirname };
  const plugins = [trimmedRhea(true)]; // the tests import the codec, too
  const options = { stdin, bundle: true, format: "esm", platform: "node", write: false, plugins };
  const { outputFiles } = await esbuild.build(options);
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, outputFiles[0].contents);
  await rename(fresh, path); // another run may be reading it
  return path;
}

function trim(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const unreached = new Set(UNREACHED[file]);
  const edits = [];
  visit(source, "");
  if (unreached.size > 0) throw new Error(`rhea's ${file} does not contain: ${[...unreached].join(", ")}`);
  return edits.reduceRight((rest, { start, end, by }) => rest.slice(0, start) + by + rest.slice(end), text);

  /** `around` is the prefix of the function that contains the node. */
  function visit(node, around) {
    const name = around + nameOf(node, source);
    const module = asModule(node, source);
    const [start, end] = [node.getStart(source), node.getEnd()];
    const within = around === "" && node.parent === source ? `${name}: ` : around;
    if (unreached.delete(name) || isLog(node, source)) edits.push({ start, end, by: "" });
    else if (module !== undefined) edits.push({ start, end, by: module });
    else if (unreached.delete(`${name} then`)) {
      edits.push({ start, end: node.elseStatement.getStart(source), by: "" });
      visit(node.elseStatement, within);
    } else if (unreached.delete(`${name} else`)) {
      visit(node.thenStatement, within);
      edits.push({ start: node.thenStatement.getEnd(), end, by: "" });
    } else ts.forEachChild(node, (child) => visit(child, within));
  }
}

/**
 * Returns the ES import or export that replaces a CommonJS statement; undefined for other statements. ES modules share one
 * scope in a bundle and need no wrapper that runs them on first use.
 */
function asModule(node, source) {
  if (node.parent !== source) return undefined;
  const [, exported] = /^module\.exports = (.+);$/s.exec(node.getText(source)) ?? [];
  if (exported !== undefined) return `export default ${exported};`;
  const [, name, module, member] = /^var (\w+) = require\(('[^']+')\)(?:\.(\w+))?;$/.exec(node.getText(source)) ?? [];
  if (module === undefined) return undefined;
  if (member !== undefined) return `import { ${member} as ${name} } from ${module};`;
  return module.startsWith("'.") ? `import ${name} from ${module};` : `import * as ${name} from ${module};`;
}

/** Name of a statement; undefined for other nodes. A call with a function as argument is named by the called expression. */
function nameOf(node, source) {
  if (ts.isFunctionDeclaration(node)) return node.name.text;
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0].name.getText(source);
  if (ts.isIfStatement(node)) return `if (${node.expression.getText(source)})`;
  if (!ts.isExpressionStatement(node)) return undefined;
  const { expression } = node;
  if (ts.isBinaryExpression(expression)) return expression.left.getText(source);
  const short = ts.isCallExpression(expression) && expression.arguments.some(ts.isFunctionExpression);
  return (short ? expression.expression : expression).getText(source);
}

/** Log statements of rhea, which would print passwords. Frames are logged by the data plane instead. */
function isLog(node, source) {
  return (ts.isExpressionStatement(node) && /^log\.\w+\(/.test(node.getText(source))) || nameOf(node, source) === "log";
}

/** Names of statements in a function. */
function within(name, names) {
  return names.map((inner) => `${name}: ${inner}`);
}

/** Names of members of an object. */
function members(object, names) {
  return names.map((name) => `${object}.${name}`);
}
