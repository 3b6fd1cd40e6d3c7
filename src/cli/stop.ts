import { readPidFile } from '../control/process/pid-file.ts'
import { messageOf } from '../lib/errors.ts'
import { type Instance, lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit } from './read-config.ts'
import { keepTableSignal } from './signals.ts'

const patienceMs = 10_000
const pollMs = 100
/** For a process that has given its pid file back. */
const lingerMs = 1_000

/**
 * `stop`: TERM, then waits for the process to end; with `keepTable` the table stays as it is, whatever cleanstop says.
 * Needs no valid configuration (defect D1) and, while the instance runs, none at all. Exit 0, or 1 when the process may not be signalled or there is neither process nor file.
 */
export async function stop(
  ports: ProcessPorts,
  { config, keepTable = false }: Pick<ProcessOptions, 'config'> & { readonly keepTable?: boolean },
): Promise<number> {
  const instance = lookUp(ports, config)
  const { state } = instance
  if (state.kind !== 'running') return locate(ports, config) === undefined ? perlExit.failed : perlExit.ok
  try {
    if (!(await endInstance(ports, instance, { pid: state.pid, keepTable }))) {
      ports.err(`ldirectord-ng: pid ${state.pid} has not ended after ${patienceMs / 1000} seconds\n`)
    }
    return perlExit.ok
  } catch (error) {
    ports.err(`ldirectord-ng: can not stop pid ${state.pid}: ${messageOf(error)}\n`)
    return perlExit.failed
  }
}

/**
 * Asks a director to end and waits, in bounds. False when it still runs. One that has given its pid file back has done its
 * work: what Node may wait for after that, a name server that does not answer say, keeps no new one from starting.
 */
export async function endInstance(
  ports: Pick<ProcessPorts, 'kill' | 'catches' | 'isAlive' | 'clock'>,
  { pidFile }: Pick<Instance, 'pidFile'>,
  { pid, keepTable }: { readonly pid: number; readonly keepTable: boolean },
): Promise<boolean> {
  const { clock } = ports
  // Perl ldirectord knows no way to leave the table but cleanstop=no: it ends as its file says.
  const signal = keepTable && ports.catches(pid, keepTableSignal) ? keepTableSignal : 'SIGTERM'
  if (!ports.kill(pid, signal)) return true
  const until = clock.monotonic() + patienceMs
  let letGo = Number.POSITIVE_INFINITY
  while (ports.isAlive(pid)) {
    const state = readPidFile(pidFile, ports.isAlive)
    if (state.kind !== 'running' || state.pid !== pid) letGo = Math.min(letGo, clock.monotonic() + lingerMs)
    if (clock.monotonic() >= letGo) return true
    if (clock.monotonic() >= until) return false
    await new Promise<void>((resolve) => void clock.setTimer('wait for the end', pollMs, resolve))
  }
  return true
}
