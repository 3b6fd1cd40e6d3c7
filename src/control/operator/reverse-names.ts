import { Resolver } from 'node:dns/promises'
import type { Clock } from '../../lib/clock.ts'
import { withDeadline } from '../../lib/deadline.ts'
import { codeOf } from '../../lib/errors.ts'

/** The host names of an address; rejects when nobody can tell, and when the signal fires. None: it has no name. */
export type Reverse = (address: string, signal: AbortSignal) => Promise<readonly string[]>

export interface ReverseNames {
  /** What is known now, without waiting. */
  namesOf(address: string): readonly string[]
  /**
   * Asks for those that were not asked for five minutes, in the background. Resolves when all have answered, true when
   * some have other names now.
   */
  refresh(addresses: Iterable<string>): Promise<boolean>
  stop(): void
}

export interface ReverseNamesOptions {
  readonly clock: Clock
  readonly reverse?: Reverse
}

const goodForMs = 300_000
const failedForMs = 60_000
const answerWithinMs = 5_000
const mostAtOnce = 8
const mostNames = 8

/** What the reverse lookup says of the real servers, kept; a name server that fails changes nothing. */
export function createReverseNames({ clock, reverse = systemReverse }: ReverseNamesOptions): ReverseNames {
  const known = new Map<string, { readonly names: readonly string[]; readonly askAgainAt: number }>()
  const ended = new AbortController()

  const ask = async (address: string): Promise<boolean> => {
    const before = known.get(address)?.names ?? []
    const limit = { clock, ms: answerWithinMs, parent: ended.signal }
    const answer = await withDeadline(limit, (signal) => reverse(address, signal)).catch(() => undefined)
    const names = answer?.slice(0, mostNames) ?? before
    const askAgainAt = clock.monotonic() + (answer === undefined ? failedForMs : goodForMs)
    known.set(address, { names, askAgainAt })
    return names.join() !== before.join()
  }
  const refresh = async (addresses: Iterable<string>): Promise<boolean> => {
    const wanted = new Set(addresses)
    for (const address of known.keys()) if (!wanted.has(address)) known.delete(address)
    const now = clock.monotonic()
    const stale = [...wanted].filter((address) => now >= (known.get(address)?.askAgainAt ?? Number.NEGATIVE_INFINITY))
    let changed = false
    const work = async (): Promise<void> => {
      for (let next = stale.shift(); next !== undefined && !ended.signal.aborted; next = stale.shift()) {
        if (await ask(next)) changed = true
      }
    }
    await Promise.all(Array.from({ length: mostAtOnce }, work))
    return changed
  }
  return {
    namesOf: (address) => known.get(address)?.names ?? [],
    refresh,
    stop: () => ended.abort(),
  }
}

/**
 * The hosts file, then DNS, over sockets: getaddrinfo(3) and its kin hold a thread for as long as a name server is silent.
 * A resolver of its own for each question knows the servers that are configured now.
 */
const systemReverse: Reverse = async (address, signal) => {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 })
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await resolver.reverse(address)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
