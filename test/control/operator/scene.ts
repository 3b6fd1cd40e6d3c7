import { createMemoryTable, type MemoryTable } from '../../../src/backend/memory.ts'
import type { Config, RealKey } from '../../../src/config/model.ts'
import { isFault } from '../../../src/control/operator/select-reals.ts'
import type { ServiceKey } from '../../../src/model/service.ts'
import type { DestinationKey } from '../../../src/model/table.ts'
import { createStage, type MakeOperator, type Stage } from '../stage.ts'

/** A stage whose operator knows the config, over a table in which the test opens and closes connections. */
export interface Scene extends Stage {
  /** Starts as the daemon does: the operator first. */
  start(config: Config): Promise<void>
  reload(config: Config): Promise<void>
  /** What the text names, which must be right. */
  keys(text: string): readonly RealKey[]
  connections(virtual: string, destination: string, counts: { active: number; inactive: number }): void
  /** What was told since the last call. */
  told(): string[]
}

export function createScene(make?: MakeOperator, table: MemoryTable = createMemoryTable()): Scene {
  const stage = createStage(table, make)
  const { director, operator, log } = stage
  let read = 0
  return {
    ...stage,
    start: async (config) => {
      await operator.prepare(config)
      operator.onConfig?.(config)
      await director.start(config)
      await stage.clock.settle()
    },
    reload: async (config) => {
      operator.onConfig?.(config)
      await director.change(config, 'reloading')
      await stage.clock.settle()
    },
    keys: (text) => {
      const found = operator.select(text)
      if (isFault(found)) throw new Error(found.message)
      return found
    },
    connections: (virtual, destination, { active, inactive }) => {
      const service = table.services().get(virtual as ServiceKey)
      const entry = service?.destinations.get(destination as DestinationKey)
      if (service === undefined || entry === undefined) throw new Error(`the table has no ${virtual} ${destination}`)
      const destinations = new Map(service.destinations)
      const counted = { ...entry, activeConnections: active, inactiveConnections: inactive }
      table.seed({ ...service, destinations: destinations.set(destination as DestinationKey, counted) })
    },
    told: () => {
      const fresh = log.slice(read)
      read = log.length
      return fresh
    },
  }
}
