import type { ServiceSettings, VirtualService } from '../../src/model/table.ts'
import { address, mark, service } from './fixtures.ts'
import type { Random } from './random.ts'

const ids = [address('192.0.2.10:80'), address('192.0.2.10:443'), mark(5), mark(5, 6)]
function randomService(random: Random, index: number): VirtualService {
  const id = random.pick(ids.slice(index, index + 1))
  const host = (number: number): string => (id.family === 6 ? `[2001:db8::${number}]` : `192.0.2.${number}`)
  const entries = random
    .some([20, 21, 22, 23])
    .map((number) => `${host(number)}:80 ${random.pick(['gate', 'masq', 'ipip'])} ${random.below(3)}`)
    .map((text) => (random.chance(0.2) ? `${text} x9 y${random.below(9)}` : text))
  const netmask = id.family === 6 ? '64' : '255.255.255.0'
  const parts: Partial<ServiceSettings> = {
    scheduler: random.pick(['rr', 'wrr', 'sh']),
    schedulerFlags: random.pick([0, 0x08]),
    persistence: random.chance(0.3) ? { timeoutSeconds: 60, netmask } : undefined,
  }
  return service(id, isGateAllowed(id.kind === 'address' ? id.port : 0) ? entries : entries.map(toMasq), parts)
}

/** On an address service gate and ipip keep its port; the entries here have port 80. */
const isGateAllowed = (port: number): boolean => port === 80 || port === 0
const toMasq = (text: string): string => text.replace(/gate|ipip/, 'masq')

/** Up to four services of all kinds, each with up to four entries. */
export const randomTable = (random: Random): VirtualService[] =>
  random.some([0, 1, 2, 3]).map((n) => randomService(random, n))
