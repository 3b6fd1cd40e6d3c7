import type { RealKey } from '../config/model.ts'
import type { Event } from '../model/events.ts'
import type { Roster } from './roster.ts'

/** A real server that is out, and when that was last told. */
export interface Missing {
  readonly identity: string
  readonly virtual: string
  /** As configured: `192.0.2.20:8080`. */
  readonly real: string
  /** As in the table, where it may have another port. */
  readonly entry: string
  readonly reason: string
  /** Monotonic milliseconds. */
  readonly toldAt: number
}

export interface Reminding {
  readonly roster: Roster
  /** Monotonic milliseconds. */
  readonly now: number
  /** Held out by the operator: nobody is reminded of what he did himself. */
  readonly isHeld: (key: RealKey) => boolean
}

/** Who is out, and who is to be reminded of it. Without a clock: it is told what time it is. */
export interface Reminders {
  /**
   * A failed check or a lost entry arms the reminder, a return or a purge ends it. A real server that a start finds down
   * is thus remembered without an alert. Gives the one that was armed.
   */
  hear(event: Event, now: number): Missing | undefined
  /** Forgets those that the config does not name any more. */
  keep(roster: Roster): void
  /** Those whose turn has come; one that is held out waits for another turn. */
  takeDue(reminding: Reminding): readonly Missing[]
  /** When the next turn is, in monotonic milliseconds; undefined when there is none. */
  nextDue(roster: Roster): number | undefined
}

/** When somebody is to be reminded; undefined: never. */
export function dueAt({ identity, toldAt }: Missing, roster: Roster): number | undefined {
  const everySeconds = roster.alertOf(identity)?.everySeconds ?? 0
  return everySeconds === 0 ? undefined : toldAt + everySeconds * 1000
}

export function createReminders(): Reminders {
  /** By virtual service and configured name: thousands may be out, and each event must be cheap. */
  const out = new Map<string, Map<string, Missing>>()

  const arm = (missing: Missing): Missing => {
    const pool = out.get(missing.identity) ?? new Map<string, Missing>()
    out.set(missing.identity, pool.set(missing.real, missing))
    return missing
  }
  /** An event names the real server as configured or as it stands in the table. */
  const clear = ({ identity, real }: { readonly identity: string; readonly real: string }): void => {
    const pool = out.get(identity)
    for (const missing of pool?.values() ?? []) {
      if (missing.real === real || missing.entry === real) pool?.delete(missing.real)
    }
  }
  const all = (): Missing[] => [...out.values()].flatMap((pool) => [...pool.values()])

  return {
    hear: (event, now) => {
      switch (event.kind) {
        case 'real-state': {
          const { identity, virtual, real, detail } = event
          if (event.state === 'up') clear(event)
          else if (out.get(identity)?.has(real) !== true) {
            return arm({ identity, virtual, real, entry: real, reason: detail, toldAt: now })
          }
          return undefined
        }
        case 'real-deleted':
        case 'real-quiesced':
        case 'real-readded-quiescent': {
          const { identity, virtual, real: entry, mappedFrom: real = entry, reason } = event
          return event.turn === 'out' ? arm({ identity, virtual, real, entry, reason, toldAt: now }) : undefined
        }
        case 'real-added':
        case 'real-restored':
        case 'real-purged':
          clear(event)
          return undefined
        case 'virtual-purged':
          out.delete(event.identity)
          return undefined
        default:
          return undefined
      }
    },
    keep: (roster) => {
      for (const missing of all()) if (roster.keysOf(missing.identity, missing.real).length === 0) clear(missing)
    },
    takeDue: ({ roster, now, isHeld }) => {
      const due = all().filter((missing) => now >= (dueAt(missing, roster) ?? Number.POSITIVE_INFINITY))
      for (const missing of due) arm({ ...missing, toldAt: now })
      return due.filter(({ identity, real }) => !roster.keysOf(identity, real).some(isHeld))
    },
    nextDue: (roster) => {
      let next: number | undefined
      for (const missing of all()) {
        const at = dueAt(missing, roster)
        if (at !== undefined && at < (next ?? Number.POSITIVE_INFINITY)) next = at
      }
      return next
    },
  }
}
