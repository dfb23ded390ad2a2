/** The public names of `./intermediary` that are the same in every runtime. */

export type {
  Accept,
  Address,
  Dial,
  Listening,
  Pem,
  Socket,
  SocketHandlers,
  TLSDetail,
  TLSOptions,
} from "../core/dial.js";
export type { Logger } from "../core/logger.js";
export type { Addressing, Distribution } from "../intermediary/addresses.js";
export { Intermediary, type IntermediaryLimits, type IntermediaryOptions } from "../intermediary/intermediary.js";
export type { IntermediaryKind } from "../intermediary/nodes.js";
export {
  TOPOLOGY_ADDRESS,
  TOPOLOGY_CAPABILITY,
  type Topology,
  type TopologyAddress,
  type TopologyConnection,
  type TopologyLinks,
} from "../intermediary/topology.js";
export { memoryDial } from "../transports/memory.js";
export type { WatchTopologyOptions } from "./watched-topology.js";
