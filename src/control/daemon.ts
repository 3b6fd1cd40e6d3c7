import type { Load } from '../config/load.ts'
import type { Config, LoadResult } from '../config/model.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { type Diagnostic, hasErrors } from '../lib/diagnostics.ts'
import { messageOf } from '../lib/errors.ts'
import type { Tell } from '../model/events.ts'
import type { Plan } from '../table/plan.ts'
import type { Director } from './director.ts'
import { type Refusal, refusalOf } from './guard.ts'
import { createWaker } from './wake.ts'

export interface DaemonPorts {
  readonly clock: Clock
  readonly tell: Tell
  readonly director: Director
  /** Reads the file again; names that do not answer keep the address they had in `last`. */
  readonly load: (last: Load) => Promise<Load>
  /** A config comes into force: at start before the first pass, with a reload, when a name got its address. */
  readonly onConfig: (config: Config) => void
  /** The file is read again, and what came of it has been done. */
  readonly onReload?: (stage: 'begun' | 'ended') => void
  /** The watched file has other content, after the reload where `autoreload` says so. */
  readonly onFileChanged?: (file: string) => void
  /** Begins to watch the file of the config in force; `onChange` once for each new content, good or bad. */
  readonly watch: (watched: Watched) => { close(): Promise<void> }
}

export interface Watched {
  readonly file: string
  /** Of the config in force. */
  digest(): string
  onChange(): void
  /** The file has the content in force; told at each look. */
  onCurrent(): void
  /** The file cannot be read; once until it can be again. */
  onMissing(): void
}

/** The file as it stands was not taken, and the config before it is in force. */
export interface RefusedConfig {
  /** Wall clock, milliseconds since 1970. */
  readonly at: number
  readonly file: string
  /** errors: it can not be understood. guard: it would cut off what serves now (`reloadguard`). */
  readonly why: 'errors' | 'guard'
  /** One sentence each. */
  readonly reasons: readonly string[]
  /** What would go from the table, in ipvsadm's notation; empty for a file with errors. */
  readonly plan: readonly string[]
}

export interface ReloadOptions {
  /** Also a file that the guard would refuse. */
  readonly confirm?: boolean
}

/** What a reload would do now. */
export interface Preview {
  readonly diagnostics: readonly Diagnostic[]
  /** Why the guard would refuse it without a confirmation. */
  readonly refusal: Refusal | undefined
  /** Undefined when the file has errors. */
  readonly plan: Plan | undefined
}

export interface Daemon {
  /** Resolves after the first pass. Rejects with TableError when there is no table to keep. */
  start(first: Load): Promise<void>
  /** Reads the file again. True when the new one is in force, false when the old one was kept. */
  reload(options?: ReloadOptions): Promise<boolean>
  /** Reads the file as a reload would, and changes nothing. Rejects with TableError when the table cannot be read. */
  preview(): Promise<Preview>
  /** Until a reload succeeds, or the file is again the one in force. */
  readonly refused: RefusedConfig | undefined
  /** With `keepTable` the table stays as it is, whatever cleanstop says. */
  stop(options?: { readonly keepTable: boolean }): Promise<void>
}

const resolveEveryMs = 15_000

export function createDaemon(ports: DaemonPorts): Daemon {
  const { clock, tell, director } = ports
  let loaded: Load | undefined
  let watcher: { close(): Promise<void> } | undefined
  let names: Timer | undefined
  let kept = true
  let refused: RefusedConfig | undefined
  /** The next reading of the file is to pass the guard. */
  let isConfirmed = false

  const take = (next: Load, config: Config): void => {
    loaded = next
    tell({
      kind: 'config-loaded',
      virtuals: config.virtuals.length,
      reals: config.virtuals.reduce((n, v) => n + v.reals.length, 0),
    })
  }
  const tellDiagnostics = (result: LoadResult): void => {
    for (const d of result.diagnostics) {
      const text = d.hint === undefined ? d.message : `${d.message} (${d.hint})`
      tell({ kind: 'config-diagnostic', severity: d.severity, text, at: d.at })
    }
  }
  /** A reload and a name that resolves must not change the config at the same time. */
  let changing: Promise<unknown> = Promise.resolve()
  const exclusively = (work: () => Promise<void>): Promise<void> => {
    const done = changing.then(work)
    changing = done.catch(() => undefined)
    return done
  }
  /** A new config that may come into force; undefined when it is refused, which has been told then. */
  const examine = (next: LoadResult, passGuard: boolean): Config | undefined => {
    const { config, diagnostics } = next
    const { config: running, health, holds } = director
    const of = { at: clock.now(), file: running.file }
    if (config === undefined || hasErrors(diagnostics)) {
      const reasons = diagnostics.filter((d) => d.severity === 'error').map((d) => `line ${d.at.line}: ${d.message}`)
      refused = { ...of, why: 'errors', reasons, plan: [] }
      tell({ kind: 'config-kept', file: running.file })
      return undefined
    }
    const refusal = passGuard ? undefined : refusalOf({ running, next: config, health, holds })
    refused = refusal === undefined ? undefined : { ...of, why: 'guard', ...refusal }
    if (refusal !== undefined) tell({ kind: 'reload-refused', file: running.file, ...refusal })
    return refusal === undefined ? config : undefined
  }
  const pass = async (): Promise<void> => {
    ports.onReload?.('begun')
    try {
      await readAgain()
    } finally {
      ports.onReload?.('ended')
    }
  }
  const readAgain = async (): Promise<void> => {
    kept = true
    const passGuard = isConfirmed
    isConfirmed = false
    if (loaded === undefined) return
    const next = await ports.load(loaded)
    tellDiagnostics(next)
    const config = examine(next, passGuard)
    if (config === undefined) return
    ports.onConfig(config)
    take(next, config)
    await exclusively(() => director.change(config, 'reloading'))
    kept = false
  }
  const reloads = createWaker({
    clock,
    name: 'reload',
    pass,
    onFault: (error) => tell({ kind: 'fault', text: messageOf(error) }),
  })
  const askNames = (): void => {
    names = clock.setTimer('resolve names', resolveEveryMs, () => {
      void resolveNames().finally(askNames)
    })
  }
  const resolveNames = async (): Promise<void> => {
    const before = loaded
    if (before?.config === undefined || unanswered(before).length === 0) return
    const next = await before.resolveAgain?.().catch(() => undefined)
    const config = next?.config
    // A reload that came meanwhile has asked for itself.
    if (next === undefined || config === undefined || loaded !== before) return
    const still = unanswered(next)
    const answered = unanswered(before).filter((name) => !still.includes(name))
    if (answered.length === 0) return
    loaded = next
    ports.onConfig(config)
    tell({ kind: 'note', text: `Names have an address now: ${answered.join(' ')}` })
    await exclusively(() => director.change(config, 'running'))
  }
  const watched = (config: Config): Watched => ({
    file: config.file,
    digest: () => loaded?.config?.digest ?? '',
    onChange: () => {
      const reread = loaded?.config?.globals.autoreload ?? false
      tell({ kind: 'config-changed', file: config.file, reread })
      const decided = reread ? reloads.wake() : Promise.resolve()
      void decided.then(() => ports.onFileChanged?.(config.file))
    },
    onCurrent: () => {
      if (refused === undefined) return
      refused = undefined
      tell({ kind: 'config-current', file: config.file })
    },
    onMissing: () => {
      const text = `can not open file ${config.file} for checking`
      tell({ kind: 'config-diagnostic', severity: 'warning', text })
    },
  })

  return {
    start: async (first) => {
      if (first.config === undefined) throw new Error('a daemon starts with a config without errors')
      ports.onConfig(first.config)
      await director.start(first.config)
      take(first, first.config)
      watcher = ports.watch(watched(first.config))
      askNames()
    },
    reload: async ({ confirm = false } = {}) => {
      isConfirmed ||= confirm
      await reloads.wake()
      return !kept
    },
    preview: async () => {
      if (loaded === undefined) throw new Error('the daemon has not been started')
      const { config, diagnostics } = await ports.load(loaded)
      if (config === undefined || hasErrors(diagnostics)) return { diagnostics, refusal: undefined, plan: undefined }
      const { config: running, health, holds } = director
      const refusal = refusalOf({ running, next: config, health, holds })
      return { diagnostics, refusal, plan: await director.preview(config) }
    },
    get refused() {
      return refused
    },
    stop: async (options) => {
      names?.cancel()
      await Promise.all([watcher?.close(), reloads.stop()])
      await director.stop(options)
    },
  }
}

/** Names without an address, and those whose last one is used because they did not answer. */
function unanswered({ config, assumed = [] }: Load): readonly string[] {
  return [...new Set([...(config?.unresolved ?? []), ...assumed.map(({ name }) => name)])]
}
