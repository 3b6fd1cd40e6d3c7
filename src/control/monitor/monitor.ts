import { type Config, type RealKey, realKeyOf } from '../../config/model.ts'
import type { Observation } from '../../health/machine.ts'
import type { Clock } from '../../lib/clock.ts'
import { ctime } from '../../lib/ctime.ts'
import { printable } from '../../lib/printable.ts'
import type { Tell } from '../../model/events.ts'
import type { Hold } from '../../table/desired.ts'
import type { Companion } from '../companion.ts'
import { monitorIdentity } from './identity.ts'
import { createLineFiles } from './line-files.ts'
import { escapeMessage, monitorMessage } from './message.ts'

export interface MonitorPorts {
  readonly clock: Clock
  readonly tell: Tell
  /** Real servers that are held out now, by a maintenance file or by an order. */
  readonly holds: () => ReadonlyMap<RealKey, Hold>
  readonly pid?: number
}

interface Watched {
  readonly file: string
  readonly identity: string
  readonly service: string
}

const longestLine = 4_000

/**
 * `monitorfile`: a line for each result of a check, in the file of each virtual service that has the real server
 * (behaviour reference 5.2). What could not be determined is no verdict and writes none.
 */
export function createMonitor({ clock, tell, holds, pid = process.pid }: MonitorPorts): Companion {
  let watched: ReadonlyMap<RealKey, Watched> = new Map()
  const files = createLineFiles({
    clock,
    onTrouble: (file, text) => tell({ kind: 'monitor-failed', file, text }),
    onWorks: (file, lost) => tell({ kind: 'monitor-works', file, lost }),
  })
  return {
    name: 'monitor',
    onConfig: (config) => {
      watched = watchedIn(config)
    },
    onObservation: (key, observation) => {
      const real = watched.get(key)
      const column = real && columnsOf(real.service, observation, holds().has(key))
      if (real === undefined || column === undefined) return
      const line = `[${ctime(observation.at)}] [${pid}] ${real.identity} ${column}`
      files.append(real.file, printable(line, longestLine))
    },
    stop: () => files.flush(),
  }
}

function watchedIn({ virtuals }: Config): ReadonlyMap<RealKey, Watched> {
  const watched = new Map<RealKey, Watched>()
  for (const virtual of virtuals) {
    const { monitorFile: file, monitorText: text } = virtual
    if (file === undefined || text === undefined) continue
    const isAsked = virtual.checkType === 'negotiate' || /^[0-9]/.test(virtual.checkType)
    const service = isAsked ? virtual.service : 'none'
    for (const real of virtual.reals) {
      watched.set(realKeyOf(virtual, real), { file, identity: monitorIdentity(virtual, real, text), service })
    }
  }
  return watched
}

/** Perl ldirectord does not check what is in maintenance, and says so once a round. */
function columnsOf(service: string, { result }: Observation, isHeld: boolean): string | undefined {
  if (isHeld) return '[down] Server in maintenance'
  if (result.verdict === 'unknown') return undefined
  return `[${result.verdict}] ${escapeMessage(monitorMessage(service, result))}`
}
