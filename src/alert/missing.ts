import { type Config, type Real, type RealKey, realKeyOf } from '../config/model.ts'
import type { Event } from '../model/events.ts'
import { hostPort } from '../model/service.ts'
import { alertOf } from './alert-of.ts'

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

export type Memory = ReadonlyMap<string, Missing>

export const emptyMemory: Memory = new Map()

/**
 * What one event does to what is remembered: a failed check or a lost entry arms the reminder, a return or a purge ends
 * it. A real server that a start finds down is thus remembered without an alert.
 */
export function remember(memory: Memory, event: Event, now: number): Memory {
  switch (event.kind) {
    case 'real-state':
      if (event.state === 'up') return without(memory, (each) => isOf(each, event))
      return memory.has(keyOf(event))
        ? memory
        : armed(memory, { ...event, entry: event.real, reason: event.detail }, now)
    case 'real-deleted':
    case 'real-quiesced':
    case 'real-readded-quiescent':
      if (event.turn !== 'out') return memory
      return armed(memory, { ...event, entry: event.real, real: event.mappedFrom ?? event.real }, now)
    case 'real-added':
    case 'real-restored':
    case 'real-purged':
      return without(memory, (each) => isOf(each, event))
    case 'virtual-purged':
      return without(memory, ({ identity }) => identity === event.identity)
    default:
      return memory
  }
}

/** Without those that the config does not name any more. */
export function keepConfigured(memory: Memory, config: Config): Memory {
  return without(memory, (missing) => realsOf(missing, config).length === 0)
}

export interface Reminding {
  readonly config: Config
  /** Monotonic milliseconds. */
  readonly now: number
  /** Held out by the operator: nobody is reminded of what he did himself. */
  readonly isHeld: (key: RealKey) => boolean
}

/** Those who are to be reminded of now, and the memory after that; one that is held out waits for another turn. */
export function takeDue(
  memory: Memory,
  reminding: Reminding,
): { readonly due: readonly Missing[]; readonly memory: Memory } {
  const { config, now, isHeld } = reminding
  const reached = [...memory].filter(([, missing]) => now >= (dueAt(missing, config) ?? Number.POSITIVE_INFINITY))
  const next = new Map(memory)
  for (const [key, missing] of reached) next.set(key, { ...missing, toldAt: now })
  const due = reached.map(([, missing]) => missing).filter((missing) => !realsOf(missing, config).some(isHeld))
  return { due, memory: next }
}

/** When the next turn is, in monotonic milliseconds; undefined when there is none. */
export function nextDue(memory: Memory, config: Config): number | undefined {
  const times = [...memory.values()].flatMap((missing) => dueAt(missing, config) ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

function dueAt({ identity, toldAt }: Missing, config: Config): number | undefined {
  const everySeconds = alertOf(config, identity)?.everySeconds ?? 0
  return everySeconds === 0 ? undefined : toldAt + everySeconds * 1000
}

function armed(memory: Memory, missing: Omit<Missing, 'toldAt'>, now: number): Memory {
  const { identity, virtual, real, entry, reason } = missing
  return new Map(memory).set(keyOf(missing), { identity, virtual, real, entry, reason, toldAt: now })
}

function keyOf({ identity, real }: Pick<Missing, 'identity' | 'real'>): string {
  return `${identity} ${real}`
}

/** An event names the real server as configured or as it stands in the table. */
function isOf(missing: Missing, event: { readonly identity: string; readonly real: string }): boolean {
  return missing.identity === event.identity && (missing.real === event.real || missing.entry === event.real)
}

function without(memory: Memory, leaves: (missing: Missing) => boolean): Memory {
  const kept = [...memory].filter(([, missing]) => !leaves(missing))
  return kept.length === memory.size ? memory : new Map(kept)
}

function realsOf({ identity, real }: Missing, config: Config): RealKey[] {
  const virtual = config.virtuals.find(({ key }) => key === identity)
  if (virtual === undefined) return []
  return virtual.reals.filter((each) => nameOf(each) === real).map((each) => realKeyOf(virtual, each))
}

function nameOf(real: Real): string {
  return hostPort(real.address ?? real.host, real.port)
}
