import type { Alert } from '../config/model.ts'
import { type EntryEvent, entryOf, isEntryEvent, wordEntry } from '../model/entry-wording.ts'
import type { Event, Phase } from '../model/events.ts'
import type { AlertMessage } from './message.ts'
import type { Missing } from './reminders.ts'
import type { Roster } from './roster.ts'

export interface Moment {
  readonly phase: Phase
  /** Wall clock, milliseconds since 1970. */
  readonly now: number
}

/** An alert and what its virtual service says of who is told. */
export interface Addressed {
  readonly message: AlertMessage
  readonly alert: Alert
}

/**
 * The alerts of one event. A change that took or gave traffic is told; a weight that was mended, an entry that got no
 * traffic before and after, or what a start or reload merely found, is not (D3, D35 of the behaviour reference).
 */
export function alertsOf(event: Event, roster: Roster, moment: Moment): readonly Addressed[] {
  if (event.kind === 'reload-refused') return refusalsOf(event, roster, moment)
  if (!isEntryEvent(event) || event.turn === 'none') return []
  const alert = roster.alertOf(event.identity)
  return alert === undefined ? [] : inStatus([{ message: entryMessage(event, alert, moment), alert }], moment)
}

/** The reminder that a real server is still out (behaviour reference 5.3). */
export function reminderOf(missing: Missing, roster: Roster, { phase, now }: Moment): readonly Addressed[] {
  const alert = roster.alertOf(missing.identity)
  if (alert === undefined) return []
  const message: AlertMessage = {
    event: 'real-inaccessible',
    subject: `Inaccessible real server: ${entryOf(missing)}`,
    at: now,
    phase,
    virtual: missing.virtual,
    identity: missing.identity,
    real: missing.real,
    state: 'out',
    reason: missing.reason,
    weight: undefined,
    serviceName: alert.serviceName,
    comment: alert.comment,
  }
  return inStatus([{ message, alert }], { phase, now })
}

function inStatus(all: readonly Addressed[], { phase }: Moment): readonly Addressed[] {
  return all.filter(({ alert }) => alert.status.includes(phase))
}

function entryMessage(event: EntryEvent, alert: Alert, { phase, now }: Moment): AlertMessage {
  return {
    event: event.kind,
    subject: wordEntry(event),
    at: now,
    phase,
    virtual: event.virtual,
    identity: event.identity,
    real: event.real,
    state: event.turn === 'none' ? undefined : event.turn,
    reason: 'reason' in event ? event.reason : undefined,
    weight: 'weight' in event ? event.weight : undefined,
    serviceName: alert.serviceName,
    comment: alert.comment,
  }
}

/** It concerns the file as a whole: everybody whom the running one names is told once. */
function refusalsOf(
  { file, reasons }: Extract<Event, { kind: 'reload-refused' }>,
  { alerts }: Roster,
  { phase, now }: Moment,
): readonly Addressed[] {
  const message: AlertMessage = {
    event: 'reload-refused',
    subject: `Refused the new configuration: ${file}`,
    at: now,
    phase,
    virtual: undefined,
    identity: undefined,
    real: undefined,
    state: undefined,
    reason: reasons.join('; '),
    weight: undefined,
    serviceName: undefined,
    comment: reasons.join('; '),
  }
  const byTarget = new Map(alerts.map((alert) => [targetOf(alert), alert]))
  return inStatus(
    [...byTarget.values()].map((alert) => ({ message, alert })),
    { phase, now },
  )
}

function targetOf({ to, smtp, command, webhook }: Alert): string {
  return JSON.stringify([to, smtp?.host, smtp?.port, smtp?.login, command, webhook])
}
