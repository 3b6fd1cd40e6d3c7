import { userInfo } from 'node:os'
import type { Ask } from '../api/client.ts'
import type { IntentReport } from '../api/intent-report.ts'
import type { OrderReport } from '../api/order-routes.ts'
import { printable } from '../lib/printable.ts'
import { type CliContext, exitCode } from './context.ts'
import { localTime } from './duration.ts'
import { steer } from './instance-socket.ts'
import type { SteerCommand } from './steer-arguments.ts'

type Order = Extract<SteerCommand, { verb: 'drain' | 'disable' | 'enable' }>

/** `drain`, `disable`, `enable`: the operator's word, in force when this returns. */
export async function order(context: CliContext, command: Order): Promise<number> {
  const report = await steer<OrderReport>(context, command.config, askOf(command, whoAmI()))
  for (const intent of report.intents) context.out(`${printable(lineOf(intent, context.clock.now()), 500)}\n`)
  if (report.intents.length === 0) context.out('Nothing holds it back: the checks decide.\n')
  if (!report.saved)
    context.err('This is lost when the daemon ends: it cannot write its state file, or has none (--table memory).\n')
  return exitCode.ok
}

export function askOf(command: Order, by: string): Ask {
  const { verb, real, all } = command
  const more =
    verb === 'drain'
      ? { maxMs: command.maxMs, reason: command.reason }
      : verb === 'disable'
        ? { forMs: command.forMs, reason: command.reason }
        : {}
  return { method: 'POST', path: `/v1/${verb}`, body: { real, all, by, ...more } }
}

/** For the log and for colleagues; the one behind sudo where there is one. */
function whoAmI(): string {
  const name = process.env['SUDO_USER'] ?? nameOfAccount()
  return name.slice(0, 64)
}

function nameOfAccount(): string {
  try {
    return userInfo().username
  } catch {
    // An account without a line in passwd.
    return String(process.getuid?.() ?? '')
  }
}

function lineOf({ virtual, real, state, reason, by, until, ...rest }: IntentReport, now: number): string {
  const left = rest.activeConnections === null ? '' : `, connections left: ${rest.activeConnections} active`
  const end = until === null ? '' : `, until ${localTime(until)}`
  const why = reason === '' ? '' : ` (${reason})`
  const late = until !== null && Date.parse(until) < now ? ', any moment' : ''
  return `${real} in ${virtual}: ${state}${why}, by ${by}${left}${end}${late}`
}
