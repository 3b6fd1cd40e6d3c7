import { dirname, resolve } from 'node:path'
import { DEFAULT_CONFIG } from '../config/find.ts'
import type { LoadResult } from '../config/model.ts'
import { lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit, type ReadConfig, readConfig } from './read-config.ts'

/** The process that was called is to be the daemon itself. */
export interface Foreground<Result extends LoadResult> {
  readonly loaded: ReadConfig<Result>
  readonly instance: string
  /** Undefined: none is written (`-d`, `supervised=yes`), as in Perl ldirectord. */
  readonly pidFile: string | undefined
  /** It is the one that `start` put into the background. */
  readonly inBackground: boolean
  readonly log: { readonly toFile: boolean; readonly toStdout: boolean; readonly toStderr: boolean }
}

/**
 * `start`: an exit code once the daemon stands in the background or can not, or what to be in the foreground.
 * `isChild` tells the process that was put into the background from the one that did it.
 */
export async function start<Result extends LoadResult>(
  ports: ProcessPorts<Result>,
  options: ProcessOptions,
  isChild = false,
): Promise<number | Foreground<Result>> {
  const file = locate(ports, options.config)
  if (file === undefined) return perlExit.failed
  const loaded = await readConfig(ports, file)
  if (typeof loaded === 'number') return loaded
  return startLoaded(ports, { ...options, file, loaded, isChild })
}

export interface StartLoaded<Result extends LoadResult> extends ProcessOptions {
  readonly file: string
  readonly loaded: ReadConfig<Result>
  readonly isChild: boolean
}

/** The second half of `start`, for `restart` has read the file before it stopped anything. */
export async function startLoaded<Result extends LoadResult>(
  ports: ProcessPorts<Result>,
  { config, debug, file, loaded, isChild }: StartLoaded<Result>,
): Promise<number | Foreground<Result>> {
  const { name: instance, pidFile, state } = lookUp(ports, config)
  if (isChild) {
    const log = { toFile: true, toStdout: false, toStderr: false }
    return { loaded, instance, pidFile, inBackground: true, log }
  }
  if (state.kind === 'running') return perlExit.ok
  if (debug || loaded.config.globals.supervised) {
    const log = { toFile: false, toStdout: !debug, toStderr: debug }
    return { loaded, instance, pidFile: undefined, inBackground: false, log }
  }
  const { logFault } = await import('../log/log-fault.ts')
  const fault = logFault(loaded.config.globals.logfile)
  if (fault !== undefined) ports.err(`ldirectord-ng: ${fault}; the daemon runs without it\n`)
  const { exitCode, message } = await ports.background(daemonArguments(config, file), daemonDirectory(config, file))
  if (message !== '') ports.err(`${message}\n`)
  return exitCode
}

/**
 * As the daemon is to appear among the processes: `CONFIG start`. The argument stays as it was given, unless it was
 * found relative to the current directory, which the daemon leaves (defect D20).
 */
export function daemonArguments(config: string | undefined, file: string): readonly string[] {
  if (config === undefined) return ['start']
  const word = resolve(config) === file ? file : config
  return word.startsWith('-') ? ['--', word, 'start'] : [word, 'start']
}

/** `/`, except where the default configuration was found in the current directory and no argument can name it. */
export function daemonDirectory(config: string | undefined, file: string): string {
  return config === undefined && resolve(DEFAULT_CONFIG) === file ? dirname(file) : '/'
}
