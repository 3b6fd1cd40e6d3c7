import { type Family, formatService, hostPort, protocolOf } from '../model/service.ts'
import type { DestinationDetails, ServiceDetails, Tunnel } from './details.ts'
import { schedulerFlagNames } from './notation.ts'
import { byDestination, byService } from './sort.ts'

/** A virtual service of the kernel as plain JSON. What it does not have is null. */
export interface DescribedService {
  /** `192.0.2.10:80`, or the mark. */
  readonly virtual: string
  readonly protocol: ReturnType<typeof protocolOf>
  readonly family: Family
  readonly scheduler: string
  readonly schedulerFlags: readonly string[]
  readonly persistent: { readonly seconds: number; readonly netmask: string } | null
  readonly onePacket: boolean
  readonly engine: string | null
  readonly destinations: readonly DescribedDestination[]
}

export interface DescribedDestination {
  /** `192.0.2.20:80`. */
  readonly destination: string
  readonly forwarding: DestinationDetails['forwarding']
  readonly tunnel: Tunnel | null
  readonly weight: number
  readonly upperThreshold: number
  readonly lowerThreshold: number
}

/** In the order in which ipvsadm lists them: what `save --json` prints. No counters. */
export function describeServices(services: Iterable<ServiceDetails>): DescribedService[] {
  return [...services].sort((a, b) => byService(a.id, b.id)).map(describeService)
}

export function describeService(service: ServiceDetails): DescribedService {
  const { id, scheduler, persistence, onePacket, engine } = service
  return {
    virtual: formatService(id),
    protocol: protocolOf(id),
    family: id.family,
    scheduler,
    schedulerFlags: schedulerFlagNames(service),
    persistent:
      persistence === undefined ? null : { seconds: persistence.timeoutSeconds, netmask: persistence.netmask },
    onePacket,
    engine: engine === '' ? null : engine,
    destinations: [...service.destinations.values()].sort(byDestination).map(describeDestination),
  }
}

export function describeDestination(destination: DestinationDetails): DescribedDestination {
  const { address, port, forwarding, tunnel, weight, upper, lower } = destination
  return {
    destination: hostPort(address, port),
    forwarding: tunnel === undefined ? forwarding : 'ipip',
    tunnel: tunnel ?? null,
    weight,
    upperThreshold: upper,
    lowerThreshold: lower,
  }
}
