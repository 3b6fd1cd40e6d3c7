import type { Virtual } from '../../config/model.ts'
import type { Clock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { createSemaphore } from '../../lib/semaphore.ts'
import type { Tell } from '../../model/events.ts'
import type { ServiceKey } from '../../model/service.ts'
import { fallbackStanding } from '../../table/desired.ts'
import type { Companion } from '../companion.ts'
import type { Director } from '../director.ts'
import { createWaker } from '../wake.ts'
import { fallbackScript, fallbackSubject, type Phase, phaseLeftBehind } from './fallback-phase.ts'
import { type RunScript, shellRunner } from './script.ts'

export interface FallbackScriptsPorts {
  readonly clock: Clock
  readonly tell: Tell
  /** Asked when needed: the director needs its companions first. */
  readonly director: () => Pick<Director, 'config' | 'health' | 'holds' | 'observed'>
  readonly run?: RunScript
}

/** One virtual service's command. */
interface Entry {
  virtual: Virtual
  readonly command: string
  /** What the command was told last, or is being told; undefined before it was told anything. */
  told: Phase | undefined
  wanted: Phase | undefined
  running: Promise<void> | undefined
}

/** A global command may concern hundreds of virtual services at once. */
const mostAtOnce = 8
/** For what runs when the daemon ends, and for `fallbackonstop`. */
const stopWithinMs = 5_000
const mostRestMs = 1_000

/**
 * `fallbackcommand`: told `start` when no real server of the virtual service is up, `stop` when one is, in order and one
 * at a time for each. What was overtaken while another one ran is left out; the last is always told.
 */
export function createFallbackScripts(ports: FallbackScriptsPorts): Companion {
  const { clock, tell, director, run = shellRunner(clock) } = ports
  const places = createSemaphore(mostAtOnce)
  const ended = new AbortController()
  const entries = new Map<ServiceKey, Entry>()
  const running = new Set<Promise<void>>()
  let isFirstLook = true
  let keepsTable = false

  const tellOne = async (entry: Entry): Promise<void> => {
    const release = await places.acquire(ended.signal).catch(() => undefined)
    const phase = entry.wanted
    if (release === undefined || phase === undefined || phase === entry.told) return release?.()
    entry.told = phase
    try {
      const end = await run(fallbackScript(entry.virtual, entry.command, phase), ended.signal)
      const kind = end.ok ? 'script-ended' : 'script-failed'
      tell({ kind, script: 'fallbackcommand', subject: fallbackSubject(entry.virtual, phase), detail: end.detail })
    } finally {
      release()
    }
  }
  const pump = (entry: Entry): void => {
    if (entry.running !== undefined || entry.wanted === undefined || entry.wanted === entry.told) return
    if (ended.signal.aborted) return
    const one = tellOne(entry).finally(() => {
      running.delete(one)
      entry.running = undefined
      pump(entry)
    })
    entry.running = one
    running.add(one)
  }
  const want = (entry: Entry, phase: Phase): void => {
    entry.wanted = phase
    pump(entry)
  }
  const entryOf = (virtual: Virtual, command: string): Entry => {
    const known = entries.get(virtual.key)
    if (known?.command === command) {
      known.virtual = virtual
      return known
    }
    if (known !== undefined) leave(known)
    const { observed } = director()
    const told = isFirstLook && observed !== undefined ? phaseLeftBehind(virtual, observed) : undefined
    const fresh: Entry = { virtual, command, told, wanted: undefined, running: undefined }
    entries.set(virtual.key, fresh)
    return fresh
  }
  /** Its virtual service or its command is not in the file any more. */
  const leave = (entry: Entry): void => {
    entries.delete(entry.virtual.key)
    if (entry.virtual.fallbackOnStop && entry.told === 'start') want(entry, 'stop')
    else entry.wanted = undefined
  }
  const look = async (): Promise<void> => {
    const { config, health, holds, observed } = director()
    if (observed === undefined) return
    const present = new Set<ServiceKey>()
    for (const virtual of config.virtuals) {
      if (virtual.fallbackCommand === undefined) continue
      present.add(virtual.key)
      const entry = entryOf(virtual, virtual.fallbackCommand)
      const standing = fallbackStanding(virtual, { health, maintenance: holds })
      if (standing !== 'undecided') want(entry, standing === 'in' ? 'start' : 'stop')
    }
    for (const entry of [...entries.values()]) if (!present.has(entry.virtual.key)) leave(entry)
    isFirstLook = false
  }
  // A burst of changes is looked at together, for a global command may concern thousands of real servers.
  const looks = createWaker({
    clock,
    name: 'fallbackcommand: look',
    pass: look,
    mostRestMs,
    onFault: (error) => tell({ kind: 'fault', text: messageOf(error) }),
  })
  return {
    name: 'fallbackcommand',
    onChange: () => void looks.wake(),
    tell: ({ kind }) => {
      // The next daemon goes on from here.
      if (kind === 'table-left') keepsTable = true
    },
    stop: async () => {
      await looks.stop()
      for (const entry of entries.values()) {
        if (!keepsTable && entry.virtual.fallbackOnStop && entry.told === 'start') want(entry, 'stop')
      }
      const timer = clock.setTimer('fallbackcommand: last runs', stopWithinMs, () => ended.abort())
      while (running.size > 0) await Promise.all(running)
      timer.cancel()
      ended.abort()
    },
  }
}
