/** The public names of `./intermediary` that are the same in every runtime. */

export type {
  Accept,
  Address,
  Dial,
  Listening,
  Pem,
  Socket,
  SocketHandlers,
  TLSOptionName,
  TLSOptions,
} from "../core/byte-stream.js";
export type { Logger } from "../core/logger.js";
export type { IntermediaryKind } from "../intermediary/address-table.js";
export type { Addressing, Distribution } from "../intermediary/addresses.js";
export { Intermediary, type IntermediaryLimits, type IntermediaryOptions } from "../intermediary/intermediary.js";
export {
  TOPOLOGY_ADDRESS,
  TOPOLOGY_CAPABILITY,
  type Topology,
  type TopologyAddress,
  type TopologyConnection,
  type TopologyLinks,
} from "../intermediary/topology.js";
export type { WatchTopologyOptions } from "../topology-client/watched-topology.js";
export { memoryDial } from "../transports/memory.js";
