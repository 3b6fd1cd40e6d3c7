import { hostname, userInfo } from 'node:os'
import type { Config, RealKey } from '../config/model.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Event, Phase, Tell } from '../model/events.ts'
import { type ChannelContext, deliveriesOf } from './channels.ts'
import { createDispatch } from './dispatch.ts'
import { emptyMemory, keepConfigured, type Memory, nextDue, remember, takeDue } from './missing.ts'
import { type Addressed, alertsOf, reminderOf } from './rules.ts'
import { sendmailPaths } from './sendmail.ts'

export interface AlertsPorts {
  readonly clock: Clock
  readonly tell: Tell
  /** The state of the daemon, as `emailalertstatus` names it. */
  readonly phase: () => Phase
  /** Whether the operator holds a real server out now. */
  readonly isHeld: (key: RealKey) => boolean
  readonly instance: string
  readonly host?: string
  readonly user?: string
  readonly sendmailPaths?: readonly string[]
  /** The ways out; mail, command and webhook when absent. */
  readonly deliveriesOf?: typeof deliveriesOf
}

/** What lives beside the director and tells people and programs of changes. Nothing here waits or throws. */
export interface Alerts {
  readonly name: string
  tell(event: Event): void
  onConfig(config: Config): void
  /** Waits a few seconds for what is queued. */
  stop(): Promise<void>
}

/** What a stop waits for the last alerts: `stop` as a whole has ten seconds. */
export const lastWordsWithinMs = 4_000

export function createAlerts(ports: AlertsPorts): Alerts {
  const { clock, tell, phase } = ports
  const host = ports.host ?? hostname()
  const dispatch = createDispatch({ clock, tell })
  let config: Config | undefined
  let memory: Memory = emptyMemory
  let timer: Timer | undefined
  let stopped = false

  const contextOf = (of: Config): ChannelContext => ({
    host,
    instance: ports.instance,
    from: of.globals.emailAlertFrom,
    user: ports.user ?? accountName(),
    sendmailPaths: ports.sendmailPaths ?? sendmailPaths,
  })
  const send = (all: readonly Addressed[], of: Config): void => {
    if (all.length === 0) return
    const context = contextOf(of)
    const ways = ports.deliveriesOf ?? deliveriesOf
    for (const { message, alert } of all) {
      for (const delivery of ways(message, alert, context)) dispatch.send(delivery)
    }
  }
  const moment = () => ({ phase: phase(), now: clock.now() })
  const remind = (): void => {
    if (config === undefined) return
    const taken = takeDue(memory, { config, now: clock.monotonic(), isHeld: ports.isHeld })
    memory = taken.memory
    for (const missing of taken.due) send(reminderOf(missing, config, moment()), config)
    setReminder()
  }
  const setReminder = (): void => {
    timer?.cancel()
    timer = undefined
    const due = config === undefined || stopped ? undefined : nextDue(memory, config)
    if (due !== undefined) timer = clock.setTimer('alerts: remind', due - clock.monotonic(), remind)
  }

  return {
    name: 'alerts',
    tell: (event) => {
      if (config === undefined) return
      send(alertsOf(event, config, moment()), config)
      const next = remember(memory, event, clock.monotonic())
      if (next === memory) return
      memory = next
      setReminder()
    },
    onConfig: (next) => {
      config = next
      memory = keepConfigured(memory, next)
      setReminder()
    },
    stop: async () => {
      stopped = true
      setReminder()
      await dispatch.stop(lastWordsWithinMs)
    },
  }
}

/** Of the real user id; a container may have no name for it. */
function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'root')
  }
}
