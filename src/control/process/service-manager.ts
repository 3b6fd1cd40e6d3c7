import type { Config } from '../../config/model.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Event, Tell } from '../../model/events.ts'
import type { Companion } from '../companion.ts'
import type { Director } from '../director.ts'
import { type Due, dueOf, look, newVigil, stuckLoop, type Vigil } from './liveness.ts'
import type { Notifier, NotifyAddress, Words } from './notify.ts'
import { statusLine } from './status-line.ts'

export interface ServiceManagerPorts {
  readonly clock: Clock
  readonly tell: Tell
  readonly notifier: Notifier
  readonly watchdogMs: NotifyAddress['watchdogMs']
  readonly director: () => Pick<Director, 'config' | 'health' | 'holds' | 'progress'>
  /** CLOCK_MONOTONIC in microseconds, by which systemd tells an old reload from a new one. */
  readonly monotonicUsec?: () => bigint
}

/** systemd's view of us: ready, reloading, stopping, one line of status, and signs of life. */
export interface ServiceManager extends Companion {
  /** The first pass over the table is over. */
  ready(): void
  stopping(): void
}

/** Many real servers that change at once make one line. */
const statusEveryMs = 1_000

export function createServiceManager(ports: ServiceManagerPorts): ServiceManager {
  const { clock, notifier } = ports
  const monotonicUsec = ports.monotonicUsec ?? (() => process.hrtime.bigint() / 1000n)
  let stage: 'starting' | 'ready' | 'stopping' = 'starting'
  let told = ''
  let statusTimer: Timer | undefined
  let isUnreadable = false
  let isRefused = false

  const send = (words: Words): void => {
    const line = statusLine(ports.director(), { isUnreadable, isRefused })
    notifier.send(line === told ? words : { ...words, STATUS: line })
    told = line
  }
  const changed = (): void => {
    if (stage !== 'ready' || statusTimer !== undefined) return
    statusTimer = clock.setTimer('notify: status', statusEveryMs, () => {
      statusTimer = undefined
      if (statusLine(ports.director(), { isUnreadable, isRefused }) !== told) send({})
    })
  }
  const watchdog = createWatchdog(ports, () => send({ WATCHDOG: '1' }))
  return {
    name: 'systemd',
    tell: (event) => {
      isUnreadable = after(event, { off: ['table-readable'], on: ['table-unreadable'] }) ?? isUnreadable
      isRefused =
        after(event, { off: ['config-loaded', 'config-current'], on: ['config-kept', 'reload-refused'] }) ?? isRefused
      changed()
    },
    onChange: changed,
    onConfig: (config) => watchdog.expect(config),
    onReload: (reload) => {
      if (stage !== 'ready') return
      if (reload === 'ended') send({ READY: '1' })
      else send({ RELOADING: '1', MONOTONIC_USEC: String(monotonicUsec()) })
    },
    ready: () => {
      stage = 'ready'
      send({ READY: '1' })
      watchdog.begin()
    },
    stopping: () => {
      stage = 'stopping'
      statusTimer?.cancel()
      watchdog.end()
      notifier.send({ STOPPING: '1', STATUS: 'stopping' })
    },
    stop: async () => {
      stage = 'stopping'
      statusTimer?.cancel()
      watchdog.end()
      await notifier.close()
    },
  }
}

function after(event: Event, { on, off }: Record<'on' | 'off', readonly Event['kind'][]>): boolean | undefined {
  if (on.includes(event.kind)) return true
  return off.includes(event.kind) ? false : undefined
}

interface Watchdog {
  expect(config: Config): void
  begin(): void
  end(): void
}

/**
 * Feeds at half of the time that systemd allows, and only while the loops move: a stuck event loop does not come here, and
 * for one of the two that hangs the feeding ends.
 */
function createWatchdog({ clock, tell, director, watchdogMs }: ServiceManagerPorts, feed: () => void): Watchdog {
  let timer: Timer | undefined
  let vigil: Vigil | undefined
  let due: Due | undefined
  let hasTold = false

  const turn = (periodMs: number): void => {
    const since = clock.monotonic()
    timer = clock.setTimer('notify: watchdog', periodMs, () => {
      const seen = director().progress
      const elapsedMs = Math.min(clock.monotonic() - since, 2 * periodMs)
      vigil = vigil === undefined ? newVigil(seen) : look(vigil, seen, elapsedMs)
      const stuck = due === undefined ? undefined : stuckLoop(vigil, due)
      if (stuck === undefined) feed()
      else if (!hasTold) tell({ kind: 'fault', text: `${stuck}: the watchdog is not fed any more` })
      hasTold = stuck !== undefined
      turn(periodMs)
    })
  }
  return {
    expect: (config) => {
      due = dueOf(config)
      // What was due before says nothing about the checks of another config.
      if (vigil !== undefined) vigil = { ...vigil, quietChecksMs: 0 }
    },
    begin: () => {
      if (watchdogMs !== undefined) turn(watchdogMs / 2)
    },
    end: () => timer?.cancel(),
  }
}
