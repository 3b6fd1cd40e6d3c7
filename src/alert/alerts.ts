import { hostname, userInfo } from 'node:os'
import type { Config, RealKey } from '../config/model.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Event, Phase, Tell } from '../model/events.ts'
import { type ChannelContext, deliveriesOf } from './channels.ts'
import { createDispatch } from './dispatch.ts'
import { prepareMail } from './mail.ts'
import { createReminders, dueAt } from './reminders.ts'
import { type Roster, rosterOf } from './roster.ts'
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

/** Reminders of a second go together: thousands of real servers may be out. */
const turnMs = 1_000

export function createAlerts(ports: AlertsPorts): Alerts {
  const { clock, tell, phase } = ports
  const host = ports.host ?? hostname()
  const dispatch = createDispatch({ clock, tell })
  const reminders = createReminders()
  let current: { readonly config: Config; readonly roster: Roster } | undefined
  let timer: { readonly at: number; readonly handle: Timer } | undefined
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
    timer = undefined
    if (current === undefined) return
    const { config, roster } = current
    const due = reminders.takeDue({ roster, now: clock.monotonic(), isHeld: ports.isHeld })
    for (const missing of due) send(reminderOf(missing, roster, moment()), config)
    wakeAt(reminders.nextDue(roster))
  }
  /** An earlier turn stays: whoever has come back by then is passed over. */
  const wakeAt = (due: number | undefined): void => {
    if (due === undefined || stopped) return
    const at = Math.ceil(due / turnMs) * turnMs
    if (timer !== undefined && timer.at <= at) return
    timer?.handle.cancel()
    timer = { at, handle: clock.setTimer('alerts: remind', at - clock.monotonic(), remind) }
  }

  return {
    name: 'alerts',
    tell: (event) => {
      if (current === undefined) return
      const { config, roster } = current
      send(alertsOf(event, roster, moment()), config)
      const armed = reminders.hear(event, clock.monotonic())
      if (armed !== undefined) wakeAt(dueAt(armed, roster))
    },
    onConfig: (config) => {
      const roster = rosterOf(config)
      current = { config, roster }
      if (roster.alerts.some(({ to }) => to !== undefined)) prepareMail()
      reminders.keep(roster)
      wakeAt(reminders.nextDue(roster))
    },
    stop: async () => {
      stopped = true
      timer?.handle.cancel()
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
