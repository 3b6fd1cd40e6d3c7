import { messageOf } from '../lib/errors.ts'
import { lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit, readConfig } from './read-config.ts'

/**
 * `reload` and `force-reload`: HUP. A file with errors is told and exits 2, and the daemon never hears of it (defect D1).
 * Not running: one line in the log, exit 1.
 */
export async function reload(ports: ProcessPorts, { config, debug }: ProcessOptions): Promise<number> {
  const file = locate(ports, config)
  if (file === undefined) return perlExit.failed
  const loaded = await readConfig(ports, file)
  if (typeof loaded === 'number') return loaded
  const { name: instance, state } = lookUp(ports, config)
  try {
    if (state.kind === 'running' && ports.kill(state.pid, 'SIGHUP')) return perlExit.ok
  } catch (error) {
    ports.err(`ldirectord-ng: can not reload: ${messageOf(error)}\n`)
    return perlExit.failed
  }
  const { logfile } = loaded.config.globals
  await ports.note({ logfile, instance, debug }, `ldirectord is stopped for ${file}`)
  return perlExit.failed
}
