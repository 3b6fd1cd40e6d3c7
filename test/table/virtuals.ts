import type { Fallback, Real, Virtual } from '../../src/config/model.ts'
import { type ServiceId, serviceKeyOf } from '../../src/model/service.ts'
import { defaultVirtual } from '../config/defaults.ts'
import { entry, settings } from './fixtures.ts'

const at = { file: 'test.cf', line: 1, column: 1, length: 1 }

/** `192.0.2.20:80 masq 3 x10 y5 [off]`, or `unresolved`. */
export function realOf(text: string): Real {
  const { address, port, forwarding, weight, upper, lower } = entry(text === 'unresolved' ? '0.0.0.0:80' : text)
  const known = text !== 'unresolved'
  return {
    id: text,
    at,
    host: known ? address : 'nowhere.invalid',
    address: known ? address : undefined,
    family: address.includes(':') ? 6 : 4,
    port,
    effectivePort: port,
    forwarding,
    weight,
    upper,
    lower,
    checking: known
      ? { kind: text.endsWith(' off') ? 'off' : 'on' }
      : { kind: 'unresolved', detail: 'nowhere.invalid has no address' },
  }
}

export function fallbackOf(text: string): Fallback {
  if (text === 'unresolved') return { at, host: 'nowhere.invalid', destination: undefined }
  const destination = { ...entry(text), weight: 1 }
  return { at, host: destination.address, destination }
}

type Parts = Partial<Pick<Virtual, 'quiescent' | 'reals' | 'fallback' | 'settings'>>

export function virtualOf(id: ServiceId, parts: Parts): Virtual {
  const { reals = [], ...rest } = parts
  const isMapped = (real: Real): boolean => id.kind === 'address' && real.forwarding !== 'masq'
  return {
    id,
    key: serviceKeyOf(id),
    at,
    settings: settings(),
    fallback: undefined,
    ...defaultVirtual,
    checkType: 'on',
    service: 'none',
    ...rest,
    reals: reals.map((real) => (isMapped(real) && id.kind === 'address' ? { ...real, effectivePort: id.port } : real)),
  }
}
