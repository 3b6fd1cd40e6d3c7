import { type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import { down } from '../model/verdict.ts'
import type { Health } from './machine.ts'

export interface InitialHealthInput {
  readonly virtuals: readonly Virtual[]
  /** Whether the table has an entry with weight above 0 for this real. */
  found(virtual: Virtual, real: Real): boolean
  /** What was known before a reload. */
  readonly previous?: ReadonlyMap<RealKey, Health>
  /** Wall clock, milliseconds since 1970. */
  readonly now: number
}

/** Nothing is known yet: it takes no traffic before its first success. */
export const pendingHealth = (now: number): Health => ({ state: 'pending', since: now, failures: 0, successes: 0 })

/** It was serving when we came, so it counts as up until a check says otherwise. */
export const adoptedHealth = (now: number): Health => ({ state: 'up', since: now, failures: 0, successes: 0 })

const downHealth = (now: number): Health => ({ state: 'down', since: now, failures: 0, successes: 0 })

/** `initstate = down`: out, until its first success whatever successcount says, for nothing is known against it. */
const untriedHealth = (now: number, { successCount }: Pick<Virtual, 'successCount'>): Health => ({
  ...downHealth(now),
  successes: successCount - 1,
})

/**
 * The health of every real of a config before its checks begin (design 5). Over a reload it is carried over by key; a real
 * that is new takes it from `initstate` or the table, as at start.
 */
export function initialHealth(input: InitialHealthInput): Map<RealKey, Health> {
  return new Map(
    input.virtuals.flatMap((virtual) =>
      virtual.reals.map((real): [RealKey, Health] => [realKeyOf(virtual, real), healthOf(input, virtual, real)]),
    ),
  )
}

function healthOf({ found, previous, now }: InitialHealthInput, virtual: Virtual, real: Real): Health {
  const before = previous?.get(realKeyOf(virtual, real))
  switch (real.checking.kind) {
    case 'probe':
    case 'combined':
      return before ?? wished(virtual, now) ?? (found(virtual, real) ? adoptedHealth(now) : pendingHealth(now))
    case 'off':
      return decided(before) ?? wished(virtual, now) ?? (found(virtual, real) ? adoptedHealth(now) : downHealth(now))
    case 'on':
      return before?.state === 'up' ? before : adoptedHealth(now)
    case 'unresolved': {
      const last = { result: down('unreachable', real.checking.detail), at: now, durationMs: 0 }
      return { ...(before?.state === 'down' ? before : downHealth(now)), last }
    }
  }
}

/** What `initstate` says of a real server that is new to us; undefined where the table decides. */
function wished(virtual: Virtual, now: number): Health | undefined {
  switch (virtual.initState) {
    case 'up':
      return adoptedHealth(now)
    case 'down':
      return untriedHealth(now, virtual)
    case 'keep':
      return undefined
  }
}

/** A real whose checks were switched off while it was pending would stay so for ever. */
function decided(before: Health | undefined): Health | undefined {
  return before?.state === 'pending' ? undefined : before
}
