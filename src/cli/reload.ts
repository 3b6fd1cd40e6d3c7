import type { ReloadReport } from '../api/reload-routes.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { lookUp, type ProcessOptions, type ProcessPorts } from './process-ports.ts'
import { locate, perlExit, readConfig } from './read-config.ts'

/**
 * `reload` and `force-reload`: over the control socket, and ends when the new file is in force; where there is none, HUP. A
 * file with errors is told and exits 2, and the daemon never hears of it (defect D1). One that the guard refuses exits 1
 * with the plan. Not running: one line in the log and on standard error, exit 1.
 */
export async function reload(
  ports: ProcessPorts,
  { config, debug, confirm = false }: ProcessOptions & { readonly confirm?: boolean | undefined },
): Promise<number> {
  const file = locate(ports, config)
  if (file === undefined) return perlExit.failed
  const loaded = await readConfig(ports, file)
  if (typeof loaded === 'number') return loaded
  const { name: instance, state } = lookUp(ports, config)
  try {
    const answer = state.kind === 'running' ? await ports.askReload(instance, confirm) : undefined
    if (answer !== undefined) return tellAnswer(ports, answer)
    if (confirm && state.kind === 'running') {
      ports.err('ldirectord-ng: the daemon has no control socket, so there is nobody to confirm it to\n')
      return perlExit.failed
    }
    if (state.kind === 'running' && ports.kill(state.pid, 'SIGHUP')) return perlExit.ok
  } catch (error) {
    ports.err(`ldirectord-ng: can not reload: ${messageOf(error)}\n`)
    return perlExit.failed
  }
  const { logfile, logFormat } = loaded.config.globals
  await ports.note({ logfile, logFormat, instance, debug }, `ldirectord is stopped for ${file}`)
  // With -d the line of the log stands there already.
  if (!debug) ports.err(`ldirectord is stopped for ${printable(file)}\n`)
  return perlExit.failed
}

function tellAnswer(ports: Pick<ProcessPorts, 'err'>, { reloaded, refused }: ReloadReport): number {
  if (reloaded) return perlExit.ok
  const { reasons = [], plan = [], why } = refused ?? {}
  const lines = ['not reloaded, the running configuration stays in force:', ...reasons.map((each) => `  ${each}`)]
  if (plan.length > 0) lines.push('it would do this:', ...plan.map((each) => `  ${each}`))
  if (why === 'guard') lines.push('reload --confirm takes it all the same')
  for (const line of lines) ports.err(`ldirectord-ng: ${printable(line, 500)}\n`)
  return why === 'errors' ? perlExit.configError : perlExit.failed
}
