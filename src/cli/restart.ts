import type { LoadResult } from '../config/model.ts'
import { messageOf } from '../lib/errors.ts'
import { type Instance, lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit, readConfig } from './read-config.ts'
import { type Foreground, startLoaded } from './start.ts'
import { endInstance } from './stop.ts'

/**
 * `restart`, and `try-restart` with `onlyIfRunning`. The file is read first: what can not be started again is not
 * stopped. The table stays as it is between the two, whatever cleanstop says, so that no client notices. Exit 1 when the
 * old process does not end.
 */
export async function restart<Result extends LoadResult>(
  ports: ProcessPorts<Result>,
  options: ProcessOptions & { readonly onlyIfRunning: boolean },
): Promise<number | Foreground<Result>> {
  const file = locate(ports, options.config)
  if (file === undefined) return perlExit.failed
  const loaded = await readConfig(ports, file)
  if (typeof loaded === 'number') return loaded
  const instance = lookUp(ports, options.config)
  const { state } = instance
  if (state.kind !== 'running' && options.onlyIfRunning) return perlExit.ok
  if (state.kind === 'running') {
    const left = await endOld(ports, instance, state.pid)
    if (left !== undefined) {
      ports.err(`ldirectord-ng: not started again: ${left}\n`)
      return perlExit.failed
    }
  }
  return startLoaded(ports, { ...options, file, loaded, isChild: false })
}

/** Why the old process is still there, or undefined. */
async function endOld(ports: ProcessPorts, instance: Instance, pid: number): Promise<string | undefined> {
  try {
    return (await endInstance(ports, instance, { pid, keepTable: true })) ? undefined : `pid ${pid} does not end`
  } catch (error) {
    return `can not stop pid ${pid}: ${messageOf(error)}`
  }
}
