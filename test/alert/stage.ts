import { createAlerts } from '../../src/alert/alerts.ts'
import type { Delivery } from '../../src/alert/delivery.ts'
import { sent } from '../../src/alert/delivery.ts'
import { titleOf } from '../../src/alert/message.ts'
import { createMemoryTable } from '../../src/backend/memory.ts'
import type { Alert, Config, RealKey } from '../../src/config/model.ts'
import { createDirector, type Director } from '../../src/control/director.ts'
import { wordEvent } from '../../src/log/wording.ts'
import type { Event } from '../../src/model/events.ts'
import type { Hold } from '../../src/table/desired.ts'
import type { Operation, TableBackend } from '../../src/table/operation.ts'
import { noAlert } from '../config/defaults.ts'
import { createStage, type Stage } from '../control/stage.ts'
import { createVirtualClock, type VirtualClock } from '../lib/virtual-clock.ts'

export const everyStatus = ['starting', 'running', 'stopping', 'reloading'] as const

export function alertTo(parts: Partial<Alert> = {}): Alert {
  return { ...noAlert, to: 'ops@example.test', status: everyStatus, ...parts }
}

/** A director and its alerts in virtual time; every delivery gets through at once and is written down. */
export interface AlertStage extends Pick<Stage, 'real' | 'answers'> {
  readonly clock: VirtualClock
  readonly director: Director
  readonly table: TableBackend
  readonly holds: Map<RealKey, Hold>
  /** `running: Deleted real server: …` since the last look. */
  told(): string[]
  readonly log: string[]
  start(config: Config): Promise<void>
  reload(config: Config): Promise<void>
  put(...plan: Operation[]): Promise<void>
  advance(ms: number): Promise<void>
  stop(): Promise<void>
}

export function createAlertStage(): AlertStage {
  const { real, answers } = createStage()
  const clock = createVirtualClock()
  const table = createMemoryTable()
  const holds = new Map<RealKey, Hold>()
  const log: string[] = []
  const deliveries: string[] = []
  const tell = (event: Event): void => {
    log.push(...wordEvent(event, { pid: 1, version: '0' }).lines)
    alerts.tell(event)
  }
  const director = createDirector({ backend: table, clock, tell, concurrency: 10, holds: () => holds })
  const alerts = createAlerts({
    clock,
    tell,
    phase: () => director.phase,
    isHeld: (key) => holds.has(key),
    instance: 'test',
    host: 'director.example.test',
    user: 'root',
    deliveriesOf: (message) => [
      {
        to: { channel: 'smtp', target: 'mail', line: 'mail', server: 'mail', withinMs: 1000 },
        subject: message.subject,
        attempt: async () => {
          deliveries.push(`${message.phase}: ${titleOf(message)}`)
          return sent
        },
      } satisfies Delivery,
    ],
  })
  const settle = async (): Promise<void> => {
    await clock.advance(0)
    await clock.settle()
  }
  return {
    real,
    answers,
    clock,
    director,
    table,
    holds,
    log,
    told: () => deliveries.splice(0),
    start: async (config) => {
      alerts.onConfig(config)
      await director.start(config)
      await settle()
    },
    reload: async (config) => {
      alerts.onConfig(config)
      await director.change(config, 'reloading')
      await settle()
    },
    put: async (...plan) => {
      for (const outcome of await table.apply(plan, new AbortController().signal)) {
        if (!outcome.ok) throw outcome.error
      }
    },
    advance: async (ms) => {
      await clock.advance(ms)
      await settle()
    },
    stop: async () => {
      await director.stop()
      await alerts.stop()
      await settle()
    },
  }
}
