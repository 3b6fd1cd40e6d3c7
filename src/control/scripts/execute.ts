import type { Clock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Phase, Tell } from '../../model/events.ts'
import type { Companion } from '../companion.ts'
import { instanceOf } from '../process/instance.ts'
import { executedName, leadsTo, type OtherInstances } from './instances.ts'

export interface ExecutePorts {
  readonly clock: Clock
  readonly tell: Tell
  readonly instance: string
  /** The instances that have begun this one, the first one first. */
  readonly lineage: readonly string[]
  readonly phase: () => Phase
  readonly others: OtherInstances
  /** Ends a director and leaves its table as it is. */
  readonly keepTableSignal: NodeJS.Signals
}

type Order = 'start' | 'reload' | 'stop'

/** One other instance: what it is told now, and what after that. */
interface Entry {
  running: Promise<void> | undefined
  next: Order | undefined
  /** It did not run before we started it. */
  isOurs: boolean
}

const stopWithinMs = 5_000
const pollMs = 50

/**
 * `execute`: other configurations, each with a director of its own, that are started after the first round of checks,
 * reloaded and stopped with this one (behaviour reference 1.8). What begins us is never begun by us; of instances whose
 * files lead back to this one only what we started is reloaded and stopped, or two of them would go on for ever.
 */
export function createExecutor(ports: ExecutePorts): Companion {
  const { clock, tell, instance, lineage, others } = ports
  const ended = new AbortController()
  const entries = new Map<string, Entry>()
  let names: readonly string[] = []
  let begun = false
  let isReloading = false
  let keepsTable = false

  const say = (ok: boolean, subject: string, detail: string): void => {
    tell({ kind: ok ? 'script-ended' : 'script-failed', script: 'execute', subject: printable(subject), detail })
  }
  const start = async (name: string, entry: Entry): Promise<void> => {
    const before = others.pidOf(name)
    const end = await others.start(name, ended.signal)
    if (before === undefined && end.ok) entry.isOurs = true
    const detail = before === undefined || !end.ok ? end.detail : `it runs already, pid ${before}`
    say(end.ok, `${name} start`, detail)
  }
  const reload = async (name: string, entry: Entry): Promise<void> => {
    const pid = others.pidOf(name)
    if (pid === undefined || others.signal(pid, 'SIGHUP') !== 'sent') await start(name, entry)
    else say(true, `${name} reload`, `told, pid ${pid}`)
  }
  const stop = async (name: string): Promise<void> => {
    const pid = others.pidOf(name)
    if (pid === undefined) return
    const isKept = keepsTable && others.signal(pid, ports.keepTableSignal) === 'sent'
    if (!isKept) others.signal(pid, 'SIGTERM')
    // The next one starts it again: it must have gone by then.
    const until = clock.monotonic() + stopWithinMs
    while (others.pidOf(name) === pid && clock.monotonic() < until) {
      await new Promise<void>((resolve) => void clock.setTimer('execute: wait for the end', pollMs, resolve))
    }
    const isGone = others.pidOf(name) !== pid
    say(
      isGone,
      `${name} stop`,
      isGone ? `pid ${pid} has ended` : `pid ${pid} has not ended after ${stopWithinMs / 1000} s`,
    )
  }
  const isSteered = (name: string, entry: Entry): boolean => entry.isOurs || !leadsTo(instance, name, others)
  const obey = async (name: string, entry: Entry, order: Order): Promise<void> => {
    try {
      if (order === 'start' || (order === 'reload' && !isSteered(name, entry))) await start(name, entry)
      else if (order === 'reload') await reload(name, entry)
      else if (isSteered(name, entry)) await stop(name)
    } catch (error) {
      say(false, `${name} ${order}`, printable(messageOf(error)))
    }
  }
  const pump = async (name: string, entry: Entry): Promise<void> => {
    for (let order = entry.next; order !== undefined; order = entry.next) {
      entry.next = undefined
      await obey(name, entry, order)
    }
    entry.running = undefined
  }
  const order = (name: string, next: Order): void => {
    const entry = entries.get(name) ?? { running: undefined, next: undefined, isOurs: false }
    entries.set(name, entry)
    entry.next = next
    entry.running ??= pump(name, entry)
  }
  const begin = (name: string): void => {
    const other = instanceOf(name)
    if (name === '') say(false, '""', 'no configuration is named')
    else if (other === instance || lineage.includes(other)) say(false, name, 'it leads back to itself: not started')
    else order(name, 'start')
  }
  const adjust = (next: readonly string[]): void => {
    for (const gone of names) if (entries.has(gone) && !next.includes(gone)) order(gone, 'stop')
    for (const name of next) {
      if (!names.includes(name)) begin(name)
      else if (entries.has(name)) order(name, 'reload')
    }
  }
  return {
    name: 'execute',
    onConfig: ({ globals }) => {
      const next = [...new Set(globals.execute.map(executedName))]
      if (begun && isReloading) adjust(next)
      if (!begun || isReloading) names = next
    },
    onReload: (stage) => {
      isReloading = stage === 'begun'
    },
    onChange: () => {
      if (begun || ports.phase() === 'starting') return
      begun = true
      for (const name of names) begin(name)
    },
    tell: ({ kind }) => {
      if (kind === 'table-left') keepsTable = true
    },
    stop: async () => {
      for (const [name] of entries) if (names.includes(name)) order(name, 'stop')
      const timer = clock.setTimer('execute: starts under way', stopWithinMs, () => ended.abort())
      await Promise.all([...entries.values()].map(({ running }) => running))
      timer.cancel()
    },
  }
}
