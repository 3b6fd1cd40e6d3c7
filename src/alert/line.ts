import type { Clock, Timer } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import type { Semaphore } from '../lib/semaphore.ts'
import type { Tell } from '../model/events.ts'
import { type Delivery, type Destination, failed, type Outcome } from './delivery.ts'

/** Deliveries that wait for one place, tried in order; what fails for now is tried again, what waits too long is given up. */
export interface Line {
  add(delivery: Delivery): void
  /** From now on nothing waits for a better moment: each has one more try. */
  hurry(): void
  /** Resolves when nothing is left. */
  readonly done: Promise<void>
}

/** Whether the log knows of the trouble with a server: told when it begins, again after a success in between. */
export interface Trouble {
  told: boolean
}

export interface LinePorts {
  readonly clock: Clock
  readonly tell: Tell
  readonly to: Destination
  /** One place for each server. */
  readonly places: Semaphore
  readonly trouble: Trouble
  /** Ends the running try and everything after it. */
  readonly signal: AbortSignal
}

/** More than that wait for one place only when it has been out of reach for long; then the oldest are given up. */
export const mostWaiting = 1000
/** How long a delivery is tried again. */
export const keptForMs = 3_600_000
const firstRetryMs = 5_000
const longestRetryMs = 300_000

interface Waiting {
  readonly delivery: Delivery
  readonly since: number
}

const gaveUp = (text: string): string => `gave up after ${keptForMs / 60_000} minutes: ${text}`

export function createLine(ports: LinePorts): Line {
  const { clock, tell, to, places, trouble, signal } = ports
  const { channel, target } = to
  const queue: Waiting[] = []
  let working: Promise<void> | undefined
  let failures = 0
  let hurried = false
  let lastTrouble = ''
  let lost = { count: 0, text: '' }
  let endPause: (() => void) | undefined

  const lose = (text: string): void => {
    lost = { count: lost.count + 1, text }
  }
  const tellLost = (): void => {
    if (lost.count > 0) tell({ kind: 'alerts-lost', channel, target, ...lost })
    lost = { count: 0, text: '' }
  }
  const complain = (text: string): void => {
    if (!trouble.told) tell({ kind: 'alert-failed', channel, target, text })
    trouble.told = true
  }
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const ms = Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1))
      const timer: Timer = clock.setTimer('alerts: try again', ms, resolve)
      endPause = () => {
        timer.cancel()
        resolve()
      }
    })

  const attempt = async ({ delivery }: Waiting): Promise<Outcome> => {
    try {
      const release = await places.acquire(signal)
      try {
        return await withDeadline({ clock, ms: to.withinMs, parent: signal }, (within) => delivery.attempt(within))
      } finally {
        release()
      }
    } catch (error) {
      return failed(messageOf(error), { retry: true })
    }
  }
  /** One try of the first in the queue, which may stay there. */
  const step = async (first: Waiting): Promise<void> => {
    const outcome = await attempt(first)
    if (outcome.kind === 'sent') {
      queue.shift()
      failures = 0
      trouble.told = false
      tell({ kind: 'alert-sent', channel, subject: first.delivery.subject })
      return
    }
    const text = printable(outcome.text)
    lastTrouble = text
    complain(text)
    if (outcome.retry) failures += 1
    const isOver = clock.monotonic() - first.since >= keptForMs
    if (outcome.retry && !hurried && !isOver) return await pause()
    queue.shift()
    lose(outcome.retry && isOver ? gaveUp(text) : text)
  }
  /** While it is out of reach, those that have waited too long go without a try of their own. */
  const dropExpired = (): void => {
    const expired = queue.findIndex(({ since }) => clock.monotonic() - since < keptForMs)
    const count = failures === 0 ? 0 : expired === -1 ? queue.length : expired
    for (const _ of queue.splice(0, count)) lose(gaveUp(lastTrouble))
  }
  const work = async (): Promise<void> => {
    for (let first = queue[0]; first !== undefined && !signal.aborted; first = queue[0]) {
      await step(first)
      dropExpired()
    }
    for (const _ of queue.splice(0)) lose('the daemon ends')
    tellLost()
    failures = 0
    working = undefined
  }

  return {
    add: (delivery) => {
      if (queue.length >= mostWaiting) {
        // The first one may be on its way.
        queue.splice(1, 1)
        lose(`more than ${mostWaiting} were waiting`)
      }
      queue.push({ delivery, since: clock.monotonic() })
      working ??= work()
    },
    hurry: () => {
      hurried = true
      endPause?.()
    },
    get done() {
      return working ?? Promise.resolve()
    },
  }
}
