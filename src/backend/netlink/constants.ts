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
} as const

/** Attributes of a command. */
export const part = { service: 1, destination: 2 } as const

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
  engine: 11,
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
  addressFamily: 11,
  tunnelType: 13,
} as const

export const serviceFlag = { persistent: 1, onePacket: 4, schedulerBits: 0x38 } as const

/** ip_vs.h IP_VS_CONN_F_*: masquerading is 0. */
export const forwardingNumber = { masq: 0, local: 1, ipip: 2, gate: 3, bypass: 4 } as const
/** What goes through a tunnel may also be gue (1) or gre (2). */
export const tunnelIpip = 0

export const protocolNumber = { tcp: 6, udp: 17, sctp: 132 } as const
export const addressFamilyNumber = { 4: 2, 6: 10 } as const
