import type { Config } from '../../config/model.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Tell } from '../../model/events.ts'
import type { OrderKey } from './order.ts'

/** A file in maintenancedir that holds a real server out. */
export interface MaintenanceFile {
  readonly path: string
  /** The first line of its text, else its name; printable. */
  readonly reason: string
  /** Wall clock: when it was seen first. */
  readonly since: number
}

export interface MaintenancePorts {
  readonly clock: Clock
  readonly tell: Tell
  /** Another real server is held, or one no longer. */
  onChange(): void
}

/** The maintenance directory, as it was found last. */
export interface Maintenance {
  /** Takes the directory and the real servers of a config; resolves after a first look, in bounded time. */
  follow(config: Config): Promise<void>
  readonly files: ReadonlyMap<OrderKey, MaintenanceFile>
  stop(): Promise<void>
}

export const noMaintenance: Maintenance = {
  follow: async () => undefined,
  files: new Map(),
  stop: async () => undefined,
}
