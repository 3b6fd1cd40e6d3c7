import { printable } from '../lib/printable.ts'
import { lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit } from './read-config.ts'

/**
 * `status`: texts, streams and codes of behaviour reference 1.4. The file must exist, but need not be valid (D1). One that was
 * refused by a reload is told in a line of its own.
 */
export async function status(
  ports: Pick<ProcessPorts, 'out' | 'err' | 'runDirectory' | 'isAlive' | 'askRefused'>,
  { config }: Pick<ProcessOptions, 'config'>,
): Promise<number> {
  const file = locate(ports, config)
  if (file === undefined) return perlExit.failed
  const shown = printable(file)
  const { name: instance, pidFile, state } = lookUp(ports, config)
  if (state.kind === 'running') {
    ports.err(`ldirectord for ${shown} is running with pid: ${state.pid}\n`)
    for (const reason of await ports.askRefused(instance)) {
      ports.err(`ldirectord-ng: the file that lies there now is not in force: ${printable(reason, 500)}\n`)
    }
    return perlExit.ok
  }
  if (state.kind === 'stale') ports.err(`ldirectord stale pid file ${printable(pidFile)} for ${shown}\n`)
  ports.out(`ldirectord is stopped for ${shown}\n`)
  return state.kind === 'stale' ? perlExit.failed : perlExit.stopped
}
