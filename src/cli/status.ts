import { printable } from '../lib/printable.ts'
import { lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit } from './read-config.ts'

/** `status`: texts, streams and codes of behaviour reference 1.4. The file must exist, but need not be valid (D1). */
export function status(
  ports: Pick<ProcessPorts, 'out' | 'err' | 'runDirectory' | 'isAlive'>,
  { config }: Pick<ProcessOptions, 'config'>,
): number {
  const file = locate(ports, config)
  if (file === undefined) return perlExit.failed
  const shown = printable(file)
  const { pidFile, state } = lookUp(ports, config)
  if (state.kind === 'running') {
    ports.err(`ldirectord for ${shown} is running with pid: ${state.pid}\n`)
    return perlExit.ok
  }
  if (state.kind === 'stale') ports.err(`ldirectord stale pid file ${printable(pidFile)} for ${shown}\n`)
  ports.out(`ldirectord is stopped for ${shown}\n`)
  return state.kind === 'stale' ? perlExit.failed : perlExit.stopped
}
