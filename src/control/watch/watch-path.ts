import { dirname, join } from 'node:path'
import { watch } from 'chokidar'
import { type PathStep, pathSteps } from './path-steps.ts'

export interface PathWatch {
  /** Looks again where the path leads. Another `identity` begins anew even there: a folder that was replaced is another one. */
  follow(identity?: string): void
  close(): Promise<void>
}

export interface WatchPathOptions {
  /** Absolute. */
  readonly path: string
  /** It is a folder, and what stands in it counts too. */
  readonly contents: boolean
  /** Something has happened, or may have: the watch says no more than that. */
  onEvent(): void
}

/** The directories are watched and not the files: a watch on a file stays with the old one after a rename. */
export function watchPath(options: WatchPathOptions, first = ''): PathWatch {
  let before = ''
  let watcher: { close(): Promise<void> } | undefined
  let closing: Promise<unknown> = Promise.resolve()

  const follow = (identity = ''): void => {
    const steps = pathSteps(options.path)
    const now = JSON.stringify([identity, steps])
    if (now === before) return
    before = now
    const old = watcher
    closing = Promise.all([closing, old?.close()])
    watcher = watchSteps(steps, options)
  }
  follow(first)
  return {
    follow,
    close: async () => {
      await Promise.all([closing, watcher?.close()])
    },
  }
}

function watchSteps(steps: readonly PathStep[], { contents, onEvent }: WatchPathOptions): { close(): Promise<void> } {
  const entries = new Set(steps.map((step) => join(step.directory, step.name)))
  const folder = contents ? [...entries].at(-1) : undefined
  const directories = new Set(steps.map((step) => step.directory).concat(folder ?? []))
  const isSeen = (path: string): boolean =>
    directories.has(path) || entries.has(path) || (folder !== undefined && dirname(path) === folder)
  const watcher = watch([...directories], {
    ignoreInitial: true,
    depth: 0,
    followSymlinks: false,
    ignored: (path) => !isSeen(path),
  })
  watcher.on('all', onEvent)
  // What was changed before the watch stood is not an event.
  watcher.on('ready', onEvent)
  // Out of watches, say: the periodic comparison stays.
  watcher.on('error', () => undefined)
  return watcher
}
