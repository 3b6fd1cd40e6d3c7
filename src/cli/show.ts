import type { StatusReport } from '../api/status-report.ts'
import { OperatorError } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import type { ConnectionTimeouts } from '../model/timeouts.ts'
import type { ConnectionList } from '../table/details.ts'
import { formatConnections, formatTimeouts } from '../table/listing-kernel.ts'
import { type CliContext, exitCode } from './context.ts'
import { steer } from './instance-socket.ts'
import { formatStatus, type ShowOptions } from './show-format.ts'
import type { SteerCommand } from './steer-arguments.ts'

type Show = Extract<SteerCommand, { verb: 'show' }>

const numbersOf: Readonly<Record<string, ShowOptions['numbers']>> = { stats: 'totals', rate: 'rates' }

/** `show [virtual]`: what the daemon knows, or with a flag what the kernel counts. */
export async function show(context: CliContext, command: Show): Promise<number> {
  if (command.what === 'timeouts') return await showTimeouts(context, command)
  if (command.what === 'connections') return await showConnections(context, command)
  const path = '/v1/status?traffic=yes'
  const whole = await steer<StatusReport>(context, command.config, { method: 'GET', path })
  const report = only(whole, command.virtual)
  if (command.json) {
    context.out(`${JSON.stringify(report, null, 2)}\n`)
    return exitCode.ok
  }
  const numbers: ShowOptions['numbers'] = numbersOf[command.what] ?? 'connections'
  context.out(formatStatus(report, { numbers, now: context.clock.now() }))
  return exitCode.ok
}

function only(report: StatusReport, wanted: string | undefined): StatusReport {
  if (wanted === undefined) return report
  const virtuals = report.virtuals.filter(({ virtual, key }) => virtual === wanted || key === wanted)
  if (virtuals.length > 0) return { ...report, virtuals }
  const names = report.virtuals.map(({ virtual }) => `  ${virtual}`)
  throw new OperatorError([`there is no virtual service ${printable(wanted)}; there are`, ...names].join('\n'))
}

async function showTimeouts(context: CliContext, { config, json }: Show): Promise<number> {
  const timeouts = await steer<ConnectionTimeouts>(context, config, { method: 'GET', path: '/v1/timeouts' })
  context.out(json ? `${JSON.stringify(timeouts)}\n` : formatTimeouts(timeouts))
  return exitCode.ok
}

async function showConnections(context: CliContext, { config, json, virtual }: Show): Promise<number> {
  const query = virtual === undefined ? '' : `?${new URLSearchParams({ virtual })}`
  const list = await steer<ConnectionList>(context, config, { method: 'GET', path: `/v1/connections${query}` })
  if (json) {
    context.out(`${JSON.stringify(list, null, 2)}\n`)
    return exitCode.ok
  }
  context.out(formatConnections(list.connections))
  if (list.isCut) context.err('There are more connections than are shown.\n')
  return exitCode.ok
}
