import { DEFAULT_CONFIG } from '../config/find.ts'
import { instanceOf } from '../control/process/instance.ts'
import { executedBy } from '../control/scripts/instances.ts'
import { printable } from '../lib/printable.ts'
import { lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit } from './read-config.ts'

/**
 * `status`: texts, streams and codes of behaviour reference 1.4. While it runs the file need neither be valid nor exist (D1). One that was
 * refused by a reload is told in a line of its own. While it runs, those of its `execute` lines follow.
 */
export async function status(ports: StatusPorts, { config }: Pick<ProcessOptions, 'config'>): Promise<number> {
  return await statusOf(ports, config, new Set())
}

type StatusPorts = Pick<ProcessPorts, 'out' | 'err' | 'runDirectory' | 'isAlive' | 'askRefused'>

/** @param seen instances that were told of: files may lead in a circle */
async function statusOf(ports: StatusPorts, config: string | undefined, seen: Set<string>): Promise<number> {
  const { name: instance, pidFile, state } = lookUp(ports, config)
  const found = locate(ports, config)
  if (found === undefined && state.kind !== 'running') return perlExit.failed
  const file = found ?? config ?? DEFAULT_CONFIG
  const shown = printable(file)
  if (state.kind === 'running') {
    ports.err(`ldirectord for ${shown} is running with pid: ${state.pid}\n`)
    for (const reason of await ports.askRefused(instance)) {
      ports.err(`ldirectord-ng: the file that lies there now is not in force: ${printable(reason, 500)}\n`)
    }
    seen.add(instance)
    for (const other of executedBy(file)) {
      if (other !== '' && !seen.has(instanceOf(other))) await statusOf(ports, other, seen.add(instanceOf(other)))
    }
    return perlExit.ok
  }
  if (state.kind === 'stale') ports.err(`ldirectord stale pid file ${printable(pidFile)} for ${shown}\n`)
  ports.out(`ldirectord is stopped for ${shown}\n`)
  return state.kind === 'stale' ? perlExit.failed : perlExit.stopped
}
