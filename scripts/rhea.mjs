// rhea is a whole client and server of AMQP; the control plane (src/core/control.ts) opens and closes connections, sessions
// and links with it, and nothing else. What it never reaches is left out of every bundle: rhea's socket, its timers, SASL,
// messages and deliveries, its logs. What a stranger may send is read by all of rhea that reads, which stays as it is.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import * as esbuild from "esbuild";
import ts from "typescript";

/** Statements by file, each named by what it declares or assigns to, or by its text when it is a call. */
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
  ],
  "endpoint.js": members("EndpointState.prototype", ["disconnected", "reconnect", "is_open", "is_closed"]),
  "errors.js": ["ConnectionError.prototype.toJSON"],
  "frames.js": [
    ...["frames.read_header", "frames.write_header", "frames.sasl_frame"],
    ...["flow", "transfer", "disposition"].flatMap((name) => [name, `define_frame(frames.TYPE_AMQP, ${name})`]),
    ...["mechanisms", "init", "challenge", "response", "outcome"]
      .map((name) => `sasl_${name}`)
      .flatMap((name) => [name, `define_frame(frames.TYPE_SASL, ${name})`]),
  ],
  "link.js": [
    ...["message", "FlowController", "FlowController.prototype.update", "LinkError"],
    "require('util').inherits(LinkError, Error)",
    ...members("link", ["is_open", "is_remote_open", "is_itself_closed", "is_closed", "_disconnect", "_reconnect"]),
    "link.has_credit",
    ...members("Sender.prototype", [
      "_get_drain",
      "set_drained",
      "next_tag",
      "sendable",
      "on_flow",
      "on_transfer",
      "send",
    ]),
    ...members("Receiver.prototype", ["on_flow", "flow", "drain_credit", "add_credit", "_get_drain"]),
  ],
  "session.js": [
    ...["message", "SessionError", "require('util').inherits(SessionError, Error)"],
    ...members("CircularBuffer.prototype", ["push", "pop_if", "by_id", "get_head", "get_tail"]),
    ...["write_dispositions", "validate_buffer_size", "notify_sendable", "is_sender_sendable"],
    ...members("Outgoing.prototype", [
      "available",
      "compute_max_payload",
      "send",
      "on_flow",
      "on_disposition",
      "update",
    ]),
    "Outgoing.prototype.transfer_window",
    ...members("Incoming.prototype", ["update", "on_transfer", "on_flow", "on_disposition"]),
    ...members("Session.prototype", [
      ...["_disconnect", "_reconnect", "open_sender", "open_receiver", "send", "_write_flow"],
      ...["find_sender", "find_receiver", "find_link", "each_receiver", "each_sender", "each_link"],
      ...["is_open", "is_remote_open", "is_itself_closed", "is_closed"],
      ...["on_disposition", "on_flow", "on_transfer"],
    ]),
  ],
  "transport.js": members("Transport.prototype", ["has_writes_pending", "peek_size"]),
  "types.js": [
    "Typed.prototype.toLocaleString",
    ...members("types", [
      ...["is_ulong", "is_string", "is_symbol", "is_list"],
      ...["wrap_short", "wrap_byte", "wrap_float", "wrap_double", "wrap_timestamp", "wrap_char", "wrap_uuid"],
      ...["wrap_set_as_list", "wrap_map_as_map", "wrap_described", "wrap_message_id", "unwrap_map_simple"],
    ]),
    ...members("types.Reader.prototype", ["toString", "reset"]),
    ...members("types.Writer.prototype", ["toString", "clear", "remaining"]),
  ],
  "util.js": [
    "parse_uuid",
    ...members("util", ["generate_uuid", "uuid4", "uuid_to_string", "string_to_uuid", "clone", "and"]),
    ...members("util", ["is_sender", "is_receiver", "sender_filter", "receiver_filter", "is_defined"]),
  ],
};

/** Functions that are called, by file, and whose work concerns none of what the control plane uses. */
const IDLE = {
  "connection.js": ["session_per_connection", "set_reconnect"],
  "link.js": ["auto_settle", "auto_accept", "Receiver.prototype.set_credit_window"],
  "session.js": [
    ...["Outgoing.prototype.on_begin", "Outgoing.prototype.process"],
    ...["Incoming.prototype.on_begin", "Incoming.prototype.process"],
  ],
};

/** Leaves out what is never reached. Throws when there is not what shall be left out: rhea is another than the lists are of. */
export function trimmedRhea() {
  return {
    name: "trimmed-rhea",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]rhea[\\/]lib[\\/]\w+\.js$/ }, async ({ path }) => ({
        contents: trim(basename(path), await readFile(path, "utf8")),
      }));
    },
  };
}

/** Writes it as one module for Node, for the tests of the sources: what they show holds of what is published. Returns the path. */
export async function writeTrimmedRhea(path) {
  const stdin = { contents: `export { default } from "rhea/lib/connection.js"`, resolveDir: import.meta.dirname };
  const plugins = [trimmedRhea()];
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
  const idle = new Set(IDLE[file]);
  const edits = source.statements.flatMap((statement) => {
    const name = nameOf(statement, source);
    if (unreached.delete(name) || name === "log") return [cut(statement)];
    if (idle.delete(name)) return contentsOf(statement).map(cut);
    const module = asModule(statement, source);
    return module === undefined ? logsIn(statement, source).map(cut) : [{ node: statement, by: module }];
  });
  const missing = [...unreached, ...idle];
  if (missing.length > 0) throw new Error(`rhea's ${file} has no ${missing.join(", ")}`);
  return edits.reduceRight((rest, { node, by }) => replaced(rest, node.getStart(source), node.getEnd(), by), text);
}

function cut(node) {
  return { node, by: "" };
}

/**
 * The import or export that does what the statement does by CommonJS; undefined: it does neither. Modules share one scope in a
 * bundle, and nothing there waits until somebody requires it.
 */
function asModule(statement, source) {
  const [, exported] = /^module\.exports = (.+);$/s.exec(statement.getText(source)) ?? [];
  if (exported !== undefined) return `export default ${exported};`;
  const [, name, module, member] =
    /^var (\w+) = require\(('[^']+')\)(?:\.(\w+))?;$/.exec(statement.getText(source)) ?? [];
  if (module === undefined) return undefined;
  if (member !== undefined) return `import { ${member} as ${name} } from ${module};`;
  return module.startsWith("'.") ? `import ${name} from ${module};` : `import * as ${name} from ${module};`;
}

/** What a statement declares or assigns to; a call is named by its text. Undefined: it is none of these. */
function nameOf(statement, source) {
  if (ts.isFunctionDeclaration(statement)) return statement.name.text;
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0].name.getText(source);
  if (!ts.isExpressionStatement(statement)) return undefined;
  const { expression } = statement;
  return (ts.isBinaryExpression(expression) ? expression.left : expression).getText(source);
}

/** What the function does that the statement declares or assigns. */
function contentsOf(statement) {
  const { body } = ts.isFunctionDeclaration(statement) ? statement : statement.expression.right;
  return body.statements;
}

/** Calls of rhea's logs, which would print passwords: frames are seen at the data plane. */
function logsIn(node, source) {
  if (ts.isExpressionStatement(node) && /^log\.\w+\(/.test(node.getText(source))) return [node];
  return node.getChildren(source).flatMap((child) => logsIn(child, source));
}

/** Lines stay, so that the source map leads to them. */
function replaced(text, start, end, by) {
  const lines = text.slice(start, end).replace(/[^\n]+/g, "");
  return text.slice(0, start) + (by === "" ? lines : by) + text.slice(end);
}

/** Their names, as members of an object. */
function members(object, names) {
  return names.map((name) => `${object}.${name}`);
}
