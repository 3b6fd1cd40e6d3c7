import { resolve } from 'node:path'
import type { Config } from '../../config/model.ts'
import type { Clock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Tell } from '../../model/events.ts'
import { nameReal } from '../health-book.ts'
import { createSayOnce } from '../say-once.ts'
import { createWaker } from '../wake.ts'
import { type PathWatch, watchPath } from '../watch/watch-path.ts'
import { type FolderContents, readMaintenanceFolder } from './maintenance-folder.ts'
import { indexNames, type MaintenanceIndex } from './maintenance-names.ts'
import type { OrderKey } from './order.ts'
import { createReverseNames, type Reverse } from './reverse-names.ts'
import { emptyRoster, type Roster, rosterOf } from './roster.ts'
import { within } from './within.ts'

/** A file in maintenancedir that holds a real server out. */
export interface MaintenanceFile {
  readonly path: string
  /** The first line of its text, else its name; printable. */
  readonly reason: string
  /** Wall clock: when it was seen first. */
  readonly since: number
}

export interface MaintenancePorts {
  readonly clock: Clock
  readonly tell: Tell
  /** Another real server is held, or one no longer. */
  onChange(): void
  /** The system's when absent. */
  readonly reverse?: Reverse
}

/** The maintenance directory, as it was found last. */
export interface Maintenance {
  /** Takes the directory and the real servers of a config; resolves after a look at it, in bounded time. */
  follow(config: Config): Promise<void>
  readonly files: ReadonlyMap<OrderKey, MaintenanceFile>
  stop(): Promise<void>
}

export const noMaintenance: Maintenance = {
  follow: async () => undefined,
  files: new Map(),
  stop: async () => undefined,
}

/** The net under inotify, which is silent on some file systems. */
const everyMs = 5_000
/** After an event it is looked at once more: chokidar is silent of what follows within 50 ms. */
const settleMs = 250
const answerWithinMs = 2_000

/**
 * Which real servers have a file in maintenancedir. The folder is watched and looked at every few seconds; one that cannot
 * be read leaves everything as it was, one that is missing holds nobody.
 */
export function createMaintenance({ clock, tell, onChange, reverse }: MaintenancePorts): Maintenance {
  const troubles = createSayOnce()
  const names = createReverseNames({ clock, ...(reverse === undefined ? {} : { reverse }) })
  let roster = emptyRoster
  let folder: string | undefined
  let index: MaintenanceIndex = new Map()
  let files: ReadonlyMap<OrderKey, MaintenanceFile> = new Map()
  let last: Readable | undefined
  let isStirred = false
  let stopped = false
  const onFault = (error: unknown): void => tell({ kind: 'fault', text: messageOf(error) })

  const rebuild = (): void => {
    index = indexNames(roster.lines.values(), names.namesOf)
  }
  const learner = createWaker({
    clock,
    name: 'names of real servers',
    pass: async () => {
      const addresses = [...roster.lines.values()].flatMap(({ real }) => real.address ?? [])
      if (!(await names.refresh(addresses)) || stopped) return
      rebuild()
      await waker.wake()
    },
    onFault,
  })
  const take = (next: ReadonlyMap<OrderKey, MaintenanceFile>): void => {
    const before = files
    files = next
    tellChanges({ roster, before, now: files }, tell)
    const text = (of: typeof files): string => JSON.stringify([...of].map(([key, { reason }]) => [key, reason]))
    if (text(before) !== text(files)) onChange()
  }
  const match = (): void => {
    if (last !== undefined) take(matched({ contents: last, index, before: files, now: clock.now() }))
  }
  const pass = async (): Promise<void> => {
    const at = folder
    if (at === undefined) {
      troubles.clear()
      watch.follow(undefined)
      return take(new Map())
    }
    const slow = clock.setTimer('maintenance folder answers', answerWithinMs, () =>
      say(`maintenance directory does not answer: ${at}`),
    )
    const contents = await readMaintenanceFolder(at, (name) => index.has(name)).finally(() => slow.cancel())
    if (stopped || at !== folder) return
    tellTrouble(at, contents)
    watch.follow(at, contents.kind === 'read' ? contents.identity : undefined)
    if (contents.kind !== 'unreadable') last = contents
    match()
    if (hasStrangers()) void learner.wake()
    waker.wakeIn(isStirred ? settleMs : everyMs)
    isStirred = false
  }
  /** Files that may have the name of a host that is not known yet. */
  const hasStrangers = (): boolean => last?.kind === 'read' && last.hasOthers
  const say = (text: string): void => {
    for (const fresh of troubles.fresh([text])) tell({ kind: 'config-diagnostic', severity: 'warning', text: fresh })
  }
  const tellTrouble = (at: string, contents: FolderContents): void => {
    if (contents.kind === 'missing') say(`maintenance directory does not exist: ${at}`)
    else if (contents.kind === 'unreadable') {
      say(`maintenance directory cannot be read: ${contents.reason}: who is in maintenance stays so`)
    } else if (troubles.clear()) tell({ kind: 'note', text: `The maintenance directory can be read: ${at}` })
  }
  const waker = createWaker({
    clock,
    name: 'maintenance folder',
    pass,
    mostRestMs: 200,
    onFault,
  })
  const watch = createFolderWatch(() => {
    isStirred = true
    void waker.wake()
  })
  const bounded = { clock, name: 'maintenance folder: first look', ms: answerWithinMs }
  return {
    follow: async (config) => {
      const { maintenanceDir } = config.globals
      roster = rosterOf(config)
      const next = maintenanceDir === undefined ? undefined : resolve(maintenanceDir)
      if (next !== folder) last = undefined
      folder = next
      rebuild()
      match()
      const named = folder === undefined ? undefined : learner.wake()
      const look = async (): Promise<void> => {
        await waker.wake()
        if (hasStrangers()) await named
      }
      await within(bounded, look())
    },
    get files() {
      return files
    },
    stop: async () => {
      stopped = true
      names.stop()
      await within(bounded, Promise.all([waker.stop(), learner.stop(), watch.close()]))
    },
  }
}

/** The watch of whatever folder is configured now. */
function createFolderWatch(onEvent: () => void) {
  let watched: { readonly folder: string; readonly watch: PathWatch } | undefined
  let closing: Promise<unknown> = Promise.resolve()
  const leave = (): void => {
    closing = Promise.all([closing, watched?.watch.close()])
    watched = undefined
  }
  return {
    follow: (folder: string | undefined, identity?: string): void => {
      if (watched?.folder !== folder) leave()
      if (folder === undefined) return
      if (watched !== undefined) watched.watch.follow(identity)
      else watched = { folder, watch: watchPath({ path: folder, contents: true, onEvent }, identity) }
    },
    close: async (): Promise<void> => {
      leave()
      await closing
    },
  }
}

type Readable = Exclude<FolderContents, { kind: 'unreadable' }>

interface Found {
  readonly contents: Readable
  readonly index: MaintenanceIndex
  readonly before: ReadonlyMap<OrderKey, MaintenanceFile>
  /** Wall clock. */
  readonly now: number
}

/** Of several files for one real server the first by name is shown. */
function matched({ contents, index, before, now }: Found): ReadonlyMap<OrderKey, MaintenanceFile> {
  const files = new Map<OrderKey, MaintenanceFile>()
  if (contents.kind === 'missing') return files
  for (const { name, path, reason } of contents.entries) {
    for (const key of index.get(name) ?? []) {
      if (!files.has(key)) files.set(key, { path, reason, since: before.get(key)?.since ?? now })
    }
  }
  return files
}

interface Change {
  readonly roster: Roster
  readonly before: ReadonlyMap<OrderKey, MaintenanceFile>
  readonly now: ReadonlyMap<OrderKey, MaintenanceFile>
}

function tellChanges({ roster, before, now }: Change, tell: Tell): void {
  const nameOf = (key: OrderKey) => {
    const [line] = roster.groups.get(key) ?? []
    return line === undefined ? [] : [nameReal(line.virtual, line.real)]
  }
  for (const [key, { path, reason }] of now) {
    if (before.has(key)) continue
    for (const of of nameOf(key)) tell({ kind: 'maintenance-begun', ...of, file: path, reason })
  }
  for (const [key, { path }] of before) {
    if (now.has(key)) continue
    for (const of of nameOf(key)) tell({ kind: 'maintenance-ended', ...of, file: path })
  }
}
