import type { Family } from '../model/service.ts'
import type { ServiceSettings } from '../model/table.ts'
import type { ObservedDestination } from './operation.ts'

/** Scheduler flag bits that can be said; the kernel's other service flags are not settings. */
const flagBits = 0x38

/** In words, what is otherwise in the kernel: `scheduler wlc instead of rr`. Empty when nothing is. */
export function settingsDifferences(actual: ServiceSettings, wanted: ServiceSettings, family: Family): string[] {
  const differences: string[] = []
  const compare = (what: string, is: string | number, ought: string | number): void => {
    if (is !== ought) differences.push(`${what} ${is} instead of ${ought}`)
  }
  compare('scheduler', actual.scheduler, wanted.scheduler)
  compare('scheduler flags', hex(actual.schedulerFlags), hex(wanted.schedulerFlags))
  compare('persistence', persistenceText(actual, family), persistenceText(wanted, family))
  compare('one-packet scheduling', onOff(actual.onePacket), onOff(wanted.onePacket))
  return differences
}

type Comparable = Omit<ObservedDestination, 'activeConnections' | 'inactiveConnections'>

/** As `settingsDifferences`, for an entry. A forwarding method that we cannot say is a difference. */
export function destinationDifferences(actual: Comparable, wanted: Comparable): string[] {
  const differences: string[] = []
  const compare = (what: string, is: string | number, ought: string | number): void => {
    if (is !== ought) differences.push(`${what} ${is} instead of ${ought}`)
  }
  compare('forwarding', actual.forwarding, wanted.forwarding)
  compare('weight', actual.weight, wanted.weight)
  compare('upper threshold', actual.upper, wanted.upper)
  compare('lower threshold', actual.lower, wanted.lower)
  return differences
}

/** The mask that is as good as none: every client on its own. */
export function hostMask(family: Family): string {
  return family === 6 ? '128' : '255.255.255.255'
}

function persistenceText({ persistence }: ServiceSettings, family: Family): string {
  if (persistence === undefined) return 'off'
  const mask = persistence.netmask === '' ? hostMask(family) : persistence.netmask
  return `${persistence.timeoutSeconds} s per ${mask}`
}

const hex = (bits: number): string => `0x${(bits & flagBits).toString(16)}`
const onOff = (value: boolean): string => (value ? 'on' : 'off')
