import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { messageOf } from '../lib/errors.ts'
import type { Tell } from '../model/events.ts'
import type { ConnectionTimeouts } from '../model/timeouts.ts'
import type { TableDetails } from '../table/details.ts'
import type { Companion } from './companion.ts'
import { createSayOnce } from './say-once.ts'

export interface TimeoutPorts {
  readonly table: Pick<TableDetails, 'setTimeouts'>
  readonly clock: Clock
  readonly tell: Tell
}

const withinMs = 5_000

/**
 * Sets the kernel's time-outs of `timeouts =` after the first pass over the table that follows a start or a reload, and
 * after an IPVS that was gone came back. What fails is told once and tried again after each pass. They are set for
 * everything that IPVS balances here, and nobody knows what stood before: nothing puts them back.
 */
export function createTimeoutKeeper({ table, clock, tell }: TimeoutPorts): Companion {
  const ending = new AbortController()
  const refusals = createSayOnce()
  let wanted: ConnectionTimeouts | undefined
  let isDue = false
  let running: Promise<void> | undefined

  const set = async (timeouts: ConnectionTimeouts): Promise<void> => {
    isDue = false
    try {
      const limit = { clock, ms: withinMs, parent: ending.signal }
      await withDeadline(limit, (signal) => table.setTimeouts(timeouts, signal))
      refusals.clear()
    } catch (error) {
      if (ending.signal.aborted) return
      isDue = true
      const { tcp, tcpFin, udp } = timeouts
      const operation = `--set ${tcp} ${tcpFin} ${udp}`
      for (const text of refusals.fresh([messageOf(error)])) tell({ kind: 'table-refused', operation, text })
    }
  }
  return {
    name: 'timeouts',
    onConfig: ({ globals }) => {
      wanted = globals.timeouts
      isDue = true
    },
    tell: ({ kind }) => {
      if (kind === 'table-readable') isDue = true
    },
    onChange: () => {
      if (!isDue || wanted === undefined || running !== undefined || ending.signal.aborted) return
      running = set(wanted).finally(() => {
        running = undefined
      })
    },
    stop: async () => {
      ending.abort()
      await running
    },
  }
}
