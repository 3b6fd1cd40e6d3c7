/** Numbers of the wire: linux/netlink.h, linux/genetlink.h, linux/ip_vs.h. */

export const netlinkGeneric = 16

export const messageType = { error: 2, done: 3, controller: 16 } as const
export const messageFlag = { request: 1, multi: 2, ack: 4, dump: 0x300 } as const

export const controller = { getFamily: 3, version: 1, familyId: 1, familyName: 2 } as const

export const ipvsFamilyName = 'IPVS'
export const ipvsVersion = 1

export const command = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  setConfig: 12,
  getConfig: 13,
  getInfo: 15,
} as const

/** Attributes of a command. */
export const part = { service: 1, destination: 2, timeoutTcp: 4, timeoutTcpFin: 5, timeoutUdp: 6 } as const

/** Attributes of the answer to getInfo. */
export const info = { version: 1, connectionTableSize: 2 } as const

export const serviceAttribute = {
  addressFamily: 1,
  protocol: 2,
  address: 3,
  port: 4,
  mark: 5,
  scheduler: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
  stats: 10,
  engine: 11,
  stats64: 12,
} as const

export const destinationAttribute = {
  address: 1,
  port: 2,
  forwarding: 3,
  weight: 4,
  upper: 5,
  lower: 6,
  activeConnections: 7,
  inactiveConnections: 8,
  persistentConnections: 9,
  stats: 10,
  addressFamily: 11,
  stats64: 12,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const

export const serviceFlag = { persistent: 1, onePacket: 4, schedulerBits: 0x38 } as const

/** ip_vs.h IP_VS_CONN_F_*: masquerading is 0. */
export const forwardingNumber = { masq: 0, local: 1, ipip: 2, gate: 3, bypass: 4 } as const
/** Of what goes through a tunnel. */
export const tunnelNumber = { ipip: 0, gue: 1, gre: 2 } as const
/** Within a tunnel's flags; neither is none. */
export const tunnelFlag = { csum: 1, remcsum: 2 } as const

/** Within `stats` (u32, bytes u64) and `stats64` (all u64); the rates are per second. Type 11 is padding. */
export const statistic = {
  connections: 1,
  inPackets: 2,
  outPackets: 3,
  inBytes: 4,
  outBytes: 5,
  connectionsPerSecond: 6,
  inPacketsPerSecond: 7,
  outPacketsPerSecond: 8,
  inBytesPerSecond: 9,
  outBytesPerSecond: 10,
} as const

export const protocolNumber = { tcp: 6, udp: 17, sctp: 132 } as const
export const addressFamilyNumber = { 4: 2, 6: 10 } as const
