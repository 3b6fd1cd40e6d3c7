import type { Intent } from '../control/operator/order.ts'
import { isoTime } from './iso-time.ts'

/** One thing that holds a real server out. Times are ISO 8601 in UTC. */
export interface IntentReport {
  /** The virtual service's key. */
  readonly virtual: string
  readonly real: string
  /** False: an order for a real server that the configuration does not have now. */
  readonly configured: boolean
  readonly action: Intent['action']
  readonly state: Intent['state']
  readonly reason: string
  readonly by: string
  readonly since: string
  /** Null: not by itself. */
  readonly until: string | null
  readonly activeConnections: number | null
  readonly inactiveConnections: number | null
}

export function intentReport(intent: Intent): IntentReport {
  const { key, virtual, real, action, state, reason, by, since, until, connections } = intent
  return {
    virtual,
    real,
    configured: key !== undefined,
    action,
    state,
    reason,
    by,
    since: isoTime(since),
    until: until === undefined ? null : isoTime(until),
    activeConnections: connections?.active ?? null,
    inactiveConnections: connections?.inactive ?? null,
  }
}
