import type { Clock } from '../lib/clock.ts'
import { createSemaphore, type Semaphore } from '../lib/semaphore.ts'
import type { Tell } from '../model/events.ts'
import type { Delivery, Destination } from './delivery.ts'
import { createLine, type Line, type Trouble } from './line.ts'

/** Hands deliveries to their lines. Never waits, never throws. */
export interface Dispatch {
  send(delivery: Delivery): void
  /** Waits for what is queued, at most so long; what is left is given up, and its number told. */
  stop(withinMs: number): Promise<void>
}

interface Server {
  readonly places: Semaphore
  readonly trouble: Trouble
}

export function createDispatch({ clock, tell }: { readonly clock: Clock; readonly tell: Tell }): Dispatch {
  const lines = new Map<string, Line>()
  const servers = new Map<string, Server>()
  const end = new AbortController()

  const serverOf = ({ server }: Destination): Server => {
    const known = servers.get(server) ?? { places: createSemaphore(1), trouble: { told: false } }
    servers.set(server, known)
    return known
  }
  const lineOf = (to: Destination): Line => {
    const key = `${to.channel} ${to.line}`
    const known = lines.get(key)
    if (known !== undefined) return known
    const line = createLine({ clock, tell, to, ...serverOf(to), signal: end.signal })
    lines.set(key, line)
    return line
  }

  return {
    send: (delivery) => {
      if (end.signal.aborted) return
      lineOf(delivery.to).add(delivery)
    },
    stop: async (withinMs) => {
      const timer = clock.setTimer('alerts: end', withinMs, () => end.abort(new Error('the daemon ends')))
      for (const line of lines.values()) line.hurry()
      await Promise.all([...lines.values()].map((line) => line.done))
      timer.cancel()
      end.abort(new Error('the daemon ends'))
    },
  }
}
