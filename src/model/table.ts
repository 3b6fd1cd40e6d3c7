import { hostPort, type ServiceId, type ServiceKey } from './service.ts'

/** ipvsadm's `-g`, `-m`, `-i`. */
export type Forwarding = 'gate' | 'masq' | 'ipip'

/** A real server's entry in the IPVS table. Port 0 (masq, marks): the client's port is kept. */
export interface Destination {
  readonly address: string
  readonly port: number
  readonly forwarding: Forwarding
  readonly weight: number
  /** Connections above which it gets no new ones, and below which it does again; 0 is none (ip_vs.h U_THRESH, L_THRESH). */
  readonly upper: number
  readonly lower: number
}

declare const destinationKey: unique symbol
/** `192.0.2.20:80`: unique within its virtual service. */
export type DestinationKey = string & { readonly [destinationKey]: true }

export function destinationKeyOf(d: Pick<Destination, 'address' | 'port'>): DestinationKey {
  return hostPort(d.address, d.port) as DestinationKey
}

/** The attributes of a virtual service, without its destinations. */
export interface ServiceSettings {
  /** Scheduler name as the kernel module says it: rr, wrr, wlc, sh … */
  readonly scheduler: string
  /** Scheduler flag bits of ip_vs.h: 0x08, 0x10, 0x20 (ipvsadm -b flag-1, flag-2, flag-3). */
  readonly schedulerFlags: number
  /** ipvsadm -p and -M. The netmask is a dotted quad for IPv4, a prefix length for IPv6. */
  readonly persistence: { readonly timeoutSeconds: number; readonly netmask: string } | undefined
  /** ipvsadm -o, UDP only. */
  readonly onePacket: boolean
}

export interface VirtualService extends ServiceSettings {
  readonly id: ServiceId
  readonly destinations: ReadonlyMap<DestinationKey, Destination>
}

/** What ought to be in the kernel, for the services that are ours. */
export type Table = ReadonlyMap<ServiceKey, VirtualService>
