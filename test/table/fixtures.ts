import { type ServiceId, type ServiceKey, serviceKeyOf } from '../../src/model/service.ts'
import { type Destination, destinationKeyOf, type ServiceSettings, type VirtualService } from '../../src/model/table.ts'
import type { ObservedService } from '../../src/table/operation.ts'

export const never = new AbortController().signal

export function address(text: string, protocol: 'tcp' | 'udp' | 'sctp' = 'tcp'): ServiceId {
  const split = text.lastIndexOf(':')
  const host = text.slice(0, split).replace(/[[\]]/g, '')
  return {
    kind: 'address',
    protocol,
    family: host.includes(':') ? 6 : 4,
    address: host,
    port: Number(text.slice(split + 1)),
  }
}

export function mark(number: number, family: 4 | 6 = 4): ServiceId {
  return { kind: 'fwmark', family, mark: number }
}

export function settings(parts: Partial<ServiceSettings> = {}): ServiceSettings {
  return { scheduler: 'wrr', schedulerFlags: 0, persistence: undefined, onePacket: false, ...parts }
}

/** `192.0.2.20:80 masq 3 x10 y5`: address, method, weight, thresholds; all but the address may be left out. */
export function entry(text: string): Destination {
  const [at = '', ...words] = text.split(' ')
  const split = at.lastIndexOf(':')
  const number = (prefix: string): number =>
    Number(words.find((word) => word.startsWith(prefix))?.slice(prefix.length) ?? 0)
  return {
    address: at.slice(0, split).replace(/[[\]]/g, ''),
    port: Number(at.slice(split + 1)),
    forwarding: (['gate', 'ipip'] as const).find((method) => words.includes(method)) ?? 'masq',
    weight: Number(words.find((word) => /^\d+$/.test(word)) ?? 1),
    upper: number('x'),
    lower: number('y'),
  }
}

export function service(
  id: ServiceId,
  entries: readonly string[],
  parts: Partial<ServiceSettings> = {},
): VirtualService {
  const destinations = entries.map(entry).map((d) => [destinationKeyOf(d), d] as const)
  return { id, ...settings(parts), destinations: new Map(destinations) }
}

export function observed(of: VirtualService, engine = ''): ObservedService {
  const destinations = [...of.destinations].map(
    ([key, d]) => [key, { ...d, activeConnections: 0, inactiveConnections: 0 }] as const,
  )
  return { ...of, engine, destinations: new Map(destinations) }
}

export function keyed<T extends { readonly id: ServiceId }>(services: readonly T[]): Map<ServiceKey, T> {
  return new Map(services.map((one) => [serviceKeyOf(one.id), one]))
}
